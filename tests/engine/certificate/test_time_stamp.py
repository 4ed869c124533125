"""A time stamp is of these bytes, by this authority, or it is refused; nobody is asked who was not named."""

import random
import socket
import subprocess

import pytest

from engine.certificate import time_stamp
from engine.certificate.time_stamp import SCHEMA, TimeStampAuthority, check_time_stamp, request_time_stamp
from engine.errors import AccessError, InputError, TimeStampError
from engine.storage.data_folder import DataFolder
from tests.people_makers import ada, person
from tests.time_stamp_stand_in import OPENSSL, Authority, serving

pytestmark = pytest.mark.skipif(OPENSSL is None, reason="openssl is not installed; it makes the time stamps")
CONTENT = b"the bytes of a certificate\n"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority") / "keys")


@pytest.fixture(scope="module")
def stamp(authority):
    with serving(authority) as url:
        return request_time_stamp(CONTENT, named(authority, url))


def named(authority, url):
    return TimeStampAuthority(SCHEMA, url, authority.root.read_text())


def test_a_stamp_is_checked_without_the_authority_and_openssl_agrees(authority, stamp, tmp_path):
    stated = check_time_stamp(CONTENT, stamp, authority.root.read_bytes())
    assert stated.authority == "CN=Stand-in stamps"
    assert stated.at.tzinfo is not None
    (tmp_path / "content").write_bytes(CONTENT)
    (tmp_path / "stamp").write_bytes(stamp)
    command = [OPENSSL, "ts", "-verify", "-data", "content", "-in", "stamp", "-CAfile", str(authority.root)]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)


def test_the_authority_gets_a_hash_and_nothing_else(authority, stamp):
    assert stamp
    assert len(authority.asked[0]) < 120
    assert CONTENT not in authority.asked[0]


def test_a_stamp_of_other_bytes_is_refused(authority, stamp):
    with pytest.raises(TimeStampError, match="not one of this file"):
        check_time_stamp(CONTENT + b"x", stamp, authority.root.read_bytes())
    with pytest.raises(TimeStampError, match="other bytes"):
        time_stamp.read_stated_time(CONTENT + b"x", stamp)


@pytest.mark.slow
def test_a_stamp_of_another_authority_is_refused(stamp, tmp_path):
    other = Authority(tmp_path / "other")
    with pytest.raises(TimeStampError, match="not one of this file by this authority"):
        check_time_stamp(CONTENT, stamp, other.root.read_bytes())
    with serving(other) as url, pytest.raises(TimeStampError):
        request_time_stamp(CONTENT, TimeStampAuthority(SCHEMA, url, Authority(tmp_path / "third").root.read_text()))


@pytest.mark.slow
def test_an_old_answer_to_another_request_is_refused(authority, stamp):
    """It is of the same bytes, but the authority did not state the time of this request."""
    authority.answer = stamp
    try:
        with serving(authority) as url, pytest.raises(TimeStampError, match="Nonce"):
            request_time_stamp(CONTENT, named(authority, url))
    finally:
        authority.answer = None


def test_a_changed_stamp_is_refused_with_a_sentence(authority, stamp):
    numbers = random.Random(3)
    root = authority.root.read_bytes()
    for _ in range(400):
        changed = bytearray(stamp)
        changed[numbers.randrange(len(changed))] ^= 1 << numbers.randrange(8)
        # A bit of what is not signed may change; then the stamp still says the same.
        try:
            stated = check_time_stamp(CONTENT, bytes(changed), root)
        except TimeStampError:
            continue
        assert stated.at == check_time_stamp(CONTENT, stamp, root).at
    for size in range(0, len(stamp), 97):
        with pytest.raises(TimeStampError):
            check_time_stamp(CONTENT, stamp[:size], root)


@pytest.mark.slow
@pytest.mark.parametrize("answer", [b"", b"<html>no</html>", b"\x30\x03\x02\x01\x02", b"x" * 70_000])
def test_an_answer_that_is_no_stamp_is_a_sentence(authority, answer):
    authority.answer = answer
    try:
        with serving(authority) as url, pytest.raises(TimeStampError):
            request_time_stamp(CONTENT, named(authority, url))
    finally:
        authority.answer = None


@pytest.mark.slow
def test_no_redirect_is_followed(authority, tmp_path):
    elsewhere = Authority(tmp_path / "elsewhere")
    with (
        serving(elsewhere) as target,
        serving(authority, status=307, location=target) as url,
        pytest.raises(TimeStampError, match="gave no time stamp"),
    ):
        request_time_stamp(CONTENT, named(authority, url))
    assert elsewhere.asked == []


def test_an_authority_that_is_not_there_is_a_sentence(authority):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        with pytest.raises(TimeStampError, match="gave no time stamp"):
            request_time_stamp(CONTENT, named(authority, url), timeout_s=5)


def test_an_administrator_names_the_authority_and_it_is_on_record(staffed, authority):
    pem = authority.root.read_bytes()
    assert time_stamp.read_authority(staffed) is None
    with pytest.raises(AccessError):
        time_stamp.set_authority(staffed, person(staffed, "rita"), "https://tsa.example", pem)
    for url in ("file:///etc/passwd", "tsa.example", "ftp://tsa.example/", "https://"):
        with pytest.raises(InputError, match="no address"):
            time_stamp.set_authority(staffed, ada(staffed), url, pem)
    for wrong in (b"", b"no certificate", (authority.folder / "signer.pem").read_bytes()):
        with pytest.raises(InputError):
            time_stamp.set_authority(staffed, ada(staffed), "https://tsa.example", wrong)
    time_stamp.set_authority(staffed, ada(staffed), "https://tsa.example/tsr", pem)
    named_one = time_stamp.read_authority(staffed)
    assert named_one is not None and named_one.url == "https://tsa.example/tsr"
    assert "https://tsa.example/tsr" in staffed.audit_log.read_text()
    time_stamp.remove_authority(staffed, ada(staffed))
    assert time_stamp.read_authority(staffed) is None


def test_a_damaged_file_of_the_authority_is_not_taken_for_none(tmp_path):
    data = DataFolder(tmp_path)
    data.access.mkdir()
    data.time_stamp_authority.write_text("{}")
    with pytest.raises(TimeStampError, match="cannot be read"):
        time_stamp.read_authority(data)
