from fractions import Fraction

import pytest

from engine.audio.spans import AudioSpan, MergedSpan, StreamExtent, add_span, check_spans, describe_spans, merge_spans
from engine.errors import InputError

WHOLE = StreamExtent(Fraction(0), Fraction(10))


def mute(start, end, **values):
    return AudioSpan("mute", start, end, "a name", **values)


def bleep(start, end, **values):
    return AudioSpan("bleep", start, end, "a name", **values)


def test_spans_of_one_kind_that_overlap_become_one_and_neighbours_stay_apart():
    found = merge_spans([mute(4, 5), mute(1, 2.5), mute(2, 3), bleep(3, 4), bleep(5, 6)], 1)
    assert found == (
        MergedSpan("mute", Fraction(1), Fraction(3)),
        MergedSpan("bleep", Fraction(3), Fraction(4)),
        MergedSpan("mute", Fraction(4), Fraction(5)),
        MergedSpan("bleep", Fraction(5), Fraction(6)),
    )


def test_decimal_numbers_are_taken_exactly():
    assert merge_spans([mute(0.1, 0.3)], 1)[0].start == Fraction(1, 10)


def test_streams_that_are_not_named_are_left_alone():
    chosen = [mute(1, 2, streams=(2,)), bleep(3, 4)]
    assert [one.kind for one in merge_spans(chosen, 1)] == ["bleep"]
    assert [one.kind for one in merge_spans(chosen, 2)] == ["mute", "bleep"]


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (("mute", 3.0, 2.0, "a name"), "must end after it starts, but 3-2 s does not"),
        (("mute", 2.0, 2.0, "a name"), "must end after it starts"),
        (("mute", float("nan"), 2.0, "a name"), "must end after it starts"),
        (("bleep", 2.0, 3.0, " "), "the bleep of 2-3 s gives no reason"),
        (("hum", 2.0, 3.0, "a name"), "a mute or a bleep, not 'hum'"),
        (("mute", 2.0, 3.0, "a name", ()), "by numbers from 1"),
        (("mute", 2.0, 3.0, "a name", (0,)), "by numbers from 1"),
    ],
)
def test_an_illegal_span_cannot_be_made(values, says):
    with pytest.raises(ValueError, match=says):
        AudioSpan(*values)


@pytest.mark.parametrize(
    ("spans", "streams", "says"),
    [
        ([mute(1, 2)], [], "the source has no audio stream"),
        ([mute(12, 13)], [WHOLE], r"The mute of 12-13 s lies outside of the audio, which lasts from 0.000 to 10.000 s"),
        ([mute(10, 13)], [WHOLE], "lies outside"),
        ([mute(-2, 0)], [WHOLE], "lies outside"),
        ([mute(1, 2, streams=(3,))], [WHOLE, WHOLE], "names audio stream 3, but the source has 2"),
        ([mute(1, 3), bleep(2, 4)], [WHOLE], "The mute of 1-3 s and the bleep of 2-4 s overlap in the same stream"),
        ([mute(1, 3), bleep(2, 4, streams=(2,))], [WHOLE, WHOLE], "overlap"),
    ],
)
def test_spans_that_cannot_be_replaced_are_refused(spans, streams, says):
    with pytest.raises(InputError, match=says):
        check_spans(spans, streams)


def test_valid_spans_pass():
    check_spans([], [])
    check_spans([mute(9, 13), bleep(1, 2)], [WHOLE])
    check_spans([mute(1, 3, streams=(1,)), bleep(2, 4, streams=(2,))], [WHOLE, WHOLE])
    check_spans([mute(8, 9)], [StreamExtent(Fraction(0), Fraction(5)), WHOLE])


def test_spans_are_described_in_words():
    assert describe_spans([]) == "kept as in the source"
    assert describe_spans([mute(1, 2.5), bleep(3, 4, streams=(1, 3))]) == (
        "mute of 1-2.5 s (a name); bleep of 3-4 s in audio streams 1, 3 (a name)"
    )


def test_a_span_that_is_added_comes_in_its_order_and_is_checked():
    chosen = add_span([mute(4, 5)], bleep(1, 2), [WHOLE])
    assert [span.start for span in chosen] == [1, 4]
    with pytest.raises(InputError, match="overlap"):
        add_span(chosen, bleep(4.5, 6), [WHOLE])
    with pytest.raises(InputError, match="lies outside"):
        add_span(chosen, mute(11, 12), [WHOLE])
