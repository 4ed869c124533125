"""Print the structure of the code as figures, and fail where it breaks a rule: `python -m tests.architecture`."""

import sys

from tests.architecture.import_graph import describe_rooms, find_cycles, read_imports
from tests.architecture.source_figures import describe_sources, find_violations
from tests.repository import ROOT

TOPS = ("engine", "workbench", "pages")


def main() -> int:
    """Print rooms, layers and arrows, then sizes and comments; returns 1 for a cycle or an exceeded limit."""
    imports = read_imports(ROOT, TOPS)
    for line in describe_rooms(imports):
        print(line)  # noqa: T201
    measured = describe_sources(ROOT, ("engine", "workbench"))
    for line in measured:
        print(line)  # noqa: T201
    faults = [*(f"import cycle: {' > '.join(cycle)}" for cycle in find_cycles(imports)), *find_violations(ROOT, TOPS)]
    for fault in faults:
        print(f"FAULT {fault}")  # noqa: T201
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
