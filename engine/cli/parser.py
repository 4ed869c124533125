"""The arguments of every verb. What a verb needs is loaded when it is asked for: `veil --help` loads no library."""

from __future__ import annotations

import importlib
from argparse import ArgumentParser
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import engine

if TYPE_CHECKING:
    from engine.cli import (
        arguments,
        assurance,
        audit,
        bench,
        certificate,
        evaluate,
        files,
        index,
        live,
        options,
        review,
        signoff,
        users,
        workbench,
    )
    from engine.cli import run as running
else:

    class _Later:
        """A module of the command line that is imported when something of it is asked for."""

        def __init__(self, name: str) -> None:
            self._name = f"engine.cli.{name}"

        def __getattr__(self, name: str) -> Any:
            return getattr(importlib.import_module(self._name), name)

    arguments, assurance, audit, bench = map(_Later, ("arguments", "assurance", "audit", "bench"))
    certificate, evaluate, files, index = map(_Later, ("certificate", "evaluate", "files", "index"))
    live, options, review, running = map(_Later, ("live", "options", "review", "run"))
    signoff, users, workbench = map(_Later, ("signoff", "users", "workbench"))

_INTERRUPTED = "Interrupted; nothing was left under the final name."
_RESUMABLE = "Interrupted; run the same command again to go on from here."


class _Verb(NamedTuple):
    """What a verb is for, and what adds its arguments."""

    purpose: str
    add_arguments: Callable[[ArgumentParser], None]


def build_parser(words: Sequence[str] | None = None) -> ArgumentParser:
    """The parser of `veil`; each verb's namespace carries the function to run as `verb`.

    Args:
        words: what is to be parsed: only the verb they name is given its arguments; every verb when left out.
    """
    parser = ArgumentParser(prog="veil", description="Face anonymisation for regulated video.")
    parser.add_argument("--version", action="version", version=f"veil {engine.__version__}")
    adder = parser.add_subparsers(title="verbs", required=True, metavar="VERB")
    named = None if words is None else next((word for word in words if not word.startswith("-")), "")
    for name, verb in _VERBS.items():
        added = adder.add_parser(name, help=verb.purpose, description=_sentence(verb.purpose))
        if named is None or named == name:
            verb.add_arguments(added)
    return parser


def _sentence(purpose: str) -> str:
    return f"{purpose[0].upper()}{purpose[1:]}."


def _runs(verb: ArgumentParser, run: Callable[..., int], interrupted: str = _INTERRUPTED) -> None:
    verb.add_argument("--json", action="store_true", help="print the result as JSON")
    verb.set_defaults(verb=run, interrupted=interrupted)


def _models(verb: ArgumentParser) -> None:
    _runs(verb, files.models)
    verb.add_argument("action", choices=("fetch", "verify"))
    verb.add_argument(
        "--benchmark", action="store_true", help="also what `veil bench reidentify` needs (a 100 MB package)"
    )
    arguments.add_data(verb)


def _probe(verb: ArgumentParser) -> None:
    _runs(verb, files.probe)
    verb.add_argument("source", type=Path)


def _detect(verb: ArgumentParser) -> None:
    _runs(verb, files.detect, _RESUMABLE)
    verb.add_argument("source", type=Path)
    verb.add_argument("-o", "--output", type=Path, required=True, metavar="RECORD", help="detection record to write")
    arguments.add_detection(verb)
    arguments.add_data(verb)


def _render(verb: ArgumentParser) -> None:
    _runs(verb, files.render)
    verb.add_argument("source", type=Path)
    verb.add_argument("record", type=Path)
    verb.add_argument("-o", "--output", type=Path, required=True, metavar="OUT", help="video to write")
    arguments.add_review(verb)
    verb.add_argument("--y4m", type=Path, metavar="FILE", help="also write the very pictures handed to the encoder")
    arguments.add_style(verb)
    options.add_audio(verb)


def _verify(verb: ArgumentParser) -> None:
    _runs(verb, files.verify)
    verb.add_argument("source", type=Path)
    verb.add_argument("record", type=Path)
    verb.add_argument("output", type=Path, metavar="OUT")
    arguments.add_review(verb)
    verb.add_argument(
        "--render-report", type=Path, metavar="FILE", help="report of the render (default: OUT.render.json beside OUT)"
    )
    verb.add_argument("--report", type=Path, metavar="FILE", help="write the report of the checks as JSON")


def _anonymise(verb: ArgumentParser) -> None:
    _runs(verb, files.anonymise, _RESUMABLE)
    verb.add_argument("source", type=Path)
    verb.add_argument("-o", "--output", type=Path, required=True, metavar="OUT", help="video to write")
    verb.add_argument("--record", type=Path, help="where the record goes (default: OUT.detections.json)")
    arguments.add_review(verb)
    arguments.add_detection(verb)
    arguments.add_style(verb)
    options.add_audio(verb)
    arguments.add_data(verb)


def _live(verb: ArgumentParser) -> None:
    _runs(verb, live.run)
    live.add_arguments(verb)
    arguments.add_data(verb)


def _review(verb: ArgumentParser) -> None:
    _runs(verb, review.review)
    review.add_review_arguments(verb)


def _amend(verb: ArgumentParser) -> None:
    _runs(verb, review.amend)
    review.add_amend_arguments(verb)


def _sign(verb: ArgumentParser) -> None:
    _runs(verb, signoff.sign)
    verb.add_argument("run", metavar="RUN")
    verb.add_argument("--meaning", choices=("reviewed", "approved", "rejected"))
    verb.add_argument("--reason", help="why; a rejection must say it")
    verb.add_argument("--suffix", help="of the output's name (default: what was signed last, or the source's)")
    arguments.add_style(verb, default=None)
    options.add_audio(verb)
    verb.add_argument("--keep-audio", action="store_true", help="keep the audio, though something else was signed last")
    arguments.add_person(verb)
    arguments.add_data(verb)


def _judge(verb: ArgumentParser) -> None:
    _runs(verb, certificate.judge)
    certificate.add_judge(verb)
    arguments.add_data(verb)


def _release(verb: ArgumentParser) -> None:
    _runs(verb, signoff.release)
    verb.add_argument("run", metavar="RUN")
    verb.add_argument("--reason", help="why")
    arguments.add_person(verb)
    arguments.add_data(verb)


def _certificate(verb: ArgumentParser) -> None:
    _runs(verb, certificate.verify)
    certificate.add_arguments(verb.add_subparsers(required=True, metavar="ACTION"))


def _purge(verb: ArgumentParser) -> None:
    _runs(verb, signoff.purge)
    verb.add_argument("run", metavar="RUN")
    verb.add_argument("--reason", required=True, help="why; it goes on record")
    arguments.add_person(verb)
    arguments.add_data(verb)


def _audit(verb: ArgumentParser) -> None:
    _runs(verb, audit.verify)
    audit.add_arguments(verb.add_subparsers(required=True, metavar="ACTION"))


def _users(verb: ArgumentParser) -> None:
    _runs(verb, users.show)
    users.add_arguments(verb.add_subparsers(required=True, metavar="ACTION"))


def _evaluate(verb: ArgumentParser) -> None:
    _runs(verb, evaluate.evaluate)
    evaluate.add_arguments(verb, arguments.add_detection)
    arguments.add_data(verb)


def _leaks(verb: ArgumentParser) -> None:
    _runs(verb, assurance.leaks)
    assurance.add_leaks(verb)
    arguments.add_data(verb)


def _plant(verb: ArgumentParser) -> None:
    _runs(verb, assurance.planting)
    assurance.add_plant(verb)
    arguments.add_data(verb)


def _risk(verb: ArgumentParser) -> None:
    _runs(verb, assurance.risk)
    assurance.add_risk(verb)
    arguments.add_data(verb)


def _bench(verb: ArgumentParser) -> None:
    benches = verb.add_subparsers(title="benchmarks", required=True, metavar="BENCHMARK")
    purpose = "try to identify masked faces with a face-recognition model"
    reidentify = benches.add_parser("reidentify", help=purpose, description=_sentence(purpose))
    _runs(reidentify, bench.reidentify)
    bench.add_reidentify(reidentify, arguments.add_detection)
    arguments.add_data(reidentify)


def _index(verb: ArgumentParser) -> None:
    _runs(verb, index.run)
    index.add_arguments(verb)
    arguments.add_data(verb)


def _schema(verb: ArgumentParser) -> None:
    _runs(verb, files.schema)
    verb.add_argument(
        "--of", choices=tuple(files.SCHEMAS), default="record", help="detection record (default), or line of a review"
    )


def _demo(verb: ArgumentParser) -> None:
    _runs(verb, files.demo, _RESUMABLE)
    arguments.add_data(verb)


def _run(verb: ArgumentParser) -> None:
    _runs(verb, running.run, _RESUMABLE)
    running.add_arguments(verb, arguments.add_detection)
    arguments.add_data(verb)


def _work(verb: ArgumentParser) -> None:
    _runs(verb, running.work, _RESUMABLE)
    arguments.add_data(verb)


def _workbench(verb: ArgumentParser) -> None:
    _runs(verb, workbench.run, "The workbench has ended.")
    workbench.add_arguments(verb)
    arguments.add_data(verb)


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
