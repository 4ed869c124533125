"""`python -m engine.cli` is `veil`."""

import sys

from engine.cli import main

sys.exit(main())
