"""A function of the engine that is called in a notebook or a server does not end it, whatever the file does."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import engine
from engine.core.packed_sequence import PackedSequence
from engine.core.step_limit import EXIT_STUCK
from engine.errors import AmendmentError, DamagedFrameError, RecordError, SourceError
from engine.isolation.crash import describe_crash
from engine.isolation.messages import UnexpectedError, decode_value, describe_failure, encode_value, restore_error
from engine.record import Record, encode_document, read_record
from tests import clips
from tests.crashing_reader import guard_this_process, make_file_deadly
from tests.record_makers import record_of

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
FACE = (20.0, 20.0, 70.0, 60.0)


class Heard:
    def __init__(self, ends_at=None):
        self.stages, self.threads, self._ends_at = [], set(), ends_at

    def progress(self, stage, _done, _total):
        self.stages.append(stage)
        self.threads.add(threading.current_thread())
        if stage == self._ends_at:
            raise KeyboardInterrupt

    def notice(self, message):
        self.stages.append(message)


@pytest.fixture
def clip(tmp_path):
    return clips.b_frames(tmp_path / "clip.mp4")


@pytest.fixture
def record(clip):
    return record_of(clip, lambda _: [FACE])


@pytest.fixture
def deadly(clip, tmp_path):
    """A copy of the clip that a test makes deadly by its name."""
    path = tmp_path / "deadly" / "clip.mp4"
    path.parent.mkdir()
    path.write_bytes(clip.read_bytes())
    return path


def test_the_answers_are_those_of_the_function(clip, record, tmp_path, monkeypatch):
    here = engine.render(clip, record, tmp_path / "here.mp4")
    guard_this_process(monkeypatch)
    heard = Heard()
    # As in a notebook: names as text.
    there = engine.render(str(clip), record, str(tmp_path / "there.mp4"), listener=heard, overwrite=False)
    assert (tmp_path / "here.mp4").read_bytes() == (tmp_path / "there.mp4").read_bytes()
    assert encode_document(there) == encode_document(here)
    assert "render" in heard.stages
    assert heard.threads == {threading.current_thread()}
    assert engine.verify(clip, record, tmp_path / "there.mp4").passed


def test_a_record_with_packed_frames_goes_both_ways(clip, record, tmp_path, monkeypatch):
    (tmp_path / "a.json").write_bytes(encode_document(record))
    packed = read_record(tmp_path / "a.json")
    assert isinstance(packed.frames, PackedSequence)
    assert encode_document(decode_value(encode_value(packed), Record)) == encode_document(record)
    guard_this_process(monkeypatch)
    engine.render(clip, packed, tmp_path / "out.mp4")
    assert engine.verify(clip, packed, tmp_path / "out.mp4").passed


def test_errors_keep_their_type_and_their_facts(clip, record, tmp_path, monkeypatch):
    guard_this_process(monkeypatch)
    with pytest.raises(RecordError, match="is of another video"):
        engine.render(clips.b_frames(tmp_path / "other.mp4", frames=12), record, tmp_path / "out.mp4")
    for error in (DamagedFrameError("Frame 6 is gone.", 6), AmendmentError(3, "there is no track 7")):
        restored = restore_error(describe_failure(1, error))
        assert (type(restored), str(restored), vars(restored)) == (type(error), str(error), vars(error))
    assert isinstance(restore_error(describe_failure(1, ZeroDivisionError("x"))), UnexpectedError)
    assert "memory" in str(restore_error(describe_failure(1, MemoryError())))


@pytest.mark.parametrize(("number", "said"), [(signal.SIGSEGV, "signal SIGSEGV"), (signal.SIGKILL, "memory ran out")])
def test_a_file_that_ends_its_reader_costs_a_sentence(deadly, record, monkeypatch, number, said):
    guard_this_process(monkeypatch)
    folder = deadly.parents[1]
    make_file_deadly(monkeypatch, folder / "hook", "deadly/clip.mp4", number)
    with pytest.raises(SourceError, match=said) as refused:
        engine.render(deadly, record, folder / "out.mp4")
    assert str(deadly) in str(refused.value)
    assert not (folder / "out.mp4").exists()
    assert list(folder.rglob(".veil-*")) == []
    # The next call is not harmed.
    assert engine.render(folder / "clip.mp4", record, folder / "out.mp4").output_sha256


def test_an_interruption_ends_the_process_and_leaves_nothing(clip, record, tmp_path, monkeypatch):
    guard_this_process(monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        engine.render(clip, record, tmp_path / "out.mp4", listener=Heard(ends_at="render"))
    assert list(tmp_path.rglob(".veil-*")) == []
    assert not (tmp_path / "out.mp4").exists()
    me = os.getpid()
    assert "guarded_process" not in "".join(
        Path(f"/proc/{child}/cmdline").read_text()
        for child in Path(f"/proc/{me}/task/{me}/children").read_text().split()
    )


def test_running_detectors_do_not_leave_their_process(clip, tmp_path, monkeypatch):
    guard_this_process(monkeypatch)
    make_file_deadly(monkeypatch, tmp_path / "hook", "nothing", signal.SIGSEGV)

    class NoEnsemble:
        pass

    # What cannot be sent is used here, so the error is that of this process.
    with pytest.raises(AttributeError, match="NoEnsemble"):
        engine.detect(clip, ensemble=NoEnsemble(), data=tmp_path / "data")


_STEPS = """
import sys, time
from engine.core.packed_sequence import PackedSequence
from engine.core.step_limit import NATIVE_STEP, limit_steps, start_step_limit
start_step_limit(2)
for _ in limit_steps(iter(range(30))):
    time.sleep(0.1)
with NATIVE_STEP:
    time.sleep(0.1)
with NATIVE_STEP:
    for _ in range(35):
        open(sys.executable, "rb").read(1 << 16)
        time.sleep(0.1)
print("short steps, and one that reads on, are none of its business", flush=True)
with NATIVE_STEP:
    time.sleep(60)
"""


def test_a_step_that_does_not_end_ends_its_process():
    done = subprocess.run(
        [sys.executable, "-c", _STEPS], env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert "are none of its business" in done.stdout
    assert done.returncode == EXIT_STUCK
    assert "had not come to an end after 60 s" in describe_crash(done.returncode)
