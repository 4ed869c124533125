"""What every release goes through and is given, in this order; `engine.release.release_hooks` says what each may do."""

from __future__ import annotations

from collections.abc import Sequence

from engine.release.certify import certify
from engine.release.release_checks import plant_faces, search
from engine.release.release_hooks import Certifier, EvidenceStep

EVIDENCE: Sequence[EvidenceStep] = (search, plant_faces)
CERTIFIERS: Sequence[Certifier] = (certify,)
