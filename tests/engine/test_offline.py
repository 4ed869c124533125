"""Only cloud mode contacts another host, and everything else works without a network."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from engine.detectors import registry
from tests import clips
from tests.record_makers import record_of, written
from tests.rekognition_stand_in import StandIn, middle
from tests.tracing import TRACE_SOCKETS, find_contacts, skip_without_strace

CI = os.environ.get("CI") == "true"


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """A source with audio and its record."""
    folder = tmp_path_factory.mktemp("offline")
    source = clips.video(folder / "clip.mp4", frames=6, audio=[clips.Audio()])
    return source, written(record_of(source, lambda _: [(30, 20, 90, 80)]), folder / "clip.json")


def trace_verb(log, *arguments):
    """Run a verb under strace; return the lines in which a process contacts another host.

    A socket alone is no contact: libraries open one to ask for the host's own addresses, or whether there is IPv6.
    """
    skip_without_strace()
    command = [*TRACE_SOCKETS, "-o", log, sys.executable, "-m", "engine.cli"]
    done = subprocess.run([*command, *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return find_contacts(log)


@pytest.mark.parametrize("detector", registry.local_detector_names())
def test_no_local_detector_contacts_another_host(clip, own_data, tmp_path, detector):
    record = tmp_path / "record.json"
    assert (
        trace_verb(tmp_path / "log", "detect", clip[0], "-o", record, "--detectors", detector, "--data", own_data) == []
    )


def test_cloud_mode_contacts_the_service_only(clip, own_data, tmp_path, monkeypatch):
    log, record = tmp_path / "log", tmp_path / "record.json"
    with StandIn(middle) as stand_in:
        for name, value in stand_in.environment().items():
            monkeypatch.setenv(name, value)
        arguments = ("detect", clip[0], "-o", record, "--mode", "cloud", "--workers", "2", "--data", own_data)
        assert trace_verb(log, *arguments) == []
        ports = set(re.findall(r"connect\(.*sin6?_port=htons\((\d+)\)", log.read_text()))
        assert ports == {stand_in.url.rpartition(":")[2]}
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
        monkeypatch.setenv("HOME", str(tmp_path))
        with pytest.raises(AssertionError, match="No AWS credentials"):
            trace_verb(log, *arguments[:3], tmp_path / "other.json", *arguments[4:])
        assert find_contacts(log) == []


@pytest.mark.slow
def test_render_and_verify_contact_no_host(clip, tmp_path):
    source, record = clip
    out = tmp_path / "out.mp4"
    assert trace_verb(tmp_path / "log", "render", source, record, "-o", out) == []
    assert trace_verb(tmp_path / "log", "verify", source, record, out) == []


def test_strace_would_have_seen_a_contact(tmp_path):
    if shutil.which("strace") is None:
        assert not CI
        pytest.skip("strace is not installed")
    log = tmp_path / "log"
    script = "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(('192.0.2.1', 9))"
    subprocess.run([*TRACE_SOCKETS, "-o", log, sys.executable, "-c", script], check=False)
    assert len(find_contacts(log)) == 1


def test_everything_works_without_any_network_interface(clip, own_data, tmp_path):
    isolated = ["unshare", "--net", "--map-root-user"]
    if shutil.which("unshare") is None or subprocess.run([*isolated, "true"], check=False).returncode != 0:
        assert not CI, "network namespaces must be there in continuous integration"
        pytest.skip("this machine does not allow network namespaces")
    source, out = clip[0], tmp_path / "out.mp4"
    detectors = ",".join(registry.local_detector_names())
    command = [sys.executable, "-m", "engine.cli", "anonymise", source, "-o", out, "--detectors", detectors]
    done = subprocess.run([*isolated, *command, "--data", own_data], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Every check passed." in done.stdout
