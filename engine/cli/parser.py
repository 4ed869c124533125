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

_INTERRUPTED_MESSAGE = "Interrupted; nothing was left under the final name."
_RESUMABLE_MESSAGE = "Interrupted; run the same command again to go on from here."


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
        added = adder.add_parser(name, help=verb.purpose, description=_to_sentence(verb.purpose))
        if named is None or named == name:
            verb.add_arguments(added)
    return parser


def _to_sentence(purpose: str) -> str:
    return f"{purpose[0].upper()}{purpose[1:]}."


def _bind_verb(verb: ArgumentParser, run: Callable[..., int], interrupted: str = _INTERRUPTED_MESSAGE) -> None:
    verb.add_argument("--json", action="store_true", help="print the result as JSON")
    verb.set_defaults(verb=run, interrupted=interrupted)


def _define_models(verb: ArgumentParser) -> None:
    _bind_verb(verb, files.manage_models)
    verb.add_argument("action", choices=("fetch", "verify"))
    verb.add_argument(
        "--benchmark", action="store_true", help="also what `veil bench reidentify` needs (a 100 MB package)"
    )
    arguments.add_data(verb)


def _define_probe(verb: ArgumentParser) -> None:
    _bind_verb(verb, files.probe)
    verb.add_argument("source", type=Path)


def _define_detect(verb: ArgumentParser) -> None:
    _bind_verb(verb, files.detect, _RESUMABLE_MESSAGE)
    verb.add_argument("source", type=Path)
    verb.add_argument("-o", "--output", type=Path, required=True, metavar="RECORD", help="detection record to write")
    arguments.add_detection(verb)
    arguments.add_data(verb)


def _define_render(verb: ArgumentParser) -> None:
    _bind_verb(verb, files.render)
    verb.add_argument("source", type=Path)
    verb.add_argument("record", type=Path)
    verb.add_argument("-o", "--output", type=Path, required=True, metavar="OUT", help="video to write")
    arguments.add_review(verb)
    verb.add_argument("--y4m", type=Path, metavar="FILE", help="also write the very pictures handed to the encoder")
    arguments.add_style(verb)
    options.add_audio_options(verb)


def _define_verify(verb: ArgumentParser) -> None:
    _bind_verb(verb, files.verify)
    verb.add_argument("source", type=Path)
    verb.add_argument("record", type=Path)
    verb.add_argument("output", type=Path, metavar="OUT")
    arguments.add_review(verb)
    verb.add_argument(
        "--render-report", type=Path, metavar="FILE", help="report of the render (default: OUT.render.json beside OUT)"
    )
    verb.add_argument("--report", type=Path, metavar="FILE", help="write the report of the checks as JSON")


def _define_anonymise(verb: ArgumentParser) -> None:
    _bind_verb(verb, files.anonymise, _RESUMABLE_MESSAGE)
    verb.add_argument("source", type=Path)
    verb.add_argument("-o", "--output", type=Path, required=True, metavar="OUT", help="video to write")
    verb.add_argument("--record", type=Path, help="where the record goes (default: OUT.detections.json)")
    arguments.add_review(verb)
    arguments.add_detection(verb)
    arguments.add_style(verb)
    options.add_audio_options(verb)
    arguments.add_data(verb)


def _define_live(verb: ArgumentParser) -> None:
    _bind_verb(verb, live.run_live)
    live.add_arguments(verb)
    arguments.add_data(verb)


def _define_review(verb: ArgumentParser) -> None:
    _bind_verb(verb, review.show_review)
    review.add_review_arguments(verb)


def _define_amend(verb: ArgumentParser) -> None:
    _bind_verb(verb, review.amend_record)
    review.add_amend_arguments(verb)


def _define_sign(verb: ArgumentParser) -> None:
    _bind_verb(verb, signoff.sign_run)
    verb.add_argument("run", metavar="RUN")
    verb.add_argument("--meaning", choices=("reviewed", "approved", "rejected"))
    verb.add_argument("--reason", help="why; a rejection must say it")
    verb.add_argument("--suffix", help="of the output's name (default: what was signed last, or the source's)")
    arguments.add_style(verb, default=None)
    options.add_audio_options(verb)
    verb.add_argument("--keep-audio", action="store_true", help="keep the audio, though something else was signed last")
    arguments.add_person_option(verb)
    arguments.add_data(verb)


def _define_judge(verb: ArgumentParser) -> None:
    _bind_verb(verb, certificate.judge_leak)
    certificate.add_judge_arguments(verb)
    arguments.add_data(verb)


def _define_release(verb: ArgumentParser) -> None:
    _bind_verb(verb, signoff.release_run)
    verb.add_argument("run", metavar="RUN")
    verb.add_argument("--reason", help="why")
    arguments.add_person_option(verb)
    arguments.add_data(verb)


def _define_certificate(verb: ArgumentParser) -> None:
    _bind_verb(verb, certificate.verify_certificate)
    certificate.add_arguments(verb.add_subparsers(required=True, metavar="ACTION"))


def _define_purge(verb: ArgumentParser) -> None:
    _bind_verb(verb, signoff.purge_run)
    verb.add_argument("run", metavar="RUN")
    verb.add_argument("--reason", required=True, help="why; it goes on record")
    arguments.add_person_option(verb)
    arguments.add_data(verb)


def _define_audit(verb: ArgumentParser) -> None:
    _bind_verb(verb, audit.verify_log)
    audit.add_arguments(verb.add_subparsers(required=True, metavar="ACTION"))


def _define_users(verb: ArgumentParser) -> None:
    _bind_verb(verb, users.list_accounts)
    users.add_arguments(verb.add_subparsers(required=True, metavar="ACTION"))


def _define_evaluate(verb: ArgumentParser) -> None:
    _bind_verb(verb, evaluate.evaluate)
    evaluate.add_arguments(verb, arguments.add_detection)
    arguments.add_data(verb)


def _define_leaks(verb: ArgumentParser) -> None:
    _bind_verb(verb, assurance.run_leak_check)
    assurance.add_leaks_arguments(verb)
    arguments.add_data(verb)


def _define_plant(verb: ArgumentParser) -> None:
    _bind_verb(verb, assurance.plant_faces)
    assurance.add_plant_arguments(verb)
    arguments.add_data(verb)


def _define_risk(verb: ArgumentParser) -> None:
    _bind_verb(verb, assurance.show_risk)
    assurance.add_risk_arguments(verb)
    arguments.add_data(verb)


def _define_bench(verb: ArgumentParser) -> None:
    benches = verb.add_subparsers(title="benchmarks", required=True, metavar="BENCHMARK")
    purpose = "try to identify masked faces with a face-recognition model"
    reidentify = benches.add_parser("reidentify", help=purpose, description=_to_sentence(purpose))
    _bind_verb(reidentify, bench.run_reidentification)
    bench.add_reidentify_arguments(reidentify, arguments.add_detection)
    arguments.add_data(reidentify)


def _define_index(verb: ArgumentParser) -> None:
    _bind_verb(verb, index.rebuild_index)
    index.add_arguments(verb)
    arguments.add_data(verb)


def _define_schema(verb: ArgumentParser) -> None:
    _bind_verb(verb, files.print_schema)
    verb.add_argument(
        "--of",
        choices=tuple(files.SCHEMA_BUILDERS),
        default="record",
        help="detection record (default), or line of a review",
    )


def _define_demo(verb: ArgumentParser) -> None:
    _bind_verb(verb, files.run_demo, _RESUMABLE_MESSAGE)
    arguments.add_data(verb)


def _define_run(verb: ArgumentParser) -> None:
    _bind_verb(verb, running.run_detection, _RESUMABLE_MESSAGE)
    running.add_arguments(verb, arguments.add_detection)
    arguments.add_data(verb)


def _define_work(verb: ArgumentParser) -> None:
    _bind_verb(verb, running.run_queue, _RESUMABLE_MESSAGE)
    arguments.add_data(verb)


def _define_workbench(verb: ArgumentParser) -> None:
    _bind_verb(verb, workbench.open_workbench, "The workbench has ended.")
    workbench.add_arguments(verb)
    arguments.add_data(verb)


_VERBS: Mapping[str, _Verb] = {
    "models": _Verb("fetch or check the weights of the detectors", _define_models),
    "probe": _Verb("show what is in a file and what will become of each stream", _define_probe),
    "detect": _Verb("find the faces in a video and write the record", _define_detect),
    "render": _Verb("render a video without the faces of a record, as a draft", _define_render),
    "verify": _Verb("check an output against its source and record", _define_verify),
    "anonymise": _Verb("detect, render and verify in one go; nobody has reviewed the output", _define_anonymise),
    "live": _Verb("hide the faces of a running picture; what is not judged in time is covered", _define_live),
    "review": _Verb("list what leaves doubt in a record, and what was made of it", _define_review),
    "amend": _Verb("amend a record: add, delete, resize, cover, accept, undo", _define_amend),
    "sign": _Verb("sign that a run was reviewed, approved or rejected", _define_sign),
    "judge": _Verb("say what a finding of the leak check is; without one, list them", _define_judge),
    "release": _Verb("render, check and publish what was reviewed and approved", _define_release),
    "certificate": _Verb("check the certificate of a release, or make the signing key", _define_certificate),
    "purge": _Verb("remove what shows people from a run, keep what proves it", _define_purge),
    "audit": _Verb("check the audit log, or write a part of it", _define_audit),
    "users": _Verb("make and change accounts, and the rule of four eyes", _define_users),
    "evaluate": _Verb("hold records, or a detection, against ground truth", _define_evaluate),
    "leaks": _Verb("look for faces that can still be found in an output", _define_leaks),
    "plant": _Verb("plant faces into copies of a video and see how many are found", _define_plant),
    "risk": _Verb("say what may still be in an output, measured in several ways", _define_risk),
    "bench": _Verb("measure what styles hide", _define_bench),
    "index": _Verb("build the index that Analyse reads, from the records", _define_index),
    "schema": _Verb("print the JSON Schema of a document", _define_schema),
    "demo": _Verb("anonymise a sample clip, from fetching the models to the check", _define_demo),
    "run": _Verb("find the faces in a video as a run, which the workbench shows", _define_run),
    "work": _Verb("do the runs that wait, one after another", _define_work),
    "workbench": _Verb("open the workbench in the browser", _define_workbench),
}
