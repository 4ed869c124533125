"""Everything that, with source, record and review, decides the bytes of an output."""

from __future__ import annotations

from engine.media.output.container_choice import ContainerChoice
from engine.media.output.mux import MuxRules
from engine.rendering.settings import OutputSettings

DRAFT_COMMENT = "Veil draft: not reviewed"
FINAL_COMMENT = "Veil release: reviewed and approved"


class RenderSpec(OutputSettings, frozen=True, kw_only=True):
    """Everything that, with source, record and review, decides the bytes of an output.

    Attributes:
        container: container format, with its reason when it is not the source's.
        comment: the one tag that is written into the output.
        mark: word that is written into the pictures; left out of the JSON when there is none.
        mux_rules: how streams are put together (see `engine.media.output.mux.MuxRules`); left out of the JSON for an
            output of Veil 0.1.0, which used rules 1.
    """

    container: ContainerChoice
    comment: str | None
    mark: str | None = None
    mux_rules: MuxRules = 1
