"""`python -m bactrian`."""

from __future__ import annotations

from bactrian.cli import main

raise SystemExit(main())
