"""A video that is encoded in segments has the same bytes however many processes encode them."""

import os
import signal
import time
from pathlib import Path

import pytest

import engine
from engine.cli import main
from engine.core.progress import SilentListener
from engine.errors import InputError, RenderError, SourceError
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
WORKER = "engine.rendering.segment_worker"


def make_clip(folder, name="clip.mp4", *, options=GROUPS, frames=80, **more):
    return clips.video(folder / name, size=(160, 120), frames=frames, options=options, **more)


def find_workers():
    """The processes of segments that this process has started."""
    for children in Path("/proc/self/task").glob("*/children"):
        for pid in map(int, children.read_text().split()):
            if WORKER in Path(f"/proc/{pid}/cmdline").read_text():
                yield pid


def wait_for_workers():
    deadline = time.monotonic() + 60
    while not (found := list(find_workers())):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return found


class Killer(SilentListener):
    """Kills processes that encode while the render is in progress."""

    def __init__(self, times):
        self.killed, self.times = set(), times

    def progress(self, stage, done, total):
        if stage == "render" and len(self.killed) < self.times:
            for pid in wait_for_workers()[:1]:
                os.kill(pid, signal.SIGKILL)
                self.killed.add(pid)


class Case:
    """A source with its record and the folder of its outputs."""

    def __init__(self, source, folder, boxes=lambda index: [FACE] if index % 3 else []):
        self.source, self.folder = source, folder
        self.record = written(record_of(source, boxes), folder / "record.json")

    def render(self, jobs, listener=None, **options):
        output = self.folder / f"out{jobs}{self.source.suffix}"
        options = RenderOptions(**{"segment_seconds": 1, "jobs": jobs, **options})
        return output, engine.render(self.source, self.record, output, options, listener=listener)

    def verify(self, output):
        return {
            check.name: check for check in engine.verify(self.source, self.record, output, render_again=True).checks
        }


@pytest.mark.parametrize(
    ("options", "starts"),
    [
        ({"audio": [clips.Audio()]}, (0, 30, 60)),
        ({"name": "clip.mkv", "codec": "libx265"}, (0, 30, 60)),
        ({"pixel_format": "yuv420p10le"}, (0, 30, 60)),
        ({"filters": "setpts=N*N/20/25/TB+N/25/TB"}, (0, 20, 40, 60)),
        ({"options": [*GROUPS, "-x264-params", "open-gop=1:bframes=3:b-adapt=0"]}, (0, 30, 60)),
    ],
)
def test_bytes_do_not_depend_on_the_number_of_processes(tmp_path, options, starts):
    case = Case(make_clip(tmp_path, **options), tmp_path)
    hashes = set()
    for jobs in (1, 2, 3):
        output, report = case.render(jobs)
        hashes.add(report.output_sha256)
        assert report.segments.starts == starts
        assert (report.frames, report.masked) == (80, 53)
    assert len(hashes) == 1
    checks = case.verify(output)
    assert all(check.passed for check in checks.values())
    assert checks["rendered again"].passed


def test_each_segment_begins_with_a_keyframe_and_times_stay(tmp_path):
    case = Case(make_clip(tmp_path), tmp_path)
    output, report = case.render(2)
    info = probe(output)
    with open_source(output, info) as opened:
        frames = [(frame.pts, frame.is_keyframe) for frame in opened.frames()]
    plain = engine.render(case.source, case.record, tmp_path / "plain.mp4", RenderOptions())
    assert plain.output_sha256 != report.output_sha256
    with open_source(tmp_path / "plain.mp4", probe(tmp_path / "plain.mp4")) as opened:
        assert [frame.pts for frame in opened.frames()] == [pts for pts, _ in frames]
    assert {index for index, (_, is_keyframe) in enumerate(frames) if is_keyframe} >= set(report.segments.starts)


@pytest.mark.parametrize("killed", [1, 2])
def test_a_process_that_dies_costs_an_attempt(tmp_path, killed):
    # Long enough that the processes live when they are killed; of two deaths, both may hit the same segment.
    case = Case(make_clip(tmp_path, frames=240), tmp_path)
    expected = case.render(1)[1].output_sha256
    killer = Killer(killed)
    try:
        assert case.render(2, killer)[1].output_sha256 == expected
    except RenderError as error:
        assert killed > 1
        assert "SIGKILL" in str(error)  # noqa: PT017
    assert len(killer.killed) == killed
    assert not list(find_workers())


def test_a_segment_whose_processes_always_die_ends_the_render(tmp_path):
    case = Case(make_clip(tmp_path), tmp_path)
    with pytest.raises(RenderError, match=r"frames \d+ to \d+ of .* was killed by SIGKILL.*fewer --jobs"):
        case.render(2, Killer(100))
    assert not (tmp_path / "out2.mp4").exists()
    assert not list(find_workers())


def test_an_interrupted_render_ends_its_processes_and_gives_the_same_bytes_again(tmp_path):
    case = Case(make_clip(tmp_path, frames=240), tmp_path)

    class Interrupter(SilentListener):
        def progress(self, stage, done, total):
            if stage == "render":
                wait_for_workers()
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        case.render(2, Interrupter())
    assert not list(find_workers())
    assert {path.name for path in tmp_path.iterdir()} == {"clip.mp4", "record.json"}
    assert case.render(2)[1].output_sha256 == case.render(1)[1].output_sha256


def test_a_keyframe_from_which_decoding_gives_other_pictures_divides_nothing(tmp_path):
    # With a gradual refresh there is no picture that stands alone, and MP4 marks the ones where a refresh begins.
    refresh = ["-x264-params", "intra-refresh=1:keyint=20:bframes=0"]
    case = Case(make_clip(tmp_path, options=refresh), tmp_path)
    assert len({case.render(jobs)[1].output_sha256 for jobs in (1, 2)}) == 1
    output, report = case.render(3)
    assert report.segments.starts == (0,)
    assert "decoding from frame 40" in report.segments.sentence
    assert all(check.passed for check in case.verify(output).values())


def test_what_cannot_be_divided_is_one_segment_and_the_report_says_why(tmp_path):
    case = Case(make_clip(tmp_path, "clip.avi", codec="mpeg4", options=["-g", "10"]), tmp_path)
    output, report = case.render(2)
    assert report.segments.starts == (0,)
    assert "no keyframe" in report.segments.sentence
    assert all(check.passed for check in case.verify(output).values())


def test_a_frame_that_cannot_be_decoded_stops_the_render(tmp_path):
    source = make_clip(tmp_path)
    case = Case(source, tmp_path)
    whole = source.read_bytes()
    # Beside the record of the whole file, so that its hash is that of the damaged one.
    damaged = clips.overwritten(tmp_path / "damaged.mp4", source, [(len(whole) * 3 // 4, b"\xff" * 2000)])
    case.record = written(record_of(damaged, lambda _: [], on_damage="cover"), tmp_path / "damaged.json")
    case.source = damaged
    _, report = case.render(2)
    assert report.segments.reason == "the source has damaged frames"
    assert report.covered > 0


def test_reports_and_terms_without_it_say_nothing_of_it(tmp_path):
    case = Case(make_clip(tmp_path), tmp_path)
    output, report = case.render(1)
    assert read_document(report_path(output), RenderReport, "report") == report
    assert report.spec.segment_seconds == 1
    plain = engine.render(case.source, case.record, tmp_path / "plain.mp4", RenderOptions())
    assert b"segment" not in encode_document(plain)
    assert b"segment" not in encode_document(terms_from_options(RenderOptions(jobs=3), ".mp4"))


def test_the_command_line_takes_both_options(tmp_path, capsys):
    case = Case(make_clip(tmp_path), tmp_path)
    output = tmp_path / "out.mp4"
    words = ["render", case.source, case.record, "-o", output, "--segments", "1", "--jobs", "2"]
    assert main(list(map(str, words))) == 0
    assert "encoded in 3 segments" in capsys.readouterr().out
    assert read_document(report_path(output), RenderReport, "report").output_sha256 == case.render(1)[1].output_sha256


@pytest.mark.parametrize("other", [{"passthrough": True}, {"y4m": Path("all.y4m")}])
def test_what_contradicts_it_is_refused(tmp_path, other):
    case = Case(make_clip(tmp_path), tmp_path)
    with pytest.raises(InputError, match="--segments"):
        case.render(2, **other)


def test_a_source_that_is_exchanged_meanwhile_stops_the_render(tmp_path):
    case = Case(make_clip(tmp_path, frames=240), tmp_path)
    other = make_clip(tmp_path, "other.mp4", frames=240)

    class Exchanger(SilentListener):
        def progress(self, stage, done, total):
            if stage == "render" and other.exists():
                other.replace(case.source)

    with pytest.raises(SourceError):
        case.render(1, Exchanger())
