import subprocess
import sys

import pytest


@pytest.mark.slow
def test_a_verb_stays_a_function_after_its_module_was_imported():
    """`engine.anonymise` is the name of a function and of the module that has it; a new process imports neither yet."""
    program = "import engine; assert all(callable(engine.anonymise) for _ in range(2))"
    subprocess.run([sys.executable, "-c", program], check=True)
