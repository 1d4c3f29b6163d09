"""For people: text and HTML."""
