"""What every release goes through and is given, in this order; see `engine.release.evidence` for what each may do."""

from __future__ import annotations

from collections.abc import Sequence

from engine.release.certifying import certify
from engine.release.evidence import Certifier, EvidenceStep
from engine.release.searching import plant_faces, search

EVIDENCE: Sequence[EvidenceStep] = (search, plant_faces)
CERTIFIERS: Sequence[Certifier] = (certify,)
