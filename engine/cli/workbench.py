"""`veil workbench`: start the server of the workbench."""

from __future__ import annotations

import importlib.util
import ipaddress
import os
import shlex
import socket
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import NoReturn

from engine.access import check_listen_address
from engine.cli.command import Command
from engine.cli.terminal import Terminal
from engine.errors import InputError
from engine.storage.data_folder import DataFolder, find_data_folder
from engine.storage.open_folders import find_open_folders

LOOPBACK_ADDRESS = "127.0.0.1"


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--port", type=int, metavar="N", help="port to listen on (default: 8501, or the next free port)"
    )
    parser.add_argument(
        "--address",
        default=LOOPBACK_ADDRESS,
        help="address to listen on (default: 127.0.0.1, which only this machine can reach)",
    )


def _open_workbench(options: Namespace, terminal: Terminal) -> int:
    data = find_data_folder(options.data)
    if open_folders := find_open_folders(data):
        folders = " ".join(shlex.quote(str(folder)) for folder in open_folders)
        terminal.notice(
            f"Every user of this machine can read what is in these folders. Close them: chmod -R o= {folders}"
        )
    exec_workbench(data, options.address, options.port)


def exec_workbench(data: DataFolder, address: str = LOOPBACK_ADDRESS, port: int | None = None) -> NoReturn:
    """Replace this process by the server, so that signals and the terminal reach it directly.

    Raises:
        AccessError: other machines could reach the workbench without signing in.
        InputError: the packages of the workbench are not installed.
    """
    check_listen_address(data, address)
    command, home = build_server_command(address, port)
    environment = {**os.environ, "VEIL_DATA": str(data.root)}
    # Streamlit reads .streamlit/config.toml from the working directory.
    os.chdir(home)
    os.execve(command[0], command, environment)  # noqa: S606 - a list of arguments, no shell


def build_server_command(address: str, port: int | None) -> tuple[list[str], Path]:
    """Return the command that serves the workbench, and the folder to run it in: the one with its configuration.

    Raises:
        InputError: the packages of the workbench are not installed.
    """
    # Looked up, not imported: this process is about to be replaced, and importing Streamlit takes a second.
    spec = importlib.util.find_spec("workbench")
    if importlib.util.find_spec("streamlit") is None or spec is None or spec.origin is None:
        raise InputError("The workbench needs more packages: pip install 'veil-workbench[workbench]'.")
    package = Path(spec.origin).parent
    command = [sys.executable, "-m", "streamlit", "run", str(package / "app.py")]
    port_options = [f"--server.port={port}"] if port else []
    # Streamlit starts without a configuration that it cannot read, and would then send usage statistics.
    quiet = ("--browser.gatherUsageStats=false", "--logger.hideWelcomeMessage=true")
    # Without a name to print, Streamlit asks other hosts for the external address of this machine.
    printed = f"--browser.serverAddress={_choose_printed_name(address)}"
    return [*command, f"--server.address={address}", printed, *port_options, *quiet], _find_configuration(package)


def _find_configuration(package: Path) -> Path:
    """Return the folder whose `.streamlit` the server reads: the checkout, or that of an installed wheel."""
    checkout = package.parent
    return checkout if (checkout / ".streamlit").is_dir() else package / "configuration"


def _choose_printed_name(address: str) -> str:
    """Return the name under which the server announces itself: the host's own name if it listens on all addresses."""
    try:
        is_every_address = not address or ipaddress.ip_address(address.strip("[]")).is_unspecified
    except ValueError:
        return address
    return socket.gethostname() if is_every_address else address


COMMANDS = {"workbench": Command(_add_arguments, _open_workbench, interrupted="The workbench was stopped.")}
