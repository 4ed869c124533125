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


def test_a_single_user_signs_releases_and_purges(own_data, tmp_path, veil):
    data = DataFolder(tmp_path / "data")
    data.root.mkdir()
    data.models.symlink_to(own_data / "models")
    run, at = signable_runs.run_by(data, access.get_single_user(data).account).id, ("--data", data.root)
    code, result = veil("release", run, *at)
    assert (code, result["kind"]) == (3, "SignOffError")
    review, below = ("sign", run, "--meaning", "reviewed"), ("--below-policy", "--reason", "as agreed")
    code, result = veil(*review, *at)
    assert (code, result["kind"]) == (3, "SignOffError")
    assert veil(*review, *below, *at)[1]["below_policy"] == ["0 of 8 frames viewed (policy: at least 25 %)"]
    assert veil("sign", run, "--meaning", "approved", "--style", "broadcast", *below, *at)[0] == 0
    shown = veil("sign", run, *at)[1]
    assert [statement["meaning"] for statement in shown["signatures"]] == ["reviewed", "approved"]
    assert shown["not_released"] is None
    code, made = veil("release", run, *at)
    assert code == 0
    assert made["statements"][1]["terms"]["style"]["method"] == "pixelate"
    assert veil("audit", "verify", "--anchor", data.runs / run / "releases/01/anchor.json", *at)[1]["anchors"] == 5
    exported = veil("audit", "export", "--run", run, "--since", "2020-01-01", *at)[1]
    assert exported["entries"][-1]["kind"] == "certificate"
    assert exported["check"]["passed"]
    assert veil("purge", run, "--reason", "retention", *at)[1]["removed"] == ["footage/clip.mp4"]


def test_signed_audio_options_stay_until_others_are_given(tmp_path, veil):
    data = DataFolder(tmp_path / "data")
    run, at = signable_runs.run_by(data, access.get_single_user(data).account).id, ("--data", data.root)
    veil("users", "policy", "--items-decided", "0", "--frames-viewed", "0", "--approver-frames", "0", *at)
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


def test_the_policy_is_shown_and_set(tmp_path, veil):
    at = ("--data", tmp_path)
    assert veil("users", "policy", *at)[1]["min_items_percent"] == 100
    changed = veil("users", "policy", "--frames-viewed", "80", "--random-sample", "yes", *at)[1]
    assert (changed["min_frames_percent"], changed["random_sample"], changed["persons"]) == (80, True, "one")
    assert veil("users", "policy", *at)[1] == changed
    assert veil("users", "policy", "--risk-viewed", "101", *at)[0] == 2


def test_a_changed_log_exits_with_3_and_names_the_line(tmp_path, veil):
    data = DataFolder(tmp_path / "data")
    signable_runs.run_by(data, access.get_single_user(data).account)
    log = data.audit / "log.jsonl"
    log.write_bytes(log.read_bytes().replace(b'"run"', b'"pun"', 1))
    code, report = veil("audit", "verify", "--data", data.root)
    assert code == 3
    assert report["findings"][0]["line"] == 1


@pytest.mark.slow
def test_accounts_are_created_with_passwords_from_standard_input(tmp_path):
    at = ("--data", tmp_path)
    code, text, errors = shell(
        "users", "add", "ada", "--name", "Ada Adams", "--role", "administrator", *at, typed=f"{PASSWORD}\n"
    )
    assert code == 0
    assert "a command needs --as ada" in errors, "the next command is refused without"
    assert text == "Ada Adams has the account ada: administrator\n"
    rita = ("users", "add", "rita", "--name", "Rita Rees", "--role", "reviewer", "--role", "operator")
    code, _, errors = shell(*rita, *at, typed=f"{PASSWORD}\n")
    assert code == 2
    assert "--as ACCOUNT" in errors
    code, _, errors = shell(*rita, "--as", "ada", *at, typed=f"{PASSWORD}\nanother good one\n")
    assert (code, errors) == (0, "")
    code, text, _ = shell("users", "list", "--json", *at)
    assert [account["account"] for account in json.loads(text)] == ["ada", "rita"]
    assert "argon2" not in text
    code, _, errors = shell("users", "policy", "--persons", "one", "--as", "rita", *at, typed="another good one\n")
    assert code == 2
    assert "Rita Rees may not change the policy" in errors


def test_without_accounts_the_workbench_listens_on_this_machine_only(tmp_path):
    code, _, errors = shell("workbench", "--address", "0.0.0.0", "--data", tmp_path)  # noqa: S104
    assert code == 2
    assert "listens on this machine alone, not on 0.0.0.0. Add accounts" in errors


def test_a_run_needs_the_permission_to_detect(own_data, tmp_path):
    data = staff(tmp_path)
    data.models.symlink_to(own_data / "models")
    clip = clips.video(tmp_path / "clip.mp4", size=(128, 96), frames=4)
    detect = ("run", clip, "--detectors", "yolov8-face", "--json", "--data", tmp_path)
    code, _, errors = shell(*detect)
    assert code == 2
    assert "--as ACCOUNT" in errors
    code, _, errors = shell(*detect, "--as", "rita", typed=f"{PASSWORD}\n")
    assert code == 2
    assert "Rita may not start a detection" in errors
    code, text, _ = shell(*detect, "--as", "otto", typed=f"{PASSWORD}\n")
    assert code == 0
    (run,) = runs.read_register(data).runs
    assert (json.loads(text)["run"], run.request.account, run.status) == (run.id, "otto", "done")


@pytest.mark.slow
def test_no_verb_takes_a_password_as_an_argument():
    code, _, errors = shell("users", "passwd", "ada", "--password", PASSWORD)
    assert code == 2
    assert "unrecognized arguments" in errors


def test_the_sample_check_of_a_run_is_stored(tmp_path, capsys):
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
