"""How an output is made: the options of a render, and the terms that an approval is bound to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.audio.spans import AudioSpan
from engine.masking.presets import style_from_preset
from engine.masking.style import Style
from engine.media.output.encoder import EncoderSettings
from engine.media.output.versions import read_library_versions
from engine.record import Document
from engine.version import VERSION


@dataclass(frozen=True, slots=True)
class RenderOptions:
    """How faces are hidden and how the video is encoded.

    Attributes:
        style: what covers a face.
        encoder: settings of the encoder.
        force: allow a style too weak to hide a face; the report says that it was.
        y4m: also write the pictures handed to the encoder to this file.
        audio: spans in which audio is muted or bleeped; it is kept as in the source where none says otherwise.
        mark: word that is written into the picture of a draft; a final output has none.
    """

    style: Style = style_from_preset()
    encoder: EncoderSettings = EncoderSettings()
    force: bool = False
    y4m: Path | None = None
    audio: tuple[AudioSpan, ...] = ()
    mark: str | None = None


class Terms(Document, frozen=True, omit_defaults=True):
    """Everything about how an output is made that an approval is bound to.

    Attributes:
        style: what covers a face.
        encoder: settings of the encoder.
        suffix: of the output's name, which chooses the container.
        forced: whether a style too weak to hide a face is allowed.
        versions: of Veil and of the libraries that make the bytes.
        audio: spans in which audio is replaced; left out of the JSON when it is kept as in the source.
    """

    style: Style
    encoder: EncoderSettings
    suffix: str
    forced: bool
    versions: dict[str, str]
    audio: tuple[AudioSpan, ...] = ()

    @property
    def options(self) -> RenderOptions:
        """What to render with."""
        return RenderOptions(self.style, self.encoder, self.forced, audio=self.audio)


def terms_from_options(options: RenderOptions, suffix: str) -> Terms:
    """The terms of a render into a file with that suffix, by this version of Veil."""
    versions = {"veil": VERSION, **read_library_versions()}
    return Terms(options.style, options.encoder, suffix, options.force, versions, options.audio)
