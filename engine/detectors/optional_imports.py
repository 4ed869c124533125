"""The packages that detectors need: their versions without an import, and their import at the moment of use."""

from __future__ import annotations

import importlib
import re
import sys
from importlib import metadata
from types import ModuleType

from engine.errors import InputError

_DISTRIBUTION = "veil-workbench"


def find_versions(*packages: str) -> dict[str, str]:
    """Return the installed version of each package, by name, without importing it.

    Raises:
        InputError: a package is not installed; the message has the pip command.
    """
    return {package: _find_version(package) for package in packages}


def import_library(module: str, package: str) -> ModuleType:
    """Import a module of an installed package.

    Raises:
        InputError: the module cannot be imported; the message has the pip command.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise InputError(f"{module} cannot be imported ({error}): run `{_install_command(package)}`.") from error


def import_openvino() -> ModuleType:
    """Import OpenVINO without the package that reports each import and conversion to its maker's server.

    Raises:
        InputError: it cannot be imported; the message has the pip command.
    """
    # None makes the import of the module fail; OpenVINO then uses a stub instead.
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
    return import_library("openvino", "openvino")


def _find_version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError as error:
        raise InputError(f"The package {package} is not installed: run `{_install_command(package)}`.") from error


def _install_command(package: str) -> str:
    return f"python -m pip install '{_find_requirement(package)}'"


def _find_requirement(package: str) -> str:
    """Return the extra that brings the package, or the requirement as this project pins it."""
    for line in metadata.requires(_DISTRIBUTION) or []:
        requirement, _, marker = line.partition(";")
        if re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0].lower() == package.lower():
            # The extra brings everything that the detector needs, in the versions that were tested together.
            extra = re.search(r"extra == ['\"]([\w-]+)['\"]", marker)
            return f"{_DISTRIBUTION}[{extra[1]}]" if extra else requirement.strip()
    return package
