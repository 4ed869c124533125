import subprocess
import sys

import pytest

from engine.storage.append_only import (
    FileEnd,
    append_durably,
    iterate_whole_lines,
    open_append_only,
    read_file_end,
    repair_torn_line,
    split_torn_line,
)


@pytest.mark.parametrize(
    ("data", "end"),
    [
        (b"", FileEnd(None, 0, b"")),
        (b"to", FileEnd(None, 0, b"to")),
        (b"one\n", FileEnd(b"one", 4, b"")),
        (b"one\ntwo\n", FileEnd(b"two", 8, b"")),
        (b"one\ntwo\nth", FileEnd(b"two", 8, b"th")),
        (b"x" * 9000 + b"\n" + b"y" * 9000 + b"\n" + b"z" * 9000, FileEnd(b"y" * 9000, 18002, b"z" * 9000)),
    ],
)
def test_the_end_of_a_file_is_its_last_whole_line_and_the_torn_rest(tmp_path, data, end):
    path = tmp_path / "log.jsonl"
    path.write_bytes(data)
    with open_append_only(path) as descriptor:
        assert read_file_end(descriptor) == end
    assert split_torn_line(data)[1] == end.torn_line


@pytest.mark.parametrize(("is_complete", "left"), [(True, b"one\ntwo\nnew\n"), (False, b"one\nnew\n")])
def test_a_torn_line_is_completed_or_removed_before_the_next_append(tmp_path, is_complete, left):
    path = tmp_path / "log.jsonl"
    path.write_bytes(b"one\ntwo")
    with open_append_only(path) as descriptor:
        repair_torn_line(descriptor, read_file_end(descriptor), is_complete=is_complete)
        append_durably(descriptor, b"new\n")
    assert path.read_bytes() == left


def test_a_write_beyond_the_limit_leaves_no_part_of_a_line(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_bytes(b"one\n")
    code = "import resource, signal, sys; from pathlib import Path\n"
    code += "from engine.storage.append_only import append_durably, open_append_only\n"
    code += "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))\n"
    code += "with open_append_only(Path(sys.argv[1])) as descriptor: append_durably(descriptor, b'x' * 20 + b'\\n')"
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False)
    assert "no space left on the disk" in done.stderr
    assert path.read_bytes() == b"one\n"


def test_a_reader_leaves_a_torn_line_out(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_bytes(b"one\ntwo\nth")
    with path.open("rb") as file:
        assert list(iterate_whole_lines(file)) == [b"one", b"two"]
