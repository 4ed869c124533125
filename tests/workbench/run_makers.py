"""Runs made without a detector, for pages that show them."""

import msgspec

from engine.jobs.requests import log_run_event
from engine.record import encode_document, read_record
from engine.runs import RunRequest, RunState, create_run, format_utc_now, load_run
from engine.storage.data_folder import DataFolder
from tests import clips
from tests.record_makers import record_of

BOX = (20.0, 20.0, 70.0, 60.0)


def make_run(data: DataFolder, source=None, boxes=None, **state):
    """A run of a clip whose record has one face in each frame but the last third, unless `boxes` says otherwise."""
    data.library.mkdir(parents=True, exist_ok=True)
    source = source or clips.b_frames(data.library / "clip.mp4")
    record = record_of(source, boxes or (lambda index: [BOX] if index < 20 else []))
    return finish_run(data, source, record, **state)


def finish_run(data: DataFolder, source, record, **state):
    """A run that came to this record."""
    request = RunRequest(source=str(source), account="ana", name="Ana Bell", at=format_utc_now())
    folder = create_run(data, request, RunState(**({"stage": "done", "updated": format_utc_now()} | state)))
    folder.record.write_bytes(encode_document(record))
    log_run_event(data, load_run(data, folder.id), "done", record=record)
    return load_run(data, folder.id)


def remove_record(run):
    """The run before anything was found."""
    run.folder.record.unlink()
    return run


def set_unknown_version(run):
    """The run with a record that this version does not know."""
    record, told = read_record(run.folder.record), msgspec.json.decode(run.folder.record.read_bytes())
    run.folder.record.write_bytes(msgspec.json.encode(told | {"schema": "veil/detections/9"}))
    log_run_event(DataFolder(run.folder.path.parent.parent), run, "done", record=record)
    return run
