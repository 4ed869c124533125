"""Actions that write, as processes to be killed: how to start one, and what must be true of its files afterwards."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.kills import places
from tests.people_makers import PASSWORD

_AMEND = """
import sys
from pathlib import Path
from engine import access, runs
from engine.access.run_context import RunContext
from engine.approval.reviewer_actions import ReviewerActions
from engine.core.geometry import Box
from engine.record import read_record, sha256_hex
from engine.review.amendments import Add, Keyframe
from engine.storage.data_folder import DataFolder
data = DataFolder(Path("data").absolute())
(run,) = runs.read_register(data).runs
record = read_record(run.folder.record)
actions = ReviewerActions(
    RunContext(data, run, access.get_single_user(data)), sha256_hex(run.folder.record.read_bytes())
)
for number in range(40):
    amendment = actions.amend(record, Add((Keyframe(0, Box(4, 4, 24, 24)),)), "missed")
    with open("acknowledged", "w") as file:
        file.write(str(amendment.number))
"""

_UPLOAD = """
import sys
from pathlib import Path
from engine import access
from engine.jobs.library import import_video
from engine.storage.data_folder import DataFolder
data = DataFolder(Path("data").absolute())
with open("upload.mp4", "rb") as file:
    import_video(data, access.get_single_user(data), "patient.mp4", file)
"""


@dataclass(frozen=True)
class Scenario:
    """One action.

    Attributes:
        name: what it is.
        command: arguments of Python; run in the folder of the attempt, with the data folder `data`.
        outputs: files that a whole action leaves, the same in each attempt.
        prepare: adds what only this action needs to a new installation.
        check: raises AssertionError if the files of a folder contradict each other; also called right after a kill.
        uses_models: needs the model files.
        exit_codes: of a whole action; others than 0 where it may find that an earlier attempt has done everything.
        typed: lines on standard input.
        environment: variables; a value may name the folder of the original installation as `{original}`.
    """

    name: str
    command: tuple[str, ...]
    outputs: tuple[str, ...] = ()
    prepare: Callable[[Path], None] = lambda _folder: None
    check: Callable[[Path], None] = lambda _folder: None
    uses_models: bool = False
    exit_codes: tuple[int, ...] = (0,)
    typed: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()


def veil(*words: str) -> tuple[str, ...]:
    """The arguments of Python that run a verb."""
    return ("-m", "engine", *words)


_DATA = ("--data", "data")
_YOLO = ("--detectors", "yolov8-face", "--workers", "1", *_DATA)
_AS_ADA = ("--as", "ada", *_DATA)

_FILE_SCENARIOS = (
    Scenario("render", veil("render", "v.mp4", "v.json", "-o", "new.mp4"), ("new.mp4", "new.mp4.render.json")),
    Scenario(
        "render again", veil("render", "v.mp4", "v.json", "-o", "out.mp4", "--overwrite", "--y4m", "out.y4m"),
        ("out.mp4", "out.y4m"),
    ),
    Scenario(
        "verify", veil("verify", "v.mp4", "v.json", "out.mp4", "--report", "checks.json", "--overwrite"),
        ("checks.json",),
    ),
    Scenario("compare", veil("compare", "v.mp4", "out.mp4", "-o", "side.mp4", "--overwrite"), ("side.mp4",)),
    Scenario(
        "bench make", veil("bench", "make", "clips", "--quick", "--kinds", "roll"), ("clips/truth.csv",),
    ),
    Scenario("detect", veil("detect", "v.mp4", "-o", "new.json", *_YOLO), ("new.json",), check=places.check_record,
             uses_models=True),
    Scenario(
        "anonymise", veil("anonymise", "v.mp4", "-o", "new.mp4", "--allow-none", *_YOLO),
        ("new.mp4", "new.mp4.render.json", "new.mp4.detections.json"), check=places.check_record, uses_models=True,
    ),
    Scenario(
        "batch", veil("batch", "in", "-o", "out", "--report", "batch.json", "--junit", "batch.xml", "--overwrite",
                      *_YOLO),
        ("out/a.mp4", "out/b.mp4", "out/a.mp4.detections.json", "out/b.mp4.detections.json"),
        prepare=places.make_batch_sources, check=places.check_record, uses_models=True,
    ),
    Scenario(
        "live", veil("live", "v.mp4", "live.mkv", "--overwrite", *_DATA),
        check=places.check_live, uses_models=True,
    ),
)  # fmt: skip

_MEASURING_SCENARIOS = (
    Scenario("plant", veil("plant", "v.mp4", "v.json", "-o", "planted.json", "--overwrite", *_DATA),
             check=places.check_documents, uses_models=True),
    Scenario("leaks", veil("leaks", "v.mp4", "v.json", "out.mp4", "-o", "leaks.json", "--overwrite", *_DATA),
             check=places.check_documents, uses_models=True, exit_codes=(0, 3)),
    Scenario(
        "models fetch", veil("models", "fetch", *_DATA), prepare=places.remove_some_models,
        check=places.check_models, uses_models=True,
        environment=(("PIP_NO_INDEX", "1"), ("PIP_FIND_LINKS", "{original}/wheels")),
    ),
)  # fmt: skip

_RUN_SCENARIOS = (
    Scenario("amend", ("-c", _AMEND), check=places.check_evidence),
    Scenario("upload", ("-c", _UPLOAD), ("data/footage/patient.mp4",), check=places.check_library),
    Scenario("run", veil("run", "v.mp4", *_YOLO), check=places.check_runs, uses_models=True),
    Scenario("index", veil("index", "rebuild", *_DATA)),
    Scenario(
        "amend verb",
        veil("amend", "v.json", "review.jsonl", "cover", "0-2", "--by", "Rita Rees", "--reason", "a face", *_DATA),
    ),
)

_EVIDENCE_SCENARIOS = (
    Scenario(
        "sign", veil("sign", "RUN", "--meaning", "reviewed", *_DATA), check=places.check_evidence, exit_codes=(0, 3)
    ),
    Scenario("release", veil("release", "RUN", *_DATA), prepare=places.sign_run, check=places.check_release,
             uses_models=True, exit_codes=(0, 2, 3)),
    Scenario("purge", veil("purge", "RUN", "--reason", "retention over", *_DATA), prepare=places.fill_run,
             check=places.check_purge),
    Scenario("certificate key", veil("certificate", "key", "-o", "public.pem", *_DATA), check=places.check_evidence,
             exit_codes=(0, 2)),
    Scenario("audit export", veil("audit", "export", "-o", "export.json", "--overwrite", *_DATA),
             check=places.check_documents),
    Scenario("audit verify", veil("audit", "verify", *_DATA), check=places.check_evidence),
    Scenario(
        "users add", veil("users", "add", "paul", "--name", "Paul", "--role", "approver", *_AS_ADA),
        prepare=places.add_accounts, check=places.check_evidence, exit_codes=(0, 2), typed=(PASSWORD, PASSWORD),
    ),
    Scenario(
        "users disable", veil("users", "disable", "rita", *_AS_ADA), prepare=places.add_accounts,
        check=places.check_evidence, exit_codes=(0, 2), typed=(PASSWORD,),
    ),
    Scenario(
        "users passwd", veil("users", "passwd", "rita", *_AS_ADA), prepare=places.add_accounts,
        check=places.check_evidence, typed=(PASSWORD, "another good password"),
    ),
    Scenario("users policy", veil("users", "policy", "--persons", "two", *_AS_ADA), prepare=places.add_accounts,
             check=places.check_evidence, typed=(PASSWORD,)),
)  # fmt: skip

SCENARIOS = (*_FILE_SCENARIOS, *_MEASURING_SCENARIOS, *_RUN_SCENARIOS, *_EVIDENCE_SCENARIOS)


def python_command(scenario: Scenario, run_id: str) -> list[str]:
    """The command line of a scenario."""
    return [sys.executable, *(run_id if word == "RUN" else word for word in scenario.command)]
