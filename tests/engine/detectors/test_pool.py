"""Worker processes: what they answer, how they fail, and what is left of them."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engine.core.picture import Rgb
from engine.detectors.pool import DetectionBatch, DetectorPool, wait_for_results
from engine.errors import DetectorError, InputError, ModelError, VeilError
from tests.engine.detectors.misbehaving_detector import TROUBLE, Rogue, RogueSettings, spelled
from tests.repository import ROOT

HERE = Path(__file__).parent
PATIENCE = 30


def pool(workers: int = 1, timeout: float = PATIENCE, **settings: str) -> DetectorPool:
    return DetectorPool(Rogue, RogueSettings(**settings), Path("models"), workers=workers, timeout_s=timeout)


def picture(width: int, height: int, seed: int = 0) -> Rgb:
    return np.random.default_rng(seed).integers(0, 200, (height, width, 3), dtype=np.uint8)


def trouble() -> Rgb:
    return np.full((8, 8, 3), TROUBLE, np.uint8)


def submit_and_drain(crew: DetectorPool) -> None:
    crew.submit(1, [trouble()])
    list(crew.drain())


def loaded(crew: DetectorPool) -> DetectorPool:
    while not crew.is_ready():
        select.select([crew], [], [], PATIENCE)
    return crew


def open_files() -> set[str]:
    return {f"{link.name}:{link.readlink()}" for link in list(Path("/proc/self/fd").iterdir()) if link.is_symlink()}


def children() -> set[str]:
    """Process ids of this process's children, dead ones that nobody waited for included."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parent = stat.read_text(errors="replace").rpartition(")")[2].split()[1]
            if parent == str(os.getpid()):
                found.add(stat.parent.name)
    return found


def exists(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def wait_for_end(pid: int) -> bool:
    """Whether a process that may not be a child of ours is over within `PATIENCE` seconds."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], PATIENCE)[0])
    finally:
        os.close(handle)


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """Every test must leave no descriptor and no child behind."""
    before = open_files(), children()
    yield
    assert (open_files(), children()) == before


@pytest.mark.slow
def test_each_picture_arrives_as_it_was_under_its_ticket():
    chunks = {
        7: [picture(64, 48, 1), picture(33, 17, 2)],
        -3: [picture(1, 1, 3)],
        5: [],
        9: [picture(640, 360, 4)[::2, ::-1], np.asfortranarray(picture(50, 40, 5))],
    }
    with pool(workers=2) as crew:
        for ticket, pictures in chunks.items():
            crew.submit(ticket, pictures)
        answers = {ticket: batch.detections for ticket, batch in crew.drain()}
    assert answers == {ticket: [[spelled(one)] for one in pictures] for ticket, pictures in chunks.items()}


@pytest.mark.slow
def test_more_chunks_than_slots_pass_through_bounded_memory_that_grows_with_the_frames():
    sizes = [(16, 16), (640, 360), (16, 16), (1920, 1080), (320, 240)] * 3
    with pool(workers=2) as crew:
        for ticket, (width, height) in enumerate(sizes):
            crew.submit(ticket, [picture(width, height, ticket)])
            assert crew.pending_count <= len(sizes)
            assert sum(slot.length_bytes for slot in crew._slots) <= 4 * (1920 * 1080 * 3 + 4096)
        answers = {ticket: batch.detections for ticket, batch in crew.drain()}
    assert answers == {n: [[spelled(picture(*size, n))]] for n, size in enumerate(sizes)}


def test_answers_are_taken_once():
    with pool() as crew:
        assert crew.take_finished() == []
        crew.submit(1, [trouble()])
        assert wait_for_results([crew]) == [crew]
        assert [ticket for ticket, _ in crew.take_finished()] == [1]
        assert crew.take_finished() == []
        assert crew.pending_count == 0
        assert list(crew.drain()) == []


def test_a_ticket_may_come_again_once_it_is_answered():
    with pool() as crew:
        crew.submit(1, [trouble()])
        with pytest.raises(ValueError, match="ticket 1 is in use"):
            crew.submit(1, [trouble()])
        wait_for_results([crew])
        crew.submit(1, [trouble()])
        assert [ticket for ticket, _ in crew.drain()] == [1, 1]


@pytest.mark.slow
def test_one_thread_serves_several_pools():
    with pool() as first, pool(workers=2) as second:
        for ticket in range(6):
            first.submit(ticket, [picture(64, 64, ticket)])
            second.submit(ticket, [picture(32, 32, ticket)])
        seen: dict[DetectorPool, set[int]] = {first: set(), second: set()}
        while settled := wait_for_results([first, second]):
            for crew in settled:
                seen[crew].update(ticket for ticket, _ in crew.take_finished())
        assert seen == {first: set(range(6)), second: set(range(6))}


def test_a_full_pool_says_so():
    with pool(on_trouble="hang") as crew:
        assert not crew.is_full()
        crew.submit(1, [trouble()])
        assert not crew.is_full()
        crew.submit(2, [trouble()])
        assert crew.is_full()


def test_output_of_libraries_does_not_disturb():
    with pool(on_trouble="chatter") as crew:
        crew.submit(1, [trouble()])
        assert [(ticket, batch.detections) for ticket, batch in crew.drain()] == [(1, [[spelled(trouble())]])]


@pytest.mark.slow
def test_last_words_are_short_and_spoken_since_the_last_answer():
    with pool(on_load="chatter", on_trouble="exit") as crew:
        crew.submit(1, [trouble()])
        with pytest.raises(DetectorError, match="ended with exit code 3 while it looked at"):
            list(crew.drain())
    with pool(on_trouble="rave") as crew:
        crew.submit(1, [trouble()])
        with pytest.raises(DetectorError, match=r'exit code 3 \(last line of its output: "x{200}"\) while'):
            list(crew.drain())


DEATHS = [
    ("crash", r'crashed with SIGSEGV \(last line of its output: "illegal tensor"\)'),
    ("exit", "ended with exit code 3"),
    ("raise", r"failed \(ValueError: the tensor is bent\)"),
    ("forget one", "gave 0 answers for 1 pictures"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("deed", "complaint"), DEATHS)
def test_a_worker_that_fails_ends_the_pool_with_a_sentence(deed: str, complaint: str):
    with pool(workers=2, on_trouble=deed) as crew:
        crew.submit(1, [trouble()], "frames 8 to 11")
        with pytest.raises(DetectorError, match=f"^The detector rogue {complaint} while it looked at frames 8 to 11;"):
            list(crew.drain())
        assert not any(map(exists, crew.pids))
        with pytest.raises(DetectorError, match="run the same command again to resume"):
            crew.submit(2, [trouble()])
        with pytest.raises(DetectorError):
            crew.take_finished()


def test_a_worker_that_is_killed_ends_the_pool_with_a_sentence():
    with pool(workers=2, on_trouble="hang") as crew:
        crew.submit(1, [trouble()])
        crew.submit(2, [trouble()])
        os.kill(crew.pids[1], signal.SIGKILL)
        with pytest.raises(DetectorError, match="was killed by SIGKILL, perhaps for lack of memory,"):
            list(crew.drain())
        assert not any(map(exists, crew.pids))


def test_a_worker_killed_between_chunks_is_noticed_by_the_next_one():
    with pool() as crew:
        crew.submit(1, [picture(8, 8)])
        assert len(list(crew.drain())) == 1
        os.kill(crew.pids[0], signal.SIGKILL)
        assert wait_for_end(crew.pids[0])
        with pytest.raises(DetectorError, match="while it waited for work"):
            crew.submit(2, [picture(8, 8)])


@pytest.mark.slow
@pytest.mark.parametrize("deed", ["hang", "spin"])
def test_a_hung_worker_ends_the_pool_with_a_sentence(deed: str):
    with pool(timeout=3.0, on_trouble=deed) as crew:
        crew.submit(1, [picture(8, 8)])
        assert len(list(crew.drain())) == 1
        crew.submit(2, [trouble()])
        with pytest.raises(DetectorError, match=r"gave no answer for 3 s while it looked at pictures 2;"):
            list(crew.drain())
        assert not any(map(exists, crew.pids))


@pytest.mark.slow
def test_a_full_pool_that_hangs_does_not_hang_its_caller():
    with pool(timeout=3.0, on_trouble="hang") as crew:
        crew.submit(1, [trouble()])
        crew.submit(2, [trouble()])
        with pytest.raises(DetectorError, match="gave no answer"):
            crew.submit(3, [trouble()])


LOADING: list[tuple[str, type[VeilError], str]] = [
    ("miss weights", ModelError, "^The model file /.*rogue.onnx is missing: run `veil models fetch`.$"),
    ("miss package", InputError, "^The package rogue is not installed.$"),
    ("raise", DetectorError, r"failed \(ValueError: the tensor is bent\) while it was loading;"),
    ("crash", DetectorError, "crashed with SIGSEGV .* while it was loading;"),
]


@pytest.mark.parametrize(("deed", "error", "complaint"), LOADING)
def test_failing_to_load_is_told_as_what_it_is(deed: str, error: type[VeilError], complaint: str):
    with pool(on_load=deed) as crew, pytest.raises(VeilError, match=complaint) as raised:
        submit_and_drain(crew)
    assert raised.type is error


@pytest.mark.slow
def test_a_detector_that_hangs_while_loading_is_noticed():
    with pool(timeout=1.0, on_load="hang") as crew, pytest.raises(DetectorError, match="while it was loading"):
        submit_and_drain(crew)


def test_answers_from_before_a_failure_are_handed_out():
    with pool(on_trouble="raise") as crew:
        crew.submit(1, [picture(8, 8)])
        crew.submit(2, [trouble()])
        answers = crew.drain()
        assert next(answers) == (1, DetectionBatch([[spelled(picture(8, 8))]], []))
        with pytest.raises(DetectorError):
            next(answers)


def test_workers_are_children_until_the_pool_is_closed():
    before = children()
    with pool(workers=2) as crew:
        assert children() - before == {str(pid) for pid in crew.pids}
    assert children() == before


def test_leaving_early_ends_workers_that_are_busy():
    with pool(workers=2, on_trouble="spin") as crew:
        crew.submit(1, [trouble()])
        pids = crew.pids
        assert all(map(exists, pids))
    crew.close()
    assert not any(map(exists, pids))
    with pytest.raises(ValueError, match="is closed"):
        crew.submit(2, [trouble()])


@pytest.mark.slow
def test_workers_are_ready_once_they_have_loaded():
    with pool(workers=2) as crew:
        assert loaded(crew).is_ready()
        crew.submit(1, [trouble()])
        assert len(list(crew.drain())) == 1
    with pool(on_load="hang") as crew:
        assert not crew.is_ready()
    with pool(on_load="miss weights") as crew, pytest.raises(ModelError):
        loaded(crew)


def test_an_idle_worker_closes_its_detector(tmp_path: Path):
    with DetectorPool(Rogue, RogueSettings(), tmp_path) as crew:
        submit_and_drain(crew)
    assert (tmp_path / "goodbye").exists()


def test_ctrl_c_in_a_terminal_reaches_no_worker():
    with pool() as crew:
        assert os.getpgid(crew.pids[0]) == crew.pids[0]


def test_workers_outlive_the_thread_that_made_them():
    made: list[DetectorPool] = []
    thread = threading.Thread(target=lambda: made.append(loaded(pool())))
    thread.start()
    thread.join()
    with made[0] as crew:
        crew.submit(1, [trouble()])
        assert len(list(crew.drain())) == 1


def test_a_worker_imports_its_detector_and_little_else():
    with pool(on_load="list modules") as crew, pytest.raises(DetectorError) as raised:
        submit_and_drain(crew)
    modules = set(str(raised.value).partition("ValueError: ")[2].partition(")")[0].split(","))
    assert {"tests.engine.detectors.misbehaving_detector", "numpy", "msgspec"} <= modules
    assert modules.isdisjoint({"av", "cv2", "pytest", "tensorflow", "torch", "tests.engine.detectors.test_pool"})
    assert "multiprocessing" not in modules or "coverage" in modules  # which imports it while it measures


def test_workers_use_one_thread_and_no_network():
    with pool(on_load="show environment") as crew, pytest.raises(DetectorError, match="ValueError: 1true"):
        submit_and_drain(crew)


@pytest.mark.parametrize(
    "wrong", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 3), np.float32)]
)
def test_only_rgb_pictures_are_taken(wrong: Rgb):
    with pool() as crew, pytest.raises(ValueError, match="an RGB picture has shape"):
        crew.submit(1, [wrong])


def test_a_pool_needs_a_worker():
    with pytest.raises(ValueError, match="at least 1 worker"):
        pool(workers=0)


SCRIPT = """
import sys
from pathlib import Path
import numpy as np
from tests.engine.detectors.misbehaving_detector import Rogue, RogueSettings
from engine.detectors.pool import DetectorPool
print("main", flush=True)
pool = DetectorPool(Rogue, RogueSettings(on_trouble="spin"), Path("models"))
pool.submit(1, [np.zeros((4, 4, 3), np.uint8)])
print(len(list(pool.drain())), flush=True)
"""


def script(tmp_path: Path, tail: str) -> subprocess.Popen[str]:
    """A program without a `__main__` guard, run in an empty folder."""
    path = tmp_path / "program.py"
    path.write_text(SCRIPT + tail, encoding="utf-8")
    paths = str(ROOT)
    environment = {**os.environ, "PYTHONPATH": paths}
    return subprocess.Popen(
        [sys.executable, str(path)], cwd=tmp_path, env=environment, text=True, stdout=subprocess.PIPE
    )


@pytest.mark.slow
def test_a_script_without_a_guard_is_not_run_again(tmp_path: Path):
    with script(tmp_path, "pool.close()\n") as process:
        output, _ = process.communicate(timeout=PATIENCE)
    assert (process.returncode, output.split()) == (0, ["main", "1"])
    assert [path.name for path in tmp_path.iterdir()] == ["program.py"]


def test_a_busy_worker_ends_when_its_parent_is_killed(tmp_path: Path):
    tail = "pool.submit(2, [np.full((4, 4, 3), 255, np.uint8)])\nprint(pool.pids[0], flush=True)\nsys.stdin.read()\n"
    with script(tmp_path, tail) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(3)]
        process.kill()
    assert wait_for_end(int(lines[-1]))
    assert process.returncode == -signal.SIGKILL
