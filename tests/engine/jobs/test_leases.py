"""Leases, in SQLite and in PostgreSQL: one holder for each run, however many processes ask at once."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from engine.core.machine import find_host_name, process_start_ticks
from engine.errors import InputError, TargetError
from engine.jobs import leases
from engine.jobs.leases import DATABASE_VARIABLE, Holder, open_lease_table
from engine.storage.data_folder import DataFolder

pytestmark = pytest.mark.slow

_BINARIES = [Path(found).resolve().parent for name in ("initdb", "pg_ctl") if (found := shutil.which(name))]
_BINARIES += sorted(Path("/usr/lib/postgresql").glob("*/bin"))
_CLAIMS = """
import sys
from pathlib import Path
from engine.jobs.leases import Holder, open_lease_table
from engine.storage.data_folder import DataFolder
def choose(leases):
    taken = {lease.run for lease in leases if lease.is_live}
    return next(((run, "ana") for run in sorted(map(str, range(20))) if run not in taken), None)
with open_lease_table(DataFolder(Path(sys.argv[1]))) as table:
    while claimed := table.claim(Holder.this_process(), choose):
        print(claimed[0])
    print("idle", flush=True)
    sys.stdin.read()
"""


def call_as_owner(command):
    """Run a command as the owner of the server, which refuses to run as root, and return what it prints."""
    owner = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.getuid() == 0 else []
    return subprocess.run([*owner, *command], check=True, capture_output=True, text=True, cwd="/").stdout


@pytest.fixture(scope="module")
def postgresql():
    """Address of a database of a server that lives as long as the tests of this file."""
    binaries = next((folder for folder in _BINARIES if (folder / "initdb").exists()), None)
    if binaries is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    # A socket's path must be short, and its folder open to the server's user.
    folder = Path(call_as_owner(["mktemp", "-d"]).strip())
    call_as_owner([binaries / "initdb", "-D", folder / "db", "-U", "veil", "-A", "trust", "--no-sync"])
    options = f"-k {folder} -c listen_addresses= -c fsync=off"
    pg_ctl = [binaries / "pg_ctl", "-D", folder / "db", "-w", "-l", folder / "log"]
    call_as_owner([*pg_ctl, "-o", options, "start"])
    yield f"postgresql://veil@/postgres?host={folder}"
    call_as_owner([*pg_ctl, "-m", "immediate", "stop"])
    call_as_owner(["rm", "-rf", folder])


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request, tmp_path, monkeypatch):
    """A data folder whose leases are in one of the databases, without any lease."""
    data = DataFolder(tmp_path)
    if request.param == "postgresql":
        monkeypatch.setenv(DATABASE_VARIABLE, request.getfixturevalue("postgresql"))
    yield data
    with open_lease_table(data) as table:
        for lease in table.list_leases():
            table.release(lease.run, lease.holder.host)


@pytest.fixture
def table(place):
    with open_lease_table(place) as opened:
        yield opened


def take(run, account="ana"):
    return lambda _leases: (run, account)


def test_a_lease_is_seen_renewed_handed_over_and_released(table):
    this = Holder.this_process()
    other = replace_pid(this, os.getppid())
    assert table.claim(this, take("a")) == ("a", "ana")
    (lease,) = table.list_leases()
    assert (lease.run, lease.account, lease.holder, lease.attempt, lease.is_live) == ("a", "ana", this, 1, True)
    assert table.renew("a", this)
    assert table.hand_over("a", this, other)
    assert not table.renew("a", this)
    table.release("a", "another machine")
    assert len(table.list_leases()) == 1
    table.release("a", find_host_name())
    assert table.list_leases() == []


def replace_pid(holder, pid):
    return Holder(holder.host, pid, process_start_ticks(pid) or 0)


def test_the_lease_of_a_dead_process_is_over_at_once_and_that_of_another_machine_later(table, monkeypatch):
    gone = Holder(find_host_name(), os.getpid(), 1)
    far = Holder("another machine", os.getpid(), 1)
    table.claim(gone, take("gone"))
    table.claim(far, take("far"))
    monkeypatch.setattr(leases, "LEASE_S", -1.0)
    table.claim(far, take("late"))
    assert {lease.run: lease.is_live for lease in table.list_leases()} == {"gone": False, "far": True, "late": False}
    for run in ("far", "late"):
        table.release(run, "another machine")


def test_a_run_that_is_taken_up_again_counts_its_attempts(table):
    gone = Holder(find_host_name(), os.getpid(), 1)
    for _ in range(3):
        table.claim(gone, take("a"))
    assert [lease.attempt for lease in table.list_leases()] == [3]


def test_no_run_is_taken_twice_by_processes_that_ask_at_once(place):
    command = [sys.executable, "-c", _CLAIMS, place.root]
    processes = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    # All of them live until the last has taken what it could, as the lease of a dead process is over.
    try:
        taken = [line for process in processes for line in iter(process.stdout.readline, "idle\n")]
    finally:
        for process in processes:
            process.communicate()
    assert sorted(taken) == sorted(f"{run}\n" for run in range(20))


@pytest.mark.parametrize("address", ["mysql://root:secret@host/db", "nonsense", "postgresql://ana:secret@:x/db"])
def test_a_wrong_address_is_a_sentence_without_its_password(tmp_path, monkeypatch, address):
    monkeypatch.setenv(DATABASE_VARIABLE, address)
    with pytest.raises(InputError, match=DATABASE_VARIABLE) as caught, open_lease_table(DataFolder(tmp_path)):
        pass
    assert "secret" not in str(caught.value)


def test_a_server_that_does_not_answer_is_a_sentence_without_its_password(tmp_path, monkeypatch):
    monkeypatch.setenv(DATABASE_VARIABLE, "postgresql://ana:secret@127.0.0.1:1/db")
    with pytest.raises(TargetError, match="database of the queue") as caught, open_lease_table(DataFolder(tmp_path)):
        pass
    assert "secret" not in str(caught.value)


def test_a_file_that_is_no_database_is_a_sentence(tmp_path):
    data = DataFolder(tmp_path)
    data.runs.mkdir()
    data.queue_database.write_bytes(b"something else, at least a hundred bytes long" * 4)
    with pytest.raises(TargetError, match="database of the queue"), open_lease_table(data):
        pass
