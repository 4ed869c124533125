import subprocess
import sys
import threading

from engine.storage.locks import lock_and_remove_file, lock_file, try_lock_descriptor, try_lock_file


def test_a_held_lock_is_not_taken_a_second_time(tmp_path):
    with try_lock_file(tmp_path / "lock") as first:
        assert first is not None
        with try_lock_file(tmp_path / "lock") as second:
            assert second is None
    with try_lock_file(tmp_path / "lock") as third:
        assert third is not None


def test_a_lock_ends_with_the_process_that_held_it(tmp_path):
    code = "import sys; from pathlib import Path; from engine.storage.locks import lock_file\n"
    code += "with lock_file(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "lock")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout.readline() == b"held\n"
    with try_lock_file(tmp_path / "lock") as descriptor:
        assert descriptor is None
    holder.kill()
    holder.communicate()
    with try_lock_file(tmp_path / "lock") as descriptor:
        assert descriptor is not None


def test_a_child_that_inherits_the_descriptor_keeps_the_lock(tmp_path):
    with try_lock_file(tmp_path / "lock") as descriptor:
        child = subprocess.Popen(["cat"], stdin=subprocess.PIPE, pass_fds=[descriptor])
    with try_lock_file(tmp_path / "lock") as descriptor:
        assert descriptor is None
    child.communicate()
    with try_lock_file(tmp_path / "lock") as descriptor:
        assert descriptor is not None


def test_one_thread_at_a_time_holds_a_lock_whose_file_is_removed(tmp_path):
    path, holders, most = tmp_path / "key.lock", [], []

    def work() -> None:
        for _ in range(50):
            with lock_and_remove_file(path):
                holders.append(1)
                most.append(len(holders))
                holders.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(most) == {1}
    assert len(most) == 200
    assert not path.exists()


def test_an_open_file_is_locked_until_it_is_closed(tmp_path):
    path = tmp_path / "journal"
    with path.open("a+b") as file:
        assert try_lock_descriptor(file.fileno())
        with path.open("rb") as other:
            assert not try_lock_descriptor(other.fileno())
    with lock_file(path):
        pass
