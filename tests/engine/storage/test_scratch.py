import os
import signal
import subprocess
import sys

import pytest

from engine.storage.files import make_private_folder, make_scratch_folder, write_file
from engine.storage.scratch import find_left_behind, own_scratch_folder, sweep_data_folder

OWN = """
import sys, time
from pathlib import Path
from engine.storage.files import make_scratch_folder
with make_scratch_folder(Path(sys.argv[1])) as folder:
    (folder / "patient.mp4").write_bytes(b"unmasked")
    print(folder, flush=True)
    time.sleep(600)
"""


@pytest.fixture
def owner(tmp_path):
    """A process that owns a scratch folder with unmasked footage."""
    command = [sys.executable, "-c", OWN, str(tmp_path / "patient.mp4")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline()
        yield process
        process.kill()


def test_a_folder_goes_with_its_block(tmp_path):
    with own_scratch_folder(tmp_path) as folder:
        (folder / "file").write_bytes(b"")
        assert folder.stat().st_mode & 0o777 == 0o700
        sweep_data_folder(tmp_path)
        assert folder.exists()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("sweep", [lambda path: sweep_data_folder(path.parent), lambda path: write_file(path, b"new")])
def test_what_a_killed_process_left_is_removed_and_what_a_living_one_owns_is_not(tmp_path, owner, sweep):
    sweep(tmp_path / "other")
    assert len(list(tmp_path.glob(".veil-scratch-*/patient.mp4"))) == 1
    assert find_left_behind(tmp_path) == ()
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    assert len(find_left_behind(tmp_path)) == 1
    sweep(tmp_path / "other")
    assert list(tmp_path.glob(".*")) == []


def test_folders_of_earlier_versions_are_swept_in_the_data_folder_only(tmp_path):
    (tmp_path / "footage" / ".veil-ab12_xyz").mkdir(parents=True)
    (tmp_path / "footage" / ".veil-settings-of-mine").mkdir()
    with make_scratch_folder(tmp_path / "footage" / "out.mp4"):
        assert (tmp_path / "footage" / ".veil-ab12_xyz").exists()
    sweep_data_folder(tmp_path)
    assert [path.name for path in (tmp_path / "footage").iterdir()] == [".veil-settings-of-mine"]


def test_a_link_with_such_a_name_is_not_followed(tmp_path):
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").write_bytes(b"")
    (tmp_path / ".veil-scratch-link").symlink_to("kept")
    sweep_data_folder(tmp_path)
    assert (tmp_path / "kept" / "file").exists()


def test_files_in_a_private_folder_are_private(tmp_path):
    make_private_folder(tmp_path / "data" / "footage")
    (tmp_path / "open").mkdir(mode=0o755)
    for folder in ("data/footage", "open"):
        write_file(tmp_path / folder / "file", b"")
    modes = {path: (tmp_path / path).stat().st_mode & 0o777 for path in ("data", "data/footage", "data/footage/file")}
    assert modes == {"data": 0o700, "data/footage": 0o700, "data/footage/file": 0o600}
    assert (tmp_path / "open" / "file").stat().st_mode & 0o077 == 0o644 & ~_umask() & 0o077


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask
