"""The container formats that Veil knows, one row each.

This table is the only place that lists containers and file endings. Reading, rendering, muxing, the copy for browsers,
the commands of the certificate, `veil bench` and the library all read it. To add a container or a file ending, add a
row to `CONTAINER_FORMATS`; docs/guides/containers.md shows the same table, and a test compares the two.

Facts about reading belong to a family, because FFmpeg reads MP4, QuickTime and 3GP with one demuxer, and Matroska and
WebM with another. Facts about writing belong to a format. The codecs are those for which FFmpeg's own stream copy was
measured to keep packets, decoded samples and starts (see docs/guides/audio.md); a codec that a container stores but
alters is not listed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import BinaryIO, Literal

from engine.media.container_ends import (
    find_matroska_end,
    find_mp4_end,
    find_riff_end,
    find_transport_stream_end,
)
from engine.media.muxer_codecs import is_known_to_matroska

BrowserPlayback = Literal["always", "webm_codecs", "never"]

PCM_CODECS = frozenset({"pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_f64le", "pcm_s16be", "pcm_s24be"})
_WIDE_PCM_CODECS = frozenset({"pcm_s32be", "pcm_f32be", "pcm_f64be"})
"""PCM that MP4 and QuickTime hold and no other container of the table does."""
_FRAMED_CODECS = frozenset({"aac", "mp3", "ac3", "eac3"})
_VIDEO_CODECS = frozenset({"h264", "hevc"})


@dataclass(frozen=True, slots=True)
class ContainerFamily:
    """Containers that FFmpeg reads with one demuxer.

    Attributes:
        name: identifies the family.
        ffmpeg_names: words by which FFmpeg's demuxer and muxers of the family are recognised.
        stores_pts: the container stores when frames and audio packets are presented. If not, only decoding times are
            known, so frames cannot be reordered and a late start of a stream is lost.
        starts_near_zero: the clock of a file starts near zero. A broadcast clock starts anywhere.
        lists_every_frame: the index of the file lists every frame, so that a missing one can be counted.
        browser_playback: which files every browser opens: all, those with the video codecs of WebM, or none.
        find_end: returns the end that the structure of a file declares, from the file and its size in bytes; None if
            the container declares no sizes.
    """

    name: str
    ffmpeg_names: frozenset[str]
    stores_pts: bool = True
    starts_near_zero: bool = False
    lists_every_frame: bool = False
    browser_playback: BrowserPlayback = "never"
    find_end: Callable[[BinaryIO, int], int] | None = None

    @property
    def timestamp_kind(self) -> Literal["pts", "dts"]:
        """Return which time stamps of packets say when a frame is shown, by ffprobe's name.

        Without presentation times the frames follow each other at one rate, as the decoding times count them.
        """
        return "pts" if self.stores_pts else "dts"


@dataclass(frozen=True, slots=True)
class ContainerFormat:
    """One container format: its file endings and, if Veil renders to it, what it can hold.

    Attributes:
        name: the name shown to people.
        suffixes: file endings, lower case with the dot; the first is the usual one.
        family: facts about reading.
        muxer: FFmpeg's name for writing renders, or None if Veil only reads the format.
        held_codecs: codecs that it can hold; None: all codecs.
        refused_codecs: codecs that it cannot hold although `held_codecs` is None.
        can_identify: returns whether the container has an identifier for a codec; None: for all of `held_codecs`.
        unchanged_from: for each family of source containers, the audio and subtitle codecs that come from there
            unchanged; from a family that is not listed, all held codecs do.
        is_suggested: an error may suggest the format when another one cannot hold the streams.
        lossless_audio: how replaced audio with samples of up to 24 bits is stored.
        misreads_wide_pcm: FFmpeg 5.1 reads PCM samples wider than 16 bits wrongly from it, so the certificate has no
            command that decodes them.
    """

    name: str
    suffixes: tuple[str, ...]
    family: ContainerFamily
    muxer: str | None = None
    held_codecs: frozenset[str] | None = None
    refused_codecs: frozenset[str] = frozenset()
    can_identify: Callable[[str], bool] | None = None
    unchanged_from: tuple[tuple[str, frozenset[str]], ...] = ()
    is_suggested: bool = True
    lossless_audio: Literal["flac", "pcm"] = "flac"
    misreads_wide_pcm: bool = False

    def find_unsupported(self, source: ContainerFamily, codecs: Collection[str]) -> list[str]:
        """Return the codecs that it cannot hold, or not unchanged when they come from `source`."""
        unchanged = None if source == self.family else dict(self.unchanged_from).get(source.name)
        return [
            codec
            for codec in codecs
            if not self.can_hold_codec(codec) or not (unchanged is None or codec in _VIDEO_CODECS or codec in unchanged)
        ]

    def can_hold_streams(self, source: ContainerFamily, codecs: Collection[str]) -> bool:
        """Return whether it holds streams with these codecs unchanged when they come from `source`."""
        # A container without presentation times loses the starts of streams, unless the source had none to lose.
        return (self.family.stores_pts or self.family == source) and not self.find_unsupported(source, codecs)

    def can_hold_codec(self, codec: str) -> bool:
        """Return whether it can hold a codec at all."""
        if codec in self.refused_codecs or (self.can_identify and not self.can_identify(codec)):
            return False
        return self.held_codecs is None or codec in self.held_codecs


def _make_read_only(name: str, suffixes: tuple[str, ...], demuxer: str) -> ContainerFormat:
    return ContainerFormat(name, suffixes, ContainerFamily(demuxer, frozenset({demuxer})))


_MP4_FAMILY = ContainerFamily(
    "mp4",
    frozenset({"mp4", "mov", "3gp"}),
    starts_near_zero=True,
    lists_every_frame=True,
    browser_playback="always",
    find_end=find_mp4_end,
)
_MATROSKA_FAMILY = ContainerFamily(
    "matroska",
    frozenset({"matroska", "webm"}),
    starts_near_zero=True,
    browser_playback="webm_codecs",
    find_end=find_matroska_end,
)

MATROSKA = ContainerFormat(
    "Matroska",
    (".mkv",),
    _MATROSKA_FAMILY,
    muxer="matroska",
    refused_codecs=frozenset({"mov_text", "bin_data", "dvb_teletext", "adpcm_swf"})
    | {"ra_144", "ra_288", "cook", "sipr", "atrac3"},
    can_identify=is_known_to_matroska,
)
"""Holds nearly everything, so it is the fallback for what another container would alter."""

# Order matters: MP4 comes before QuickTime, so it is the first choice for a source of their common family.
CONTAINER_FORMATS = (
    ContainerFormat(
        "MP4",
        (".mp4", ".m4v"),
        _MP4_FAMILY,
        muxer="mp4",
        held_codecs=_VIDEO_CODECS
        | _FRAMED_CODECS
        | PCM_CODECS
        | _WIDE_PCM_CODECS
        | {"opus", "flac", "alac", "mov_text"},
        # Matroska stores priming in whole milliseconds, so of its codecs only those without priming stay exact.
        unchanged_from=(
            ("matroska", PCM_CODECS | {"flac", "alac"}),
            ("avi", _FRAMED_CODECS | PCM_CODECS),
        ),
        misreads_wide_pcm=True,
    ),
    ContainerFormat(
        "QuickTime",
        (".mov", ".qt"),
        _MP4_FAMILY,
        muxer="mov",
        held_codecs=_VIDEO_CODECS
        | _FRAMED_CODECS
        | PCM_CODECS
        | _WIDE_PCM_CODECS
        | {"mp2", "alac", "pcm_s8", "pcm_u8", "pcm_alaw", "pcm_mulaw", "adpcm_ima_qt", "adpcm_swf", "mov_text"},
        unchanged_from=(
            ("matroska", PCM_CODECS | {"alac"}),
            ("avi", _FRAMED_CODECS | PCM_CODECS | {"mp2", "pcm_u8"}),
        ),
        lossless_audio="pcm",
    ),
    MATROSKA,
    ContainerFormat(
        "MPEG-TS",
        (".ts", ".mts", ".m2ts"),
        ContainerFamily("mpegts", frozenset({"mpegts"}), find_end=find_transport_stream_end),
        muxer="mpegts",
        held_codecs=_VIDEO_CODECS
        | _FRAMED_CODECS
        | {"mp2", "dts", "opus", "s302m", "pcm_bluray", "dvb_subtitle", "dvb_teletext"},
        # MPEG-TS cannot say how many samples of priming to skip, so they would be heard.
        unchanged_from=(
            ("mp4", frozenset()),
            ("matroska", frozenset()),
            ("avi", _FRAMED_CODECS | {"mp2"}),
        ),
        is_suggested=False,
    ),
    ContainerFormat(
        "AVI",
        (".avi",),
        ContainerFamily("avi", frozenset({"avi"}), stores_pts=False, starts_near_zero=True, find_end=find_riff_end),
        muxer="avi",
        held_codecs=_FRAMED_CODECS
        | PCM_CODECS
        | {"h264", "mp2", "flac", "vorbis", "pcm_u8", "pcm_alaw", "pcm_mulaw", "adpcm_ms"},
        is_suggested=False,
        lossless_audio="pcm",
    ),
    ContainerFormat(
        "WebM",
        (".webm",),
        _MATROSKA_FAMILY,
        muxer="webm",
        held_codecs=frozenset({"vp8", "vp9", "av1", "opus", "vorbis", "webvtt"}),
    ),
    ContainerFormat(
        "3GP",
        (".3gp",),
        _MP4_FAMILY,
        muxer="3gp",
        held_codecs=frozenset({"h264", "aac", "amr_nb", "amr_wb"}),
        unchanged_from=(("matroska", frozenset()), ("avi", frozenset({"aac"}))),
        is_suggested=False,
    ),
    _make_read_only("Flash Video", (".flv",), "flv"),
    _make_read_only("MPEG program stream", (".mpg", ".mpeg", ".vob"), "mpeg"),
    _make_read_only("MPEG video", (".m2v",), "mpegvideo"),
    _make_read_only("MXF", (".mxf",), "mxf"),
    _make_read_only("NUT", (".nut",), "nut"),
    _make_read_only("Ogg", (".ogv",), "ogg"),
    _make_read_only("Windows Media", (".wmv",), "asf"),
)

VIDEO_SUFFIXES = frozenset(suffix for entry in CONTAINER_FORMATS for suffix in entry.suffixes)
"""File endings by which videos are found in a folder. A file that is named explicitly may have any other ending."""


def container_family(ffmpeg_name: str) -> ContainerFamily:
    """Return the family behind FFmpeg's name of a demuxer or muxer, such as `mov,mp4,m4a,3gp,3g2,mj2`.

    An unknown name makes a family of its own, about which nothing is assumed.
    """
    words = set(ffmpeg_name.split(","))
    families = (entry.family for entry in CONTAINER_FORMATS)
    return next(
        (family for family in families if family.ffmpeg_names & words),
        ContainerFamily(ffmpeg_name, frozenset({ffmpeg_name})),
    )


def describe_family(family: ContainerFamily) -> str:
    """Return the name of a family for people: that of its first format."""
    known = (entry.name for entry in CONTAINER_FORMATS if entry.family == family)
    return next(known, family.name.upper())


def format_from_suffix(suffix: str) -> ContainerFormat:
    """Return the format with a file ending, in any case; an unknown ending makes a format that Veil only reads."""
    known = (entry for entry in CONTAINER_FORMATS if suffix.lower() in entry.suffixes)
    return next(known, None) or _make_read_only(suffix, (suffix.lower(),), suffix.lower().lstrip("."))
