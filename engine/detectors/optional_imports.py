"""The Python packages that detectors compute with: their versions without importing them, and their import when due."""

from __future__ import annotations

import importlib
import re
from importlib import metadata
from types import ModuleType

from engine.errors import InputError

_DISTRIBUTION = "veil-workbench"


def find_versions(*packages: str) -> dict[str, str]:
    """Installed version of each package, by name; nothing is imported.

    Raises:
        InputError: one is not installed; the message holds the pip command.
    """
    return {package: _find_version(package) for package in packages}


def import_library(module: str, package: str) -> ModuleType:
    """Import `module`, which `package` brings.

    Raises:
        InputError: it cannot be imported; the message holds the pip command.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise InputError(f"{module} cannot be imported ({error}): run `{_install_command(package)}`.") from error


def _find_version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError as error:
        raise InputError(f"The package {package} is not installed: run `{_install_command(package)}`.") from error


def _install_command(package: str) -> str:
    return f"python -m pip install '{_find_requirement(package)}'"


def _find_requirement(package: str) -> str:
    """The requirement as this project pins it, so that the command brings the version that was tested."""
    for line in metadata.requires(_DISTRIBUTION) or []:
        requirement = line.partition(";")[0].strip()
        if re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0].lower() == package.lower():
            return requirement
    return package
