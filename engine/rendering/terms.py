"""How an output is made: the options of a render, and the terms that an approval is bound to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec

from engine.masking.presets import style_from_preset
from engine.masking.style import Style
from engine.media.output.encoder import EncoderSettings
from engine.media.output.versions import read_library_versions
from engine.rendering.settings import OutputSettings
from engine.version import VERSION


class RenderOptions(OutputSettings, frozen=True, kw_only=True):
    """How faces are covered and how the video is encoded.

    Attributes:
        style: how the masks look; the default preset unless another one is given.
        encoder: settings of the video encoder.
        force: allow a style too weak to hide a face; the report says that it was.
        y4m: file to which the pictures that the encoder receives are also written.
        jobs: segments that are encoded at once, which decides no byte; None: as many as keep the cores busy.
        mark: word that is written into the pictures of a draft; a final output has none.
    """

    style: Style = style_from_preset()
    encoder: EncoderSettings = EncoderSettings()
    force: bool = False
    y4m: Path | None = None
    mark: str | None = None
    jobs: Annotated[int, msgspec.Meta(ge=1)] | None = None


class Terms(OutputSettings, frozen=True, kw_only=True):
    """Everything about how an output is made that an approval is bound to.

    Attributes:
        suffix: suffix of the output's name, which chooses the container.
        forced: a style too weak to hide a face is allowed.
        versions: versions of Veil and of the libraries that make the bytes. Another version may give other bytes, so
            an upgrade needs a new approval.
    """

    suffix: str
    forced: bool
    versions: dict[str, str]

    @property
    def options(self) -> RenderOptions:
        """The options to render with."""
        return RenderOptions(**self.as_fields(), force=self.forced)


def terms_from_options(options: RenderOptions, suffix: str) -> Terms:
    """Return the terms of a render into a file with that suffix, by this version of Veil."""
    versions = {"veil": VERSION, **read_library_versions()}
    return Terms(**options.as_fields(), suffix=suffix, forced=options.force, versions=versions)
