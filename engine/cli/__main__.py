"""Run `veil` as `python -m engine.cli`, the way in which Veil starts its own workers."""

import sys

from engine.cli import main

sys.exit(main())
