"""Spans of time in which audio is muted or bleeped, each for a recorded reason."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import combinations
from typing import Annotated, Literal, NamedTuple

import msgspec

from engine.errors import InputError
from engine.record import Document

SpanKind = Literal["mute", "bleep"]


class AudioSpan(Document, frozen=True, omit_defaults=True):
    """A span of time in which audio is replaced.

    Attributes:
        kind: "mute" (silence) or "bleep" (a tone).
        start: seconds after the first video frame; a sample that is played at that moment is replaced.
        end: seconds after the first video frame; a sample that is played at that moment is kept.
        reason: the reason, in the words of the person who decided it.
        streams: numbers of the audio streams, from 1, as `veil verify` counts them; None: all streams.

    Raises:
        ValueError: the span ends before it starts, gives no reason, or names no stream.
    """

    kind: SpanKind
    start: float
    end: float
    reason: str
    streams: tuple[Annotated[int, msgspec.Meta(ge=1)], ...] | None = None

    def __post_init__(self) -> None:
        for complaint in self._find_problems():
            raise ValueError(complaint)
        # An approval is bound to the bytes of the spans, so 2 and 2.0 must be written alike.
        for name in ("start", "end"):
            msgspec.structs.force_setattr(self, name, float(getattr(self, name)))

    def _find_problems(self) -> Iterator[str]:
        if self.kind not in {"mute", "bleep"}:
            yield f"a span is a mute or a bleep, not {self.kind!r}"
        if not (math.isfinite(self.start) and math.isfinite(self.end) and self.start < self.end):
            yield f"a {self.kind} must end after it starts, but {self.start:g}-{self.end:g} s does not"
        if not self.reason.strip():
            yield f"the {self.kind} of {self.start:g}-{self.end:g} s gives no reason; add one"
        if self.streams is not None and (not self.streams or min(self.streams) < 1):
            yield f"the {self.kind} of {self.start:g}-{self.end:g} s must name audio streams by numbers from 1, or none"

    @property
    def place(self) -> str:
        """Return the kind and the seconds in words, such as `mute of 2-3.5 s`."""
        return f"{self.kind} of {self.start:g}-{self.end:g} s"

    def is_for_stream(self, number: int) -> bool:
        """Return whether the span applies to the audio stream with this number."""
        return self.streams is None or number in self.streams


class StreamExtent(NamedTuple):
    """Start and end of an audio stream, in seconds after the first video frame; None: unknown."""

    start: Fraction | None
    end: Fraction | None


class MergedSpan(NamedTuple):
    """Overlapping spans of one kind, merged: a half-open interval in seconds after the first video frame."""

    kind: SpanKind
    start: Fraction
    end: Fraction

    @property
    def place(self) -> str:
        """Return the kind and the seconds in words, such as `mute of 2-3.5 s`."""
        return f"{self.kind} of {float(self.start):g}-{float(self.end):g} s"


def merge_spans(spans: Sequence[AudioSpan], number: int) -> tuple[MergedSpan, ...]:
    """Return the spans of the audio stream with that number, in order and without overlaps."""
    merged: list[MergedSpan] = []
    for span in sorted((span for span in spans if span.is_for_stream(number)), key=lambda span: (span.start, span.end)):
        start, end = _exact_seconds(span.start), _exact_seconds(span.end)
        # Spans that only touch stay apart: each bleep then has ramps of its own.
        if merged and merged[-1].kind == span.kind and start < merged[-1].end:
            merged[-1] = merged[-1]._replace(end=max(merged[-1].end, end))
        else:
            merged.append(MergedSpan(span.kind, start, end))
    return tuple(merged)


def check_spans(spans: Sequence[AudioSpan], streams: Sequence[StreamExtent]) -> None:
    """Check that the spans can be replaced.

    Args:
        spans: the spans.
        streams: the audio streams of the source, in order.

    Raises:
        InputError: a stream does not exist, a span is outside its stream, or spans contradict each other.
    """
    for complaint in _find_conflicts(spans, streams):
        raise InputError(complaint)


def add_span(spans: Sequence[AudioSpan], span: AudioSpan, streams: Sequence[StreamExtent]) -> tuple[AudioSpan, ...]:
    """Return the spans with another one, in the order in which they start.

    Raises:
        InputError: the span is outside of the audio, or contradicts one that is there.
    """
    check_spans([*spans, span], streams)
    return tuple(sorted([*spans, span], key=lambda one: (one.start, one.end)))


def describe_spans(spans: Sequence[AudioSpan]) -> str:
    """Describe the spans and their reasons in words."""
    if not spans:
        return "kept as in the source"
    return "; ".join(f"{span.place}{_describe_streams(span)} ({span.reason})" for span in spans)


def _exact_seconds(seconds: float) -> Fraction:
    """Return the decimal number that a person wrote, not the binary float closest to it."""
    # Otherwise 0.3 s would begin a sample early or late, depending on the error of the float.
    return Fraction(repr(seconds))


def _find_conflicts(spans: Sequence[AudioSpan], streams: Sequence[StreamExtent]) -> Iterator[str]:
    if spans and not streams:
        yield f"The {spans[0].place} cannot be made: the source has no audio stream."
    for span in spans:
        for number in span.streams or ():
            if number > len(streams):
                yield (
                    f"The {span.place} names audio stream {number}, but the source has {len(streams)}; "
                    "veil probe lists them."
                )
        if not any(
            _has_overlap(span, extent) for number, extent in enumerate(streams, 1) if span.is_for_stream(number)
        ):
            yield f"The {span.place} lies outside of the audio, which lasts {_describe_extents(span, streams)}."
    # Spans of one kind may overlap and are merged. A mute and a bleep at the same moment contradict each other.
    for one, other in combinations(spans, 2):
        if (
            one.kind != other.kind
            and max(one.start, other.start) < min(one.end, other.end)
            and _has_common_stream(one, other)
        ):
            yield f"The {one.place} and the {other.place} overlap in the same stream; choose one of them."


def _has_overlap(span: AudioSpan, extent: StreamExtent) -> bool:
    return (extent.end is None or _exact_seconds(span.start) < extent.end) and (
        extent.start is None or _exact_seconds(span.end) > extent.start
    )


def _describe_extents(span: AudioSpan, streams: Sequence[StreamExtent]) -> str:
    durations = {
        f"from {float(extent.start):.3f} to {float(extent.end):.3f} s"
        for number, extent in enumerate(streams, 1)
        if span.is_for_stream(number) and extent.start is not None and extent.end is not None
    }
    return " or ".join(sorted(durations)) or "for an unknown time"


def _has_common_stream(one: AudioSpan, other: AudioSpan) -> bool:
    return one.streams is None or other.streams is None or not set(one.streams).isdisjoint(other.streams)


def _describe_streams(span: AudioSpan) -> str:
    if span.streams is None:
        return ""
    return f" in audio stream{'s' * (len(span.streams) > 1)} {', '.join(map(str, span.streams))}"
