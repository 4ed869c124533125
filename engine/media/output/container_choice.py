"""Choice of an output's container: one that holds the streams without changing what is heard."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

import av
import msgspec

from engine.errors import TargetError
from engine.media.containers import (
    CONTAINER_FORMATS,
    MATROSKA,
    ContainerFamily,
    ContainerFormat,
    container_family,
    format_from_suffix,
)
from engine.media.output.encoder import EncoderSettings
from engine.record import Document


class ContainerChoice(Document, frozen=True):
    """The container of an output.

    Attributes:
        muxer: FFmpeg's name of the muxer.
        suffix: file ending, with its dot.
        sentence: explains to a person why it is not the source's container; None if it is, or if it was requested.
        fragmented: MP4 and QuickTime are written in fragments, which need no edit list for the end of the audio.
    """

    muxer: str
    suffix: str
    sentence: str | None
    fragmented: bool = False

    @property
    def can_be_fragmented(self) -> bool:
        """Return whether the container could be written in fragments and is not."""
        return not self.fragmented and container_family(self.muxer).name == "mp4"

    def adapt_settings(self, settings: EncoderSettings) -> EncoderSettings:
        """Return the settings without what the container cannot store."""
        # B-frames are decoded in another order than they are shown, which needs presentation times.
        stores_pts = container_family(self.muxer).stores_pts
        return settings if stores_pts else msgspec.structs.replace(settings, b_frames=0)


def choose_container(
    source_container: str,
    wanted_suffix: str | None,
    copied_codecs: Collection[str],
    video_codec: Literal["h264", "hevc"] = "h264",
    *,
    source_suffix: str | None = None,
) -> ContainerChoice:
    """Choose the container for an output.

    Args:
        source_container: FFmpeg's name of the source's container.
        wanted_suffix: suffix of the output's path; None for the source's container, or Matroska if that one cannot
            hold the streams.
        copied_codecs: FFmpeg's names of the codecs, or of their decoders (`mp3float`), of the streams that are copied.
        video_codec: codec of the new video.
        source_suffix: suffix of the source's path.

    Raises:
        TargetError: the wanted suffix is unknown, or no container behind it can hold these streams unchanged.
    """
    source = container_family(source_container)
    codecs = [video_codec, *map(_canonical_codec, copied_codecs)]
    if wanted_suffix is not None:
        same_suffix = wanted_suffix.lower() == (source_suffix or "").lower()
        return _choose_by_suffix(source_container, wanted_suffix.lower(), codecs, same_suffix=same_suffix)
    candidates = [entry for entry in CONTAINER_FORMATS if entry.family == source and entry.muxer is not None]
    for entry in candidates:
        if not entry.find_unsupported(source, codecs):
            return _make_choice(entry, entry.suffixes[0])
    reason = _explain_refusal(candidates[0] if candidates else None, source_container, codecs)
    if MATROSKA.find_unsupported(MATROSKA.family, codecs) and (others := _list_fitting_formats(source, codecs)):
        return _make_choice(others[0], others[0].suffixes[0])
    return _choose_matroska(".mkv", reason, codecs, source)


def fall_back_to_matroska(suffix: str, reason: str) -> ContainerChoice:
    """Choose Matroska under another container's suffix; the reason is given as in "WebM cannot hold H264"."""
    rename = "" if suffix == ".mkv" else f" Players open it all the same; {suffix} may be renamed to .mkv."
    return ContainerChoice("matroska", suffix, f"The output is a Matroska file, because {reason}.{rename}")


def fall_back_to_fragments(choice: ContainerChoice, reason: str) -> ContainerChoice:
    """Choose fragments of the same container; the reason is given as in "MP4 would give its audio other samples"."""
    sentence = f"The output is written in fragments, as by cameras and browsers, because in one piece {reason}."
    return msgspec.structs.replace(choice, sentence=sentence, fragmented=True)


def _canonical_codec(name: str) -> str:
    """Return the codec's own name, whichever of its decoders is named."""
    return av.Codec(name, "r").canonical_name if name in av.codecs_available else name


def _make_choice(entry: ContainerFormat, suffix: str) -> ContainerChoice:
    assert entry.muxer is not None
    return ContainerChoice(entry.muxer, suffix, None)


def _choose_matroska(suffix: str, reason: str, codecs: Collection[str], source: ContainerFamily) -> ContainerChoice:
    if unsupported := MATROSKA.find_unsupported(MATROSKA.family, codecs):
        others = " or ".join(entry.suffixes[0] for entry in _list_fitting_formats(source, codecs))
        advice = f"choose {others}" if others else "convert that audio first"
        raise TargetError(f"{reason}, nor can Matroska hold {_join_codec_names(unsupported)}; {advice}.")
    return fall_back_to_matroska(suffix, reason)


def _choose_by_suffix(
    source_container: str, wanted_suffix: str, codecs: Collection[str], *, same_suffix: bool
) -> ContainerChoice:
    """Choose the container that a suffix names, or Matroska under it if the source's own cannot hold the streams.

    `same_suffix` says that the source has the same suffix.
    """
    source = container_family(source_container)
    known = format_from_suffix(wanted_suffix)
    entry = known if known.muxer is not None else None
    if entry is not None and entry.can_hold_streams(source, codecs):
        return _make_choice(entry, wanted_suffix)
    # A person who asks for the source's own container gets a file under that name in any case. One who asks for
    # another container made a choice, so the answer is an error that lists what would work.
    is_own_container = same_suffix if entry is None else entry.family == source
    if is_own_container and not _has_fitting_relative(source, codecs):
        return _choose_matroska(wanted_suffix, _explain_refusal(entry, source_container, codecs), codecs, source)
    if entry is None:
        choices = ", ".join(
            choice.suffixes[0]
            for choice in CONTAINER_FORMATS
            if choice.muxer is not None and choice.can_hold_codec("h264")
        )
        raise TargetError(f"An output cannot end in {wanted_suffix or 'nothing'}; choose one of {choices}.")
    if not entry.family.stores_pts and entry.family != source:
        raise TargetError(
            f"{entry.name} keeps neither time stamps nor late starts of a source that is not {entry.name}; choose .mkv."
        )
    # Matroska is always possible in the end: what it cannot hold is refused when it is chosen.
    fitting = " or ".join(entry.suffixes[0] for entry in _list_fitting_formats(source, codecs)) or ".mkv"
    raise TargetError(f"{_explain_refusal(entry, source_container, codecs)} unchanged; choose {fitting}.")


def _has_fitting_relative(source: ContainerFamily, codecs: Collection[str]) -> bool:
    """Return whether a format of the source's family, other than Matroska, can hold the streams."""
    return any(
        entry.can_hold_streams(source, codecs)
        for entry in CONTAINER_FORMATS
        if entry.family == source and entry.muxer is not None and entry is not MATROSKA
    )


def _explain_refusal(entry: ContainerFormat | None, source_container: str, codecs: Collection[str]) -> str:
    if entry is None:
        return f"Veil writes no {source_container.split(',', maxsplit=1)[0].upper()} files"
    unsupported = entry.find_unsupported(container_family(source_container), codecs)
    return f"{entry.name} cannot hold {_join_codec_names(unsupported)} of this source"


def _list_fitting_formats(source: ContainerFamily, codecs: Collection[str]) -> list[ContainerFormat]:
    return [
        entry
        for entry in CONTAINER_FORMATS
        if entry.muxer is not None and entry.is_suggested and not entry.find_unsupported(source, codecs)
    ]


def _join_codec_names(codecs: Collection[str]) -> str:
    return " and ".join(sorted({codec.upper().replace("_", " ") for codec in codecs}))
