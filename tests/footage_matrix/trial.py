"""Renders a cell and checks the laws."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from engine.core.geometry import Box
from engine.errors import VeilError
from engine.media.facts import MediaInfo, make_source_facts
from engine.media.output.encoder import EncoderSettings
from engine.media.source.decode import open_source
from engine.media.source.preflight import check_decodable
from engine.media.source.probe import probe
from engine.record import Frame, Record
from engine.rendering.render import check_render_possible
from engine.rendering.report import RenderReport
from engine.rendering.terms import RenderOptions
from engine.verification.checked_render import render_and_verify
from tests.footage_matrix.cells import Cell
from tests.footage_matrix.laws import Decoded, decode_plainly, find_pictures_that_differ, list_what_identifies
from tests.record_makers import make_face, make_record, written

_OPTIONS = RenderOptions(encoder=EncoderSettings(crf=0.0, preset="ultrafast", threads=1))


class Notices:
    """Collects what a person would be told."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def progress(self, *_: object) -> None:
        pass

    def notice(self, text: str) -> None:
        self.texts.append(text)


def render_cell(cell: Cell, source: Path, folder: Path) -> tuple[RenderReport, Path, Notices]:
    """Detect as a fixed detector would, render and verify; every check has to pass.

    Raises:
        VeilError: the source is refused.
    """
    output, notices = folder / f"out{cell.target or cell.suffix}", Notices()
    check_render_possible(source, output, _OPTIONS)
    info = probe(source)
    check_decodable(source, info, covers_damage=cell.on_damage == "cover")
    record = _detect_in_the_middle(cell, source, info, notices)
    report, checks = render_and_verify(source, written(record, folder / "record.json"), output, _OPTIONS,
                                       listener=notices)  # fmt: skip
    assert checks.passed, [check for check in checks.checks if not check.passed]
    return report, output, notices


def _detect_in_the_middle(cell: Cell, source: Path, info: MediaInfo, notices: Notices) -> Record:
    """Return a record with a face in the middle of each frame; no model runs."""
    width, height = info.video.display.width, info.video.display.height
    box = Box(width * 3 // 8, height * 3 // 8, max(width * 5 // 8, width * 3 // 8 + 2),
              max(height * 5 // 8, height * 3 // 8 + 2))  # fmt: skip
    face = (make_face(0, (box.left, box.top, box.right, box.bottom)),)
    with open_source(source, info, on_damage=cell.on_damage, listener=notices) as frames:
        found = [(frame.index, frame.pts, frame.damaged) for frame in frames.frames()]
    return msgspec.structs.replace(
        make_record([[]]),
        source=make_source_facts(info, len(found)),
        frames=tuple(Frame(index, pts, face) for index, pts, _ in found),
        damaged=tuple(index for index, _, damaged in found if damaged),
    )


def list_broken_laws(cell: Cell, source: Path, output: Path) -> list[str]:
    """Return what differs between source and output although it must not, by a reader that is not Veil's."""
    after = decode_plainly(output)
    faults = list_what_identifies(output)
    names = {frame.format.name.removesuffix("le") for frame in after.pictures}
    if {name.replace("yuvj", "yuv") for name in names} != {cell.pixels.removesuffix("le")}:
        faults.append(f"pixels {names}")
    if not cell.checks:
        return faults
    before = decode_plainly(source)
    if "times" in cell.checks:
        faults += _compare_times(before.times, after)
    if before.signal != after.signal:
        faults.append(f"is shown as {after.signal} instead of {before.signal}")
    if "pictures" in cell.checks and len(before.pictures) == len(after.pictures):
        faults += find_pictures_that_differ(before, after)
    if "audio" in cell.checks and before.packets != after.packets:
        faults.append("other audio packets")
    if "starts" in cell.checks and not _are_close(before.starts, after.starts):
        faults.append(f"audio starts {after.starts} instead of {before.starts}")
    return faults


def _compare_times(wanted: list[float], after: Decoded) -> list[str]:
    return [] if _are_close(wanted, after.times) else [f"times {after.times} instead of {wanted}"]


def _are_close(first: list[float], second: list[float]) -> bool:
    # Matroska stores milliseconds.
    return len(first) == len(second) and all(abs(a - b) <= 0.0021 for a, b in zip(first, second, strict=True))


def check_cell(cell: Cell, folder: Path) -> None:
    """Make a cell's file in a folder, and check that what becomes of it is what the cell says."""
    source = folder / f"source{cell.suffix}"
    cell.make(source)
    if cell.outcome == "refused":
        with pytest.raises(VeilError) as refusal:
            render_cell(cell, source, folder)
        assert cell.sentence in str(refusal.value)
        assert not list(folder.glob("out*"))
        return
    report, output, notices = render_cell(cell, source, folder)
    assert list_broken_laws(cell, source, output) == []
    assert report.spec.container.muxer == cell.muxer
    assert cell.notice in " ".join(notices.texts)
