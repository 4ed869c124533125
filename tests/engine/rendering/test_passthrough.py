"""Groups of pictures without a mask are the source's own packets, and the output is one video all the same."""

import re
import subprocess

import av
import imageio_ffmpeg
import numpy as np
import pytest

import engine
from engine.errors import InputError
from engine.media.source.decode import open_source
from engine.media.source.probe import probe
from engine.record import encode_document, read_document
from engine.rendering.report import RenderReport, report_path
from engine.rendering.terms import RenderOptions, terms_from_options
from tests import clips
from tests.record_makers import record_of, written

pytestmark = pytest.mark.slow

FACE = (30, 20, 90, 80)
GROUPS = ["-g", "10", "-sc_threshold", "0", "-bf", "3"]
PASSTHROUGH = RenderOptions(passthrough=True)


def make_clip(folder, name="clip.mp4", *, options=GROUPS, frames=50, **more):
    return clips.video(folder / name, size=(160, 120), frames=frames, options=options, **more)


def render(source, masked, output, options=PASSTHROUGH):
    """Render with a face in the frames of `masked`; return the record and the report."""
    record = written(record_of(source, lambda i: [FACE] if i in masked else []), output.with_suffix(".json"))
    return record, engine.render(source, record, output, options)


def read_planes(path):
    info = probe(path)
    with open_source(path, info) as opened:
        return [[plane.copy() for plane in frame.picture().planes] for frame in opened.frames()]


def equal_frames(one, other):
    pairs = zip(read_planes(one), read_planes(other), strict=True)
    return [all(map(np.array_equal, before, after)) for before, after in pairs]


@pytest.mark.parametrize(
    ("suffix", "masked", "copied"),
    [
        (".mp4", {12, 35}, ((0, 10), (20, 30), (40, 50))),
        (".mov", {0, 49}, ((10, 40),)),
        (".mkv", {25}, ((0, 20), (30, 50))),
        (".mp4", set(), ((0, 50),)),
    ],
)
def test_only_groups_with_a_mask_are_encoded(tmp_path, suffix, masked, copied):
    source, output = make_clip(tmp_path, f"clip{suffix}", audio=[clips.Audio()]), tmp_path / f"out{suffix}"
    record, report = render(source, masked, output)
    assert report.passthrough.copied == copied
    inside = {index for start, stop in copied for index in range(start, stop)}
    assert {index for index, equal in enumerate(equal_frames(source, output)) if equal} >= inside
    checks = {check.name: check for check in engine.verify(source, record, output, render_again=True).checks}
    assert all(check.passed for check in checks.values())
    assert str(len(inside)) in checks["passthrough"].finding


def test_every_player_gets_the_same_frames(tmp_path):
    # FFmpeg's command line decodes with several threads, and from the file's own index.
    source, output = make_clip(tmp_path), tmp_path / "out.mp4"
    render(source, {25}, output)
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", output, "-f", "framemd5", "-"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert not done.stderr
    lines = [line.split(",") for line in done.stdout.splitlines() if not line.startswith("#")]
    assert len(lines) == 50
    with av.open(str(output)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    decoding = [packet.dts for packet in packets]
    assert decoding == sorted(set(decoding))
    assert all(packet.dts <= packet.pts for packet in packets)


def test_frames_keep_uneven_times(tmp_path):
    source = make_clip(tmp_path, filters="setpts=N*N/20/25/TB+N/25/TB")
    record, _ = render(source, {25}, tmp_path / "out.mp4")
    assert engine.verify(source, record, tmp_path / "out.mp4").passed


def test_open_groups_are_encoded_with_their_neighbours(tmp_path):
    opened = [*GROUPS, "-x264-params", "open-gop=1:bframes=3:b-adapt=0"]
    source, output = make_clip(tmp_path, options=opened), tmp_path / "out.mp4"
    _, report = render(source, {25}, output)
    assert report.passthrough.reason is not None or all(start % 10 == 0 for start, _ in report.passthrough.copied)
    assert len(read_planes(output)) == 50


def test_messages_in_the_packets_are_not_copied(tmp_path):
    # x264 writes its options into a message (SEI) of the first packet, where cameras write places and serial numbers.
    source, output = make_clip(tmp_path), tmp_path / "out.mp4"
    assert b"x264 - core" in source.read_bytes()
    render(source, {25}, output)
    assert b"x264 - core" not in output.read_bytes()


@pytest.mark.parametrize(
    ("maker", "reason"),
    [
        (lambda folder: clips.ten_bit(folder / "clip.mp4"), "only H.264|more than 8 bits"),
        (lambda folder: clips.interlaced(folder / "clip.mp4"), "two fields"),
        (lambda folder: make_clip(folder, "clip.ts"), "neither of the MP4 family nor Matroska"),
        (lambda folder: make_clip(folder, "clip.avi", codec="mpeg4"), "only H.264"),
        (lambda folder: make_clip(folder, codec="libx265"), "only H.264"),
    ],
)
def test_what_cannot_be_copied_is_encoded_and_the_report_says_why(tmp_path, maker, reason):
    source, output = maker(tmp_path), tmp_path / "out.mkv"
    record, report = render(source, {5}, output)
    assert not report.passthrough.copied
    _, plain = render(source, {5}, tmp_path / "plain.mkv", RenderOptions())
    assert plain.output_sha256 == report.output_sha256
    assert re.search(reason, report.passthrough.sentence)
    assert engine.verify(source, record, output).passed


def test_a_frame_that_is_said_to_be_copied_and_is_not_is_found(tmp_path):
    source, output = make_clip(tmp_path), tmp_path / "out.mp4"
    record, _ = render(source, {25}, output)
    plain = tmp_path / "plain.mp4"
    engine.render(source, record, plain)
    output.write_bytes(plain.read_bytes())
    failed = {check.name for check in engine.verify(source, record, output).checks if not check.passed}
    assert "passthrough" in failed


def test_reports_and_terms_without_it_say_nothing_of_it(tmp_path):
    source, output = make_clip(tmp_path), tmp_path / "out.mp4"
    _, report = render(source, {25}, output, RenderOptions())
    assert b'"passthrough":' not in encode_document(report)
    assert b'"passthrough":' not in encode_document(terms_from_options(RenderOptions(), ".mp4"))
    _, report = render(source, {25}, output)
    assert read_document(report_path(output), RenderReport, "report") == report


def test_frames_cannot_be_written_twice_over(tmp_path):
    source = make_clip(tmp_path)
    with pytest.raises(InputError, match="passthrough"):
        render(source, {25}, tmp_path / "out.mp4", RenderOptions(passthrough=True, y4m=tmp_path / "all.y4m"))
