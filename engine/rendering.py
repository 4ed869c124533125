"""From a source and its record to a video without faces. Runs no model."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from engine import record as records
from engine.errors import RenderError
from engine.media.containers import choose_container, matroska_instead
from engine.media.encode import EncoderSettings, Encoding
from engine.media.facts import MediaInfo
from engine.media.probe import probe
from engine.media.streams import AudioPrint, audio_changes, audio_prints
from engine.media.versions import library_versions
from engine.progress import Listener, Silent
from engine.record import Document, Record, Sha256
from engine.redact.presets import style_from
from engine.redact.style import Style, check, weaknesses
from engine.renderjob import DRAFT, RenderJob, RenderSpec, Tally, prepare
from engine.review.amendments import Review
from engine.review.fold import KeptVisible
from engine.store import file_digest, publish, scratch
from engine.store import write as write_file
from engine.version import VERSION

SCHEMA: Literal["veil/render/1"] = "veil/render/1"


@dataclass(frozen=True, slots=True)
class RenderOptions:
    """How faces are hidden and how the video is encoded.

    Attributes:
        style: what covers a face.
        encoder: settings of the encoder.
        force: allow a style too weak to hide a face; the report says that it was.
        y4m: also write the pictures handed to the encoder to this file.
    """

    style: Style = style_from()
    encoder: EncoderSettings = EncoderSettings()
    force: bool = False
    y4m: Path | None = None


class EncoderFacts(Document, frozen=True):
    """The encoder that ran.

    Attributes:
        ffmpeg_args: arguments of FFmpeg's command line that mean the same.
    """

    name: str
    libraries: dict[str, str]
    ffmpeg_args: tuple[str, ...]


class Dropped(Document, frozen=True):
    """Something of the source that is not in the output."""

    what: str
    reason: str


class RenderReport(Document, frozen=True):
    """What a render did; stored beside the output as `OUT.render.json`.

    Attributes:
        weaknesses: why the style might not hide a face, one sentence a value; not empty only when it was forced.
        frames: how many there are, of which `masked` have a mask and `covered` are covered whole.
        sentence: what a person should know of the container; None when it is the source's.
        review_sha256: of the stored bytes of the review that was applied; None when there was none.
        kept_visible: the faces that are shown because a reviewer says so.
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
    dropped: tuple[Dropped, ...]
    sentence: str | None
    review_sha256: Sha256 | None = None
    kept_visible: tuple[KeptVisible, ...] = ()


def render(  # noqa: PLR0913 - what, where to, how, and who hears of it
    source: Path | str,
    record: Path | str | Record,
    output: Path | str,
    options: RenderOptions | None = None,
    *,
    review: Path | str | Review | None = None,
    listener: Listener | None = None,
) -> RenderReport:
    """Write a video in which every face of the record is covered and the audio is the source's.

    The same source, record, review and options give the same bytes. The output is a draft and carries a tag that says
    so. Its report lies beside it as `OUT.render.json`.

    Args:
        source: the video that the record is of.
        record: a detection record, or the path of one.
        output: file to write; its suffix names the container.
        options: style and encoder.
        review: amendments of that record, or the path of them: faces that were missed, are none, or are to be seen.
        listener: hears of progress.

    Raises:
        RecordError: record or review is invalid, or of another video or record.
        SourceError: the source is unreadable, or no longer what was detected.
        StyleError: the style would not hide a face and is not forced.
        TargetError: the output cannot be written, or its container cannot hold the streams.
        RenderError: a frame or stream cannot be written.
    """
    options, listener, output = options or RenderOptions(), listener or Silent(), Path(output)
    if not options.force:
        check(options.style)
    with scratch(output) as folder:
        job = prepare(
            Path(source), record, lambda info: spec_for(Path(source), info, output, options), listener, review
        )
        video, unfinished = folder / "video.mov", folder / output.name
        tally, encoding = job.encode(video, listener, y4m=options.y4m)
        job = _joined(job, video, unfinished)
        _check_frames(unfinished, tally)
        report = _report(job, unfinished, tally, encoding)
        write_file(report_path(output), records.encode(report))
        publish(unfinished, output)
    if report.sentence:
        listener.notice(report.sentence)
    return report


def _joined(job: RenderJob, video: Path, target: Path) -> RenderJob:
    """Put picture and audio together; in Matroska where the chosen container would change what is heard."""
    source = job.audio()
    changes = _changes(job, video, target, source)
    if changes and job.spec.container.muxer != "matroska":
        reason = f"{job.spec.container.muxer.upper()} would give this source's {changes[0]}"
        container = matroska_instead(job.spec.container.suffix, reason)
        job = dataclasses.replace(job, spec=msgspec.structs.replace(job.spec, container=container))
        changes = _changes(job, video, target, source)
    if changes:
        raise RenderError(f"The audio of {job.source} cannot be kept as it is: a copy has {changes[0]}.")
    return job


def _changes(job: RenderJob, video: Path, target: Path, source: Sequence[AudioPrint]) -> list[str]:
    job.join(video, target)
    pairs = zip(source, audio_prints(target), strict=True)
    return [
        f"{before.codec} audio {' and '.join(found)}"
        for before, after in pairs
        if (found := audio_changes(before, after))
    ]


def _check_frames(unfinished: Path, tally: Tally) -> None:
    found = probe(unfinished).video.packets
    if found != tally.frames:
        raise RenderError(f"{unfinished.name} holds {found} frames instead of {tally.frames}; nothing was kept of it.")


def refuse_early(source: Path | str, output: Path | str, options: RenderOptions | None = None) -> None:
    """Say what would keep `render` from writing `output`, before the work of finding faces is done.

    Raises:
        SourceError: the source is unreadable.
        StyleError: the style would not hide a face and is not forced.
        TargetError: the output cannot be written, or its container cannot hold the streams.
    """
    options, output = options or RenderOptions(), Path(output)
    if not options.force:
        check(options.style)
    with scratch(output):
        spec_for(Path(source), probe(source), output, options)


def report_path(output: Path) -> Path:
    """Where the report of a render lies."""
    return output.with_name(output.name + ".render.json")


def spec_for(source: Path, info: MediaInfo, output: Path, options: RenderOptions) -> RenderSpec:
    """What a render of this source into that file will be.

    Raises:
        TargetError: the container cannot hold the streams.
    """
    copied = [stream.codec for stream in info.streams if stream.fate == "copied"]
    codec: Literal["h264", "hevc"] = "h264" if info.video.bit_depth <= 8 else "hevc"
    container = choose_container(info.container, output.suffix, copied, codec, own=source.suffix)
    return RenderSpec(options.style, container.fit(options.encoder), container, DRAFT)


def _report(job: RenderJob, unfinished: Path, tally: Tally, encoding: Encoding) -> RenderReport:
    return RenderReport(
        schema=SCHEMA,
        veil=VERSION,
        source_sha256=job.info.sha256,
        record_sha256=job.record_sha256,
        output_sha256=file_digest(unfinished),
        output_bytes=unfinished.stat().st_size,
        spec=job.spec,
        weaknesses=tuple(weaknesses(job.spec.style)),
        encoder=EncoderFacts(encoding.encoder, library_versions(), tuple(encoding.ffmpeg_args)),
        frames=tally.frames,
        masked=tally.masked,
        covered=tally.covered,
        dropped=tuple(_dropped(job.info)),
        sentence=job.spec.container.sentence,
        review_sha256=job.review_sha256,
        kept_visible=job.folded.kept_visible(),
    )


def _dropped(info: MediaInfo) -> Iterator[Dropped]:
    for stream in info.streams:
        if stream.fate == "dropped":
            yield Dropped(f"{stream.kind} stream {stream.index} ({stream.codec})", stream.reason)
    for extra in info.extras:
        if extra.fate == "dropped":
            yield Dropped(f"{extra.kind} {extra.name}", extra.reason)
