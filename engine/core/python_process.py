"""Commands and import paths for Python processes that run a module of this program.

A lower layer may start a module of its own layer in another process, but never `engine.cli`: import-linter does not see
an import that goes through a command line.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import cast


def build_module_command(module: str, *arguments: str) -> list[str]:
    """Build the command that runs a module as `python -m` does.

    Args:
        module: dotted name; it must be importable with `build_python_path`.
        arguments: what the module gets in `sys.argv`.
    """
    # -P keeps the current folder out of sys.path: a file named `engine.py` or `json.py` that lies beside a person's
    # videos must not run in place of the real module. The import path then has to come from PYTHONPATH.
    return [sys.executable, "-P", "-m", module, *arguments]


def build_python_path(*modules: str) -> str:
    """Build a PYTHONPATH with which a child process imports the same code as this process.

    Args:
        modules: dotted names of further modules, already imported here, that the child process must be able to import.
    """
    roots = dict.fromkeys(_find_import_root(module) for module in ("engine", *modules))
    inherited = os.environ.get("PYTHONPATH")
    return os.pathsep.join([*roots, inherited] if inherited else roots)


def build_child_environment(*modules: str) -> dict[str, str]:
    """Build the environment of a child process: this process's own, with `build_python_path(*modules)`."""
    return {**os.environ, "PYTHONPATH": build_python_path(*modules)}


def _find_import_root(module: str) -> str:
    """Return the folder from which `module`, which is already imported, was imported."""
    file = Path(cast("str", sys.modules[module].__file__)).absolute()
    return str(file.parents[module.count(".") + (file.name == "__init__.py")])
