"""A process that appends events and says so: `python -m tests.engine.audit.append_events FOLDER NAME FIRST LAST`."""

import sys
from pathlib import Path

from engine import audit


def main(folder, name, first, last):
    actor = audit.Actor(name, name, "system")
    for number in range(int(first), int(last)):
        audit.append(Path(folder), audit.Event(actor=actor, kind="view", details={"number": number}))
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
