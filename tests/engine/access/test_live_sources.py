"""What Live may open on the server."""

import pytest

from engine import access, audit
from engine.access.live_sources import LiveSource, allow_source, is_restricted, read_live_sources, set_live_source
from engine.errors import AccessError, InputError
from engine.storage.data_folder import DataFolder
from tests.people_makers import ada, person

CAMERA = "rtsp://veil:secret@10.0.0.7/main?token=secret"


@pytest.fixture
def data(staffed, tmp_path):
    """A data folder whose administrator has listed a camera and a folder."""
    incoming = tmp_path / "incoming"
    (incoming / "deep").mkdir(parents=True)
    for name in ("a.mp4", "deep/b.mp4"):
        (incoming / name).touch()
    staffed.library.mkdir()
    (staffed.library / "own.mp4").touch()
    set_live_source(staffed, ada(staffed), "Room 3", CAMERA)
    set_live_source(staffed, ada(staffed), "Incoming", str(incoming))
    return staffed


def allowed(data, source):
    return allow_source(data, person(data, "otto"), source)


@pytest.mark.slow
def test_a_name_stands_for_an_address_whose_password_is_shown_to_nobody(data):
    source = allowed(data, "Room 3")
    assert (source.address, source.title) == (CAMERA, "Room 3")
    assert allowed(data, CAMERA).title == "Room 3"
    assert "secret" not in data.audit_log.read_text()


@pytest.mark.parametrize("name", ["a.mp4", "deep/b.mp4", "deep/../a.mp4"])
def test_files_in_a_listed_folder_and_in_the_library_are_allowed(data, tmp_path, name):
    assert allowed(data, str(tmp_path / "incoming" / name)).title in {"a.mp4", "b.mp4"}
    assert allowed(data, str(data.library / "own.mp4")).title == "own.mp4"
    (data.library / "linked.mp4").symlink_to(tmp_path / "large.mp4")
    assert allowed(data, f"{data.library}/./linked.mp4").address == str(data.library / "linked.mp4")


@pytest.mark.parametrize(
    "source",
    [
        "/etc/passwd",
        "{incoming}/../secret.mp4",
        "{incoming}/link.mp4",
        "{incoming}-not",
        "{library}/../access/people.json",
        "rtsp://10.0.0.7/main",
        "rtsp://10.0.0.8/main",
        "http://169.254.169.254/latest",
        "file:///etc/passwd",
        "file://{incoming}/a.mp4",
        "udp://0.0.0.0:1234",
        "concat:/etc/passwd|/etc/hosts",
        "room 3",
        "a\0b",
        " ",
        "x" * 5000,
    ],
)
def test_everything_else_is_refused_and_on_record_without_what_was_typed(data, tmp_path, source):
    incoming = tmp_path / "incoming"
    (tmp_path / "secret.mp4").touch()
    (incoming / "link.mp4").symlink_to(tmp_path / "secret.mp4")
    source = source.format(incoming=incoming, library=data.library)
    with pytest.raises(AccessError, match="not allowed for Live") as refused:
        allowed(data, source)
    assert "Room 3" in str(refused.value)
    last = list(audit.read_entries(data.audit))[-1]
    assert (last.kind, last.actor.account, last.reason) == ("refusal", "otto", "a source not allowed")


def test_with_accounts_and_without_a_list_only_the_library_is_open(staffed):
    assert is_restricted(staffed)
    with pytest.raises(AccessError):
        allowed(staffed, "/dev/video0")
    staffed.library.mkdir()
    assert allowed(staffed, str(staffed.library / "any.mp4")).title == "any.mp4"


def test_a_single_user_opens_anything_until_there_is_a_list(tmp_path):
    data = DataFolder(tmp_path)
    jane = access.get_single_user(data)
    assert allow_source(data, jane, "rtsp://a:b@camera/1?t=2").title == "rtsp://camera/1"
    set_live_source(data, jane, "Room 3", CAMERA)
    with pytest.raises(AccessError):
        allow_source(data, jane, "rtsp://a:b@camera/1")


def test_only_an_administrator_changes_the_list(data):
    with pytest.raises(AccessError, match="may not change the policy"):
        set_live_source(data, person(data, "otto"), "Mine", "/etc")
    with pytest.raises(InputError, match="no live source"):
        set_live_source(data, ada(data), "Room 9", None)
    for name in ("", " a", "a\nb", "a\u202eb"):
        with pytest.raises(InputError, match="cannot be seen"):
            set_live_source(data, ada(data), name, "/dev/video0")
    set_live_source(data, ada(data), "Room 3", "/dev/video0")
    assert read_live_sources(data)[-1] == LiveSource("Room 3", "/dev/video0")
    assert len(set_live_source(data, ada(data), "Room 3", None)) == 1


def test_a_damaged_list_is_not_taken_for_none(data):
    data.live_sources.write_text("[]")
    with pytest.raises(AccessError, match="cannot be read"):
        allowed(data, "Room 3")
