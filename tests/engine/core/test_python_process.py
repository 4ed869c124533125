import re
import subprocess
from pathlib import Path

import pytest

import engine
from engine.core.python_process import build_child_environment, build_module_command

ROOT = Path(engine.__file__).parents[1]


@pytest.mark.slow
def test_a_child_process_imports_this_code_and_nothing_from_the_current_folder(tmp_path):
    (tmp_path / "engine.py").write_text("raise SystemExit('the wrong engine')")
    done = subprocess.run(
        build_module_command("engine.jobs.worker_main", str(tmp_path / "data")),
        cwd=tmp_path,
        env=build_child_environment(),
        check=False,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_no_layer_below_starts_the_command_line():
    """import-linter does not see an import that goes through a command line."""
    sources = [*(ROOT / "engine").rglob("*.py"), *(ROOT / "workbench").rglob("*.py")]
    starters = [
        path.relative_to(ROOT)
        for path in sources
        if (ROOT / "engine" / "cli") not in path.parents
        and re.search(r'["\']-m["\'], *["\']engine\.cli|command\(["\']engine\.cli', path.read_text())
    ]
    assert starters == []
