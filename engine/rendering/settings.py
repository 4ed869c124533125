"""The settings that render options, terms and specification share."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from engine.audio.spans import AudioSpan
from engine.masking.style import Style
from engine.media.output.encoder import EncoderSettings
from engine.record import Document


class OutputSettings(Document, frozen=True, omit_defaults=True):
    """How the pictures and the audio of an output are made.

    `RenderOptions` (what a person asks for), `Terms` (what an approval is bound to) and `RenderSpec` (what a report
    says) are these settings and more. They inherit them instead of holding them in a field of their own, because terms
    and reports are signed JSON in which the settings stand beside the other fields, and msgspec cannot flatten a nested
    value. So a setting is declared once, and `as_fields` carries it from one type to the next.

    `style` and `encoder` have no defaults here: `omit_defaults` would leave a default out of the signed JSON, and a
    later version with another default would then read another value.

    Attributes:
        style: how the masks look.
        encoder: settings of the video encoder.
        audio: spans in which audio is replaced; left out of the JSON when the audio is kept as in the source.
        passthrough: groups of pictures without any mask are the source's own packets; left out of the JSON when every
            frame is encoded.
        segment_seconds: least length of the segments in which the pictures are encoded, each with an encoder of its
            own; None, and left out of the JSON, when one encoder encodes them all.
    """

    style: Style
    encoder: EncoderSettings
    audio: tuple[AudioSpan, ...] = ()
    passthrough: bool = False
    segment_seconds: Annotated[int, msgspec.Meta(ge=1, le=3600)] | None = None

    def as_fields(self) -> dict[str, Any]:
        """Return these settings by name, without the fields of a subclass, to build another subclass from them."""
        return {name: getattr(self, name) for name in OutputSettings.__struct_fields__}
