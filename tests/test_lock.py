"""requirements.lock is current and complete; checked without a package index, from what is installed."""

import json
import re
import tomllib
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests import audit_report

ROOT = Path(__file__).parents[1]
EXTRAS = ("cloud", "cluster", "detectors", "postgresql", "remote", "workbench")
"""What users install: everything but tools of developers, benchmarks, and MoviePy, which holds back Pillow."""
_LOCKED = re.compile(
    r"^(?P<name>[\w.-]+)==(?P<version>[^\s;]+)(?: ; (?P<marker>[^\\]+?))? \\\n(?P<hashes>(?: {4}--hash=.+\n)+)",
    re.MULTILINE,
)


@pytest.fixture(scope="module")
def lock():
    """Version and hashes of each locked package that this Python needs."""
    found = {}
    for match in _LOCKED.finditer((ROOT / "requirements.lock").read_text()):
        requirement = Requirement(f"{match['name']}; {match['marker']}" if match["marker"] else match["name"])
        if requirement.marker is None or requirement.marker.evaluate():
            found[canonicalize_name(match["name"])] = match["version"], match["hashes"].splitlines()
    return found


def read_constraints():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = (line.partition("==") for line in lines if not line.startswith("#"))
    return {canonicalize_name(name): version for name, _, version in pins}


def list_requirements():
    """Everything that pyproject.toml asks for, with the extras of users."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    texts = [*project["dependencies"]]
    extras, optional = list(EXTRAS), project["optional-dependencies"]
    for extra in extras:
        for text in optional[extra]:
            own = re.fullmatch(r"veil-workbench\[(.+)\]", text)
            if own:
                extras += own[1].split(",")
            else:
                texts.append(text)
    return [Requirement(text) for text in texts]


def test_every_package_is_locked_at_the_version_of_the_constraints(lock):
    pins = read_constraints()
    assert {name: version for name, (version, _) in lock.items() if pins.get(name, version) != version} == {}


def test_every_package_has_hashes(lock):
    assert len(lock) > 100
    assert all(
        re.fullmatch(r"--hash=sha256:[0-9a-f]{64}(?: \\)?", line.strip())
        for _, lines in lock.values()
        for line in lines
    )


def test_what_the_project_asks_for_is_locked(lock):
    """Fails when pyproject.toml has changed since: run `make lock`."""
    missing, seen = [], set()
    waiting = [(requirement, "pyproject.toml") for requirement in list_requirements()]
    while waiting:
        requirement, asker = waiting.pop()
        name = canonicalize_name(requirement.name)
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        if name not in lock or not requirement.specifier.contains(lock[name][0], prereleases=True):
            missing.append(f"{requirement} (for {asker})")
        for extra in ("", *requirement.extras):
            if (name, extra) not in seen:
                seen.add((name, extra))
                waiting += [(found, name) for found in list_dependencies(name, extra)]
    assert missing == []


def list_dependencies(name, extra):
    """What an installed package asks for with an extra; nothing if another platform needs it and not this one."""
    try:
        found = [Requirement(text) for text in requires(name) or ()]
    except PackageNotFoundError:
        return []
    applicable = [one for one in found if one.marker is not None and one.marker.evaluate({"extra": extra})]
    for one in applicable:
        one.marker = None
    return applicable + ([] if extra else [one for one in found if one.marker is None])


def test_the_lock_is_written_for_the_extras_of_users():
    assert f"extras=({' '.join(EXTRAS)})" in (ROOT / ".ci" / "lock").read_text()


@pytest.mark.parametrize(
    ("report", "code", "said"),
    [
        (None, 0, "nothing was checked, because the vulnerability database gave no answer (no route)."),
        ({"skip_reason": "unknown"}, 0, "nothing was checked, because the vulnerability database knows none of 1"),
        ({"vulns": []}, 0, "1 of 1 packages were checked, 0 known holes."),
        ({"vulns": [{"id": "CVE-1", "fix_versions": ["2"]}]}, 1, "a 1: CVE-1, mended in 2"),
    ],
)
def test_an_audit_without_a_database_is_not_called_clean(tmp_path, capsys, report, code, said):
    log, audited = tmp_path / "log", tmp_path / "audit.json"
    log.write_text("no route\n")
    if report is not None:
        audited.write_text(json.dumps({"dependencies": [{"name": "a", "version": "1", **report}]}))
    assert audit_report.main("constraints.txt", audited, log) == code
    assert said in capsys.readouterr().out
