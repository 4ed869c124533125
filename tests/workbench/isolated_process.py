"""Runs a module in a network namespace of its own, where whatever would leave the machine is seen."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from tests.browser import CI
from tests.workbench.server.isolated_day import ISOLATED


def skip_without_namespace():
    """Skip the test on a machine that allows no network namespace, or has no strace."""
    missing = [name for name in ("strace", "unshare", "ip") if shutil.which(name) is None]
    allowed = (
        not missing and subprocess.run([*ISOLATED, "ip", "link"], check=False, capture_output=True).returncode == 0
    )
    if not allowed:
        assert not CI, "network namespaces and strace must be there in continuous integration"
        pytest.skip(f"no network namespace or strace: {', '.join(missing) or 'this machine allows none'}")


def run_isolated(module, *arguments):
    """Run a module of the tests with arguments; return the JSON in the last line that it prints."""
    command = [*ISOLATED, sys.executable, "-m", module, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | {"PYTHONPATH": "."})
    assert done.returncode == 0, done.stderr + done.stdout
    return json.loads(done.stdout.splitlines()[-1])
