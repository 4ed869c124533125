"""Which container can hold which streams without changing what is heard, and where to go when one cannot.

The tables say what was measured with FFmpeg's own stream copy (see docs/audio.md): a container counts as able to hold
an audio codec only when packets, decoded samples and starts come out as they went in.
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

_PCM = frozenset({"pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_f64le", "pcm_s16be", "pcm_s24be"})
_FRAMED = frozenset({"aac", "mp3", "ac3", "eac3"})
_VIDEO = frozenset({"h264", "hevc"})


@dataclass(frozen=True, slots=True)
class _Container:
    """What is known of one container.

    Attributes:
        name: what people call it.
        holds: codecs it can hold; None for all.
        refuses: codecs it cannot hold although `holds` is None.
        exact_from: for each other family of containers, the audio and subtitle codecs that come from there unchanged;
            a family that is not named gives everything that is held.
    """

    muxer: str
    name: str
    suffixes: tuple[str, ...]
    holds: frozenset[str] | None
    refuses: frozenset[str] = frozenset()
    exact_from: tuple[tuple[str, frozenset[str]], ...] = ()

    def trouble(self, source: str, codecs: Collection[str]) -> list[str]:
        """The codecs that it cannot hold, or not unchanged."""
        came_as = dict(self.exact_from).get(family(source)) if family(source) != family(self.muxer) else None
        return [codec for codec in codecs if not self.takes(codec) or not _unchanged(codec, came_as)]

    def fits(self, source: str, codecs: Collection[str]) -> bool:
        """Whether it takes streams from a source's container, by FFmpeg's name, without changing them."""
        return (self.muxer != "avi" or self.native(source)) and not self.trouble(source, codecs)

    def native(self, source: str) -> bool:
        """Whether a source's container, by FFmpeg's name, is of this kind."""
        return family(source) == family(self.muxer)

    def takes(self, codec: str) -> bool:
        """Whether it can hold a codec at all."""
        return codec not in self.refuses and (self.holds is None or codec in self.holds)


def _unchanged(codec: str, came_as: frozenset[str] | None) -> bool:
    return came_as is None or codec in _VIDEO or codec in came_as


_MATROSKA = _Container(
    "matroska", "Matroska", (".mkv",), None, frozenset({"mov_text", "bin_data", "dvb_teletext", "nellymoser"})
)
_CONTAINERS = (
    _Container(
        "mp4",
        "MP4",
        (".mp4", ".m4v"),
        _VIDEO | _FRAMED | _PCM | {"opus", "flac", "alac", "mov_text"},
        exact_from=(
            ("matroska", _PCM | {"flac", "alac"}),
            ("avi", _FRAMED | _PCM),
        ),
    ),
    _Container(
        "mov",
        "QuickTime",
        (".mov", ".qt"),
        _VIDEO | _FRAMED | _PCM | {"mp2", "alac", "pcm_u8", "pcm_alaw", "pcm_mulaw", "adpcm_ima_qt", "mov_text"},
        exact_from=(
            ("matroska", _PCM | {"alac"}),
            ("avi", _FRAMED | _PCM | {"mp2", "pcm_u8"}),
        ),
    ),
    _MATROSKA,
    _Container(
        "mpegts",
        "MPEG-TS",
        (".ts", ".mts", ".m2ts"),
        _VIDEO | _FRAMED | {"mp2", "dts", "opus", "dvb_subtitle", "dvb_teletext"},
        exact_from=(
            ("mp4", frozenset()),
            ("matroska", frozenset()),
            ("avi", _FRAMED | {"mp2"}),
        ),
    ),
    _Container(
        "avi",
        "AVI",
        (".avi",),
        _FRAMED | _PCM | {"h264", "mp2", "flac", "vorbis", "pcm_u8", "pcm_alaw", "pcm_mulaw", "adpcm_ms"},
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

    def fit(self, settings: EncoderSettings) -> EncoderSettings:
        """The settings with what the container cannot store left out: AVI keeps no other order than that of display."""
        return msgspec.structs.replace(settings, b_frames=0) if self.muxer == "avi" else settings


def family(container: str) -> str:
    """The kind of container behind FFmpeg's names of demuxers and muxers, as `mov,mp4,m4a,3gp,3g2,mj2`."""
    names = set(container.split(","))
    if names & {"mp4", "mov"}:
        return "mp4"
    return "matroska" if names & {"matroska", "webm"} else container


def choose_container(
    source: str,
    wanted: str | None,
    copied: Collection[str],
    video: Literal["h264", "hevc"] = "h264",
    *,
    own: str | None = None,
) -> ContainerChoice:
    """The container for an output.

    Args:
        source: FFmpeg's name of the source's container.
        wanted: suffix of the output's path, or None for the source's container, or Matroska when that cannot hold
            the streams.
        copied: FFmpeg's names of the codecs, or of their decoders (`mp3float`), of the streams that are copied.
        video: the codec of the new video.
        own: suffix of the source's path.

    Raises:
        TargetError: the wanted suffix is unknown, or no container behind it can hold these streams unchanged.
    """
    codecs = [video, *map(_codec, copied)]
    if wanted is not None:
        return _asked_for(source, wanted.lower(), codecs, own=wanted.lower() == (own or "").lower())
    kin = [container for container in _CONTAINERS if container.muxer in source.split(",")]
    for container in sorted(kin, key=lambda container: container.muxer != "mp4"):
        if not container.trouble(source, codecs):
            return ContainerChoice(container.muxer, container.suffixes[0], None)
    return _in_matroska(".mkv", _reason(kin[0] if kin else None, source, codecs), codecs)


def matroska_instead(suffix: str, reason: str) -> ContainerChoice:
    """Matroska under another container's suffix, with a sentence that gives the reason, as "WebM cannot hold H264"."""
    rename = "" if suffix == ".mkv" else f" Players open it all the same; {suffix} may be renamed to .mkv."
    return ContainerChoice("matroska", suffix, f"The output is a Matroska file, because {reason}.{rename}")


def _codec(name: str) -> str:
    """The codec's own name, whichever of its decoders is named."""
    return av.Codec(name, "r").canonical_name if name in av.codecs_available else name


def _in_matroska(suffix: str, reason: str, codecs: Collection[str]) -> ContainerChoice:
    if strange := _MATROSKA.trouble("matroska", codecs):
        raise TargetError(f"{reason}, nor can Matroska hold {_listed(strange)}; convert that audio first.")
    return matroska_instead(suffix, reason)


def _asked_for(source: str, wanted: str, codecs: Collection[str], *, own: bool) -> ContainerChoice:
    """The container that a suffix names; Matroska under that suffix where the source's own cannot hold the streams.

    `own` says that the source has the same suffix.
    """
    container = next((container for container in _CONTAINERS if wanted in container.suffixes), None)
    if container is not None and container.fits(source, codecs):
        return ContainerChoice(container.muxer, wanted, None)
    native = own if container is None else container.native(source)
    if native and not _kin(source, codecs):
        return _in_matroska(wanted, _reason(container, source, codecs), codecs)
    if container is None:
        known = ", ".join(one.suffixes[0] for one in _CONTAINERS if one.takes("h264"))
        raise TargetError(f"An output cannot end in {wanted or 'nothing'}; choose one of {known}.")
    if container.muxer == "avi" and not container.native(source):
        raise TargetError("AVI keeps neither time stamps nor late starts of a source that is not AVI; choose .mkv.")
    raise TargetError(f"{_reason(container, source, codecs)} unchanged; choose {' or '.join(_able(source, codecs))}.")


def _kin(source: str, codecs: Collection[str]) -> bool:
    """Whether a relative of the source's container, other than Matroska, can hold the streams."""
    return any(one.native(source) and one is not _MATROSKA and one.fits(source, codecs) for one in _CONTAINERS)


def _reason(container: _Container | None, source: str, codecs: Collection[str]) -> str:
    if container is None:
        return f"Veil writes no {source.split(',', maxsplit=1)[0].upper()} files"
    return f"{container.name} cannot hold {_listed(container.trouble(source, codecs))} of this source"


def _able(source: str, codecs: Collection[str]) -> list[str]:
    able = [one for one in _CONTAINERS if one.muxer not in {"avi", "mpegts"} and not one.trouble(source, codecs)]
    return [container.suffixes[0] for container in able] or [".mkv"]


def _listed(codecs: Collection[str]) -> str:
    return " and ".join(sorted({codec.upper().replace("_", " ") for codec in codecs}))
