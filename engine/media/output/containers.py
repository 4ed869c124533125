"""Which container can hold which streams without changing what is heard, and where to go when one cannot.

The tables say what was measured with FFmpeg's own stream copy (see docs/guides/audio.md): a container counts as able
to hold an audio codec only when packets, decoded samples and starts come out as they went in.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

import av
import msgspec

from engine.errors import TargetError
from engine.media.output.encoder import EncoderSettings
from engine.record import Document

_PCM_CODECS = frozenset({"pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_f64le", "pcm_s16be", "pcm_s24be"})
_FRAMED_CODECS = frozenset({"aac", "mp3", "ac3", "eac3"})
_VIDEO_CODECS = frozenset({"h264", "hevc"})


@dataclass(frozen=True, slots=True)
class _Container:
    """What is known of one container.

    Attributes:
        name: what people call it.
        held_codecs: codecs it can hold; None for all.
        refused_codecs: codecs it cannot hold although `held_codecs` is None.
        unchanged_from: for each other family of containers, the audio and subtitle codecs that come from there
            unchanged;
            a family that is not named gives everything that is held.
    """

    muxer: str
    name: str
    suffixes: tuple[str, ...]
    held_codecs: frozenset[str] | None
    refused_codecs: frozenset[str] = frozenset()
    unchanged_from: tuple[tuple[str, frozenset[str]], ...] = ()

    def find_unsupported(self, source: str, codecs: Collection[str]) -> list[str]:
        """The codecs that it cannot hold, or not unchanged."""
        came_as = (
            dict(self.unchanged_from).get(container_family(source))
            if container_family(source) != container_family(self.muxer)
            else None
        )
        return [codec for codec in codecs if not self.can_hold_codec(codec) or not _is_unchanged(codec, came_as)]

    def can_hold_streams(self, source: str, codecs: Collection[str]) -> bool:
        """Whether it takes streams from a source's container, by FFmpeg's name, without changing them."""
        return (self.muxer != "avi" or self.is_native(source)) and not self.find_unsupported(source, codecs)

    def is_native(self, source: str) -> bool:
        """Whether a source's container, by FFmpeg's name, is of this kind."""
        return container_family(source) == container_family(self.muxer)

    def can_hold_codec(self, codec: str) -> bool:
        """Whether it can hold a codec at all."""
        return codec not in self.refused_codecs and (self.held_codecs is None or codec in self.held_codecs)


def _is_unchanged(codec: str, came_as: frozenset[str] | None) -> bool:
    return came_as is None or codec in _VIDEO_CODECS or codec in came_as


_MATROSKA = _Container(
    "matroska", "Matroska", (".mkv",), None, frozenset({"mov_text", "bin_data", "dvb_teletext", "nellymoser"})
)
_CONTAINERS = (
    _Container(
        "mp4",
        "MP4",
        (".mp4", ".m4v"),
        _VIDEO_CODECS | _FRAMED_CODECS | _PCM_CODECS | {"opus", "flac", "alac", "mov_text"},
        unchanged_from=(
            ("matroska", _PCM_CODECS | {"flac", "alac"}),
            ("avi", _FRAMED_CODECS | _PCM_CODECS),
        ),
    ),
    _Container(
        "mov",
        "QuickTime",
        (".mov", ".qt"),
        _VIDEO_CODECS
        | _FRAMED_CODECS
        | _PCM_CODECS
        | {"mp2", "alac", "pcm_u8", "pcm_alaw", "pcm_mulaw", "adpcm_ima_qt", "mov_text"},
        unchanged_from=(
            ("matroska", _PCM_CODECS | {"alac"}),
            ("avi", _FRAMED_CODECS | _PCM_CODECS | {"mp2", "pcm_u8"}),
        ),
    ),
    _MATROSKA,
    _Container(
        "mpegts",
        "MPEG-TS",
        (".ts", ".mts", ".m2ts"),
        _VIDEO_CODECS | _FRAMED_CODECS | {"mp2", "dts", "opus", "dvb_subtitle", "dvb_teletext"},
        unchanged_from=(
            ("mp4", frozenset()),
            ("matroska", frozenset()),
            ("avi", _FRAMED_CODECS | {"mp2"}),
        ),
    ),
    _Container(
        "avi",
        "AVI",
        (".avi",),
        _FRAMED_CODECS | _PCM_CODECS | {"h264", "mp2", "flac", "vorbis", "pcm_u8", "pcm_alaw", "pcm_mulaw", "adpcm_ms"},
    ),
    _Container("webm", "WebM", (".webm",), frozenset({"vp8", "vp9", "av1", "opus", "vorbis", "webvtt"})),
)


class ContainerChoice(Document, frozen=True):
    """The container of an output.

    Attributes:
        muxer: FFmpeg's name.
        suffix: with its dot.
        sentence: why it is not the source's container, for a person; None when it is or when it was asked for.
    """

    muxer: str
    suffix: str
    sentence: str | None

    def adapt_settings(self, settings: EncoderSettings) -> EncoderSettings:
        """The settings with what the container cannot store left out: AVI keeps no other order than that of display."""
        return msgspec.structs.replace(settings, b_frames=0) if self.muxer == "avi" else settings


def container_family(container: str) -> str:
    """The kind of container behind FFmpeg's names of demuxers and muxers, as `mov,mp4,m4a,3gp,3g2,mj2`."""
    names = set(container.split(","))
    if names & {"mp4", "mov"}:
        return "mp4"
    return "matroska" if names & {"matroska", "webm"} else container


def choose_container(
    source_container: str,
    wanted_suffix: str | None,
    copied_codecs: Collection[str],
    video_codec: Literal["h264", "hevc"] = "h264",
    *,
    source_suffix: str | None = None,
) -> ContainerChoice:
    """The container for an output.

    Args:
        source_container: FFmpeg's name of the source's container.
        wanted_suffix: suffix of the output's path, or None for the source's container, or Matroska when that cannot
            hold
            the streams.
        copied_codecs: FFmpeg's names of the codecs, or of their decoders (`mp3float`), of the streams that are copied.
        video_codec: the codec of the new video.
        source_suffix: suffix of the source's path.

    Raises:
        TargetError: the wanted suffix is unknown, or no container behind it can hold these streams unchanged.
    """
    codecs = [video_codec, *map(_canonical_codec, copied_codecs)]
    if wanted_suffix is not None:
        return _choose_by_suffix(
            source_container,
            wanted_suffix.lower(),
            codecs,
            same_suffix=wanted_suffix.lower() == (source_suffix or "").lower(),
        )
    kin = [container for container in _CONTAINERS if container.muxer in source_container.split(",")]
    for container in sorted(kin, key=lambda container: container.muxer != "mp4"):
        if not container.find_unsupported(source_container, codecs):
            return ContainerChoice(container.muxer, container.suffixes[0], None)
    return _choose_matroska(".mkv", _explain_refusal(kin[0] if kin else None, source_container, codecs), codecs)


def fall_back_to_matroska(suffix: str, reason: str) -> ContainerChoice:
    """Matroska under another container's suffix, with a sentence that gives the reason, as "WebM cannot hold H264"."""
    rename = "" if suffix == ".mkv" else f" Players open it all the same; {suffix} may be renamed to .mkv."
    return ContainerChoice("matroska", suffix, f"The output is a Matroska file, because {reason}.{rename}")


def _canonical_codec(name: str) -> str:
    """The codec's own name, whichever of its decoders is named."""
    return av.Codec(name, "r").canonical_name if name in av.codecs_available else name


def _choose_matroska(suffix: str, reason: str, codecs: Collection[str]) -> ContainerChoice:
    if strange := _MATROSKA.find_unsupported("matroska", codecs):
        raise TargetError(f"{reason}, nor can Matroska hold {_join_codec_names(strange)}; convert that audio first.")
    return fall_back_to_matroska(suffix, reason)


def _choose_by_suffix(source: str, wanted: str, codecs: Collection[str], *, same_suffix: bool) -> ContainerChoice:
    """The container that a suffix names; Matroska under that suffix where the source's own cannot hold the streams.

    `same_suffix` says that the source has the same suffix.
    """
    container = next((container for container in _CONTAINERS if wanted in container.suffixes), None)
    if container is not None and container.can_hold_streams(source, codecs):
        return ContainerChoice(container.muxer, wanted, None)
    native = same_suffix if container is None else container.is_native(source)
    if native and not _has_fitting_relative(source, codecs):
        return _choose_matroska(wanted, _explain_refusal(container, source, codecs), codecs)
    if container is None:
        known = ", ".join(one.suffixes[0] for one in _CONTAINERS if one.can_hold_codec("h264"))
        raise TargetError(f"An output cannot end in {wanted or 'nothing'}; choose one of {known}.")
    if container.muxer == "avi" and not container.is_native(source):
        raise TargetError("AVI keeps neither time stamps nor late starts of a source that is not AVI; choose .mkv.")
    fitting = " or ".join(_list_fitting_suffixes(source, codecs))
    raise TargetError(f"{_explain_refusal(container, source, codecs)} unchanged; choose {fitting}.")


def _has_fitting_relative(source: str, codecs: Collection[str]) -> bool:
    """Whether a relative of the source's container, other than Matroska, can hold the streams."""
    return any(
        one.is_native(source) and one is not _MATROSKA and one.can_hold_streams(source, codecs) for one in _CONTAINERS
    )


def _explain_refusal(container: _Container | None, source: str, codecs: Collection[str]) -> str:
    if container is None:
        return f"Veil writes no {source.split(',', maxsplit=1)[0].upper()} files"
    return (
        f"{container.name} cannot hold {_join_codec_names(container.find_unsupported(source, codecs))} of this source"
    )


def _list_fitting_suffixes(source: str, codecs: Collection[str]) -> list[str]:
    able = [
        one for one in _CONTAINERS if one.muxer not in {"avi", "mpegts"} and not one.find_unsupported(source, codecs)
    ]
    return [container.suffixes[0] for container in able] or [".mkv"]


def _join_codec_names(codecs: Collection[str]) -> str:
    return " and ".join(sorted({codec.upper().replace("_", " ") for codec in codecs}))
