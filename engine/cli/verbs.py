"""What each verb does: call the engine, say what came of it."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import msgspec

from engine import record as records
from engine.cli import reports
from engine.cli.terminal import Terminal
from engine.errors import InputError

SettingsType = TypeVar("SettingsType", bound=records.Document)


def models(options: Namespace, terminal: Terminal) -> int:
    """`veil models fetch|verify`."""
    from engine.detectors import weights

    folder = data_folder(options.data).models
    if options.action == "fetch":
        weights.fetch(folder, terminal)
    states = dict(weights.verify(folder))
    terminal.result({"folder": str(folder), "models": states}, reports.models(folder, states))
    return 0 if set(states.values()) == {"ok"} else CheckFailedError.exit_code


def probe(options: Namespace, terminal: Terminal) -> int:
    """`veil probe`."""
    info = engine.probe(options.source, listener=terminal)
    terminal.result(info, reports.probe(options.source, info))
    return 0
