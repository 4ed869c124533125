"""A source that a process of its own reads gives the source's frames and packets; its end is a sentence."""

import os
import select
import signal
import threading

import numpy as np
import pytest

from engine.errors import SourceError
from engine.live.record_facts import read_source_facts
from engine.media.pixels import picture_from_frame
from engine.media.stream.audio_parameters import pack_audio
from engine.media.stream.isolated_input import IsolatedInput
from engine.media.stream.live_input import DecodedFrameEvent, LiveInput
from engine.media.stream.live_source import AudioEvent, FormatChangeEvent, FrameEvent
from engine.media.stream.normalise import FrameNormaliser
from tests import clips
from tests.crashing_reader import find_children, make_file_deadly

pytestmark = pytest.mark.slow

PATIENCE_S = 60.0


def two_sizes(path):
    """Two recordings of different sizes one after the other in a transport stream."""
    parts = []
    for place, size in enumerate([(128, 96), (96, 128)]):
        part = clips.video(path.with_name(f"{place}.mp4"), size=size, frames=6)
        shifted = path.with_name(f"{place}.ts")
        clips.ffmpeg("-i", part, "-c", "copy", "-output_ts_offset", str(place * 0.24), shifted)
        parts.append(shifted.read_bytes())
    path.write_bytes(b"".join(parts))
    return path


def copy_planes(frame):
    return [plane.copy() for plane in picture_from_frame(frame, read_only=True).planes]


def read_here(path):
    """Read a source in this process: planes and times of its normalised frames, and its audio."""
    frames, audio, normaliser = [], [], FrameNormaliser()
    with LiveInput(str(path), threading.Event()) as source:
        for event in source.events():
            if isinstance(event, DecodedFrameEvent):
                frame = normaliser.normalise(event.frame, len(frames), event.pts, event.aspect)
                frames.append((event.pts, copy_planes(frame.planar_frame)))
            elif isinstance(event, AudioEvent):
                audio.append((event.track, pack_audio(event.packet)))
        return frames, audio, normaliser.format_changes, source.audio_streams


def read_there(path):
    frames, audio, changes = [], [], 0
    with IsolatedInput(str(path), threading.Event()) as source:
        for event in source.events():
            match event:
                case FrameEvent():
                    frames.append((event.pts, copy_planes(event.frame)))
                case AudioEvent():
                    audio.append((event.track, pack_audio(event.packet)))
                case FormatChangeEvent():
                    changes += 1
        return frames, audio, changes, source.audio_streams


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda path: clips.turned(path, frames=4), "turned.mp4"),
        (lambda path: clips.several_audio(path, frames=10), "sound.mp4"),
        (two_sizes, "two.ts"),
    ],
)
def test_frames_times_and_audio_are_those_of_the_source(make, name, tmp_path):
    path = make(tmp_path / name)
    frames, audio, changes, audio_streams = read_here(path)
    there = read_there(path)
    assert [pts for pts, _ in there[0]] == [pts for pts, _ in frames]
    for (_, expected), (_, found) in zip(frames, there[0], strict=True):
        assert all(np.array_equal(one, other) for one, other in zip(expected, found, strict=True))
    assert there[1:] == (audio, changes, audio_streams)
    assert bool(audio) == (name == "sound.mp4")
    assert changes == (name == "two.ts")


def test_a_file_is_read_no_further_than_it_is_asked_for(tmp_path):
    path = clips.silent(tmp_path / "clip.mkv")
    with IsolatedInput(str(path), threading.Event()) as source:
        events = source.events()
        first = next(events)
        # The process has nowhere to put another frame, so its answer is not there however long one waits.
        assert not os.get_blocking(source._stdout.fileno())
        assert source._stdout.read() is None
        assert next(events).pts > first.pts


def test_a_stopped_run_does_not_wait_for_the_source(tmp_path):
    stop = threading.Event()
    fifo = tmp_path / "never.mp4"
    os.mkfifo(fifo)
    threading.Timer(0.5, stop.set).start()
    with pytest.raises(SourceError, match="was stopped before"):
        IsolatedInput(str(fifo), stop)


@pytest.mark.parametrize(
    ("number", "said"), [(signal.SIGSEGV, "signal SIGSEGV"), (0, "one step of decoding it had not come to an end")]
)
def test_a_source_that_ends_its_process_is_a_sentence(tmp_path, monkeypatch, number, said):
    path = clips.silent(tmp_path / "deadly.mkv", frames=2)
    make_file_deadly(monkeypatch, tmp_path / "hook", "deadly.mkv", number)
    with pytest.raises(SourceError, match=said) as refused:
        IsolatedInput(str(path), threading.Event())
    assert str(path) in str(refused.value)
    assert not find_children("source_process")


def test_a_process_that_ends_right_after_a_report_is_noticed(tmp_path):
    """The report and the end are read in one go; the frame is there, and the end is not waited for."""
    path, stop = clips.silent(tmp_path / "clip.mkv", frames=5), threading.Event()
    with IsolatedInput(str(path), stop) as source:
        events = source.events()
        next(events)
        source._request_frame(0)
        assert select.select([source._stdout], [], [], PATIENCE_S)[0]
        [process] = find_children("source_process")
        os.kill(process, signal.SIGSEGV)
        os.waitid(os.P_PID, process, os.WEXITED | os.WNOWAIT)
        end_waiting = threading.Timer(PATIENCE_S, stop.set)
        end_waiting.start()
        try:
            assert isinstance(next(events), FrameEvent)
            with pytest.raises(SourceError, match="SIGSEGV"):
                next(events)
        finally:
            end_waiting.cancel()


def test_audio_that_no_output_can_take_from_another_process_is_left_out_and_listed(tmp_path):
    path = clips.silent(tmp_path / "clip.mp4", frames=3)
    tone = ["-f", "lavfi", "-i", "sine=sample_rate=48000:duration=0.12"]
    clips.ffmpeg("-i", path, *tone, "-c:v", "copy", "-c:a", "dca", "-strict", "-2", tmp_path / "dts.ts")
    with IsolatedInput(str(tmp_path / "dts.ts"), threading.Event()) as source:
        assert source.audio_streams == ()
        assert all(isinstance(event, FrameEvent) for event in source.events())
        facts = read_source_facts(source, audio=True)
    assert [(stream.codec, stream.fate) for stream in facts.streams] == [("h264", "rendered"), ("dca", "dropped")]
