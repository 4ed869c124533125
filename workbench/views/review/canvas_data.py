"""What the Review page hands to its canvas, and what it does with what comes back. Knows no Streamlit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.approval.reviewer_actions import Desk, action_of, kind_of
from engine.core.frame_ranges import Span, united
from engine.errors import VeilError
from engine.review.amendments import (
    Accept,
    Action,
    Add,
    Amendment,
    Cover,
    Delete,
    Extend,
    KeepVisible,
    Keyframe,
    Resize,
    Undo,
    standing,
)
from engine.review.apply import Folded
from engine.review.queue import Spot
from workbench.core.messages import Told
from workbench.core.reviewed_run import Case
from workbench.core.track_lanes import Lanes, bars
from workbench.server.frame_json import edges

_BUCKETS = 1200
"""Most bars of the risk in the timeline; more than a screen has room for."""

KINDS: Mapping[str, str] = {
    "doubtful": "Sighting not covered",
    "hole": "Hole in a track",
    "start": "Start of a track",
    "end": "End of a track",
    "gap": "Gap filled",
    "cut": "Beside a cut",
    "unseen": "Long unseen",
    "weak": "Weak evidence",
    "disagreement": "Detectors disagree",
    "border": "At the border",
    "small": "Small face",
    "unasked": "Detector not asked",
    "damaged": "Damaged frames",
}
"""What a person calls a cause."""

_DONE: Mapping[type[Action], str] = {Delete: "deleted", KeepVisible: "kept visible", Extend: "extended"}


@dataclass(frozen=True, slots=True)
class Eyes:
    """Which frames were seen: by the person who looks, and by anybody."""

    own: tuple[Span, ...]
    anybody: tuple[Span, ...]

    @classmethod
    def of(cls, viewed: Mapping[str, tuple[Span, ...]], account: str) -> Eyes:
        """From what the log says of each account."""
        return cls(viewed.get(account, ()), united(span for spans in viewed.values() for span in spans))


@dataclass(frozen=True, slots=True)
class Screen:
    """Everything the canvas shows beside the frames themselves."""

    case: Case
    spots: Sequence[Spot]
    tracks: Lanes
    eyes: Eyes
    may_amend: bool
    frame: int | None
    track: int | None
    told: Told | None
    style: str

    def data(self) -> dict[str, Any]:
        """As plain values."""
        case, run = self.case, self.case.run.id
        size, count = case.record.display, len(case.record.frames)
        return {
            "run": run,
            "revision": case.review.sha256,
            "frames": count,
            "width": size.width,
            "height": size.height,
            "step": case.seconds(count - 1) / max(1, count - 1),
            "style": self.style,
            "urls": {
                "stills": f"/api/stills/{run}/",
                "frames": f"/api/frames/{run}/",
                "seen": f"/api/seen/{run}",
            },
            "at": {"frame": self.frame, "track": self.track},
            "spots": [_spot(spot) for spot in self.spots],
            "cuts": list(case.record.cuts),
            "risk": risk_by_bucket(self.spots, count),
            "tracks": list(bars(self.tracks)),
            "amendments": list(amendments(case.review.amendments, case.folded)),
            "seen": self.eyes.own,
            "seen_by_anybody": self.eyes.anybody,
            "rights": {"amend": self.may_amend, "why": "Amending takes the role reviewer."},
            "message": None if self.told is None else _told(self.told),
        }


def risk_by_bucket(spots: Iterable[Spot], frames: int) -> list[float]:
    """The greatest open risk in each stretch of the video, 0 to 1."""
    buckets = min(frames, _BUCKETS)
    risk = [0.0] * buckets
    for spot in spots:
        if spot.state == "open":
            first, last = spot.start * buckets // frames, (spot.stop - 1) * buckets // frames
            for place in range(first, last + 1):
                risk[place] = max(risk[place], spot.risk)
    return risk


def amendments(all_of_them: tuple[Amendment, ...], folded: Folded) -> Iterable[dict[str, Any]]:
    """Amendments for the list, in order, each with what it says and where it leads."""
    counting = {amendment.number for amendment in standing(all_of_them)}
    for one in all_of_them:
        what, frame, track = _said(one, folded)
        yield {
            "number": one.number,
            "kind": kind_of(one.action),
            "what": what,
            "frame": frame,
            "track": track,
            "by": one.by.name,
            "at": f"{one.at.astimezone():%Y-%m-%d %H:%M %Z}",
            "reason": one.reason,
            "undone": one.number not in counting,
        }


def take(desk: Desk, case: Case, act: Mapping[str, Any]) -> Told:
    """Make an amendment of what a person did in the canvas, and say how that went."""
    serial = int(act.get("serial", 0))
    if act.get("run") != case.run.id:
        return Told("The canvas showed another run. Nothing was changed; do it again.", serial, bad=True)
    try:
        made = desk.amend(case.record, action_of(act.get("action")), str(act.get("reason", "")))
    except VeilError as error:
        return Told(str(error), serial, bad=True)
    return Told(f"Saved as amendment {made.number}.", serial)


def _spot(spot: Spot) -> dict[str, Any]:
    return {
        "key": spot.key,
        "label": KINDS[spot.kind],
        "track": spot.track,
        "start": spot.start,
        "stop": spot.stop,
        "at": spot.frame,
        "box": None if spot.box is None else edges(spot.box),
        "reason": spot.reason,
        "risk": spot.risk,
        "state": spot.state,
    }


def _told(told: Told) -> dict[str, Any]:
    return {"text": told.text, "serial": told.serial, "bad": told.bad}


def _said(one: Amendment, folded: Folded) -> tuple[str, int | None, int | None]:
    """An amendment in words, and the frame and track where it is seen."""
    match one.action:
        case Add(keyframes):
            track = folded.new_track(one.number)
            return f"Face added, track {track}, {_between(keyframes)}", keyframes[0].index, track
        case Resize(track, keyframes):
            return f"Track {track} resized, {_between(keyframes)}", keyframes[0].index, track
        case Delete(track, start, stop) | KeepVisible(track, start, stop) | Extend(track, start, stop):
            return f"Track {track} {_DONE[type(one.action)]}, {_frames(start, stop)}", start, track
        case Cover(start, stop):
            return f"Whole frames blurred, {_frames(start, stop)}", start, None
        case Accept(spot):
            return _accepted(spot)
        case Undo(number):
            return f"Amendment {number} undone", None, None


def _accepted(key: str) -> tuple[str, int | None, int | None]:
    kind, track, place = key.split(":")
    start, stop = map(int, place.split("-"))
    what = f"{KINDS.get(kind, kind)} accepted, {_frames(start, stop)}"
    return what, start, int(track) if track.isdecimal() else None


def _between(keyframes: Sequence[Keyframe]) -> str:
    return _frames(keyframes[0].index, keyframes[-1].index + 1)


def _frames(start: int, stop: int) -> str:
    return f"frame {start}" if stop == start + 1 else f"frames {start} to {stop - 1}"
