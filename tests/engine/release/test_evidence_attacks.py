"""Facts come from the entries that made them: forged records, amendments, reports and commands are named."""

import io
import json

import msgspec
import pytest

from engine import audit
from engine.access.run_context import RunContext
from engine.approval.amendment_log import RunAmendmentLog
from engine.approval.reviewer_actions import ReviewerActions
from engine.certificate.command_check import check_commands
from engine.certificate.html import build_certificate_html
from engine.certificate.issue import check_certificate, read_certificate
from engine.certificate.shell_commands import ShellCommand
from engine.cli import main
from engine.errors import AccessError, CheckFailedError, RecordError, SignOffError
from engine.record import encode_document, read_record, sha256_hex
from engine.release.leak_judgements import leak_report_path, read_leak_report
from engine.release.recovery import checks_path
from engine.rendering.report import report_path
from engine.review.amendments import Author, Cover, Delete
from engine.review.review_file import append_amendment, read_review
from tests.engine.assurance.leak_check.test_report import report as leak_report
from tests.engine.release import signable_runs
from tests.people_makers import PASSWORD, person


def actions_of(data, account="rita"):
    run = signable_runs.the_run(data)
    context = RunContext(data, run, person(data, account))
    return ReviewerActions(context, sha256_hex(run.folder.record.read_bytes()))


def forge(data, action=Delete(0, 0, 8), account="rita", reason="a poster"):
    """Write an amendment in somebody's name into the file, past the log."""
    run = signable_runs.the_run(data)
    record, sha256 = read_record(run.folder.record), sha256_hex(run.folder.record.read_bytes())
    return append_amendment(run.folder.review, record, sha256, action, Author(account, account.title()), reason)


def rewrite(data, number, **changes):
    """Replace a line of the review by another one, and bind the lines after it anew."""
    path = signable_runs.the_run(data).folder.review
    lines = path.read_bytes().splitlines()
    changed = json.loads(lines[number - 1]) | changes
    lines[number - 1] = msgspec.json.encode(changed, order="sorted")
    for place in range(number, len(lines)):
        bound = json.loads(lines[place]) | {"previous": sha256_hex(lines[place - 1])}
        lines[place] = msgspec.json.encode(bound, order="sorted")
    path.write_bytes(b"".join(line + b"\n" for line in lines))


def refused(data, sentence, account="rita"):
    with pytest.raises(SignOffError, match=sentence):
        signable_runs.signed(data, account, "reviewed")


def swap_record(data):
    run = signable_runs.the_run(data)
    record = read_record(run.folder.record)
    empty = tuple(msgspec.structs.replace(frame, faces=()) for frame in record.frames)
    run.folder.record.write_bytes(encode_document(msgspec.structs.replace(record, frames=empty)))


@pytest.mark.slow
def test_a_record_swapped_before_the_review_is_not_laundered_by_an_amendment(ready):
    swap_record(ready)
    with pytest.raises(SignOffError, match=r"detection record of clip\.mp4 was changed.*Nothing was amended"):
        actions_of(ready).amend(read_record(signable_runs.the_run(ready).folder.record), Cover(0, 1))
    assert not signable_runs.the_run(ready).folder.review.exists()
    signable_runs.amend(ready)
    refused(ready, "^The detection record was changed")


def test_a_record_that_no_detection_wrote_is_not_signed(ready):
    run = signable_runs.the_run(ready)
    run.folder.path.rename(run.folder.path.with_name("20260101-000000-copy-0000"))
    refused(ready, "no detection that wrote this record")


def test_an_amendment_in_another_name_past_the_log_is_not_accepted(ready):
    forge(ready)
    refused(ready, "^Amendment 1 in the name of Rita is not in the audit log")


def test_a_real_amendment_does_not_put_a_forged_one_on_record(ready):
    forge(ready)
    signable_runs.amend(ready)
    refused(ready, "^Amendment 1 in the name of Rita is not in the audit log")


def test_a_repair_does_not_put_a_forged_one_on_record(ready):
    forge(ready)
    actions_of(ready).repair()
    refused(ready, "^Amendment 1 in the name of Rita is not in the audit log")


@pytest.mark.parametrize("change", [{"reason": "other"}, {"by": {"account": "paul", "name": "Paul"}}])
def test_a_logged_amendment_that_was_replaced_is_named_also_after_the_next_one(ready, change):
    signable_runs.amend(ready)
    rewrite(ready, 1, **change)
    signable_runs.amend(ready)
    refused(ready, "^Amendment 1 was changed after rita logged it")


def test_an_amendment_taken_away_is_missed_also_after_a_repair(ready):
    signable_runs.amend(ready)
    path = signable_runs.the_run(ready).folder.review
    path.write_bytes(b"")
    actions_of(ready).repair()
    refused(ready, "^Amendment 1 is missing")


def test_an_amendment_that_another_account_logged_is_named(ready):
    """As an earlier version logged it, without the hash of the line."""
    forge(ready, account="paul")
    run = signable_runs.the_run(ready)
    subjects = {"review": sha256_hex(run.folder.review.read_bytes())}
    who = audit.Actor("rita", "Rita", "account")
    event = audit.Event(actor=who, kind="amendment", run=run.id, subjects=subjects, details={"amendment": 1})
    audit.append(ready.audit, event)
    refused(ready, "Paul was tampered with: the audit log says that rita wrote it")


def test_amendments_of_earlier_versions_still_count(ready):
    forge(ready)
    run = signable_runs.the_run(ready)
    subjects = {"review": sha256_hex(run.folder.review.read_bytes())}
    who = audit.Actor("rita", "Rita", "account")
    event = audit.Event(actor=who, kind="amendment", run=run.id, subjects=subjects, details={"amendment": 1})
    audit.append(ready.audit, event)
    assert signable_runs.signed(ready, "rita", "reviewed").number == 1


def test_whoever_takes_over_an_unlogged_amendment_answers_for_it(ready):
    forge(ready, account="otto")
    with pytest.raises(AccessError, match="amend"):
        actions_of(ready, "anna").adopt()
    assert [one.number for one in actions_of(ready).adopt()] == [1]
    assert actions_of(ready).adopt() == ()
    signable_runs.signed(ready, "rita", "reviewed")
    entry = next(audit.read_entries(ready.audit, kinds=["amendment"]))
    assert (entry.actor.account, entry.details["action"], entry.details["author"]) == ("rita", "adopt", "otto")


def test_taking_over_does_not_launder_what_was_changed(ready):
    signable_runs.amend(ready)
    rewrite(ready, 1, reason="other")
    forge(ready)
    actions_of(ready).adopt()
    refused(ready, "^Amendment 1 was changed after rita logged it")


def test_a_crash_between_log_and_line_is_recovered_by_its_own_author(ready):
    run = signable_runs.the_run(ready)

    class Killed(RunAmendmentLog):
        def log(self, prepared):
            super().log(prepared)
            raise KeyboardInterrupt

    actions = actions_of(ready)
    log = Killed(ready, run, actions.record_sha256, actions.context)
    with pytest.raises(KeyboardInterrupt):
        append_amendment(
            run.folder.review,
            read_record(run.folder.record),
            actions.record_sha256,
            Cover(2, 3),
            Author("rita", "Rita"),
            log=log,
        )
    assert read_review(run.folder.review, actions.record_sha256).amendments == ()
    signable_runs.signed(ready, "rita", "reviewed")
    (recovered,) = read_review(run.folder.review, actions.record_sha256).amendments
    assert recovered.action == Cover(2, 3)
    (repair,) = audit.read_entries(ready.audit, kinds=["repair"])
    assert (repair.details["action"], repair.details["amendment"]) == ("recovered", 1)
    assert not run.folder.pending_amendment.exists()


def test_a_forged_pending_amendment_is_not_recovered(ready):
    run = signable_runs.the_run(ready)
    forge(ready)
    run.folder.review.rename(run.folder.pending_amendment)
    signable_runs.signed(ready, "rita", "reviewed")
    assert read_review(run.folder.review, sha256_hex(run.folder.record.read_bytes())).amendments == ()


@pytest.mark.slow
def test_the_verb_amends_a_run_only_in_the_name_of_who_signs_in(ready, monkeypatch, capsys):
    run = signable_runs.the_run(ready)
    words = ["amend", str(run.folder.record), str(run.folder.review), "cover", "0-2", "--data", str(ready.root)]
    assert main([*words, "--by", "Rita Rev", "--account", "rita"]) == 2
    assert "in the name of the account that makes them" in capsys.readouterr().err
    assert not run.folder.review.exists()
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n" * 2))
    assert main([*words, "--as", "anna"]) == 2
    assert main([*words, "--as", "rita"]) == 0
    assert signable_runs.signed(ready, "rita", "reviewed").number == 1
    refused(ready, "rita has already signed")


def test_a_clean_leak_report_of_another_output_is_refused_before_the_release(ready):
    run, clean = signable_runs.the_run(ready), encode_document(leak_report(output="cd" * 32))
    context = RunContext(ready, run, person(ready, "paul"))
    context.log_event("verification", {"output": "cd" * 32, "leaks": sha256_hex(clean)})
    run.folder.leak_reports.mkdir()
    leak_report_path(run, "ab" * 32).write_bytes(clean)
    with pytest.raises(SignOffError, match="was tampered with: the audit log knows another report"):
        read_leak_report(ready, run, "ab" * 32)
    leak_report_path(run, "ab" * 32).unlink()
    assert read_leak_report(ready, run, "ab" * 32) is None


@pytest.mark.slow
@pytest.mark.parametrize("document", ["checks", "record", "report"])
def test_a_document_changed_in_an_interrupted_release_is_made_anew(approved, document):
    def fails(_):
        raise CheckFailedError("no room for a certificate")

    with pytest.raises(CheckFailedError, match="no room"):
        signable_runs.published(approved, certifiers=[fails])
    folder = signable_runs.the_run(approved).folder.releases / ".01"
    (video,) = folder.glob("*.mp4")
    paths = {"record": folder / "detections.json", "report": report_path(video)}
    path = paths.get(document, checks_path(video))
    genuine = path.read_bytes()
    path.write_bytes(genuine.replace(b"0", b"1"))
    made = signable_runs.published(approved)
    (refusal,) = audit.read_entries(approved.audit, kinds=["refusal"])
    assert f"{path} was tampered with" in refusal.reason
    published = signable_runs.the_run(approved).folder.releases / f"{made.number:02}" / path.name
    assert published.read_bytes() == genuine


EXECUTED = ShellCommand("the video is the released one, byte for byte", "touch EXECUTED")


def reissue(folder, **changes):
    """Forge a certificate as somebody would who can write every file of a release, its page included."""
    made = msgspec.structs.replace(read_certificate(folder), **changes)
    data = encode_document(made)
    (folder / "certificate.json").write_bytes(data)
    (folder / "certificate.html").write_text(build_certificate_html(made, sha256_hex(data), is_signed=False))
    return {check.name: check.finding for check in check_certificate(folder).checks if not check.passed}


@pytest.mark.parametrize("place", ["first", "further", "source", "shows", "missing"])
def test_a_certificate_with_a_command_of_an_attacker_does_not_pass(released, place):
    folder = signable_runs.the_run(released).folder.releases / "01"
    made = read_certificate(folder)
    own, source = made.commands, made.source_commands
    changes = {
        "first": {"commands": (EXECUTED, *own[1:])},
        "further": {"commands": (*own, EXECUTED)},
        "source": {"source_commands": (*source, EXECUTED)},
        "shows": {"commands": (ShellCommand(own[1].shows, own[0].command), *own[1:])},
        "missing": {"commands": own[:-1]},
    }
    findings = reissue(folder, **changes[place])
    assert set(findings) == {"commands"}
    assert "that Veil did not write" in findings["commands"]


def test_a_command_in_a_fact_or_a_name_stays_a_word(released):
    folder = signable_runs.the_run(released).folder.releases / "01"
    made = read_certificate(folder)
    facts = msgspec.json.decode(encode_document(made))
    facts["output"]["facts"]["pictures"] = "$(touch EXECUTED)"
    (folder / "certificate.json").write_bytes(msgspec.json.encode(facts))
    with pytest.raises(RecordError, match="pictures"):
        check_certificate(folder)
    source = ShellCommand(made.source_commands[0].shows, "printf x x '$(touch EXECUTED)' | sha256sum")
    assert not check_commands(msgspec.structs.replace(made, source_commands=(source,)), folder).passed


def test_a_certificate_names_no_file_outside_of_its_folder(released):
    folder = signable_runs.the_run(released).folder.releases / "01"
    made = read_certificate(folder)
    findings = reissue(folder, documents={**made.documents, "../../request.json": "ab" * 32})
    assert "outside of its folder" in findings["names"]
