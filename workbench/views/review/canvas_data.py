"""The data of the Review canvas, and the amendments that it sends back. Knows no Streamlit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.approval.notes import Note, WriteNote, add_to_notes, parse_note_action
from engine.approval.reviewer_actions import ReviewerActions, kind_from_action, parse_action
from engine.approval.statements import Statement
from engine.audio.spans import AudioSpan
from engine.core.frame_ranges import FrameRange, describe_range, merge_ranges
from engine.core.wording import format_count
from engine.errors import RecordError, VeilError
from engine.review.amendments import (
    Accept,
    Action,
    Add,
    Amendment,
    Cover,
    Delete,
    Extend,
    Flag,
    KeepVisible,
    Keyframe,
    Resize,
    Undo,
    find_effective_amendments,
)
from engine.review.apply import AmendedRecord
from engine.review.item_key import ReviewItemKey
from engine.review.people_file import (
    Join,
    Name,
    PeopleAction,
    Split,
    UndoArrangement,
    parse_people_action,
)
from engine.review.queue import ReviewItem
from workbench.core.messages import CanvasMessage
from workbench.core.people import PeopleOfRun
from workbench.core.reviewed_run import ReviewedRun
from workbench.core.track_lanes import TrackLanes, build_bars
from workbench.server.frame_json import to_edges
from workbench.views.review.item_words import get_item_words
from workbench.views.review.notes_data import encode_notes, encode_rejection

_MAX_RISK_BUCKETS = 1200
"""Most bars of the risk in the timeline: a screen has no room for more."""


_ARRANGED_TEXTS: Mapping[type[PeopleAction], str] = {
    Join: "Joined into one person. No mask was changed.",
    Split: "Split into two people. No mask was changed.",
    Name: "Named. No mask was changed.",
    UndoArrangement: "The last change of the cards was undone.",
}

_ACTION_TEXTS: Mapping[type[Action], str] = {Delete: "removed", KeepVisible: "kept visible", Extend: "extended"}


@dataclass(frozen=True, slots=True)
class ViewedRanges:
    """The frames that were viewed.

    Attributes:
        by_user: by the person at this page.
        by_anyone: by at least one reviewer.
    """

    by_user: tuple[FrameRange, ...]
    by_anyone: tuple[FrameRange, ...]

    @classmethod
    def from_log(cls, viewed: Mapping[str, tuple[FrameRange, ...]], account: str) -> ViewedRanges:
        """Build it from the viewed frames of each account in the audit log."""
        return cls(viewed.get(account, ()), merge_ranges(span for spans in viewed.values() for span in spans))


@dataclass(frozen=True, slots=True)
class CanvasState:
    """Everything that the canvas shows except the frames."""

    reviewed: ReviewedRun
    review_items: Sequence[ReviewItem]
    tracks: TrackLanes
    viewed: ViewedRanges
    may_amend: bool
    frame: int | None
    track: int | None
    message: CanvasMessage | None
    style: str
    notes: Sequence[Note] = ()
    newest_statement: Statement | None = None
    audio_spans: Sequence[AudioSpan] = ()

    def to_data(self) -> dict[str, Any]:
        """Convert it to the plain values that the canvas reads; their names are in `js/types.js`."""
        reviewed, run = self.reviewed, self.reviewed.run.id
        size, count = reviewed.record.display, len(reviewed.record.frames)
        return {
            "run": run,
            "revision": reviewed.review.sha256,
            "frames": count,
            "width": size.width,
            "height": size.height,
            # The mean: frames may have different durations, and this is for display only.
            "step": reviewed.get_frame_time_s(count - 1) / max(1, count - 1),
            "style": self.style,
            "urls": {
                "stills": f"/api/stills/{run}/",
                "frames": f"/api/frames/{run}/",
                "seen": f"/api/seen/{run}",
                "portraits": f"/api/portraits/{run}/",
                "previews": f"/api/previews/{run}/",
                "people": f"/api/people/{run}",
                "assist": f"/api/assist/{run}",
                "waveform": f"/api/waveform/{run}",
                "sound": f"/api/sound/{run}",
            },
            "at": {"frame": self.frame, "track": self.track},
            "spots": [_encode_item(item) for item in self.review_items],
            "cuts": list(reviewed.record.cuts),
            "risk": compute_risk_buckets(self.review_items, count),
            "tracks": list(build_bars(self.tracks)),
            "amendments": list(describe_amendments(reviewed.review.amendments, reviewed.amended)),
            "seen": self.viewed.by_user,
            "seen_by_anybody": self.viewed.by_anyone,
            "rights": {"amend": self.may_amend, "why": "Only reviewers can make changes."},
            "audio": [
                {"kind": span.kind, "start": span.start, "end": span.end, "reason": span.reason}
                for span in self.audio_spans
            ],
            "notes": encode_notes(self.notes),
            "rejection": encode_rejection(self.newest_statement),
            "message": None if self.message is None else _encode_message(self.message),
        }


def compute_risk_buckets(review_items: Iterable[ReviewItem], frame_count: int) -> list[float]:
    """Return the greatest risk of the open items in each part of the video, 0 to 1."""
    buckets = min(frame_count, _MAX_RISK_BUCKETS)
    risk = [0.0] * buckets
    for item in review_items:
        if item.state == "open":
            first, last = item.start * buckets // frame_count, (item.stop - 1) * buckets // frame_count
            for bucket in range(first, last + 1):
                # The greatest, not the mean, so that a long video does not dilute one risky frame.
                risk[bucket] = max(risk[bucket], item.risk)
    return risk


def describe_amendments(amendments: tuple[Amendment, ...], amended: AmendedRecord) -> Iterable[dict[str, Any]]:
    """Describe the amendments in order, each with the frame and track that it leads to."""
    effective_numbers = {amendment.number for amendment in find_effective_amendments(amendments)}
    for amendment in amendments:
        description, frame, track = _describe_amendment(amendment, amended)
        yield {
            "number": amendment.number,
            "kind": kind_from_action(amendment.action),
            "what": description,
            "frame": frame,
            "track": track,
            "by": amendment.by.name,
            "at": f"{amendment.at.astimezone():%Y-%m-%d %H:%M %Z}",
            "reason": amendment.reason,
            "undone": amendment.number not in effective_numbers,
            "undoes": amendment.action.amendment if isinstance(amendment.action, Undo) else None,
        }


def apply_action(actions: ReviewerActions, reviewed: ReviewedRun, act: Mapping[str, Any]) -> CanvasMessage:
    """Save what a person did in the canvas as an amendment, and return the message to show."""
    serial = int(act.get("serial", 0))
    # An amendment must not reach another run than the one on the screen.
    if act.get("run") != reviewed.run.id:
        return CanvasMessage("The canvas was showing another run. Nothing was changed; try again.", serial, bad=True)
    try:
        if "people" in act:
            return CanvasMessage(_arrange_people(actions, reviewed, act["people"]), serial)
        if "note" in act:
            return CanvasMessage(_add_to_notes(actions, reviewed, act["note"]), serial)
        wanted = [parse_action(action) for action in act.get("actions", ())]
        if not wanted:
            raise RecordError("Nothing was chosen, so nothing was changed.")
        amendments = actions.amend_all(reviewed.record, wanted, str(act.get("reason", "")))
    except VeilError as error:
        return CanvasMessage(str(error), serial, bad=True)
    numbers = tuple(amendment.number for amendment in amendments)
    saved = f"amendment {numbers[0]}" if len(numbers) == 1 else f"amendments {numbers[0]} to {numbers[-1]}"
    return CanvasMessage(f"Saved as {saved}. Press z to undo.", serial, numbers=numbers)


def _arrange_people(actions: ReviewerActions, reviewed: ReviewedRun, values: object) -> str:
    """Join, split or name people, and say what was done."""
    action = parse_people_action(values)
    # Arranged before it is written: two tracks that are in one frame together are never joined.
    PeopleOfRun(reviewed).arrange(action)
    actions.arrange_people(action)
    return _ARRANGED_TEXTS[type(action)]


def _add_to_notes(actions: ReviewerActions, reviewed: ReviewedRun, values: object) -> str:
    """Write a note or settle one, and say what was done."""
    action = parse_note_action(values)
    number = add_to_notes(actions.context, len(reviewed.record.frames), action)
    return f"Saved as note {number}." if isinstance(action, WriteNote) else f"Note {action.note} is done."


def _encode_item(item: ReviewItem) -> dict[str, Any]:
    words = get_item_words(item.kind)
    return {
        "key": item.key,
        "kind": item.kind,
        "label": words.label,
        "accept": words.accept,
        "track": item.track,
        "start": item.start,
        "stop": item.stop,
        "at": item.frame,
        "box": None if item.box is None else to_edges(item.box),
        "reason": item.reason,
        "risk": item.risk,
        "state": item.state,
    }


def _encode_message(message: CanvasMessage) -> dict[str, Any]:
    return {"text": message.text, "serial": message.serial, "bad": message.bad, "numbers": message.numbers}


def _describe_amendment(  # noqa: PLR0911 - one phrase for each action
    amendment: Amendment, amended: AmendedRecord
) -> tuple[str, int | None, int | None]:
    """Return an amendment in words, and the frame and track that it leads to."""
    match amendment.action:
        case Add(keyframes):
            track = amended.get_added_track(amendment.number)
            return f"Face added, track {track}, {_format_keyframes(keyframes)}", keyframes[0].index, track
        case Resize(track, keyframes):
            return f"Mask of track {track} adjusted, {_format_keyframes(keyframes)}", keyframes[0].index, track
        case Delete(track, start, stop) | KeepVisible(track, start, stop) | Extend(track, start, stop):
            return f"Track {track} {_ACTION_TEXTS[type(amendment.action)]}, {describe_range(start, stop)}", start, track
        case Cover(start, stop):
            return f"Whole frames masked, {describe_range(start, stop)}", start, None
        case Accept(spot):
            return _describe_accepted(spot)
        case Flag(frame, _, places):
            return f"{format_count(len(places), 'similar place')} to check", frame, None
        case Undo(number):
            return f"Amendment {number} undone", None, None


def _describe_accepted(text: str) -> tuple[str, int | None, int | None]:
    key = ReviewItemKey.parse(text)
    words = get_item_words(key.kind)
    what = f"{words.accept}: {words.label.lower()}, {describe_range(key.start, key.stop)}"
    return what, key.start, None if key.kind == "similar" else key.track


def _format_keyframes(keyframes: Sequence[Keyframe]) -> str:
    return describe_range(keyframes[0].index, keyframes[-1].index + 1)
