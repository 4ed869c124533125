"""What is to become of the audio: kept as it is, or muted or bleeped in spans of time, each for a reason."""

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
        end: seconds likewise; a sample that is played at that moment is kept.
        reason: why, in the words of whoever decided it.
        streams: numbers of the audio streams, from 1, as `veil verify` counts them; None means all.

    Raises:
        ValueError: it ends before it starts, gives no reason, or names no stream.
    """

    kind: SpanKind
    start: float
    end: float
    reason: str
    streams: tuple[Annotated[int, msgspec.Meta(ge=1)], ...] | None = None

    def __post_init__(self) -> None:
        for complaint in self._find_problems():
            raise ValueError(complaint)
        for name in ("start", "end"):  # 2 and 2.0 are written as the same bytes
            msgspec.structs.force_setattr(self, name, float(getattr(self, name)))

    def _find_problems(self) -> Iterator[str]:
        if self.kind not in {"mute", "bleep"}:
            yield f"a span is a mute or a bleep, not {self.kind!r}"
        if not (math.isfinite(self.start) and math.isfinite(self.end) and self.start < self.end):
            yield f"a {self.kind} must end after it starts, and {self.start:g}-{self.end:g} s does not"
        if not self.reason.strip():
            yield f"the {self.kind} of {self.start:g}-{self.end:g} s gives no reason; it takes one"
        if self.streams is not None and (not self.streams or min(self.streams) < 1):
            yield f"the {self.kind} of {self.start:g}-{self.end:g} s must name audio streams by numbers from 1, or none"

    @property
    def place(self) -> str:
        """The kind and the seconds in words, as `mute of 2-3.5 s`."""
        return f"{self.kind} of {self.start:g}-{self.end:g} s"

    def is_for_stream(self, number: int) -> bool:
        """Whether it is about the audio stream with this number."""
        return self.streams is None or number in self.streams


class StreamExtent(NamedTuple):
    """From when to when an audio stream lasts, in seconds after the first video frame; None when nobody knows."""

    start: Fraction | None
    end: Fraction | None


class MergedSpan(NamedTuple):
    """Spans of one kind that overlap, as one: a half-open interval of seconds after the first video frame."""

    kind: SpanKind
    start: Fraction
    end: Fraction

    @property
    def place(self) -> str:
        """The kind and the seconds in words, as `mute of 2-3.5 s`."""
        return f"{self.kind} of {float(self.start):g}-{float(self.end):g} s"


def merge_spans(spans: Sequence[AudioSpan], number: int) -> tuple[MergedSpan, ...]:
    """What is replaced in the audio stream with that number: in order, without overlaps."""
    found: list[MergedSpan] = []
    for span in sorted((span for span in spans if span.is_for_stream(number)), key=lambda span: (span.start, span.end)):
        start, end = _exact_seconds(span.start), _exact_seconds(span.end)
        if found and found[-1].kind == span.kind and start < found[-1].end:
            found[-1] = found[-1]._replace(end=max(found[-1].end, end))
        else:
            found.append(MergedSpan(span.kind, start, end))
    return tuple(found)


def check_spans(spans: Sequence[AudioSpan], streams: Sequence[StreamExtent]) -> None:
    """Refuse spans that cannot be meant.

    Args:
        spans: what was chosen.
        streams: the audio streams of the source, in order.

    Raises:
        InputError: there is no such stream, a span lies outside of it, or spans contradict each other.
    """
    for complaint in _find_conflicts(spans, streams):
        raise InputError(complaint)


def describe_spans(spans: Sequence[AudioSpan]) -> str:
    """The choice in words, without the reasons where there are none to give."""
    if not spans:
        return "kept as in the source"
    return "; ".join(f"{span.place}{_describe_streams(span)} ({span.reason})" for span in spans)


def _exact_seconds(seconds: float) -> Fraction:
    """The decimal number that somebody wrote, rather than the binary one next to it."""
    return Fraction(repr(seconds))


def _find_conflicts(spans: Sequence[AudioSpan], streams: Sequence[StreamExtent]) -> Iterator[str]:
    if spans and not streams:
        yield f"The {spans[0].place} cannot be made: the source has no audio stream."
    for span in spans:
        for number in span.streams or ():
            if number > len(streams):
                yield (
                    f"The {span.place} names audio stream {number}, and the source has {len(streams)}; "
                    "veil probe lists them."
                )
        if not any(
            _has_overlap(span, extent) for number, extent in enumerate(streams, 1) if span.is_for_stream(number)
        ):
            yield f"The {span.place} lies outside of the audio, which lasts {_describe_extents(span, streams)}."
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
    lasts = {
        f"from {float(extent.start):.3f} to {float(extent.end):.3f} s"
        for number, extent in enumerate(streams, 1)
        if span.is_for_stream(number) and extent.start is not None and extent.end is not None
    }
    return " or ".join(sorted(lasts)) or "for an unknown time"


def _has_common_stream(one: AudioSpan, other: AudioSpan) -> bool:
    return one.streams is None or other.streams is None or not set(one.streams).isdisjoint(other.streams)


def _describe_streams(span: AudioSpan) -> str:
    if span.streams is None:
        return ""
    return f" in audio stream{'s' * (len(span.streams) > 1)} {', '.join(map(str, span.streams))}"
