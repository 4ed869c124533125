"""The audio of an output: muxed with the encoded frames, and compared with the source's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.audio.compare import AlteredAudio, StreamLocation, compare_streams
from engine.audio.replacement_tracks import write_replacement_tracks
from engine.audio.spans import MergedSpan, merge_spans
from engine.errors import RenderError
from engine.media.audio_samples import read_audio_format
from engine.media.audio_streams import AudioFingerprint, describe_audio_changes, fingerprint_audio, list_audio_streams
from engine.media.output.cut_audio import write_cut_streams
from engine.media.output.mux import MuxInputs, mux
from engine.rendering.job import RenderJob
from engine.storage.scratch import own_scratch_folder, own_temporary_folder


@dataclass(frozen=True, slots=True)
class AudioComparison:
    """The comparison of an audio stream of an output with the source's.

    Attributes:
        number: number of the stream among the audio streams, from 1.
        codec: codec of the source's stream.
        changes: what differs although it should not, in words; empty when nothing does.
        altered: what was replaced in it; None when it is kept as it is.
    """

    number: int
    codec: str
    changes: Sequence[str]
    altered: AlteredAudio | None = None


def find_replaced_spans(job: RenderJob) -> Mapping[int, tuple[MergedSpan, ...]]:
    """Return the replaced spans of each audio stream that has some, by the index of the stream in the source."""
    merged = {
        index: merge_spans(job.spec.audio, number) for number, index in enumerate(job.copied_audio_streams, start=1)
    }
    return {index: spans for index, spans in merged.items() if spans}


def mux_job(job: RenderJob, video: Path, target: Path) -> None:
    """Put the encoded frames and the audio of a job together.

    Args:
        job: the job.
        video: file with its encoded frames.
        target: file to write.

    Raises:
        TargetError: it cannot be written.
        RenderError: the container does not take the streams.
    """
    first_pts, container = job.record.frames[0].pts, job.spec.container
    with own_scratch_folder(video.parent) as folder:
        tracks = write_replacement_tracks(
            job.source, find_replaced_spans(job), job.video_start_s, container.suffix, folder
        )
        cut_streams = write_cut_streams(job.source, job.cut_packets, folder)
        inputs = MuxInputs(video, job.source, job.facts, first_pts, tracks, cut_streams, job.spec.mux_rules)
        mux(inputs, target, container, comment=job.spec.comment)


def fingerprint_kept_audio(job: RenderJob) -> Mapping[int, AudioFingerprint]:
    """Return fingerprints of the source's audio streams that are kept as they are, by their index in the source.

    A stream that an edit list cuts is that without what is cut off.

    Raises:
        SourceError: a stream cannot be decoded.
        RenderError: a stream cannot be cut.
    """
    replaced, start_s = find_replaced_spans(job), job.video_start_s
    kept = [index for index in job.copied_audio_streams if index not in replaced]
    whole = [index for index in kept if index not in job.cut_packets]
    fingerprints = dict(zip(whole, fingerprint_audio(job.source, whole, video_start=start_s), strict=True))
    with own_temporary_folder() as folder:
        for index, path in write_cut_streams(job.source, job.cut_packets, folder).items():
            if index in kept:
                (fingerprints[index],) = fingerprint_audio(path, video_start=start_s)
    return {index: fingerprints[index] for index in kept}


def compare_output_audio(
    job: RenderJob, target: Path, fingerprints: Mapping[int, AudioFingerprint]
) -> Iterator[AudioComparison]:
    """Compare each audio stream of an output with the source's.

    A kept stream is compared by hashes of its packets and of its decoded samples: equal packets alone are not enough,
    because the container's edit list decides which samples a player hears. A stream with replaced spans is compared
    sample by sample outside the spans.

    Args:
        job: the job.
        target: the output; it has as many audio streams as the source.
        fingerprints: the source's, from `fingerprint_kept_audio`.

    Raises:
        SourceError: a stream cannot be decoded.
        RenderError: the output has another number of streams.
    """
    target_streams, target_start_s = list_audio_streams(target)
    if len(target_streams) != len(job.copied_audio_streams):
        # FFmpeg leaves out a stream of which it can copy no packet, and says nothing.
        raise RenderError(
            f"The audio of {job.source} cannot be kept as it is: a copy holds {len(target_streams)} of its "
            f"{len(job.copied_audio_streams)} audio streams. Export it again with audio that plays."
        )
    target_index = dict(zip(job.copied_audio_streams, target_streams, strict=True))
    target_fingerprints = dict(
        zip(fingerprints, fingerprint_audio(target, [target_index[index] for index in fingerprints]), strict=True)
    )
    replaced = find_replaced_spans(job)
    for number, index in enumerate(job.copied_audio_streams, start=1):
        if index in fingerprints:
            changes = describe_audio_changes(fingerprints[index], target_fingerprints[index])
            yield AudioComparison(number, fingerprints[index].codec, changes)
        else:
            location = StreamLocation(target, target_index[index], target_start_s)
            yield _compare_replaced(job, number, index, location, replaced[index])


def _compare_replaced(
    job: RenderJob, number: int, index: int, output: StreamLocation, spans: tuple[MergedSpan, ...]
) -> AudioComparison:
    audio = read_audio_format(job.source, index)
    codec = audio.choose_lossless_codec(job.spec.container.suffix)
    comparison = compare_streams(StreamLocation(job.source, index, job.video_start_s), output, codec, spans)
    altered = AlteredAudio(
        number, index, audio.codec, codec, audio.kind, audio.rate, audio.channels, tuple(comparison.pieces)
    )
    return AudioComparison(number, audio.codec, comparison.changes, altered)
