import os
from pathlib import Path

import pytest

from engine.errors import InputError, TargetError
from engine.storage.file_use import FileUse, check_file_use


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "only-copy.mp4"
    path.write_bytes(b"unmasked")
    return path


def symbolic(path):
    link = path.with_name("symbolic")
    link.symlink_to(path)
    return link


def hard(path):
    link = path.with_name("hard")
    link.hardlink_to(path)
    return link


def through_a_folder(path):
    folder = path.with_name("folder")
    folder.symlink_to(path.parent)
    return folder / path.name


@pytest.mark.parametrize("alias", [lambda path: path, symbolic, hard, through_a_folder])
@pytest.mark.parametrize("place", ["writes", "writes_beside"])
def test_an_input_is_never_an_output_under_any_name(source, alias, place):
    with pytest.raises(TargetError, match="would be written over"):
        check_file_use(FileUse([source], **{place: [alias(source)]}), overwrite=True)
    assert source.read_bytes() == b"unmasked"


def test_a_relative_name_is_the_same_file(source, monkeypatch):
    monkeypatch.chdir(source.parent)
    with pytest.raises(TargetError, match="would be written over"):
        check_file_use(FileUse([source], [source.relative_to(source.parent)]), overwrite=True)


def test_two_outputs_differ_also_before_they_exist(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(TargetError, match="written twice"):
        check_file_use(FileUse(writes=[tmp_path / "a", tmp_path / "link" / "a"]), overwrite=True)


def test_what_exists_is_replaced_only_when_asked(source):
    use = FileUse([], [source])
    with pytest.raises(TargetError, match="--overwrite"):
        check_file_use(use, overwrite=False)
    check_file_use(use, overwrite=True)
    check_file_use(FileUse([], [None, source.with_name("new")], [source]), overwrite=False)


@pytest.mark.parametrize("name", [".", "..", "/", ""])
def test_a_folder_is_no_output(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TargetError, match="is a folder"):
        check_file_use(FileUse([], [Path(name)]), overwrite=True)


def test_a_name_that_no_file_system_takes_is_refused_by_its_bytes(tmp_path):
    fits = tmp_path / ("録" * 85)
    check_file_use(FileUse([], [fits]), overwrite=False)
    with pytest.raises(TargetError, match="has 271 bytes and may have 255"):
        check_file_use(FileUse([], [fits], [fits.with_name(fits.name + ".detections.json")]), overwrite=False)


def test_a_pipe_is_neither_read_nor_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(InputError, match="is a pipe"):
        check_file_use(FileUse([pipe]), overwrite=True)
    with pytest.raises(TargetError, match="is a device, a pipe or a socket"):
        check_file_use(FileUse([], [pipe]), overwrite=True)
