"""Pictures: what was gathered for one, drawn on Matplotlib Axes. Nothing is computed here."""
