"""What the pages remember of files, and for how long."""

import os

import pytest

from engine import access, audit
from engine.errors import SignOffError
from engine.storage.data_folder import DataFolder
from tests import clips
from tests.workbench.run_makers import make_run
from workbench.core import caches


@pytest.mark.slow
def test_a_source_is_hashed_for_sign_off_only_when_it_has_changed(tmp_path, monkeypatch):
    """Not for every entry of the audit log, which another run may have caused: a source may have many gigabytes."""
    data, hashed = DataFolder(tmp_path), []
    run = make_run(data)
    hash_file = caches.hash_file
    monkeypatch.setattr(caches, "hash_file", lambda path: (hashed.append(path), hash_file(path))[1])
    first = caches.get_sign_off_snapshot(data, run, None)
    actor = access.get_single_user(data).actor
    audit.append(data.audit, audit.Event(actor=actor, kind="view", run="another", details={"live": True, "from": 0}))
    assert caches.get_sign_off_snapshot(data, run, None) is not first
    assert hashed == [run.source]
    # Another file of the same size, with its time set back.
    before = run.source.stat()
    clips.overwritten(run.source, run.source, [(before.st_size - 1, b"x")])
    os.utime(run.source, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(SignOffError, match="source"):
        caches.get_sign_off_snapshot(data, run, None)
    assert hashed == [run.source] * 2
