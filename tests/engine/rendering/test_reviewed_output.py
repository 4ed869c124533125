"""Reviews from the file to the pixels: a render does what a reviewer says, and verification holds it to that."""

import msgspec
import numpy as np
import pytest

import engine
from engine.errors import RecordError
from engine.masking.presets import style_from_preset
from engine.media.source.decode import open_source
from engine.media.source.probe import probe
from engine.record import read_document, read_record, sha256_hex
from engine.rendering.report import RenderReport, report_path
from engine.rendering.terms import RenderOptions
from engine.review.amendments import Add, Cover, Delete, KeepVisible
from engine.review.review_file import append_amendment, read_review
from tests import clips
from tests.engine.review.amendment_makers import JANE, keyframes
from tests.record_makers import record_of, written

FACE, POSTER, MISSED = (8, 8, 56, 56), (96, 8, 144, 56), (40, 64, 88, 112)
GREY = RenderOptions(style=style_from_preset("training-data", {"scale": 1.0}))


@pytest.fixture(scope="module")
def reviewed(tmp_path_factory):
    """A source, its record with two tracks, and a review of it."""
    folder = tmp_path_factory.mktemp("reviewed")
    source = clips.video(folder / "clip.mp4", size=(160, 120), frames=12, audio=[clips.Audio()])
    record = written(record_of(source, lambda _: [FACE, POSTER]), folder / "clip.json")
    review = folder / "review.jsonl"
    found, sha256 = read_record(record), sha256_hex(record.read_bytes())
    for action in (Add(keyframes({3: MISSED, 5: MISSED})), Delete(1, 0, 12), KeepVisible(0, 6, 9), Cover(10, 12)):
        append_amendment(review, found, sha256, action, JANE, "because")
    return source, record, review


def is_grey(path, index, box):
    """Whether the middle of a box is plain grey in a frame."""
    info, (left, top, right, bottom) = probe(path), box
    with open_source(path, info) as source:
        picture = list(source.frames())[index].rgb()
    middle = picture[top + 8 : bottom - 8, left + 8 : right - 8].astype(int)
    return bool(np.abs(middle - 128).max() < 16)


@pytest.mark.slow
def test_a_render_does_what_the_review_says(reviewed, tmp_path):
    source, record, review = reviewed
    out = tmp_path / "out.mp4"
    report = engine.render(source, record, out, GREY, review=review)
    assert is_grey(out, 4, MISSED)
    assert not is_grey(out, 2, MISSED)
    assert is_grey(out, 2, FACE)
    assert not is_grey(out, 2, POSTER)
    assert not is_grey(out, 7, FACE)
    assert (report.masked, report.covered) == (7, 2)
    checks = engine.verify(source, record, out, review=review)
    assert checks.passed, checks
    assert checks.review_sha256 == report.review_sha256 == sha256_hex(review.read_bytes())


def test_the_report_names_the_review_and_who_is_kept_visible_why(reviewed, tmp_path):
    source, record, review = reviewed
    report = engine.render(source, record, tmp_path / "out.mp4", review=review)
    assert read_document(report_path(tmp_path / "out.mp4"), RenderReport, "report") == report
    (shown,) = report.kept_visible
    assert (shown.track, shown.start, shown.stop, shown.amendment) == (0, 6, 9, 3)
    assert (shown.by, shown.reason) == (JANE, "because")
    plain = engine.render(source, record, tmp_path / "plain.mp4")
    assert (plain.review_sha256, plain.kept_visible) == (None, ())


@pytest.mark.slow
def test_the_same_amendments_give_the_same_bytes(reviewed, tmp_path):
    source, record, review = reviewed
    by_path = engine.render(source, record, tmp_path / "a.mp4", review=review)
    loaded = read_review(review, sha256_hex(record.read_bytes()))
    by_value = engine.render(source, record, tmp_path / "b.mp4", review=loaded)
    plain = engine.render(source, record, tmp_path / "c.mp4")
    assert by_path == by_value
    assert plain.output_sha256 != by_path.output_sha256


@pytest.mark.slow
def test_verification_tells_another_review_from_the_one_that_was_applied(reviewed, tmp_path):
    source, record, review = reviewed
    out, other = tmp_path / "out.mp4", tmp_path / "other.jsonl"
    engine.render(source, record, out, GREY, review=review)
    other.write_bytes(review.read_bytes())
    found, sha256 = read_record(record), sha256_hex(record.read_bytes())
    append_amendment(other, found, sha256, Add(keyframes({0: MISSED})), JANE)
    for wrong in (None, other):
        checks = engine.verify(source, record, out, review=wrong, render_again=True)
        failed = {check.name: check.finding for check in checks.checks if not check.passed}
        assert failed["report"] == "the report of the render names another review"
        assert "rendered again" in failed
    assert failed["masks"] == "frame 0 is showing what was to be masked"


def test_a_review_of_another_record_is_refused(reviewed, tmp_path):
    source, record, review = reviewed
    other = record_of(source, lambda _: [FACE])
    with pytest.raises(RecordError, match=r"review\.jsonl, line 1"):
        engine.render(source, other, tmp_path / "out.mp4", review=review)
    loaded = read_review(review, sha256_hex(record.read_bytes()))
    with pytest.raises(RecordError, match="another record"):
        engine.verify(source, other, source, review=loaded)


def test_an_amendment_that_does_not_fit_ends_the_render_before_it_begins(reviewed, tmp_path):
    source, record, _ = reviewed
    longer, sha256 = read_record(record), sha256_hex(record.read_bytes())
    frames = tuple(
        msgspec.structs.replace(longer.frames[-1], index=index, pts=10**6 + index) for index in range(12, 20)
    )
    append_amendment(
        tmp_path / "r.jsonl",
        msgspec.structs.replace(longer, frames=(*longer.frames, *frames)),
        sha256,
        Cover(0, 20),
        JANE,
    )
    with pytest.raises(RecordError, match=r"line 1 of the review.*the video has 12"):
        engine.render(source, record, tmp_path / "out.mp4", review=tmp_path / "r.jsonl")
    assert not (tmp_path / "out.mp4").exists()


def test_a_review_that_is_not_there_is_named(reviewed, tmp_path):
    with pytest.raises(RecordError, match=r"none\.jsonl does not exist"):
        engine.render(*reviewed[:2], tmp_path / "out.mp4", review=tmp_path / "none.jsonl")
