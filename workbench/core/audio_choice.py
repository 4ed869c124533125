"""Which audio a session has chosen to mute or bleep in a run. It counts once it is signed, on Sign off."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from engine import access
from engine.access import Person
from engine.audio.replacement_tracks import stream_extents
from engine.audio.spans import AudioSpan, SpanKind, add_span
from engine.errors import AuditError, InputError, SignOffError, VeilError
from engine.media.facts import StreamInfo
from engine.runs import Run
from workbench.core import caches, session
from workbench.core.messages import CanvasMessage


class _Add(msgspec.Struct, tag_field="kind", tag="add", forbid_unknown_fields=True):
    """A span that was drawn on the timeline of Review."""

    what: SpanKind
    start: float
    end: float
    reason: str


class _Remove(msgspec.Struct, tag_field="kind", tag="remove", forbid_unknown_fields=True):
    """A span that is not wanted any more, by its place among all."""

    place: int


def get_audio_spans(run: Run) -> tuple[AudioSpan, ...]:
    """Return the spans that were chosen in this session, else those that were signed last."""
    chosen = session.CHOSEN_AUDIO_SPANS.get().get(run.id)
    if chosen is not None:
        return chosen
    try:
        return tuple(caches.get_signed_options(session.get_data(), run).audio)
    except (SignOffError, AuditError):  # The Sign off page shows this error; looking does not depend on signatures
        return ()


def choose_audio_spans(run: Run, spans: tuple[AudioSpan, ...]) -> None:
    """Choose other spans in this session."""
    session.CHOSEN_AUDIO_SPANS.set({**session.CHOSEN_AUDIO_SPANS.get(), run.id: spans})


def list_kept_streams(run: Run) -> list[StreamInfo]:
    """List the audio streams of an output, in their order.

    Raises:
        SourceError: the source cannot be read.
    """
    return [stream for stream in caches.get_media_info(run.source).streams if stream.fate == "copied"]


def apply_audio_action(run: Run, person: Person, act: Mapping[str, Any]) -> CanvasMessage:
    """Do what the canvas of Review asks for, and return the message to show."""
    serial = int(act.get("serial", 0))
    if act.get("run") != run.id:
        return CanvasMessage("The canvas was showing another run. Nothing was changed; try again.", serial, bad=True)
    try:
        access.require_permission(person, "amend")
        words = _apply(run, act.get("audio"))
    except VeilError as error:
        return CanvasMessage(str(error), serial, bad=True)
    return CanvasMessage(f"{words} Sign off lists it, and it counts once it is signed.", serial)


def _apply(run: Run, values: object) -> str:
    spans = get_audio_spans(run)
    try:
        action: _Add | _Remove = msgspec.convert(values, _Add | _Remove)
        if isinstance(action, _Remove):
            removed = spans[action.place]
            choose_audio_spans(run, tuple(span for span in spans if span is not removed))
            return f"The {removed.place} was removed."
        span = AudioSpan(action.what, action.start, action.end, action.reason)
    except (ValueError, IndexError) as error:
        raise InputError(f"That part of the sound cannot be used: {error}.") from error
    choose_audio_spans(run, add_span(spans, span, stream_extents(list_kept_streams(run))))
    return f"Chosen: {span.place}."
