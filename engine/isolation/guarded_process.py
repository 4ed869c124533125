"""The process of one call of a guarded function; see `engine.isolation.guarded`.

python -m engine.isolation.guarded_process LIFELINE
"""

from __future__ import annotations

import sys

from engine.isolation.guarded import call_packed
from engine.isolation.serve import serve_calls

if __name__ == "__main__":
    sys.exit(serve_calls(int(sys.argv[1]), call_packed))
