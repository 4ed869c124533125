"""Renders a source and its record to a video whose faces are covered. Runs no model."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Literal

import msgspec

from engine.approval.statements import hash_terms
from engine.approval.workflow import Clearance
from engine.audio.replacement_tracks import plan_codecs
from engine.core.progress import ProgressListener, SilentListener
from engine.errors import InputError, RenderError, SignOffError
from engine.isolation.guarded import guarded
from engine.masking.style import check_style
from engine.media.audio_streams import AudioFingerprint
from engine.media.facts import MediaInfo
from engine.media.output.container_choice import (
    ContainerChoice,
    choose_container,
    fall_back_to_fragments,
    fall_back_to_matroska,
)
from engine.media.output.mux import CURRENT_MUX_RULES
from engine.media.source.preflight import check_audio_changes, check_renderable
from engine.media.source.probe import probe
from engine.record import Record, encode_document, sha256_hex
from engine.rendering.encode import FrameCounts
from engine.rendering.finished import read_finished_render
from engine.rendering.job import RenderJob, prepare_job
from engine.rendering.output_audio import AudioComparison, compare_output_audio, fingerprint_kept_audio, mux_job
from engine.rendering.pictures import encode_pictures
from engine.rendering.report import RenderReport, build_report, report_path
from engine.rendering.spec import DRAFT_COMMENT, FINAL_COMMENT, RenderSpec
from engine.rendering.terms import RenderOptions, Terms, terms_from_options
from engine.review.amendments import Review
from engine.storage.file_use import FileUse, check_file_use
from engine.storage.files import make_scratch_folder, open_atomic_write, publish_file, write_file

_PCM_IN_MP4_REASON = "few players can read the exact samples of the audio that was changed from an MP4 file"


@guarded("source")
def render(  # noqa: PLR0913 - the files, the options, and the listener
    source: Path | str,
    record: Path | str | Record,
    output: Path | str,
    options: RenderOptions | None = None,
    *,
    review: Path | str | Review | None = None,
    cleared: Clearance | None = None,
    listener: ProgressListener | None = None,
    overwrite: bool = True,
) -> RenderReport:
    """Write a video in which every face of the record is covered.

    The audio is the source's, except in spans that the options replace. The same source, record, review and options
    give the same bytes. The output is a draft and carries a tag that says so, unless the sign-off has cleared these
    very bytes (see `engine.release`). Its report is written beside it as `OUT.render.json`.

    Args:
        source: the video that the record describes.
        record: a detection record, or its path.
        output: file to write; its suffix names the container.
        options: style, encoder settings and audio spans.
        review: amendments of that record, or their path: missed faces, false ones, and faces to keep visible.
        cleared: the clearance of the sign-off; only this makes an output final.
        listener: receives the progress.
        overwrite: replace `output` if it exists. False: return its report if it is the output of this render, finished
            earlier, else refuse.

    Raises:
        RecordError: record or review is invalid, or belongs to another video or record.
        SourceError: the source is unreadable, or has changed since the detection.
        StyleError: the style would not hide a face and is not forced.
        TargetError: the output cannot be written, is an input, or exists and must not be replaced; or its container
            cannot hold the streams.
        InputError: an audio span cannot be replaced, because it is outside the audio or contradicts another.
        RenderError: a frame or stream cannot be written.
        SignOffError: a file or the terms are not those that the sign-off cleared.
    """
    options, listener, output = options or RenderOptions(), listener or SilentListener(), Path(output)
    if not options.force:
        check_style(options.style)
    comment = DRAFT_COMMENT if cleared is None else FINAL_COMMENT
    inputs = [Path(source), *(Path(path) for path in (record, review) if isinstance(path, str | Path))]
    check_file_use(FileUse(inputs, [output, options.y4m], [report_path(output)]), overwrite=True)
    _check_combination(options)
    if options.y4m is not None:
        check_file_use(FileUse(writes=[output, options.y4m]), overwrite=overwrite)
    # Everything is written into a folder beside the output and moved there when it is complete: a crash leaves no half
    # output that could be taken for a whole one.
    with make_scratch_folder(output) as folder:
        job = prepare_job(
            Path(source),
            record,
            lambda info: build_spec(Path(source), info, output, options, comment),
            listener,
            review,
        )
        # The frames for the encoder are not kept anywhere: a render that also writes them has to run.
        if not overwrite and options.y4m is None and (finished := read_finished_render(output, job.spec, job.hashes)):
            listener.notice(f"{output} is the finished output of this render already.")
            return finished
        # Before the first frame: an hour of encoding would otherwise end in a refusal.
        if cleared is not None:
            _check_clearance(job, cleared, terms_from_options(options, output.suffix))
        # The intermediate file is MOV with the source's time scale; Matroska would round time stamps to milliseconds.
        video, unfinished = folder / "video.mov", folder / output.name
        with open_atomic_write(options.y4m) if options.y4m else nullcontext() as y4m:
            pictures = encode_pictures(job, video, listener, y4m=y4m, processes=options.jobs)
            job, comparisons = _mux_with_audio(job, video, unfinished)
            made = probe(unfinished)
            _check_frame_count(unfinished, made, pictures.counts)
            report = build_report(job, made, pictures, comparisons)
        # The report first: no output exists without one.
        write_file(report_path(output), encode_document(report))
        publish_file(unfinished, output)
    if report.sentence:
        listener.notice(report.sentence)
    return report


def _check_combination(options: RenderOptions) -> None:
    if options.y4m is not None and options.passthrough:
        raise InputError("--y4m writes every frame, and --passthrough does not decode those that are copied; use one.")
    if options.y4m is not None and options.segment_seconds is not None:
        raise InputError("--y4m writes the frames one after another, and --segments encodes some at once; use one.")
    if options.passthrough and options.segment_seconds is not None:
        raise InputError("--passthrough and --segments divide the video in different ways; use one.")


def _check_clearance(job: RenderJob, cleared: Clearance, terms: Terms) -> None:
    """Refuse a render of other bytes than those the sign-off cleared, or with a word written into the pictures.

    The hashes are those of the bytes that were read for this render, so a file that was replaced after the sign-off
    checked it is noticed.
    """
    if job.spec.mark is not None:
        raise SignOffError("A final output has no word written into its pictures; only a draft has.")
    hashes = {
        "source": job.info.sha256,
        "record": job.record_sha256,
        "review": job.review_sha256 or sha256_hex(b""),
        "terms": hash_terms(msgspec.to_builtins(terms)),
    }
    for name, sha256 in hashes.items():
        if getattr(cleared.hashes, name) != sha256:
            raise SignOffError(
                f"The {name} was changed between the check of the sign-off and the render; nothing was rendered."
            )


def _mux_with_audio(job: RenderJob, video: Path, target: Path) -> tuple[RenderJob, list[AudioComparison]]:
    """Put pictures and audio together; in fragments or in Matroska if the chosen container would change the audio.

    MP4 and MOV keep the start and the padding of audio in edit lists, which round; only the finished file shows whether
    every sample is there. So the output is muxed first and compared with the source.
    """
    fingerprints = fingerprint_kept_audio(job)
    while changes := _describe_changes(comparisons := _mux_and_compare(job, video, target, fingerprints)):
        container = _choose_next_container(job.spec.container, changes[0])
        if container is None:
            raise RenderError(f"The audio of {job.source} cannot be kept as it is: a copy has {changes[0]}.")
        job = dataclasses.replace(job, spec=msgspec.structs.replace(job.spec, container=container))
    return job, comparisons


def _choose_next_container(container: ContainerChoice, change: str) -> ContainerChoice | None:
    """Return the container to try after one that changes the audio; None if there is no other."""
    if container.muxer == "matroska":
        return None
    reason = f"{container.muxer.upper()} would give this source's {change}"
    # Players that open no Matroska, such as QuickTime Player and Safari, open fragments.
    if container.can_be_fragmented:
        return fall_back_to_fragments(container, reason)
    return fall_back_to_matroska(container.suffix, reason)


def _mux_and_compare(
    job: RenderJob, video: Path, target: Path, fingerprints: Mapping[int, AudioFingerprint]
) -> list[AudioComparison]:
    mux_job(job, video, target)
    return list(compare_output_audio(job, target, fingerprints))


def _describe_changes(comparisons: list[AudioComparison]) -> list[str]:
    return [
        f"{comparison.codec} audio {' and '.join(comparison.changes)}"
        for comparison in comparisons
        if comparison.changes
    ]


def _check_frame_count(unfinished: Path, made: MediaInfo, counts: FrameCounts) -> None:
    frames = made.video.packets
    if frames != counts.frames:
        raise RenderError(
            f"{unfinished.name} has {frames} frames instead of {counts.frames}, so it was deleted. Render again, and "
            "check the disk if this happens again."
        )


def check_render_possible(source: Path | str, output: Path | str, options: RenderOptions | None = None) -> None:
    """Raise the error that would keep `render` from writing `output`, before faces are detected for it.

    Raises:
        SourceError: the source is unreadable.
        StyleError: the style would not hide a face and is not forced.
        TargetError: the output cannot be written, or its container cannot hold the streams.
    """
    options, output = options or RenderOptions(), Path(output)
    _check_combination(options)
    if not options.force:
        check_style(options.style)
    # To create a folder there is the test: permissions alone do not tell whether the output can be written.
    with make_scratch_folder(output):
        info = probe(source)
        check_renderable(Path(source), info)
        build_spec(Path(source), info, output, options)


def check_audio_spans(source: Path, terms: Terms) -> None:
    """Raise the error that would keep the audio spans of these terms from being replaced.

    The source is read only if there are any spans.

    Raises:
        SourceError: the source is unreadable.
        InputError: a span is outside the audio or contradicts another.
    """
    if terms.audio:
        plan_codecs(source, probe(source), terms.audio, terms.suffix)


def build_spec(
    source: Path, info: MediaInfo, output: Path, options: RenderOptions, comment: str = DRAFT_COMMENT
) -> RenderSpec:
    """Return the specification of a render of this source into that file.

    8-bit video becomes H.264, which every player can decode; more bits become HEVC, because hardly any player decodes
    10-bit H.264.

    Raises:
        TargetError: the container cannot hold the streams.
        InputError: an audio span cannot be replaced.
    """
    new_codecs = plan_codecs(source, info, options.audio, output.suffix)
    codecs = [new_codecs.get(stream.index, stream.codec) for stream in info.streams if stream.fate == "copied"]
    codec: Literal["h264", "hevc"] = "h264" if info.video.bit_depth <= 8 else "hevc"
    container = choose_container(info.container, output.suffix, codecs, codec, source_suffix=source.suffix)
    check_audio_changes(info, container)
    # An MP4 with PCM audio is valid, but few players play it; replaced audio has to be lossless, so it stays PCM.
    if container.muxer == "mp4" and any(name.startswith("pcm_") for name in new_codecs.values()):
        container = fall_back_to_matroska(container.suffix, _PCM_IN_MP4_REASON)
    settings = options.as_fields() | {"encoder": container.adapt_settings(options.encoder)}
    return RenderSpec(**settings, container=container, comment=comment, mark=options.mark, mux_rules=CURRENT_MUX_RULES)
