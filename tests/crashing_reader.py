"""A file that ends each process which reads it, as a fault in a decoder would: by a signal, or by an endless step."""

import os
from pathlib import Path

from engine.isolation.expendable import is_expendable

_HOOK = """
import os, sys, time
def _meet(event, arguments):
    opened = arguments[:1] if event == "open" else arguments[1] if event == "subprocess.Popen" else ()
    if any(str(path).endswith({name!r}) for path in opened):
        if {number} == 0:
            from engine.core import step_limit
            step_limit.start_step_limit(1)
            with step_limit.NATIVE_STEP:
                time.sleep(600)
        os.kill(os.getpid(), {number})
sys.addaudithook(_meet)
"""


def make_file_deadly(monkeypatch, folder, name, number):
    """Let `name` end every Python process that is started from now on and opens it; this one is spared.

    Args:
        monkeypatch: of the test.
        folder: where the hook is written.
        name: end of the path of the file.
        number: the signal; 0: a step of decoding begins that does not come to an end. The process has a limit of one
            second for that besides its own, which is a minute.
    """
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(_HOOK.format(name=name, number=int(number)))
    before = os.environ.get("PYTHONPATH", "")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, (str(folder), before))))


def guard_this_process(monkeypatch):
    """Let functions of the engine start a process of their own, as in a notebook or a server."""
    monkeypatch.delenv("VEIL_EXPENDABLE_PROCESS", raising=False)
    assert not is_expendable()


def find_children(module, parent=None):
    """Ids of the processes of this one, or of another one, that run a module, by the end of its name."""
    me = parent or os.getpid()
    return [
        int(child)
        for task in Path(f"/proc/{me}/task").iterdir()
        for child in (task / "children").read_text().split()
        if module in Path(f"/proc/{child}/cmdline").read_text()
    ]
