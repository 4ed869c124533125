import json
from datetime import UTC, datetime

import msgspec
import pytest

from engine.assurance.frame_audit import AUDIT_SCHEMA, FrameAudit, draw_audit_frames
from engine.assurance.leak_check.report import SCHEMA as LEAKS
from engine.assurance.leak_check.report import Leak, LeakCheckCoverage, LeakReport, LeakSettings
from engine.assurance.residual_risk import RiskInputs, assess_residual_risk, format_risk
from engine.cli import main
from engine.core.geometry import Box
from engine.errors import InputError
from engine.record import Detection, DetectorFacts, Face, encode_document, sha256_hex
from engine.review.amendments import Author
from tests.record_makers import make_record, written

BOX = Box(50, 50, 90, 90)


def two_detectors(frames=40):
    """A record in which one detector sees all, the other half."""
    record = make_record([[(50, 50, 90, 90)] for _ in range(frames)])
    (facts,) = record.detection.detectors
    detectors = (facts, DetectorFacts("centerface", {}, (), {}))
    both = (Detection("centerface", BOX, 0.9), Detection("mtcnn", BOX, 0.9))
    return msgspec.structs.replace(
        record,
        detection=msgspec.structs.replace(record.detection, detectors=detectors),
        frames=tuple(
            msgspec.structs.replace(frame, faces=(Face(0, BOX, "detected", both if frame.index % 2 else both[1:]),))
            for frame in record.frames
        ),
    )


def sha(record):
    return sha256_hex(encode_document(record))


def audit(record, missed=(), number=20):
    drawn = draw_audit_frames(record, number)
    return FrameAudit(
        AUDIT_SCHEMA, record.source.sha256, sha(record), None, drawn, drawn, tuple(missed),
        Author("ann", "Ann"), datetime(2026, 1, 2, tzinfo=UTC),
    )  # fmt: skip


def leaks(record, *found):
    looked = LeakCheckCoverage(frames=40, whole=4, parts=2, left_out=0, masks=40, longest=11)
    return LeakReport(
        LEAKS, "0", record.source.sha256, sha(record), None, "cd" * 32, LeakSettings(), (), looked, found, ()
    )


def measure(risk, name):
    return next(one for one in risk.measures if one.name == name)


def test_the_sample_is_spread_over_the_video_and_always_the_same():
    record = make_record([[]] * 100)
    drawn = draw_audit_frames(record, 10)
    assert [index // 10 for index in drawn] == list(range(10))
    assert drawn == draw_audit_frames(record, 10) != draw_audit_frames(record, 10, "ef" * 32)
    assert draw_audit_frames(make_record([[]] * 3), 10) == (0, 1, 2)
    with pytest.raises(InputError, match="at least"):
        draw_audit_frames(record, 0)


def test_what_was_not_measured_is_said():
    record = make_record([[]] * 10)
    risk = assess_residual_risk(RiskInputs(record, sha(record)))
    assert not any(one.measured for one in risk.measures)
    assert risk.summary.startswith("Not measured: capture-recapture, audit of frames, planted faces, leak check.")


def test_an_audit_that_found_nothing_gives_three_in_the_number_of_frames():
    record = make_record([[]] * 400)
    found = measure(
        assess_residual_risk(RiskInputs(record, sha(record), audit=audit(record, number=100))), "audit of frames"
    )
    assert found.value == pytest.approx(0.0295, abs=1e-4)
    assert "0 of 100 frames" in found.figure
    worse = measure(
        assess_residual_risk(RiskInputs(record, sha(record), audit=audit(record, (3,), 100))), "audit of frames"
    )
    assert worse.value > found.value


def test_disagreement_of_detectors_is_estimated_and_called_a_lower_bound():
    record = two_detectors()
    found = measure(assess_residual_risk(RiskInputs(record, sha(record))), "capture-recapture")
    assert found.measured
    assert "likely lower bound" in found.figure


def test_leaks_that_nobody_cleared_are_counted():
    record = make_record([[]] * 40)
    leak = Leak("a", "unrecorded", 3, BOX, 0.9, "centerface", 3, 3, (), None, "a face")
    found = measure(assess_residual_risk(RiskInputs(record, sha(record), leaks=leaks(record, leak))), "leak check")
    assert found.figure.startswith("1 leaks found, 1 of them not cleared")


def test_parts_of_another_record_are_refused():
    record, other = make_record([[]] * 10), make_record([[]] * 11)
    with pytest.raises(InputError, match="audit given is of another"):
        assess_residual_risk(RiskInputs(record, sha(record), audit=audit(other, number=5)))


def test_nothing_is_promised():
    record = two_detectors()
    said = "\n".join(
        format_risk(assess_residual_risk(RiskInputs(record, sha(record), audit=audit(record), leaks=leaks(record))))
    )
    assert "anonymous" not in said.lower()
    assert "100" not in said
    assert said.count("It does not mean:") == 4


def test_the_verb_draws_frames_and_takes_what_was_found(tmp_path, capsys):
    record = make_record([[]] * 40)
    path = str(written(record, tmp_path / "record.json"))
    assert main(["risk", "video.mp4", path, "--draw", "4", "--json"]) == 0
    drawn = json.loads(capsys.readouterr().out)["drawn"]
    assert drawn == list(draw_audit_frames(record, 4))
    assert main(["risk", "video.mp4", path, "--draw", "4", "--missed", str(drawn[1])]) == 0
    assert "1 of 4 frames" in capsys.readouterr().out
    assert main(["risk", "video.mp4", path, "--draw", "4", "--missed", "39999"]) == 2
    assert "was not drawn" in capsys.readouterr().err


def test_the_verb_takes_the_reports_of_the_other_verbs(tmp_path, capsys):
    record = make_record([[]] * 40)
    path = written(record, tmp_path / "record.json")
    (tmp_path / "leaks.json").write_bytes(encode_document(leaks(record)))
    report = tmp_path / "risk.json"
    arguments = ["risk", "video.mp4", str(path), "--leaks", str(tmp_path / "leaks.json"), "-o", str(report)]
    assert main(arguments) == 0
    assert "0 leaks found" in capsys.readouterr().out
    assert json.loads(report.read_text())["output_sha256"] == "cd" * 32
