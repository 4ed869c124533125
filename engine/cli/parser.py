"""The arguments of every verb."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import engine
from engine.cli import (
    auditing,
    benching,
    certifying,
    evaluating,
    evidence,
    indexing,
    live,
    persons,
    reviewing,
    running,
    signing,
    verbs,
    workbench,
)
from engine.cli.settings import add_audio, add_set
from engine.modes import MODES

if TYPE_CHECKING:
    Adder = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - argparse has no public name for it

_INTERRUPTED = "Interrupted; nothing was left under the final name."
_RESUMABLE = "Interrupted; run the same command again to go on from here."


def build_parser() -> argparse.ArgumentParser:
    """The parser of `veil`; each verb's namespace carries the function to run as `verb`."""
    parser = argparse.ArgumentParser(prog="veil", description="Face anonymisation for regulated video.")
    parser.add_argument("--version", action="version", version=f"veil {engine.__version__}")
    adder = parser.add_subparsers(title="verbs", required=True, metavar="VERB")
    for add in (
        _models,
        _probe,
        _detect,
        _render,
        _verify,
        _anonymise,
        _live,
        _review,
        _amend,
        _sign,
        _judge,
        _release,
        _certificate,
        _purge,
        _audit,
        _users,
        _evaluate,
        _leaks,
        _plant,
        _risk,
        _bench,
        _index,
        _schema,
        _demo,
        _run,
        _work,
        _workbench,
    ):
        add(adder)
    return parser


def _verb(
    adder: Adder, name: str, run: Callable[..., int], purpose: str, interrupted: str = _INTERRUPTED
) -> argparse.ArgumentParser:
    verb = adder.add_parser(name, help=purpose, description=f"{purpose[0].upper()}{purpose[1:]}.")
    verb.add_argument("--json", action="store_true", help="print the result as JSON")
    verb.set_defaults(verb=run, interrupted=interrupted)
    return verb


def _models(adder: Adder) -> None:
    verb = _verb(adder, "models", verbs.models, "fetch or check the weights of the detectors")
    verb.add_argument("action", choices=("fetch", "verify"))
    verb.add_argument(
        "--benchmark", action="store_true", help="also what `veil bench reidentify` needs (a 100 MB package)"
    )
    _add_data(verb)


def _probe(adder: Adder) -> None:
    verb = _verb(adder, "probe", verbs.probe, "show what is in a file and what will become of each stream")
    verb.add_argument("source", type=Path)


def _detect(adder: Adder) -> None:
    verb = _verb(adder, "detect", verbs.detect, "find the faces in a video and write the record", _RESUMABLE)
    verb.add_argument("source", type=Path)
    verb.add_argument("-o", "--output", type=Path, required=True, metavar="RECORD", help="detection record to write")
    _add_detection(verb)
    _add_data(verb)


def _render(adder: Adder) -> None:
    verb = _verb(adder, "render", verbs.render, "render a video without the faces of a record, as a draft")
    verb.add_argument("source", type=Path)
    verb.add_argument("record", type=Path)
    verb.add_argument("-o", "--output", type=Path, required=True, metavar="OUT", help="video to write")
    _add_review(verb)
    verb.add_argument("--y4m", type=Path, metavar="FILE", help="also write the very pictures handed to the encoder")
    _add_style(verb)
    add_audio(verb)


def _verify(adder: Adder) -> None:
    verb = _verb(adder, "verify", verbs.verify, "check an output against its source and record")
    verb.add_argument("source", type=Path)
    verb.add_argument("record", type=Path)
    verb.add_argument("output", type=Path, metavar="OUT")
    _add_review(verb)
    verb.add_argument(
        "--render-report", type=Path, metavar="FILE", help="report of the render (default: OUT.render.json beside OUT)"
    )
    verb.add_argument("--report", type=Path, metavar="FILE", help="write the report of the checks as JSON")


def _anonymise(adder: Adder) -> None:
    verb = _verb(
        adder,
        "anonymise",
        verbs.anonymise,
        "detect, render and verify in one go; nobody has reviewed the output",
        _RESUMABLE,
    )
    verb.add_argument("source", type=Path)
    verb.add_argument("-o", "--output", type=Path, required=True, metavar="OUT", help="video to write")
    verb.add_argument("--record", type=Path, help="where the record goes (default: OUT.detections.json)")
    _add_review(verb)
    _add_detection(verb)
    _add_style(verb)
    add_audio(verb)
    _add_data(verb)


def _live(adder: Adder) -> None:
    verb = _verb(adder, "live", live.run, "hide the faces of a running picture; what is not judged in time is covered")
    live.add_arguments(verb)
    _add_data(verb)


def _review(adder: Adder) -> None:
    verb = _verb(adder, "review", reviewing.review, "list what leaves doubt in a record, and what was made of it")
    reviewing.add_review_arguments(verb)


def _amend(adder: Adder) -> None:
    verb = _verb(adder, "amend", reviewing.amend, "amend a record: add, delete, resize, cover, accept, undo")
    reviewing.add_amend_arguments(verb)


def _sign(adder: Adder) -> None:
    verb = _verb(adder, "sign", signing.sign, "sign that a run was reviewed, approved or rejected")
    verb.add_argument("run", metavar="RUN")
    verb.add_argument("--meaning", choices=("reviewed", "approved", "rejected"))
    verb.add_argument("--reason", help="why; a rejection must say it")
    verb.add_argument("--suffix", help="of the output's name (default: what was signed last, or the source's)")
    _add_style(verb, default=None)
    add_audio(verb)
    verb.add_argument("--keep-audio", action="store_true", help="keep the audio, though something else was signed last")
    persons.add_person(verb)
    _add_data(verb)


def _release(adder: Adder) -> None:
    verb = _verb(adder, "release", signing.release, "render, check and publish what was reviewed and approved")
    verb.add_argument("run", metavar="RUN")
    verb.add_argument("--reason", help="why")
    persons.add_person(verb)
    _add_data(verb)


def _judge(adder: Adder) -> None:
    verb = _verb(adder, "judge", certifying.judge, "say what a finding of the leak check is; without one, list them")
    certifying.add_judge(verb)
    _add_data(verb)


def _certificate(adder: Adder) -> None:
    verb = _verb(adder, "certificate", certifying.verify, "check the certificate of a release, or make the signing key")
    certifying.add_arguments(verb.add_subparsers(required=True, metavar="ACTION"))


def _purge(adder: Adder) -> None:
    verb = _verb(adder, "purge", signing.purge, "remove what shows people from a run, keep what proves it")
    verb.add_argument("run", metavar="RUN")
    verb.add_argument("--reason", required=True, help="why; it goes on record")
    persons.add_person(verb)
    _add_data(verb)


def _audit(adder: Adder) -> None:
    verb = _verb(adder, "audit", auditing.verify, "check the audit log, or write a part of it")
    auditing.add_arguments(verb.add_subparsers(required=True, metavar="ACTION"))


def _users(adder: Adder) -> None:
    verb = _verb(adder, "users", persons.show, "make and change accounts, and the rule of four eyes")
    persons.add_arguments(verb.add_subparsers(required=True, metavar="ACTION"))


def _evaluate(adder: Adder) -> None:
    verb = _verb(adder, "evaluate", evaluating.evaluate, "hold records, or a detection, against ground truth")
    evaluating.add_arguments(verb, _add_detection)
    _add_data(verb)


def _bench(adder: Adder) -> None:
    group = adder.add_parser("bench", help="measure what styles hide", description="Measure what styles hide.")
    benches = group.add_subparsers(title="benchmarks", required=True, metavar="BENCHMARK")
    verb = _verb(
        benches, "reidentify", benching.reidentify, "try to identify masked faces with a face-recognition model"
    )
    benching.add_reidentify(verb, _add_detection)
    _add_data(verb)


def _index(adder: Adder) -> None:
    verb = _verb(adder, "index", indexing.run, "build the index that Analyse reads, from the records")
    indexing.add_arguments(verb)
    _add_data(verb)


def _leaks(adder: Adder) -> None:
    verb = _verb(adder, "leaks", evidence.leaks, "look for faces that can still be found in an output")
    evidence.add_leaks(verb)
    _add_data(verb)


def _plant(adder: Adder) -> None:
    verb = _verb(adder, "plant", evidence.planting, "plant faces into copies of a video and see how many are found")
    evidence.add_plant(verb)
    _add_data(verb)


def _risk(adder: Adder) -> None:
    verb = _verb(adder, "risk", evidence.risk, "say what may still be in an output, measured in several ways")
    evidence.add_risk(verb)
    _add_data(verb)


def _schema(adder: Adder) -> None:
    verb = _verb(adder, "schema", verbs.schema, "print the JSON Schema of a document")
    verb.add_argument(
        "--of", choices=tuple(verbs.SCHEMAS), default="record", help="detection record (default), or line of a review"
    )


def _demo(adder: Adder) -> None:
    verb = _verb(
        adder, "demo", verbs.demo, "anonymise a sample clip, from fetching the models to the check", _RESUMABLE
    )
    _add_data(verb)


def _run(adder: Adder) -> None:
    verb = _verb(adder, "run", running.run, "find the faces in a video as a run, which the workbench shows", _RESUMABLE)
    running.add_arguments(verb, _add_detection)
    _add_data(verb)


def _work(adder: Adder) -> None:
    verb = _verb(adder, "work", running.work, "do the runs that wait, one after another", _RESUMABLE)
    _add_data(verb)


def _workbench(adder: Adder) -> None:
    verb = _verb(adder, "workbench", workbench.run, "open the workbench in the browser", "The workbench has ended.")
    workbench.add_arguments(verb)
    _add_data(verb)


def _add_data(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--data", type=Path, metavar="FOLDER", help="data folder (default: $VEIL_DATA, else data)")


def _add_review(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--review", type=Path, metavar="FILE", help="amendments of the record, as veil amend writes them")


def _add_detection(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--mode", choices=tuple(MODES), default="on-prem", help="which detectors run (default: on-prem)")
    verb.add_argument("--detectors", metavar="A,B", help="other detectors than the mode's")
    add_set(verb, "a parameter of a detector, of fusion, tracking or smoothing, as yolov8-face.threshold=0.2")
    verb.add_argument(
        "--workers", type=_positive, metavar="N", help="worker processes for each detector, or calls under way at once"
    )
    _add_asking(verb)
    _add_damage(verb)


def _add_asking(verb: argparse.ArgumentParser) -> None:
    group = verb.add_argument_group("services (mode cloud)")
    group.add_argument("--policy", metavar="all|every:N|contested", help="which frames are sent (default: all)")
    group.add_argument("--max-cost", type=float, metavar="USD", help="stop before the calls cost more")
    group.add_argument("--price", type=float, metavar="USD", help="of a call (default: 0.001)")
    group.add_argument(
        "--rate", type=float, metavar="CALLS", help="a second at most (default: what the service admits)"
    )


def _add_damage(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--on-damage",
        choices=("stop", "cover"),
        default="stop",
        help="stop at a frame that cannot be decoded (default), or cover it whole and go on",
    )


def _add_style(verb: argparse.ArgumentParser, default: str | None = "strong") -> None:
    verb.add_argument(
        "--style",
        default=default,
        metavar="PRESET[,NAME=VALUE...]",
        help=f"preset with overrides, as strong,kind=pixelate,shape=rectangle (default: {default or 'as signed last'})",
    )
    verb.add_argument(
        "--encoder",
        default="",
        metavar="NAME=VALUE[,...]",
        help="settings of the encoder that differ from the defaults",
    )
    verb.add_argument("--force", action="store_true", help="allow a style too weak to hide a face; the report says so")


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number
