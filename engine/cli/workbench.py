"""`veil workbench`: hands the process over to the server of the workbench."""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
from argparse import Namespace
from pathlib import Path
from typing import NoReturn

from engine.access import check_listen_address
from engine.cli.terminal import Terminal
from engine.errors import InputError
from engine.storage.data_folder import DataFolder, find_data_folder

LOOPBACK_ADDRESS = "127.0.0.1"


def add_arguments(verb: argparse.ArgumentParser) -> None:
    """The arguments of `veil workbench`."""
    verb.add_argument("--port", type=int, metavar="N", help="to listen on (default: 8501, or the next free one)")
    verb.add_argument(
        "--address", default=LOOPBACK_ADDRESS, metavar="A", help="to listen on (default: 127.0.0.1, this machine only)"
    )


def open_workbench(options: Namespace, _terminal: Terminal) -> int:
    """`veil workbench`; the server takes over this process, so nothing comes after it."""
    exec_workbench(find_data_folder(options.data), options.address, options.port)


def exec_workbench(data: DataFolder, address: str = LOOPBACK_ADDRESS, port: int | None = None) -> NoReturn:
    """Let the server take over this process.

    Raises:
        AccessError: others could reach it without signing in.
        InputError: the packages of the workbench are not installed.
    """
    check_listen_address(data, address)
    command, home = build_server_command(address, port)
    environment = {**os.environ, "VEIL_DATA": str(data.root)}
    os.chdir(home)
    os.execve(command[0], command, environment)  # noqa: S606 - a list of arguments, no shell


def build_server_command(address: str, port: int | None) -> tuple[list[str], Path]:
    """The command that serves the workbench, and the folder to run it in: the one with its configuration.

    Raises:
        InputError: the packages of the workbench are not installed.
    """
    place = importlib.util.find_spec("workbench")
    if importlib.util.find_spec("streamlit") is None or place is None or place.origin is None:
        raise InputError("The workbench needs more packages: pip install 'veil-workbench[workbench]'.")
    package = Path(place.origin).parent
    command = [sys.executable, "-m", "streamlit", "run", str(package / "app.py")]
    chosen = [f"--server.port={port}"] if port else []
    # Streamlit goes on without a configuration that it cannot read, and would report its use then.
    silent = "--browser.gatherUsageStats=false"
    return [*command, f"--server.address={address}", *chosen, silent], package.parent
