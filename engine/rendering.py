"""From a source and its record to a video without faces. Runs no model."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from engine import record as records
from engine.errors import RenderError, SignOffError
from engine.media.containers import choose_container, matroska_instead
from engine.media.encode import EncoderSettings, Encoding
from engine.media.facts import MediaInfo
from engine.media.probe import probe
from engine.media.streams import AudioPrint
from engine.media.versions import library_versions
from engine.progress import Listener, Silent
from engine.record import Document, Record, Sha256
from engine.redact.presets import style_from
from engine.redact.style import Style, check, weaknesses
from engine.renderjob import DRAFT, FINAL, Heard, RenderJob, RenderSpec, Tally, prepare
from engine.review.amendments import Review
from engine.review.approval import terms_digest
from engine.review.fold import KeptVisible
from engine.review.steps import Cleared
from engine.sound.choice import AudioSpan
from engine.sound.compare import AlteredAudio
from engine.sound.planning import new_codecs
from engine.store import file_digest, publish, scratch
from engine.store import write as write_file
from engine.version import VERSION

SCHEMA: Literal["veil/render/1"] = "veil/render/1"
_NOT_IN_MP4 = "few players can read the exact samples of the audio that was changed from an MP4 file"


@dataclass(frozen=True, slots=True)
class RenderOptions:
    """How faces are hidden and how the video is encoded.

    Attributes:
        style: what covers a face.
        encoder: settings of the encoder.
        force: allow a style too weak to hide a face; the report says that it was.
        y4m: also write the pictures handed to the encoder to this file.
        audio: spans in which audio is muted or bleeped; it is kept as in the source where none says otherwise.
        mark: word that is written into the picture of a draft; a final output has none.
    """

    style: Style = style_from()
    encoder: EncoderSettings = EncoderSettings()
    force: bool = False
    y4m: Path | None = None
    audio: tuple[AudioSpan, ...] = ()
    mark: str | None = None


class Terms(Document, frozen=True, omit_defaults=True):
    """Everything about how an output is made that an approval is bound to.

    Attributes:
        style: what covers a face.
        encoder: settings of the encoder.
        suffix: of the output's name, which chooses the container.
        forced: whether a style too weak to hide a face is allowed.
        versions: of Veil and of the libraries that make the bytes.
        audio: spans in which audio is replaced; left out of the JSON when it is kept as in the source.
    """

    style: Style
    encoder: EncoderSettings
    suffix: str
    forced: bool
    versions: dict[str, str]
    audio: tuple[AudioSpan, ...] = ()

    @property
    def options(self) -> RenderOptions:
        """What to render with."""
        return RenderOptions(self.style, self.encoder, self.forced, audio=self.audio)


def terms_of(options: RenderOptions, suffix: str) -> Terms:
    """The terms of a render into a file with that suffix, by this version of Veil."""
    versions = {"veil": VERSION, **library_versions()}
    return Terms(options.style, options.encoder, suffix, options.force, versions, options.audio)


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
        draft: whether the output is a draft, and no release.
        audio: the audio streams in which spans were replaced; all others are the source's, packet for packet.
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
    draft: bool = True
    audio: tuple[AlteredAudio, ...] = ()


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


def report_path(output: Path) -> Path:
    """Where the report of a render lies."""
    return output.with_name(output.name + ".render.json")


def draft_name(name: str) -> str:
    """The name of a draft of that output: `draft` stands before its suffix."""
    path = Path(name)
    return f"{path.stem}.draft{path.suffix}"


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


def _report(job: RenderJob, unfinished: Path, tally: Tally, encoding: Encoding, heard: list[Heard]) -> RenderReport:
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
        draft=job.spec.comment != FINAL,
        audio=tuple(one.altered for one in heard if one.altered is not None),
    )


def _dropped(info: MediaInfo) -> Iterator[Dropped]:
    for stream in info.streams:
        if stream.fate == "dropped":
            yield Dropped(f"{stream.kind} stream {stream.index} ({stream.codec})", stream.reason)
    for extra in info.extras:
        if extra.fate == "dropped":
            yield Dropped(f"{extra.kind} {extra.name}", extra.reason)
