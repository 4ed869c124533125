"""The table of verbs: what `veil --help`, the guide to the command line and its tests are made from.

To add a verb, add a row here and an entry to `COMMANDS` of the module that the row names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple


class Action(NamedTuple):
    """The second word of a verb that does several things, as `add` in `veil users add`."""

    name: str
    purpose: str
    example: str


class Verb(NamedTuple):
    """One row of the table.

    Attributes:
        name: the word after `veil`.
        purpose: what the verb does, in one line of at most 62 characters.
        module: the module of engine.cli with its code, in COMMANDS["NAME"] or COMMANDS["NAME ACTION"]. It is imported
            only when the verb is named, because most modules load libraries that take a second to import.
        example: a command that parses, empty for a verb with actions.
        actions: for a verb that is followed by a second word.
    """

    name: str
    purpose: str
    module: str
    example: str = ""
    actions: tuple[Action, ...] = ()

    def list_commands(self) -> Iterator[Action]:
        """Yield each command of the verb, named in full."""
        if not self.actions:
            yield Action(self.name, self.purpose, self.example)
        for action in self.actions:
            yield action._replace(name=f"{self.name} {action.name}")


_FILE_VERBS = (
    Verb("probe", "show the streams of a file and what happens to each", "files", "veil probe interview.mp4"),
    Verb(
        "detect",
        "find the faces in a video and write the detection record",
        "files",
        "veil detect interview.mp4 -o interview.json --mode hybrid",
    ),
    Verb(
        "render",
        "cover the faces of a record and write a draft",
        "files",
        "veil render interview.mp4 interview.json -o out.mp4 --style broadcast",
    ),
    Verb(
        "verify",
        "check an output against its source and record",
        "files",
        "veil verify interview.mp4 interview.json out.mp4",
    ),
    Verb(
        "anonymise",
        "detect, render and verify in one step; the output is a draft",
        "files",
        "veil anonymise interview.mp4 -o out.mp4",
    ),
    Verb(
        "batch",
        "anonymise many files; skip those that are done",
        "batch",
        "veil batch footage/ 'more/**/*.mov' -o anonymised --junit batch.xml",
    ),
    Verb("live", "mask faces in a live stream or camera picture", "live", "veil live /dev/video0 masked.mkv"),
    Verb(
        "compare",
        "write a short clip of source and output side by side",
        "compare",
        "veil compare interview.mp4 out.mp4 -o side-by-side.mp4",
    ),
    Verb("schema", "print the JSON Schema of a document", "files", "veil schema --of amendment"),
)

_RUN_VERBS = (
    Verb(
        "run",
        "detect faces as a run, which the workbench shows",
        "run",
        "veil run interview.mp4 --mode hybrid",
    ),
    Verb("work", "work through the queue of runs, one after another", "run", "veil work --wait"),
    Verb(
        "queue",
        "show the queue, cancel runs, change a priority or the limits",
        "queue",
        actions=(
            Action("show", "list the runs that are worked on and that wait, in their order", "veil queue show"),
            Action("priority", "give a queued run another priority", "veil queue priority RUN high"),
            Action("cancel", "cancel runs by name, or all that wait", "veil queue cancel --waiting"),
            Action(
                "limits",
                "show or set how many runs are done at the same time",
                "veil queue limits --runs-per-person 2 --as root",
            ),
        ),
    ),
    Verb(
        "review",
        "list the items to check in a record, and its amendments",
        "review",
        "veil review interview.json --review review.jsonl --open",
    ),
    Verb(
        "amend",
        "amend a record: add, delete, resize, cover, accept or undo",
        "review",
        'veil amend interview.json review.jsonl delete 3 40-60 --by "Jane Doe" --reason "a poster"',
    ),
    Verb(
        "notes",
        "list the notes of a run, write one, say that one is done",
        "notes",
        actions=(
            Action("list", "list the notes of a run", "veil notes list RUN --open"),
            Action(
                "add",
                "write a note on a run, a frame or an item to check",
                'veil notes add RUN "Who is this?" --frame 120',
            ),
            Action("done", "say that what a note asks for is done", "veil notes done RUN 3"),
        ),
    ),
)

_RELEASE_VERBS = (
    Verb(
        "sign",
        "sign a run as reviewed, approved or rejected",
        "signoff",
        "veil sign RUN --meaning approved --style broadcast --as anna",
    ),
    Verb(
        "judge",
        "judge a finding of the leak check, or list the findings",
        "signoff",
        'veil judge RUN KEY --verdict "no face" --reason "a clock" --as anna',
    ),
    Verb(
        "release",
        "render, check and publish a run that was approved",
        "signoff",
        "veil release RUN --as anna",
    ),
    Verb(
        "certificate",
        "check the certificate of a release, or create the signing key",
        "certificate",
        actions=(
            Action(
                "verify",
                "check a certificate and its release",
                "veil certificate verify data/runs/RUN/releases/01",
            ),
            Action(
                "stamp",
                "get a time stamp for a release that has none",
                "veil certificate stamp data/runs/RUN/releases/01 --as anna",
            ),
            Action(
                "authority",
                "name the time stamp authority of certificates and anchors, or show it",
                "veil certificate authority https://tsa.example/tsr --authority-certificates tsa.pem --as ada",
            ),
            Action(
                "key",
                "create the key that signs certificates from now on",
                "veil certificate key -o veil-public.pem --as ada",
            ),
        ),
    ),
    Verb(
        "purge",
        "remove footage and pictures of a run; keep the evidence",
        "signoff",
        'veil purge RUN --reason "retention over" --as ada',
    ),
    Verb(
        "audit",
        "check the audit log, or export a part of it",
        "audit",
        actions=(
            Action(
                "verify",
                "check every line of the log, and the given anchors",
                "veil audit verify --anchor anchor.json",
            ),
            Action(
                "anchor",
                "write the head of the log to a file to keep elsewhere, with a time stamp",
                "veil audit anchor -o /media/safe/anchor.json",
            ),
            Action(
                "export",
                "write the entries of a period or a run",
                "veil audit export --since 2026-03-01 --until 2026-04-01 -o march.json",
            ),
        ),
    ),
)

_EVALUATION_VERBS = (
    Verb(
        "evaluate",
        "compare records, or a detection, with ground truth",
        "evaluate",
        "veil evaluate truth.csv interview.json",
    ),
    Verb(
        "leaks",
        "search an output for faces that still show",
        "assurance",
        "veil leaks interview.mp4 interview.json out.mp4",
    ),
    Verb(
        "plant",
        "plant faces in copies of a video and count those detected",
        "assurance",
        "veil plant interview.mp4 interview.json -o planted.json",
    ),
    Verb(
        "risk",
        "estimate in several ways what may have been missed",
        "assurance",
        "veil risk interview.mp4 interview.json --planted planted.json",
    ),
    Verb(
        "bench",
        "measure how well faces are found, and styles hide people",
        "bench",
        actions=(
            Action(
                "make",
                "compose clips with exact truth from pictures of packages",
                "veil bench make benchmark/ --quick",
            ),
            Action(
                "score",
                "score a detection, records, or any tool on those clips",
                "veil bench score benchmark/ --mode on-prem",
            ),
            Action(
                "reidentify",
                "try to identify masked faces with a face-recognition model",
                "veil bench reidentify clips/ --records records/",
            ),
        ),
    ),
)

_ADMINISTRATION_VERBS = (
    Verb("workbench", "open the workbench in the browser", "workbench", "veil workbench --port 9000"),
    Verb(
        "completion",
        "print the completion script of a shell",
        "completion",
        "veil completion bash",
    ),
    Verb("demo", "anonymise and check a sample clip, fetching models first", "demo", "veil demo"),
    Verb(
        "models",
        "fetch or check the model files of the detectors",
        "models",
        actions=(
            Action("fetch", "download the model files and check them", "veil models fetch"),
            Action("verify", "check the model files", "veil models verify"),
        ),
    ),
    Verb(
        "index",
        "build the index that the page Analyse reads",
        "index",
        actions=(Action("rebuild", "build the index from the records", "veil index rebuild --missing"),),
    ),
    Verb(
        "users",
        "manage accounts and the four-eyes rule",
        "users",
        actions=(
            Action(
                "add",
                "create an account; asks for its password",
                'veil users add rita --name "Rita Rees" --role reviewer --as ada',
            ),
            Action("disable", "block an account; its signatures stay valid", "veil users disable rita --as ada"),
            Action("passwd", "change a password; asks for it", "veil users passwd rita --as ada"),
            Action(
                "second-factor",
                "set up, replace or remove the codes that an account needs besides its password",
                "veil users second-factor rita --as rita",
            ),
            Action(
                "policy",
                "show the policy, or set how many people and checks a release needs",
                "veil users policy --persons two --as ada",
            ),
            Action(
                "live-sources",
                "list the cameras, addresses and folders that Live may open, or change the list",
                'veil users live-sources "Room 3" rtsp://veil:secret@10.0.0.7/main --as ada',
            ),
            Action("list", "list the accounts", "veil users list"),
        ),
    ),
)

GROUPS: Mapping[str, tuple[Verb, ...]] = {
    "work on files": _FILE_VERBS,
    "runs and review": _RUN_VERBS,
    "release and evidence": _RELEASE_VERBS,
    "evaluation": _EVALUATION_VERBS,
    "administration": _ADMINISTRATION_VERBS,
}
"""Every verb, in the groups and the order of `veil --help`."""

VERBS: Mapping[str, Verb] = {verb.name: verb for group in GROUPS.values() for verb in group}
"""Every verb by its name."""
