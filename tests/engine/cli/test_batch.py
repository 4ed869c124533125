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
            *("--detectors", "yolov8-face", "--json", *words),
        ],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=out.parent,
    )  # fmt: skip


def wait_for_line(process, text):
    for line in process.stderr:
        if text in line:
            return line
    raise AssertionError(f"{text!r} was not printed")


def test_a_batch_that_is_killed_ends_with_every_file_done_once(footage, own_data, tmp_path):
    out = tmp_path / "out"
    process = start(footage, out, own_data)
    # Files are worked on side by side, so any of them may be the first.
    first = wait_for_line(process, " of 5 done, ").partition(" done, ")[2].strip()
    process.kill()
    process.communicate()
    process = start(footage, out, own_data, "--junit", "batch.xml")
    text, errors = process.communicate()
    assert process.returncode == 1, errors
    files = {file["source"]: file["status"] for file in json.loads(text)["files"]}
    assert files.pop(str(footage / "broken.mp4")) == "failed"
    assert set(files) == {str(footage / name) for name in NAMES}
    assert files[first] == "unchanged"
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
    process.send_signal(
        signal.SIGTERM
    )  # takes the way of Ctrl-C, which a shell has switched off if it runs this beside
    text, errors = process.communicate()
    assert process.returncode == 0, errors
    assert [file["status"] for file in json.loads(text)["files"]] == ["done", "done"]


@pytest.fixture
def bucket(monkeypatch):
    """An empty bucket of an S3 server behind a socket, and the environment in which it is found."""
    import boto3
    from moto.server import ThreadedMotoServer  # takes a second, in each process that collects tests

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    bucket = boto3.resource("s3").Bucket("footage")
    bucket.create()
    yield bucket
    server.stop()


def test_a_bucket_is_anonymised_into_a_bucket_once(bucket, footage, own_data, tmp_path):
    bucket.upload_file(str(footage / "a.mp4"), "in/day/a.mp4")
    out, words = tmp_path / "out", ("--publish", "s3://footage/masked")
    for status in ("done", "unchanged"):
        process = start("s3://footage/in", out, own_data, *words)
        text, errors = process.communicate()
        assert process.returncode == 0, errors
        (file,) = json.loads(text)["files"]
        assert (file["source"], file["status"]) == ("s3://footage/in/day/a.mp4", status)
    keys = {item.key for item in bucket.objects.filter(Prefix="masked/")}
    assert "masked/day/a.mp4" in keys
    assert "masked/day/a.mp4.checks.json" in keys
    assert bucket.Object("masked/day/a.mp4").get()["Body"].read() == (out / "day/a.mp4").read_bytes()
    steps = [json.loads(line)["step"] for line in (out / JOURNAL_NAME).read_text().splitlines()]
    assert steps == ["detected", "done", "fetched", "published"]
    # The copy of the source is gone.
    assert not [path for path in (own_data / "work").rglob("*") if path.name == "a.mp4"]
