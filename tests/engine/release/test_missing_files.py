"""Evidence that somebody removed is named by the check of the audit log, each file in one sentence."""

import shutil

import pytest

from engine import access, audit, release
from engine.access.run_context import RunContext
from engine.cli import main
from engine.jobs.cases import remove_run
from engine.jobs.requests import log_run_event
from engine.release.anchors import check_audit_log
from engine.release.missing_files import check_evidence
from engine.runs import RunRequest, RunState, create_run, format_utc_now, load_run, write_state
from tests.engine.release import signable_runs
from tests.people_makers import person

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def amended(made, tmp_path_factory):
    """A data folder whose run was amended, signed and released."""
    data = signable_runs.copied(made["ready"], tmp_path_factory.mktemp("amended") / "data")
    signable_runs.amend(data)
    signable_runs.signed(data, "rita", "reviewed")
    signable_runs.signed(data, "anna", "approved", reason="as agreed")
    signable_runs.published(data)
    return data


@pytest.fixture
def case(amended, tmp_path):
    return signable_runs.copied(amended, tmp_path / "data")


def found(data):
    report = check_evidence(data)
    assert report.passed == (not report.findings)
    return [finding.sentence for finding in report.findings]


def test_evidence_that_is_complete_has_no_finding(case):
    assert found(case) == []


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("detections.json", "the detection record"),
        ("review.jsonl", "the review"),
        ("signatures/0002.json", "a signed statement"),
        ("releases/01", "release 1, with its video and certificate,"),
        ("releases/01/detections.json", "the record of a release"),
        ("releases/01/review.jsonl", "the review of a release"),
        ("releases/01/certificate.json", "a certificate"),
        ("releases/01/certificate.html", "the page of a certificate"),
        ("releases/01/anchor.json", "the anchor of the audit log beside a release"),
        ("releases/01/{run}.mp4", "a released video"),
        ("releases/01/{run}.mp4.render.json", "the report of a render"),
        ("releases/01/{run}.mp4.checks.json", "the report of the checks of a release"),
    ],
)
def test_each_removed_file_is_named(case, name, what, capsys):
    run = signable_runs.the_run(case)
    path = run.folder.path / name.format(run=run.id)
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    (sentence,) = found(case)
    assert sentence.startswith(f"runs/{run.id}/{name.format(run=run.id)} is missing: {what} that line ")
    assert main(["audit", "verify", "--data", str(case.root)]) == 3
    assert sentence in capsys.readouterr().out


def test_a_removed_run_is_one_sentence(case):
    run = signable_runs.the_run(case)
    shutil.rmtree(run.folder.path)
    (sentence,) = found(case)
    assert sentence.startswith(f"runs/{run.id} is missing: the folder of a run, with the detection record and the rev")
    # The log itself is as it was written.
    assert check_audit_log(case).passed


def test_removed_accounts_and_policy_are_named(case):
    access.set_policy(case, person(case, "ada"), access.Policy(persons=2))
    for path in (case.people, case.policy):
        path.unlink()
    assert [sentence.split()[0] for sentence in found(case)] == ["access/people.json", "access/policy.json"]


def test_what_is_removed_in_order_is_not_missing(case):
    context = RunContext(case, signable_runs.the_run(case), person(case, "ada"))
    release.purge(context, "the retention period is over")
    request = RunRequest(source="/nowhere.mp4", account="otto", name="Otto", at=format_utc_now())
    folder = create_run(case, request, RunState(stage="failed", updated=format_utc_now()))
    write_state(folder, RunState(stage="failed", updated=format_utc_now()))
    run = load_run(case, folder.id)
    log_run_event(case, run, "failed")
    remove_run(RunContext(case, run, person(case, "otto")))
    assert not folder.path.exists()
    assert found(case) == []


def test_a_crash_is_no_removal(case):
    run = signable_runs.the_run(case)
    # Between the log and the review, and between the log and the name of the release.
    run.folder.review.rename(run.folder.pending_amendment)
    (run.folder.releases / "01").rename(run.folder.releases / ".01")
    assert found(case) == []


def test_a_log_that_was_changed_still_has_its_own_findings(case):
    log = audit.log.log_path(case.audit)
    log.write_bytes(log.read_bytes().replace(b'"kind"', b'"kond"', 1))
    assert any("was changed" in sentence for sentence in found(case))
