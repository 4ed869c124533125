"""The Python packages that detectors compute with: their versions without importing them, and their import when due."""

from __future__ import annotations

import importlib
import re
from importlib import metadata
from types import ModuleType

from engine.errors import InputError

_PROJECT = "veil-workbench"


def versions(*packages: str) -> dict[str, str]:
    """Installed version of each package, by name; nothing is imported.

    Raises:
        InputError: one is not installed; the message holds the pip command.
    """
    return {package: _version(package) for package in packages}


def load(module: str, package: str) -> ModuleType:
    """Import `module`, which `package` brings.

    Raises:
        InputError: it cannot be imported; the message holds the pip command.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise InputError(f"{module} cannot be imported ({error}): run `{_command(package)}`.") from error


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError as error:
        raise InputError(f"The package {package} is not installed: run `{_command(package)}`.") from error


def _command(package: str) -> str:
    return f"python -m pip install '{_requirement(package)}'"


def _requirement(package: str) -> str:
    """The requirement as this project pins it, so that the command brings the version that was tested."""
    for line in metadata.requires(_PROJECT) or []:
        requirement = line.partition(";")[0].strip()
        if re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0].lower() == package.lower():
            return requirement
    return package
