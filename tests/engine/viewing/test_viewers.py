"""What people look at is decoded in processes that a file may end: the same answers, and no crash here."""

import signal
import time
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import cv2
import numpy as np
import pytest

from engine.audio.compare import StreamLocation
from engine.audio.excerpt import make_excerpt
from engine.audio.waveform import measure_waveform
from engine.core.geometry import Box
from engine.errors import InputError, SourceError
from engine.media.source.frame_cache import FrameCache
from engine.rendering.portraits import measure_samples
from engine.rendering.still import StillOptions, encode_jpeg, render_still
from engine.review.people import FaceSample
from engine.review.plan import plan_frames
from engine.viewing.viewers import Viewers
from tests import clips
from tests.crashing_reader import make_file_deadly
from tests.record_makers import record_of

pytestmark = pytest.mark.slow

FACE = (20.0, 20.0, 70.0, 60.0)


@pytest.fixture
def viewers():
    with Viewers(max_sources=2) as opened:
        yield opened


@pytest.fixture
def clip(tmp_path):
    return clips.b_frames(tmp_path / "clip.mp4")


@pytest.fixture
def record(clip):
    return record_of(clip, lambda _: [FACE])


def test_the_pictures_are_those_of_the_source(viewers, clip, record):
    plans, viewer = list(plan_frames(record)), viewers.open_source(clip, record, "a")
    with FrameCache(clip, record) as frames:
        for index in (7, 8, 3, 29):
            picture = render_still(frames.get_frame(index), record.source.video, plans[index], StillOptions())
            assert viewer.make_still(index, plans[index], StillOptions()) == encode_jpeg(picture)
        sample = FaceSample(0, 4, Box(*FACE))
        expected = dict(measure_samples(frames, [sample]))
    found = viewer.measure_looks([sample])
    assert list(found) == list(expected) == [sample]
    assert np.array_equal(found[sample].head, expected[sample].head)
    assert np.array_equal(found[sample].shape, expected[sample].shape)
    portrait = cv2.imdecode(np.frombuffer(viewer.make_portrait(4, Box(*FACE)), np.uint8), cv2.IMREAD_COLOR)
    assert portrait.shape == (112, 112, 3)


def test_the_sound_is_that_of_the_source(viewers, tmp_path):
    clip = clips.several_audio(tmp_path / "sound.mp4")
    assert viewers.measure_waveform(clip, 20, 0.8) == measure_waveform(clip, 20, 0.8)
    stream = StreamLocation(clip, 1, Fraction(0))
    assert viewers.make_excerpt(stream, 1, (), (0.0, 0.4)) == make_excerpt(stream, 1, (), 0.0, 0.4)
    with pytest.raises(InputError, match="lasts at most"):
        viewers.make_excerpt(stream, 1, (), (0.0, 4000.0))


def test_a_source_that_ends_its_process_costs_that_source_a_sentence(viewers, clip, record, tmp_path, monkeypatch):
    make_file_deadly(monkeypatch, tmp_path / "hook", "deadly.mp4", signal.SIGSEGV)
    deadly, plan = tmp_path / "deadly.mp4", next(plan_frames(record))
    deadly.write_bytes(clip.read_bytes())
    sound = viewers.open_source(clip, record, "a")
    assert sound.make_still(0, plan, StillOptions())
    broken = viewers.open_source(deadly, record, "b")
    for _ in range(2):
        with pytest.raises(SourceError, match=r"deadly\.mp4 cannot be read: it ends the program .*SIGSEGV"):
            broken.make_still(0, plan, StillOptions())
    clips.several_audio(deadly)
    with pytest.raises(SourceError, match="SIGSEGV"):
        viewers.measure_waveform(deadly, 10, 1.0)
    assert sound.make_still(0, plan, StillOptions())


def test_an_answer_that_another_one_cost_is_made_again(viewers, clip, record):
    plans, viewer = list(plan_frames(record)), viewers.open_source(clip, record, "a")
    first = viewer.make_still(5, plans[5], StillOptions())
    viewer._process._process._process.send_signal(signal.SIGSEGV)
    with ThreadPoolExecutor(3) as threads:
        stills = list(threads.map(lambda _: viewer.make_still(5, plans[5], StillOptions()), range(3)))
    assert stills == [first] * 3


def test_processes_end_with_what_they_are_for(viewers, clip, record):
    viewers.keep_spare()
    plan = next(plan_frames(record))
    processes = []
    for name in "abc":
        viewer = viewers.open_source(clip, record, name)
        viewer.make_still(0, plan, StillOptions())
        processes.append(viewer._process._process)
    assert [process.has_ended for process in processes] == [True, False, False]
    viewers.close()
    assert all(process._process.poll() is not None for process in processes)


def test_the_end_does_not_wait_for_what_is_being_answered(viewers, clip, record):
    viewer, plan = viewers.open_source(clip, record, "a"), next(plan_frames(record))
    viewer.make_still(0, plan, StillOptions())
    viewer._process._process._process.send_signal(signal.SIGSTOP)  # answers never
    with ThreadPoolExecutor(1) as threads:
        still = threads.submit(viewer.make_still, 1, plan, StillOptions())
        while not viewer._process._calls:
            time.sleep(0.01)
        viewers.close()
        with pytest.raises(SourceError):
            still.result()
    with pytest.raises(SourceError, match="ending"):
        viewer.make_still(2, plan, StillOptions())
