import subprocess
import sys

import pytest

import engine


@pytest.mark.slow
@pytest.mark.parametrize("verb", engine.__all__[1:])
def test_a_verb_is_a_function_whatever_was_imported_before(verb):
    """A module of the same name would take its place as soon as anybody imports from it; a new process has neither."""
    program = f"""
import contextlib, importlib, engine
with contextlib.suppress(ImportError):
    importlib.import_module("engine.{verb}")
assert callable(engine.{verb})
"""
    subprocess.run([sys.executable, "-c", program], check=True)
