"""From a source and its record to a video without faces. Runs no model."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

from engine import record as records
from engine.approval.statements import terms_digest
from engine.approval.workflow import Cleared
from engine.audio.replacement_tracks import new_codecs
from engine.core.progress import Listener, Silent
from engine.errors import RenderError, SignOffError
from engine.masking.style import check
from engine.media.audio_streams import AudioPrint
from engine.media.facts import MediaInfo
from engine.media.output.containers import choose_container, matroska_instead
from engine.media.source.probe import probe
from engine.record import Record
from engine.rendering.job import Heard, RenderJob, Tally, prepare
from engine.rendering.report import RenderReport, _report, report_path
from engine.rendering.spec import DRAFT, FINAL, RenderSpec
from engine.rendering.terms import RenderOptions, Terms, terms_of
from engine.review.amendments import Review
from engine.storage.files import publish, scratch
from engine.storage.files import write as write_file

_NOT_IN_MP4 = "few players can read the exact samples of the audio that was changed from an MP4 file"


def render(  # noqa: PLR0913 - what, where to, how, and who hears of it
    source: Path | str,
    record: Path | str | Record,
    output: Path | str,
    options: RenderOptions | None = None,
    *,
    review: Path | str | Review | None = None,
    cleared: Cleared | None = None,
    listener: Listener | None = None,
) -> RenderReport:
    """Write a video in which every face of the record is covered and the audio is the source's, unless spans of it were
    chosen to be replaced.

    The same source, record, review and options give the same bytes. The output is a draft and carries a tag that says
    so, unless the sign-off has cleared these very bytes (see `engine.release`). Its report lies beside it as
    `OUT.render.json`.

    Args:
        source: the video that the record is of.
        record: a detection record, or the path of one.
        output: file to write; its suffix names the container.
        options: style and encoder, and what becomes of the audio.
        review: amendments of that record, or the path of them: faces that were missed, are none, or are to be seen.
        cleared: the clearance of the sign-off, which alone makes an output final.
        listener: hears of progress.

    Raises:
        RecordError: record or review is invalid, or of another video or record.
        SourceError: the source is unreadable, or no longer what was detected.
        StyleError: the style would not hide a face and is not forced.
        TargetError: the output cannot be written, or its container cannot hold the streams.
        InputError: a span of audio cannot be replaced, because it lies outside or contradicts another.
        RenderError: a frame or stream cannot be written.
        SignOffError: something is not what the sign-off cleared.
    """
    options, listener, output = options or RenderOptions(), listener or Silent(), Path(output)
    if not options.force:
        check(options.style)
    comment = DRAFT if cleared is None else FINAL
    with scratch(output) as folder:
        job = prepare(
            Path(source), record, lambda info: spec_for(Path(source), info, output, options, comment), listener, review
        )
        if cleared is not None:
            _check_cleared(job, cleared, terms_of(options, output.suffix))
        video, unfinished = folder / "video.mov", folder / output.name
        tally, encoding = job.encode(video, listener, y4m=options.y4m)
        job, heard = _joined(job, video, unfinished)
        _check_frames(unfinished, tally)
        report = _report(job, unfinished, tally, encoding, heard)
        write_file(report_path(output), records.encode(report))
        publish(unfinished, output)
    if report.sentence:
        listener.notice(report.sentence)
    return report


def _check_cleared(job: RenderJob, cleared: Cleared, terms: Terms) -> None:
    """What was read for this render is what the sign-off has seen, byte for byte, and nothing is written over it."""
    if job.spec.mark is not None:
        raise SignOffError("A final output bears no mark; only a draft does.")
    found = {
        "source": job.info.sha256,
        "record": job.record_sha256,
        "review": job.review_sha256 or records.digest(b""),
        "terms": terms_digest(msgspec.to_builtins(terms)),
    }
    for name, sha256 in found.items():
        if getattr(cleared.subject, name) != sha256:
            raise SignOffError(
                f"The {name} was changed between the check of the sign-off and the render; nothing was rendered."
            )


def _joined(job: RenderJob, video: Path, target: Path) -> tuple[RenderJob, list[Heard]]:
    """Put picture and audio together; in Matroska where the chosen container would change what is heard."""
    source = job.audio()
    heard = _heard(job, video, target, source)
    if (changes := _changes(heard)) and job.spec.container.muxer != "matroska":
        reason = f"{job.spec.container.muxer.upper()} would give this source's {changes[0]}"
        container = matroska_instead(job.spec.container.suffix, reason)
        job = dataclasses.replace(job, spec=msgspec.structs.replace(job.spec, container=container))
        heard = _heard(job, video, target, source)
    if changes := _changes(heard):
        raise RenderError(f"The audio of {job.source} cannot be kept as it is: a copy has {changes[0]}.")
    return job, heard


def _heard(job: RenderJob, video: Path, target: Path, source: Mapping[int, AudioPrint]) -> list[Heard]:
    job.join(video, target)
    return list(job.heard(target, source))


def _changes(heard: list[Heard]) -> list[str]:
    return [f"{one.codec} audio {' and '.join(one.changes)}" for one in heard if one.changes]


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


def refuse_audio(source: Path, terms: Terms) -> None:
    """Say what would keep these spans of audio from being replaced; looks at the source only when there are any.

    Raises:
        SourceError: the source is unreadable.
        InputError: a span lies outside of the audio or contradicts another.
    """
    if terms.audio:
        new_codecs(source, probe(source), terms.audio, terms.suffix)


def spec_for(source: Path, info: MediaInfo, output: Path, options: RenderOptions, comment: str = DRAFT) -> RenderSpec:
    """What a render of this source into that file will be.

    Raises:
        TargetError: the container cannot hold the streams.
        InputError: a span of audio cannot be replaced.
    """
    new = new_codecs(source, info, options.audio, output.suffix)
    codecs = [new.get(stream.index, stream.codec) for stream in info.streams if stream.fate == "copied"]
    codec: Literal["h264", "hevc"] = "h264" if info.video.bit_depth <= 8 else "hevc"
    container = choose_container(info.container, output.suffix, codecs, codec, own=source.suffix)
    if container.muxer == "mp4" and any(name.startswith("pcm_") for name in new.values()):
        container = matroska_instead(container.suffix, _NOT_IN_MP4)
    return RenderSpec(options.style, container.fit(options.encoder), container, comment, options.audio, options.mark)
