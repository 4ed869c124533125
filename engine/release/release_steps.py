"""What every release goes through and is given, in this order; `engine.release.release_hooks` says what each may do."""

from __future__ import annotations

from collections.abc import Sequence

from engine.release.certify import certify
from engine.release.release_checks import measure_planted_faces, run_leak_check
from engine.release.release_hooks import Certifier, ReleaseCheck

RELEASE_CHECKS: Sequence[ReleaseCheck] = (run_leak_check, measure_planted_faces)
CERTIFIERS: Sequence[Certifier] = (certify,)
