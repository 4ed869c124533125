"""Documents that a disk, an editor or an attacker has spoiled end in one sentence, whatever document and way."""

import random
import re
from contextlib import suppress

import pytest

from engine import access, audit, release, runs
from engine.certificate.issue import check_certificate
from engine.cli import main
from engine.core.json_decoder import decode_json
from engine.errors import VeilError
from engine.record import Record
from tests.engine.release import signable_runs

DEEP = b'{"a":' * 100_000
CORPUS = {
    "no UTF-8": lambda data: data[:20] + b"\xff" + data[21:],
    "half a character": lambda data: data[:-3] + b"\xc3",
    "a lone surrogate": lambda data: data.replace(b'":"', b'":"\\ud800', 1),
    "a NUL": lambda data: data.replace(b'":"', b'":"\0', 1),
    "deep objects": lambda _: DEEP,
    "deep lists": lambda _: b"[" * 100_000,
    "a key twice": lambda data: data.replace(b"{", b'{"schema":"x","schema":"y",', 1),
    "every key twice": lambda data: data.replace(b"{", data.strip().splitlines()[0][:-1] + b",", 1),
    "a huge number": lambda data: _replace_number(data, b"1e400"),
    "a number of many digits": lambda data: _replace_number(data, b"9" * 5000),
    "a number beyond 64 bits": lambda data: _replace_number(data, b"-" + b"9" * 30),
    "not a number": lambda data: _replace_number(data, b"NaN"),
    "a byte order mark": lambda data: b"\xef\xbb\xbf" + data,
    "UTF-16": lambda data: data.decode().encode("utf-16"),
    "nothing": lambda _: b"",
    "null": lambda _: b"null",
    "a list": lambda _: b"[]",
    "cut": lambda data: data[: len(data) // 2],
    "only newlines": lambda _: b"\n\n\n",
    "the year 0": lambda data: data.replace(b"20", b"00"),
}
"""What once ended a reader with a traceback, and what is like it."""


def _replace_number(data, number):
    """Replace the first number after a colon."""
    return re.sub(rb":[0-9.]+", b":" + number, data, count=1)


@pytest.fixture(scope="module")
def documents(made, tmp_path_factory):
    """A data folder with a release, its documents, and a browser session."""
    data = signable_runs.copied(made["released"], tmp_path_factory.mktemp("documents") / "data")
    signable_runs.amend(data)
    access.set_policy(
        data, access.read_people(data).get_account("ada").to_person("account"), access.Policy(persons="two")
    )
    paths = (path for path in sorted(data.root.rglob("*.json*")) if path.is_file())
    # One of each kind; the three signatures are alike.
    return data, list({path.name.lstrip("0123456789"): path for path in paths}.values())


def read_everything(data):
    """Read a data folder as the workbench, the sign-off and a recipient do; each may refuse with a sentence."""
    folder = next(data.runs.iterdir()) / "releases" / "01"
    for read in (
        lambda: audit.verify(data.audit),
        lambda: list(audit.read_entries(data.audit)),
        lambda: check_certificate(folder, log_folder=data.audit),
        lambda: (access.read_people(data), access.read_policy(data)),
        lambda: runs.read_register(data),
        lambda: release.open_snapshot(data, next(data.runs.iterdir()).name),
    ):
        with suppress(VeilError):
            read()


@pytest.mark.slow
def test_every_document_may_be_spoiled_in_every_way(documents):
    data, paths = documents
    assert len({path.name for path in paths}) >= 8
    chance = random.Random(7)
    for path in paths:
        genuine = path.read_bytes()
        flipped = [chance.randrange(len(genuine)) for _ in range(2)]
        for spoiled in (
            *(spoil(genuine) for spoil in CORPUS.values()),
            *(genuine[:at] + bytes([chance.randrange(256)]) + genuine[at + 1 :] for at in flipped),
        ):
            path.write_bytes(spoiled)
            read_everything(data)
        path.write_bytes(genuine)


@pytest.mark.parametrize("name", ["no UTF-8", "deep objects", "a key twice", "a number of many digits"])
def test_the_verbs_say_a_sentence(documents, tmp_path, capsys, name):
    data, _ = documents
    copy = signable_runs.copied(data, tmp_path / "data")
    path = copy.audit / "log.jsonl"
    path.write_bytes(CORPUS[name](path.read_bytes()))
    assert main(["audit", "verify", "--data", str(copy.root)]) in {2, 3}
    record = signable_runs.the_run(data).folder.record
    spoiled = tmp_path / "record.json"
    spoiled.write_bytes(CORPUS[name](record.read_bytes()))
    assert main(["review", str(spoiled)]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_the_last_resort_is_a_sentence(monkeypatch, tmp_path, capsys):
    record = tmp_path / "record.json"
    record.write_text("{}")

    def fail(*_):
        raise KeyError("x")

    monkeypatch.setattr("engine.cli.review.read_hashed_record", fail)
    assert main(["review", str(record)]) == 1
    assert "fault of Veil" in capsys.readouterr().err


def test_a_key_that_stands_twice_is_named(documents):
    data, _ = documents
    genuine = signable_runs.the_run(data).folder.record.read_bytes()
    assert decode_json(genuine, type=Record)
    with pytest.raises(Exception, match="the key 'schema' twice"):
        decode_json(b'{"schema":"veil/detections/1",' + genuine[1:], type=Record)
