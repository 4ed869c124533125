from datetime import UTC, datetime

import msgspec
import pytest

from engine.assurance.leak_check.report import (
    SCHEMA,
    Leak,
    LeakCheckCoverage,
    LeakJudgement,
    LeakReport,
    LeakSettings,
    find_open_leaks,
)
from engine.core.geometry import Box
from engine.record import encode_document
from engine.review.amendments import Author

SHA = "ab" * 32


def leak(key):
    return Leak(key, "unrecorded", 3, Box(1, 2, 30, 40), 0.9, "centerface", 3, 3, (), None, "a face")


def report(*leaks, output=SHA):
    looked = LeakCheckCoverage(frames=10, whole=1, parts=0, left_out=0, masks=0, longest=9)
    return LeakReport(SCHEMA, "0", SHA, SHA, None, output, LeakSettings(), (), looked, leaks, ())


def judged(key, verdict="no face", output=SHA, reason="a poster"):
    return LeakJudgement(output, key, verdict, reason, Author("ann", "Ann"), datetime(2026, 1, 2, tzinfo=UTC))


def test_a_leak_that_nobody_judged_holds_the_release_up():
    assert find_open_leaks(report(leak("a"), leak("b")), [judged("b")]) == (leak("a"),)


def test_a_judgement_of_another_output_counts_for_nothing():
    assert find_open_leaks(report(leak("a")), [judged("a", output="cd" * 32)]) == (leak("a"),)


def test_the_last_judgement_counts_and_leak_is_no_release():
    said = report(leak("a"))
    assert find_open_leaks(said, [judged("a"), judged("a", "leak")]) == (leak("a"),)
    assert find_open_leaks(said, [judged("a", "leak"), judged("a", "allowed")]) == ()


def test_a_report_reads_back_and_refuses_unknown_fields():
    data = encode_document(report(leak("a")))
    assert msgspec.json.decode(data, type=LeakReport) == report(leak("a"))
    with pytest.raises(msgspec.ValidationError, match="unknown"):
        msgspec.json.decode(data.replace(b'"veil":', b'"other":1,"veil":'), type=LeakReport)


def test_a_judgement_needs_a_reason():
    data = encode_document(judged("a"))
    with pytest.raises(msgspec.ValidationError, match="reason"):
        msgspec.json.decode(data.replace(b"a poster", b"  "), type=LeakJudgement)
