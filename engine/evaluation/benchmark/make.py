"""Write the clips of the benchmark and the table of their truth."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from engine.core.json_decoder import decode_json
from engine.core.progress import ProgressListener, SilentListener
from engine.errors import InputError, TargetError
from engine.evaluation.benchmark.clip_table import FRAME_SIZES, KINDS, list_clips
from engine.evaluation.benchmark.drawing import MIN_VISIBLE_SHARE, DrawnFrame, draw_clip
from engine.evaluation.benchmark.shots import BenchmarkClip
from engine.media.output.raw_video import open_picture_writer, reencode_clip
from engine.record import Document, encode_document
from engine.storage.files import hash_file, make_scratch_folder, publish_file, write_file
from engine.version import VERSION

TRUTH_FILE = "truth.csv"
DESCRIPTION_FILE = "benchmark.json"
ATTRIBUTES = ("kind", "value", "resolution", "visible")
"""Columns of the truth besides those of `veil evaluate`."""
_COLUMNS = ("file", "frame", "x", "y", "w", "h", "ignore", "track", *ATTRIBUTES)
_LARGE_SHARE = 0.1
"""Share of the picture from which a part of a face counts however small it is: a face larger than the frame."""
_Row = dict[str, str]


class BenchmarkSettings(Document, frozen=True):
    """Which clips are made.

    Attributes:
        seed: Seed of everything random.
        quick: True for a part of the clips, at 1080 lines only.
        resolutions: Names among `FRAME_SIZES`.
        kinds: Kinds of clips among `KINDS`; all if empty.
    """

    seed: int = 0
    quick: bool = False
    resolutions: tuple[str, ...] = tuple(FRAME_SIZES)
    kinds: tuple[str, ...] = ()

    def list_clips(self) -> list[BenchmarkClip]:
        """List the clips.

        Raises:
            InputError: A resolution or a kind is unknown.
        """
        for names, known in ((self.resolutions, tuple(FRAME_SIZES)), (self.kinds, KINDS)):
            for name in names:
                if name not in known:
                    raise InputError(f"The benchmark has no {name!r}; choose from {', '.join(known)}.")
        resolutions = self.resolutions[:1] if self.quick else self.resolutions
        return [
            clip
            for resolution in resolutions
            for clip in list_clips(resolution, quick=self.quick, seed=self.seed)
            if not self.kinds or clip.kind in self.kinds
        ]


class MadeClip(Document, frozen=True):
    """A clip that was written: its file, the hash of its bytes, its frames, and the faces in them that count."""

    file: str
    sha256: str
    frames: int
    faces: int


class BenchmarkDescription(Document, frozen=True, kw_only=True):
    """The content of the file benchmark.json.

    Attributes:
        schema: Always "veil/benchmark/1".
        veil: Version that made the clips.
        settings: The settings.
        clips: The clips.
    """

    schema: str = "veil/benchmark/1"
    veil: str = VERSION
    settings: BenchmarkSettings
    clips: tuple[MadeClip, ...]


def make_benchmark(
    folder: Path, settings: BenchmarkSettings | None = None, listener: ProgressListener | None = None
) -> BenchmarkDescription:
    """Write clips, truth and description into a folder.

    The same settings give the same truth, and on one machine the same bytes.

    Args:
        folder: The folder; it is made if it does not exist.
        settings: Which clips are made.
        listener: Receives the progress.

    Raises:
        InputError: A setting is unknown, or a package with pictures is missing.
        TargetError: The folder cannot be written.
        RenderError: FFmpeg fails.
    """
    settings, listener = settings or BenchmarkSettings(), listener or SilentListener()
    clips = settings.list_clips()
    made: list[MadeClip] = []
    rows: list[_Row] = []
    for number, clip in enumerate(clips):
        listener.progress("make", number, len(clips))
        of_clip = _write_clip(folder / clip.file, clip, settings.seed)
        faces = sum(row["x"] != "" and row["ignore"] == "0" for row in of_clip)
        frames = len({row["frame"] for row in of_clip})
        made.append(MadeClip(clip.file, hash_file(folder / clip.file), frames, faces))
        rows += of_clip
    listener.progress("make", len(clips), len(clips))
    description = BenchmarkDescription(settings=settings, clips=tuple(made))
    # The truth comes last: a folder with a truth is complete.
    write_file(folder / DESCRIPTION_FILE, encode_document(description))
    write_file(folder / TRUTH_FILE, _format_rows(rows))
    return description


def read_description(folder: Path) -> BenchmarkDescription:
    """Read the description of a benchmark.

    Raises:
        InputError: The folder is no benchmark.
    """
    path = folder / DESCRIPTION_FILE
    try:
        return decode_json(path.read_bytes(), type=BenchmarkDescription)
    except (OSError, msgspec.MsgspecError) as error:
        raise InputError(f"{folder} is no benchmark: {path} cannot be read. Make one with: veil bench make.") from error


def _write_clip(target: Path, clip: BenchmarkClip, seed: int) -> list[_Row]:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TargetError(f"{target.parent} cannot be made: {error.strerror}. Choose another folder.") from error
    rows: list[_Row] = []
    with make_scratch_folder(target) as scratch:
        written = scratch / "1.mp4"
        with open_picture_writer(written, clip.size, clip.crf) as writer:
            for index, frame in enumerate(draw_clip(clip, seed)):
                writer.write(frame.picture)
                rows += _describe_frame(clip, index, frame)
        for time in range(2, clip.encoded + 1):
            again = scratch / f"{time}.mp4"
            reencode_clip(written, again, clip.crf)
            written = again
        publish_file(written, target)
    return rows


def _describe_frame(clip: BenchmarkClip, index: int, frame: DrawnFrame) -> Iterator[_Row]:
    common = {"file": clip.file, "frame": str(index), "kind": clip.kind, "value": clip.value}
    common["resolution"] = clip.resolution
    if not frame.faces:
        yield common | dict.fromkeys(("x", "y", "w", "h", "track", "visible"), "") | {"ignore": "0"}
    picture_area = clip.size.width * clip.size.height
    for face in frame.faces:
        box = face.box
        place = {"x": box.left, "y": box.top, "w": box.width, "h": box.height}
        yield common | {
            **{name: f"{value:.2f}" for name, value in place.items()},
            "ignore": str(int(face.visible < MIN_VISIBLE_SHARE and box.area < _LARGE_SHARE * picture_area)),
            "track": face.track,
            "visible": f"{face.visible:.3f}",
        }


def _format_rows(rows: Iterable[_Row], columns: Sequence[str] = _COLUMNS) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()
