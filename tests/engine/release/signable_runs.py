"""A run ready to be signed, made of a small clip."""

import shutil
from datetime import UTC, datetime

import msgspec

from engine import access, audit, runs
from engine.access.run_context import RunContext
from engine.approval.amendment_log import RunAmendmentLog
from engine.core.geometry import Box
from engine.core.progress import SilentListener
from engine.record import encode_document, read_record, sha256_hex
from engine.release import SignRequest, release, sign
from engine.release.certify import CERTIFIERS
from engine.review.amendments import Add, Author, Keyframe
from engine.review.review_file import append_amendment
from engine.storage.data_folder import DataFolder
from tests import clips
from tests.people_makers import PASSWORD, person
from tests.record_makers import record_of

FACE = (30, 20, 90, 80)


def run_by(data, account):
    """A finished run of a small clip that this person asked for, on record."""
    data.library.mkdir(parents=True)
    source = clips.video(data.library / "clip.mp4", size=(128, 96), frames=8, audio=[clips.Audio()])
    return run_of(data, account, source, lambda _: [FACE])


def run_of(data, account, source, boxes):
    """A finished run that this person asked for, with these boxes in its record."""
    record = record_of(source, boxes)
    request = runs.RunRequest(source=str(source), account=account, name=account.title(), at=runs.format_utc_now())
    folder = runs.create_run(data, request)
    folder.record.write_bytes(encode_document(record))
    runs.write_state(folder, runs.RunState(stage="done", updated=runs.format_utc_now()))
    subjects = {"source": record.source.sha256, "record": sha256_hex(folder.record.read_bytes())}
    who = audit.Actor(account, account.title(), "account")
    audit.append(data.audit, audit.Event(actor=who, kind="run", run=folder.id, subjects=subjects))
    return runs.load_run(data, folder.id)


def the_run(data):
    (run,) = runs.read_register(data).runs
    return run


def copied(data, folder):
    """A data folder with all that is in another one, its run with the source that is in it."""
    copy = DataFolder(shutil.copytree(data.root, folder))
    run = the_run(copy)
    request = msgspec.structs.replace(run.request, source=str(copy.library / run.source.name))
    run.folder.request.write_bytes(encode_document(request))
    return copy


def amend(data, account="rita"):
    """Add a face, as the review page does."""
    run = the_run(data)
    sha256, box = sha256_hex(run.folder.record.read_bytes()), Box(4, 4, 24, 24)
    action = Add((Keyframe(0, box), Keyframe(5, box)))
    log = RunAmendmentLog(data, run, sha256, RunContext(data, run, person(data, account)))
    author, record = Author(account, account.title()), read_record(run.folder.record)
    append_amendment(run.folder.review, record, sha256, action, author, "missed", log=log)


def session(data, account):
    """A session that began without a password, as hashing one takes long."""
    now = datetime.now(UTC)
    return access.Session(person(data, account), now, now)


def signed(data, account, meaning, *, code=None, **wish):
    """Sign with the right credential, below the policy if need be: these runs were never shown to anybody."""
    if meaning != "rejected":
        wish = {"below_policy": True, "reason": "a test"} | wish
    credential = access.Password(PASSWORD, account, code)
    statement, _ = sign(data, the_run(data).id, session(data, account), credential, SignRequest(meaning, **wish))
    return statement


def published(data, account="anna", *, listener=SilentListener(), release_checks=(), certifiers=CERTIFIERS, **request):
    """Release with the right credential; without models unless `release_checks` are given."""
    return release(
        data,
        the_run(data).id,
        session(data, account),
        access.Password(PASSWORD, account),
        SignRequest("released", **request),
        listener=listener,
        release_checks=release_checks,
        certifiers=certifiers,
    )[0]
