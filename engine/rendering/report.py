"""The report of a render."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

from engine.audio.compare import AlteredAudio
from engine.masking.style import find_weaknesses
from engine.media.facts import MediaInfo
from engine.media.output.versions import read_library_versions
from engine.record import Document, Sha256
from engine.rendering.job import RenderJob
from engine.rendering.output_audio import AudioComparison
from engine.rendering.passthrough import PassthroughFacts
from engine.rendering.pictures import EncodedPictures
from engine.rendering.segments import SegmentFacts
from engine.rendering.spec import FINAL_COMMENT, RenderSpec
from engine.review.apply import KeptVisible
from engine.storage.data_folder import RENDER_REPORT_SUFFIX, append_suffix
from engine.version import VERSION

SCHEMA: Literal["veil/render/1"] = "veil/render/1"


class EncoderFacts(Document, frozen=True):
    """The encoder of an output.

    Attributes:
        name: FFmpeg's name of the encoder.
        libraries: versions of the libraries that make the bytes.
        ffmpeg_args: arguments of FFmpeg's command line that mean the same settings.
    """

    name: str
    libraries: dict[str, str]
    ffmpeg_args: tuple[str, ...]


class DroppedItem(Document, frozen=True):
    """A stream or extra of the source that is not in the output, and the reason."""

    what: str
    reason: str


class RenderReport(Document, frozen=True):
    """The report of a render; stored beside the output as `OUT.render.json`.

    Attributes:
        weaknesses: reasons why the style might not hide a face, one per value; empty unless the style was forced.
        frames: number of frames; `masked` of them have a mask, `covered` are covered whole.
        sentence: reason for another container than the source's, in a sentence; None when there is none to give.
        review_sha256: SHA-256 of the stored bytes of the review that was applied; None without a review.
        kept_visible: faces that a reviewer decided to keep visible.
        draft: True for a draft, False for a release.
        audio: audio streams in which spans were replaced; all others are the source's, packet for packet.
        passthrough: frames that are the source's own packets; left out of the JSON if that was not asked for.
        segments: where segments begin; left out of the JSON if they were not asked for.
    """

    schema: Literal["veil/render/1"]
    veil: str
    source_sha256: Sha256
    record_sha256: Sha256
    output_sha256: Sha256
    output_bytes: int
    spec: RenderSpec
    weaknesses: tuple[str, ...]
    encoder: EncoderFacts
    frames: int
    masked: int
    covered: int
    dropped: tuple[DroppedItem, ...]
    sentence: str | None
    review_sha256: Sha256 | None = None
    kept_visible: tuple[KeptVisible, ...] = ()
    draft: bool = True
    audio: tuple[AlteredAudio, ...] = ()
    passthrough: PassthroughFacts | msgspec.UnsetType = msgspec.UNSET
    segments: SegmentFacts | msgspec.UnsetType = msgspec.UNSET


def report_path(output: Path) -> Path:
    """Return the path of the report of the render of an output."""
    return append_suffix(output, RENDER_REPORT_SUFFIX)


def draft_name(name: str) -> str:
    """Return the name of a draft of an output: `draft` is inserted before its suffix."""
    path = Path(name)
    return f"{path.stem}.draft{path.suffix}"


def build_report(
    job: RenderJob, made: MediaInfo, pictures: EncodedPictures, comparisons: list[AudioComparison]
) -> RenderReport:
    """Build the report of a finished render, before its output gets its final name; `made` has the facts of it."""
    counts, encoding = pictures.counts, pictures.encoding
    return RenderReport(
        schema=SCHEMA,
        veil=VERSION,
        source_sha256=job.info.sha256,
        record_sha256=job.record_sha256,
        output_sha256=made.sha256,
        output_bytes=made.bytes,
        spec=job.spec,
        weaknesses=tuple(find_weaknesses(job.spec.style)),
        encoder=EncoderFacts(encoding.encoder, read_library_versions(), tuple(encoding.ffmpeg_args)),
        frames=counts.frames,
        masked=counts.masked,
        covered=counts.covered,
        dropped=tuple(_list_dropped(job.info)),
        sentence=job.spec.container.sentence,
        review_sha256=job.review_sha256,
        kept_visible=job.amended_record.find_kept_visible(),
        draft=job.spec.comment != FINAL_COMMENT,
        audio=tuple(comparison.altered for comparison in comparisons if comparison.altered is not None),
        passthrough=pictures.passthrough or msgspec.UNSET,
        segments=pictures.segments or msgspec.UNSET,
    )


def _list_dropped(info: MediaInfo) -> Iterator[DroppedItem]:
    for stream in info.streams:
        if stream.fate == "dropped":
            yield DroppedItem(f"{stream.kind} stream {stream.index} ({stream.codec})", stream.reason)
    for extra in info.extras:
        if extra.fate == "dropped":
            yield DroppedItem(f"{extra.kind} {extra.name}", extra.reason)
