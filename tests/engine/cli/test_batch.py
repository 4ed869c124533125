"""`veil batch` as a process: killed in the middle, and watching a folder."""

import json
import signal
import subprocess
import sys
from xml.etree import ElementTree as ET

import pytest

from engine.batch.journal import JOURNAL_NAME
from tests import clips

NAMES = ("a.mp4", "b.mkv", "sub/c.mov", "sub/d.mp4")


@pytest.fixture(scope="module")
def footage(tmp_path_factory):
    folder = tmp_path_factory.mktemp("footage")
    (folder / "sub").mkdir()
    for number, name in enumerate(NAMES):
        clips.video(folder / name, frames=4 + number)
    (folder / "broken.mp4").write_bytes(b"no video")
    return folder


def start(footage, out, data, *words):
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "engine", "batch", footage, "-o", out, "--data", data),
            *("--detectors", "mediapipe", "--json", *words),
        ],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=out.parent,
    )  # fmt: skip


def wait_for_line(process, text):
    for line in process.stderr:
        if text in line:
            return
    raise AssertionError(f"{text!r} was not printed")


def test_a_batch_that_is_killed_ends_with_every_file_done_once(footage, own_data, tmp_path):
    out = tmp_path / "out"
    process = start(footage, out, own_data)
    wait_for_line(process, "1 of 5 done")
    process.kill()
    process.communicate()
    process = start(footage, out, own_data, "--junit", "batch.xml")
    text, errors = process.communicate()
    assert process.returncode == 1, errors
    files = {file["source"]: file["status"] for file in json.loads(text)["files"]}
    assert files.pop(str(footage / "broken.mp4")) == "failed"
    assert set(files) == {str(footage / name) for name in NAMES}
    assert files[str(footage / "a.mp4")] == "unchanged"
    steps = [json.loads(line) for line in (out / JOURNAL_NAME).read_text().splitlines()]
    assert sorted(step["output"] for step in steps if step["step"] == "done") == sorted(NAMES)
    assert ET.parse(tmp_path / "batch.xml").getroot().get("tests") == "5"  # noqa: S314 - written by the test


def test_a_watched_folder_is_worked_on_until_the_batch_is_stopped(own_data, tmp_path):
    inbox, out = tmp_path / "inbox", tmp_path / "out"
    inbox.mkdir()
    clips.video(inbox / "first.mp4", frames=3)
    process = start(inbox, out, own_data, "--watch", "--settle", "0.2")
    wait_for_line(process, "done")
    clips.video(inbox / "second.mp4", frames=3)
    wait_for_line(process, "second.mp4")
    process.send_signal(signal.SIGINT)
    text, errors = process.communicate()
    assert process.returncode == 0, errors
    assert [file["status"] for file in json.loads(text)["files"]] == ["done", "done"]
