import json
import os
import subprocess
import sys

import pytest

from engine import access, runs
from engine.cli import main
from engine.storage.data_folder import DataFolder
from tests import clips
from tests.engine.release import signable_runs
from tests.people_makers import PASSWORD, staff


def shell(*arguments, typed=""):
    """Run the command line in a process of its own, with lines on standard input."""
    done = subprocess.run(
        [sys.executable, "-m", "engine.cli", *map(str, arguments)],
        input=typed, capture_output=True, text=True, check=False, env=os.environ,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def veil(capsys):
    """Run the command line in this process: exit code, and what it said as JSON."""

    def run(*arguments):
        code = main([*map(str, arguments), "--json"])
        return code, json.loads(capsys.readouterr().out)

    return run


def test_a_single_user_signs_releases_and_purges(own_data, tmp_path, veil):
    data = DataFolder(tmp_path / "data")
    data.root.mkdir()
    data.models.symlink_to(own_data / "models")
    run, at = signable_runs.run_by(data, access.get_single_user(data).account).id, ("--data", data.root)
    code, said = veil("release", run, *at)
    assert (code, said["kind"]) == (3, "SignOffError")
    assert veil("sign", run, "--meaning", "reviewed", *at)[0] == 0
    assert veil("sign", run, "--meaning", "approved", "--style", "broadcast", "--reason", "as agreed", *at)[0] == 0
    shown = veil("sign", run, *at)[1]
    assert [one["meaning"] for one in shown["signatures"]] == ["reviewed", "approved"]
    assert shown["not_released"] is None
    code, made = veil("release", run, *at)
    assert code == 0
    assert made["statements"][1]["terms"]["style"]["method"] == "pixelate"
    assert veil("audit", "verify", "--anchor", data.runs / run / "releases/01/anchor.json", *at)[1]["anchors"] == 5
    exported = veil("audit", "export", "--run", run, "--since", "2020-01-01", *at)[1]
    assert exported["entries"][-1]["kind"] == "certificate"
    assert exported["check"]["passed"]
    assert veil("purge", run, "--reason", "retention", *at)[1]["removed"] == ["footage/clip.mp4"]


def test_what_was_signed_of_the_audio_stays_until_another_decision_is_named(tmp_path, veil):
    data = DataFolder(tmp_path / "data")
    run, at = signable_runs.run_by(data, access.get_single_user(data).account).id, ("--data", data.root)
    approve = ("sign", run, "--meaning", "approved", *at)
    veil("sign", run, "--meaning", "reviewed", *at)
    span = {"kind": "bleep", "start": 0.1, "end": 0.2, "reason": "a name"}
    bleep = ("--bleep", "0.1-0.2", "--audio-reason", "a name")
    assert veil(*approve, "--style", "broadcast", *bleep)[1]["terms"]["audio"] == [span]
    again = veil(*approve, "--style", "editorial")[1]["terms"]
    assert (again["audio"], again["style"]["feather"]) == ([span], 0.3)
    kept = veil(*approve, "--keep-audio")[1]["terms"]
    assert ("audio" in kept, kept["style"]) == (False, again["style"])
    assert veil(*approve, *bleep, "--keep-audio")[0] == 2


def test_a_changed_log_exits_with_3_and_names_the_line(tmp_path, veil):
    data = DataFolder(tmp_path / "data")
    signable_runs.run_by(data, access.get_single_user(data).account)
    log = data.audit / "log.jsonl"
    log.write_bytes(log.read_bytes().replace(b'"run"', b'"pun"', 1))
    code, report = veil("audit", "verify", "--data", data.root)
    assert code == 3
    assert report["findings"][0]["line"] == 1


def test_accounts_are_made_with_passwords_from_standard_input(tmp_path):
    at = ("--data", tmp_path)
    code, said, noise = shell(
        "users", "add", "ada", "--name", "Ada Adams", "--role", "administrator", *at, typed=f"{PASSWORD}\n"
    )
    assert (code, noise) == (0, "")
    assert said == "Ada Adams has the account ada: administrator\n"
    rita = ("users", "add", "rita", "--name", "Rita Rees", "--role", "reviewer", "--role", "operator")
    code, _, noise = shell(*rita, *at, typed=f"{PASSWORD}\n")
    assert code == 2
    assert "--as ACCOUNT" in noise
    assert shell(*rita, "--as", "ada", *at, typed=f"{PASSWORD}\nanother good one\n")[0] == 0
    code, said, _ = shell("users", "list", "--json", *at)
    assert [one["account"] for one in json.loads(said)] == ["ada", "rita"]
    assert "argon2" not in said
    code, _, noise = shell("users", "policy", "--persons", "one", "--as", "rita", *at, typed="another good one\n")
    assert code == 2
    assert "Rita Rees may not change the policy" in noise


def test_the_workbench_is_not_shown_to_other_machines_without_accounts(tmp_path):
    code, _, noise = shell("workbench", "--address", "0.0.0.0", "--data", tmp_path)  # noqa: S104
    assert code == 2
    assert "listens on this machine alone, not on 0.0.0.0; make accounts" in noise


def test_a_run_is_made_by_somebody_who_may(own_data, tmp_path):
    data = staff(tmp_path)
    data.models.symlink_to(own_data / "models")
    clip = clips.video(tmp_path / "clip.mp4", size=(128, 96), frames=4)
    asked = ("run", clip, "--detectors", "mediapipe", "--json", "--data", tmp_path)
    code, _, noise = shell(*asked)
    assert code == 2
    assert "--as ACCOUNT" in noise
    code, _, noise = shell(*asked, "--as", "rita", typed=f"{PASSWORD}\n")
    assert code == 2
    assert "Rita may not start a detection" in noise
    code, said, _ = shell(*asked, "--as", "otto", typed=f"{PASSWORD}\n")
    assert code == 0
    (run,) = runs.read_register(data).runs
    assert (json.loads(said)["run"], run.request.account, run.status) == (run.id, "otto", "done")


def test_no_verb_takes_a_password_as_an_argument():
    code, _, noise = shell("users", "passwd", "ada", "--password", PASSWORD)
    assert code == 2
    assert "unrecognized arguments" in noise


def test_drawn_frames_of_a_run_go_on_record(tmp_path, capsys):
    data = DataFolder(tmp_path / "data")
    run = signable_runs.run_by(data, access.get_single_user(data).account).id
    arguments = ["risk", run, "--draw", "3", "--data", str(data.root)]
    assert main([*arguments, "--json"]) == 0
    drawn = json.loads(capsys.readouterr().out)["drawn"]
    assert main([*arguments, "--missed", str(drawn[0])]) == 0
    assert "1 of 3 frames show a face" in capsys.readouterr().out
    assert main(["risk", run, "--data", str(data.root)]) == 0
    assert "1 of 3 frames show a face" in capsys.readouterr().out, "it is on record"
    assert main([*arguments, "--missed", "x"]) == 2
    assert main(["risk", run, "--audit", "some.json", "--data", str(data.root)]) == 2
    assert "go with SOURCE RECORD" in capsys.readouterr().err
