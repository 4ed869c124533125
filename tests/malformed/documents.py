"""Documents of an installation, each with the commands that read it."""

from __future__ import annotations

import io
import os
import random
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine import access
from engine.batch.journal import JournalEntry, open_journal
from engine.cli import main
from engine.core.geometry import Box
from engine.errors import VeilError
from engine.live.controls import LiveControlsState
from engine.live.log import Late, LiveLog, Received, Shown, Start
from engine.live.look_size import LookSizeChange
from engine.live.settings import FollowingSettings, JudgingSettings
from engine.media.stream.live_output import LiveEncoding
from engine.record import Record, encode_document, sha256_hex
from engine.review.amendments import Author
from engine.review.people_file import append_arrangement, parse_people_action, read_arrangements
from engine.storage.data_folder import DataFolder
from tests import clips, people_makers
from tests.engine.assurance.leak_check.test_report import report as leak_report
from tests.engine.release import signable_runs
from tests.malformed.mutations import spoil_document
from tests.people_makers import PASSWORD
from tests.record_makers import record_of

GOOD_EXIT_CODES = frozenset({0, 1, 2, 3})
_PROJECT = """
style = "strong"
mode = "on-prem"
encoder = ["crf=20"]
[detect]
workers = 2
on-damage = "cover"
[batch]
overwrite = true
[template.clinic]
style = "broadcast"
set = ["yolov8-face.threshold=0.3"]
"""
_TRUTH = "file,frame,x,y,w,h,ignore\nclip.mp4,0,30,20,60,60,0\nclip.mp4,1,30,20,60,60,1\nclip.mp4,2,,,,,\n"
_MANIFEST = "source,output,style,mute\nmissing.mp4,a.mp4,broadcast,0:01-0:02\nother.mov,b.mov,,\n"
_MANIFEST_LINES = '{"source":"missing.mp4","output":"a.mp4","style":"broadcast"}\n{"source":"b.mp4","mute":["1-2"]}\n'


@dataclass(frozen=True)
class DocumentCase:
    """A document and the commands that read it, from the folder of the installation."""

    path: str
    commands: tuple[tuple[str, ...], ...]


def make_installation(folder: Path) -> Path:
    """Make an installation with a release, its documents, and files that verbs read; return its folder."""
    data = people_makers.staff(folder / "data")
    run = signable_runs.run_by(data, "otto")
    signable_runs.amend(data)
    record_sha256 = sha256_hex(run.folder.record.read_bytes())
    action = parse_people_action({"kind": "name", "track": 1, "name": "Mother"})
    append_arrangement(run.folder.people, record_sha256, action, Author("rita", "Rita"))
    signable_runs.signed(data, "rita", "reviewed")
    signable_runs.signed(data, "anna", "approved", reason="as agreed")
    signable_runs.published(data)
    access.set_policy(data, people_makers.ada(data), access.Policy(persons="two"))
    access.sign_in(data, "rita", PASSWORD)
    source = clips.video(folder / "clip.mp4", size=(64, 48), frames=4, audio=[clips.Audio()])
    record = record_of(source, lambda _: [(10, 8, 40, 36)])
    (folder / "record.json").write_bytes(encode_document(record))
    (folder / "leaks.json").write_bytes(encode_document(leak_report()))
    main(["amend", str(folder / "record.json"), str(folder / "review.jsonl"), "cover", "0-2", "--by", "Rita"])
    for word in ("render", "verify"):
        paths = [str(folder / name) for name in ("clip.mp4", "record.json", "out.mp4")]
        extra = ["--review", str(folder / "review.jsonl")]
        main([word, *paths[:2], *(["-o"] if word == "render" else []), paths[2], *extra])
    for name, text in (("veil.toml", _PROJECT), ("truth.csv", _TRUTH), ("batch.csv", _MANIFEST)):
        (folder / name).write_text(text)
    (folder / "batch.jsonl").write_text(_MANIFEST_LINES)
    _make_live_log(folder / "live.jsonl", record)
    _make_journal(folder / "made")
    return folder


def _make_live_log(path: Path, record: Record) -> None:
    start = Start(
        "camera", "out.mkv", "2026-01-01T00:00:00+00:00", record.source, record.detection, JudgingSettings(),
        FollowingSettings(), LiveEncoding(),
    )  # fmt: skip
    log = LiveLog(path, start)
    for number, frame in enumerate(record.frames):
        log.write(Shown(frame, number, "late" if number == 1 else None))
    log.write(Late(0, "yolov8-face", ((Box(10, 8, 40, 36), 0.9),)))
    log.write_controls(LiveControlsState())
    log.write_look_size(LookSizeChange("yolov8-face", 1, 416, 640, 300))
    log.write_event("a detector was started again")
    log.write(Received(1000, "ab" * 32))
    log.close()


def _make_journal(folder: Path) -> None:
    folder.mkdir()
    digest = "ab" * 32
    with open_journal(folder) as journal:
        for step in ("detected", "done", "fetched", "published"):
            journal.append(JournalEntry("a.mp4", step, digest, digest, digest, digest, digest, "s3://bucket/a"))


def list_cases(folder: Path) -> list[DocumentCase]:
    """List every document of an installation with what reads it."""
    data = DataFolder(folder / "data")
    run = signable_runs.the_run(data)
    at = ("--data", "data")
    release = f"{(run.folder.releases / '01').relative_to(folder)}"
    run_readers = (
        ("sign", run.id, *at), ("audit", "verify", *at), ("judge", run.id, *at), ("index", "rebuild", *at),
        ("users", "list", *at), ("certificate", "verify", release, *at),
        ("run", "--resume", run.id, "--as", "otto", *at),
        ("sign", run.id, "--meaning", "reviewed", "--as", "rita", *at), ("release", run.id, "--as", "anna", *at),
        ("audit", "export", "-o", "export.json", "--overwrite", *at), ("work", *at),
        ("amend", f"data/runs/{run.id}/detections.json", f"data/runs/{run.id}/review.jsonl", "cover", "0-1", "--as",
         "rita", *at),
        ("purge", run.id, "--reason", "over", "--as", "rita", *at),
    )  # fmt: skip
    record_readers = (
        ("review", "record.json", "--review", "review.jsonl"),
        ("render", "clip.mp4", "record.json", "-o", "new.mp4", "--overwrite"),
        ("verify", "clip.mp4", "record.json", "out.mp4", "--review", "review.jsonl"),
        ("evaluate", "truth.csv", "record.json"),
        ("risk", "clip.mp4", "record.json", "--leaks", "leaks.json"),
        ("amend", "record.json", "review.jsonl", "delete", "1", "0-2", "--by", "Rita"),
        ("render", "clip.mp4", "record.json", "--review", "review.jsonl", "-o", "new.mp4", "--overwrite"),
    )
    project_readers = (
        ("detect", "missing.mp4", "-o", "new.json"), ("render", "missing.mp4", "record.json", "-o", "n.mp4"),
        ("batch", "missing.csv", "-o", "made2"), ("detect", "missing.mp4", "-o", "new.json", "--template", "clinic"),
    )  # fmt: skip
    loose = {
        "record.json": record_readers, "review.jsonl": record_readers,
        "truth.csv": (("evaluate", "truth.csv", "record.json"),),
        "leaks.json": (("risk", "clip.mp4", "record.json", "--leaks", "leaks.json"),),
        "out.mp4.render.json": (("verify", "clip.mp4", "record.json", "out.mp4", "--review", "review.jsonl"),),
        "veil.toml": project_readers, "batch.csv": (("batch", "batch.csv", "-o", "made2", *at),),
        "batch.jsonl": (("batch", "batch.jsonl", "-o", "made2", *at),),
        "made/batch.jsonl": (("batch", "batch.csv", "-o", "made", *at),),
        "live.jsonl": (("live", "live.jsonl", "recovered.json", "--recover", "--overwrite"),),
    }  # fmt: skip
    kept = [path for path in data.root.rglob("*") if path.is_file() and path.suffix in {".json", ".jsonl", ".html"}]
    stored = {str(path.relative_to(folder)): run_readers for path in sorted(kept)}
    return [DocumentCase(path, commands) for path, commands in {**loose, **stored}.items()]


class DocumentFuzz:
    """Spoils one document of an installation at a time and lets two of its readers read it.

    Args:
        original: an installation.
        work: a folder for the copy that is spoiled.
        seed: of everything random.
    """

    def __init__(self, original: Path, work: Path, seed: int) -> None:
        self._original, self._place, self._seed = original, work / "place", seed
        self._cases = list_cases(original)

    def spoil(self, number: int) -> tuple[DocumentCase, bytes, Sequence[tuple[str, ...]]]:
        """Return the document of a case, what it is spoiled to, and the commands that read it."""
        chance = random.Random(f"{self._seed} document {number}")
        case = self._cases[number % len(self._cases)]
        data = spoil_document((self._original / case.path).read_bytes(), chance)
        return case, data, chance.sample(case.commands, min(2, len(case.commands)))

    def find_commands(self, path: str) -> Sequence[tuple[str, ...]]:
        """Find the commands that read a document of this path, none if it is no document."""
        return next((case.commands for case in self._cases if case.path == path), ())

    def examine(self, number: int) -> str:
        """Read the spoiled document; raise AssertionError for a traceback or an exit code that means one."""
        case, data, commands = self.spoil(number)
        return self.examine_bytes(case.path, data, commands)

    def examine_bytes(self, path: str, data: bytes, commands: Sequence[tuple[str, ...]]) -> str:
        """Read a document that has this content; as `examine`."""
        shutil.rmtree(self._place, ignore_errors=True)
        shutil.copytree(self._original, self._place)
        (self._place / path).write_bytes(data)
        os.chdir(self._place)
        answers = [self._call(command) for command in commands]
        if path.endswith("people.jsonl"):
            self._read_people()
        return f"{path}: {'; '.join(answers)}"

    def _call(self, command: tuple[str, ...]) -> str:
        said, sys.stderr, sys.stdin = io.StringIO(), io.StringIO(), io.StringIO(f"{PASSWORD}\n" * 3)
        sys.stdout, printed = said, sys.stdout
        try:
            code = main(list(command))
        except SystemExit as error:
            code = error.code
        finally:
            complaint, sys.stdout, sys.stderr = sys.stderr.getvalue(), printed, sys.__stderr__

        assert code in GOOD_EXIT_CODES, f"{command}: exit {code}: {complaint}"
        assert "Traceback" not in complaint and "fault of Veil" not in complaint, f"{command}: {complaint}"
        return f"{command[0]} {code} {complaint.strip()[-160:]}"

    def _read_people(self) -> None:
        run = signable_runs.the_run(DataFolder(self._place / "data"))
        try:
            record_sha256 = sha256_hex(run.folder.record.read_bytes())
            read_arrangements(run.folder.people, record_sha256)
        except VeilError:
            pass
