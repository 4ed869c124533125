import hashlib
from pathlib import Path

import pytest

from engine.errors import InputError, TargetError
from engine.storage.data_folder import find_data_folder
from engine.storage.files import hash_file, make_private_folder, open_atomic_write, write_file


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    target = tmp_path / "out.bin"
    with pytest.raises(RuntimeError, match="halfway"), open_atomic_write(target) as unfinished:
        unfinished.write_bytes(b"half")
        raise RuntimeError("halfway")
    assert list(tmp_path.iterdir()) == []


def test_what_was_there_stays_when_writing_fails(tmp_path):
    target = tmp_path / "out.bin"
    write_file(target, b"first")
    with pytest.raises(RuntimeError), open_atomic_write(target) as unfinished:
        unfinished.write_bytes(b"second")
        raise RuntimeError
    assert target.read_bytes() == b"first"
    write_file(target, b"second")
    assert target.read_bytes() == b"second"


@pytest.mark.parametrize("name", ["missing/out.bin", "."])
def test_a_target_that_cannot_be_written_is_named(tmp_path, name):
    with pytest.raises(TargetError, match=str(tmp_path)):
        write_file(tmp_path / name, b"")


def test_a_full_disk_is_said_in_words(tmp_path):
    target = tmp_path / "out.bin"
    with pytest.raises(TargetError, match="No space left"), open_atomic_write(target) as unfinished:
        unfinished.write_bytes(b"")
        with Path("/dev/full").open("wb", buffering=0) as full:
            full.write(b"x")
    assert not target.exists()


def test_digest_is_of_the_bytes(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"veil" * 100_000)
    assert hash_file(path) == hashlib.sha256(b"veil" * 100_000).hexdigest()
    with pytest.raises(InputError, match="cannot be read"):
        hash_file(tmp_path / "none")


def test_the_data_folder_can_be_chosen(tmp_path, monkeypatch):
    monkeypatch.setenv("VEIL_DATA", str(tmp_path / "set"))
    assert find_data_folder().models == tmp_path / "set" / "models"
    assert find_data_folder(tmp_path / "given").checkpoints == tmp_path / "given" / "work"
    monkeypatch.delenv("VEIL_DATA")
    assert find_data_folder().root.name == "data"


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "drafts").write_bytes(b"")
    with pytest.raises(TargetError, match=r"The folder .*drafts/one cannot be made: a file is in the way"):
        make_private_folder(tmp_path / "drafts" / "one")
