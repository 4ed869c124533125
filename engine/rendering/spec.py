"""Everything that, with source, record and review, decides the bytes of an output."""

from __future__ import annotations

from engine.audio.spans import AudioSpan
from engine.masking.style import Style
from engine.media.output.container_choice import ContainerChoice
from engine.media.output.encoder import EncoderSettings
from engine.record import Document

DRAFT_COMMENT = "Veil draft: not reviewed"
FINAL_COMMENT = "Veil release: reviewed and approved"


class RenderSpec(Document, frozen=True, omit_defaults=True):
    """Everything that, with source, record and review, decides an output's bytes.

    Attributes:
        comment: the one tag that is written into the output.
        mark: word that is written into the picture; left out of the JSON when there is none.
        audio: spans in which audio is replaced; left out of the JSON when it is kept as in the source.
    """

    style: Style
    encoder: EncoderSettings
    container: ContainerChoice
    comment: str | None
    audio: tuple[AudioSpan, ...] = ()
    mark: str | None = None
