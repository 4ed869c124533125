"""`veil users second-factor` and the codes that the other verbs then ask for."""

import json
import re
import sys

import pyotp
import pytest

from engine import access, audit
from engine.cli import main
from engine.cli.qr_code import build_terminal_code
from tests.people_makers import PASSWORD


class TypingPerson:
    """Standard input of a person who types a line when asked; a callable gets what the screen says."""

    def __init__(self, capsys, lines):
        self._capsys, self._lines, self.screen = capsys, list(lines), ""

    def isatty(self):
        return False

    def readline(self):
        self.screen += self._capsys.readouterr().err
        line = self._lines.pop(0)
        return f"{line(self.screen) if callable(line) else line}\n"


@pytest.fixture
def veil(staffed, capsys, monkeypatch):
    """Run the command line in this process with typed lines: exit code, and its JSON output."""

    def run(*arguments, typed):
        monkeypatch.setattr(sys, "stdin", TypingPerson(capsys, typed))
        code = main([*arguments, "--data", str(staffed.root), "--json"])
        return code, json.loads(capsys.readouterr().out)

    return run


def read_key(screen):
    return re.search(r"Key: ([A-Z2-7]{32})", screen)[1]


@pytest.mark.slow
def test_it_is_set_up_asked_for_and_removed(staffed, veil):
    keys = []

    def first_code(screen):
        keys.append(read_key(screen))
        return pyotp.TOTP(keys[0]).now()

    account = ("users", "second-factor", "anna", "--as")
    code, made = veil(*account, "anna", typed=[PASSWORD, first_code])
    assert (code, len(made["recovery_codes"])) == (0, 10)
    assert keys[0] not in staffed.audit_log.read_text()
    listed = {one["account"]: one["second_factor"] for one in veil("users", "list", typed=[])[1]}
    assert (listed["anna"], listed["rita"]) == (True, False)
    passwd = ("users", "passwd", "anna", "--as", "anna")
    code, refused = veil(*passwd, typed=[PASSWORD, "000000", PASSWORD])
    assert (code, refused["kind"]) == (2, "AccessError")
    assert veil(*passwd, typed=[PASSWORD, made["recovery_codes"][0], PASSWORD])[0] == 0
    code, fresh = veil(*account, "anna", "--recovery-codes", typed=[PASSWORD, made["recovery_codes"][1]])
    assert code == 0
    assert set(fresh["recovery_codes"]).isdisjoint(made["recovery_codes"])
    assert veil(*account, "rita", "--remove", typed=[PASSWORD])[0] == 2
    assert veil(*account, "ada", "--remove", typed=[PASSWORD])[0] == 0
    assert veil(*passwd, typed=[PASSWORD, PASSWORD])[0] == 0


def test_nobody_sets_up_that_of_another(veil):
    code, refused = veil("users", "second-factor", "anna", "--as", "ada", typed=[PASSWORD])
    assert code == 2
    assert "--as anna" in refused["error"]


@pytest.mark.slow
def test_the_policy_asks_roles_for_one(staffed, veil):
    code, policy = veil("users", "policy", "--second-factor", "approver,reviewer", "--as", "ada", typed=[PASSWORD])
    assert (code, policy["second_factor_roles"]) == (0, ["reviewer", "approver"])
    (entry,) = audit.read_entries(staffed.audit, kinds=["settings"])
    assert entry.details["second_factor_roles"] == "reviewer, approver"
    code, refused = veil("users", "passwd", "rita", "--as", "rita", typed=[PASSWORD, PASSWORD])
    assert (code, refused["kind"]) == (2, "SecondFactorRequiredError")
    typed = [PASSWORD, lambda screen: pyotp.TOTP(read_key(screen)).now()]
    assert veil("users", "second-factor", "rita", "--as", "rita", typed=typed)[0] == 0
    assert access.read_people(staffed).get_account("rita").second_factor is not None


def test_an_unknown_role_is_named(veil, capsys):
    with pytest.raises(SystemExit) as ended:
        veil("users", "policy", "--second-factor", "boss", typed=[])
    assert ended.value.code == 2
    assert "'boss'" in capsys.readouterr().err


def test_the_picture_on_the_terminal_is_one():
    assert len(build_terminal_code("otpauth://totp/Veil:anna?secret=JBSWY3DP&issuer=Veil").splitlines()) > 10
