import pytest

from engine import audit
from engine.audit.entry import encode_entry

ACTOR = audit.Actor("rita", "Rita Rees", "account")


@pytest.fixture
def log(tmp_path):
    """A log of eight lines, and its path."""
    for number in range(8):
        event = audit.Event(actor=ACTOR, kind="amendment", run="r", details={"number": number}, reason="because")
        audit.append(tmp_path, event)
    return tmp_path / "log.jsonl"


def lines(log):
    return log.read_bytes().splitlines(keepends=True)


def findings(log, **anchors):
    report = audit.verify(log.parent, anchors)
    assert report.passed is (not report.findings)
    return [(finding.line, finding.sentence) for finding in report.findings]


def test_an_untouched_log_passes_with_its_anchors(log):
    anchors = {f"certificate {entry.number}": entry.anchor for entry in audit.read_entries(log.parent)}
    report = audit.verify(log.parent, anchors)
    assert (report.passed, report.entries, report.anchors) == (True, 8, 8)
    assert report.head == audit.read_head(log.parent)


@pytest.mark.parametrize("place", range(8))
def test_a_byte_changed_in_any_line_is_named_by_the_line(log, place):
    whole = lines(log)
    for position in range(0, len(whole[place]) - 1, 7):
        changed = bytearray(whole[place])
        changed[position] ^= 1
        log.write_bytes(b"".join([*whole[:place], bytes(changed), *whole[place + 1 :]]))
        found = findings(log)
        assert [line for line, _ in found] == [place + 1]
        assert "was changed" in found[0][1]


def test_a_line_taken_out_is_named(log):
    whole = lines(log)
    log.write_bytes(b"".join(whole[:3] + whole[4:]))
    assert findings(log) == [(4, "Line 4 of the audit log holds entry 5: entry 4 is missing there.")]
    log.write_bytes(b"".join(whole[2:]))
    assert findings(log) == [(1, "Line 1 of the audit log holds entry 3: entries 1 to 2 are missing there.")]


def test_lines_that_changed_places_are_named(log):
    whole = lines(log)
    log.write_bytes(b"".join([*whole[:3], whole[4], whole[3], *whole[5:]]))
    assert [line for line, _ in findings(log)] == [4, 5, 6]
    log.write_bytes(b"".join([*whole[:3], whole[2], *whole[3:]]))
    assert findings(log)[0] == (4, "Line 4 of the audit log holds entry 3, which was moved or repeated.")


def test_a_line_replaced_by_one_with_a_right_hash_is_named(log):
    whole, entries = lines(log), list(audit.read_entries(log.parent))
    other = audit.Event(actor=ACTOR, kind="amendment", reason="something else")
    _, forged = encode_entry(other, entries[2].anchor, entries[3].at)
    log.write_bytes(b"".join([*whole[:3], forged + b"\n", *whole[4:]]))
    assert findings(log) == [
        (5, "Line 5 of the audit log does not follow the line before it: one of the two was replaced.")
    ]


def test_a_log_cut_off_is_found_by_an_anchor_and_by_nothing_else(log):
    anchor = audit.read_head(log.parent)
    log.write_bytes(b"".join(lines(log)[:5]))
    assert findings(log) == []
    assert findings(log, certificate=anchor) == [
        (5, "The audit log was cut off after line 5: certificate knows entry 8.")
    ]  # fmt: skip
    log.unlink()
    assert findings(log, certificate=anchor)[0][1].startswith("The audit log was cut off after line 0")


def test_a_log_written_anew_is_found_by_an_anchor(log):
    entries = list(audit.read_entries(log.parent))
    log.write_bytes(b"".join(lines(log)[:5]))
    for number in range(5, 8):
        audit.append(log.parent, audit.Event(actor=ACTOR, kind="amendment", details={"number": number}))
    assert findings(log) == []
    assert [line for line, _ in findings(log, early=entries[3].anchor, late=entries[6].anchor)] == [7]


def test_half_a_line_at_the_end_is_named(log):
    log.write_bytes(log.read_bytes()[:-30])
    assert [line for line, _ in findings(log)] == [8]
