"""Says what pip-audit found: `python -m tests.audit_report PINS JSON LOG`. Exit code 1 if a hole is known.

A database that cannot be reached is no finding, and no clean result either: the last line says how many packages were
checked, so that a build without the database is not mistaken for one without holes.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main(pins: str, report: Path, log: Path) -> int:
    """Print the findings, and how many packages were checked."""
    if not report.exists():
        last_line = (log.read_text().strip() or "no message").splitlines()[-1]
        _say(f"{pins}: nothing was checked, because the vulnerability database gave no answer ({last_line}).")
        return 0
    packages = json.loads(report.read_bytes())["dependencies"]
    checked = [package for package in packages if "skip_reason" not in package]
    found = 0
    for package in checked:
        for hole in package["vulns"]:
            found += 1
            mended = ", ".join(hole["fix_versions"]) or "no version yet"
            _say(f"{package['name']} {package['version']}: {hole['id']}, mended in {mended}")
    if not checked:
        _say(
            f"{pins}: nothing was checked, because the vulnerability database knows none of {len(packages)} packages. "
            "A mirror of the package index has no such database; run .ci/audit where pypi.org can be reached."
        )
        return 0
    _say(f"{pins}: {len(checked)} of {len(packages)} packages were checked, {found} known holes.")
    return 1 if found else 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])))
