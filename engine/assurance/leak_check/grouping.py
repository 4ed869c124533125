"""From what detectors found in an output to leaks: what lies under a mask, what is believed, what belongs together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from engine.assurance.leak_check.report import Glimpse, Kind, Leak, LeakSettings
from engine.core.geometry import Box
from engine.review.apply import AmendedFace, AmendedFrame

COMPARISON = "comparison"
"""Who finds that a mask is not in the output: nobody's detector."""
RULES = "record"
"""Who finds that a mask is not in the record which its own settings ask for: nobody's detector either."""
_FACE = 0.6
"""Share of the sides of a detector's box that is surely face: its middle."""
_UNDER = 0.5
"""Share of that middle that lies under one mask from which the mask counts as being over the face."""
_SAME = 0.3
"""IoU at which a sighting that the detection doubted, or a face kept visible, is the one that was found."""
_NEAR = 0.2
"""IoU from which findings of neighbouring frames, or of two detectors, are of one face."""


class Sifted(NamedTuple):
    """What was found, by where: in the open, and under a mask together with that mask's face."""

    open: list[Glimpse]
    under: list[tuple[Glimpse, AmendedFace]]


def sift(glimpses: Iterable[Glimpse], frames: Sequence[AmendedFrame]) -> Sifted:
    """Tell findings in the open from those under a mask; faces that are kept visible are left out."""
    sifted = Sifted([], [])
    for glimpse in glimpses:
        frame = frames[glimpse.frame]
        if frame.covered or any(face.visible and face.box.iou(glimpse.box) >= _SAME for face in frame.faces):
            continue
        over = mask_over(glimpse.box, frame)
        if over is None:
            sifted.open.append(glimpse)
        else:
            sifted.under.append((glimpse, over))
    return sifted


def mask_over(box: Box, frame: AmendedFrame) -> AmendedFace | None:
    """The face of the plan whose mask lies over the middle of `box`, None when that is open."""
    middle = box.scaled(_FACE)
    masked = [face for face in frame.faces if not face.visible]
    best = max(masked, key=lambda face: face.box.overlap(middle), default=None)
    return best if best is not None and best.box.overlap(middle) >= _UNDER * middle.area else None


def linked(glimpses: Iterable[Glimpse], cuts: Sequence[int], reach: int) -> list[list[Glimpse]]:
    """Findings of one face together, by frame: of neighbouring frames at most `reach` apart, never across a cut."""
    groups: list[list[Glimpse]] = []
    for glimpse in sorted(glimpses, key=lambda one: (one.frame, -one.score, one.detector, one.box.left, one.box.top)):
        home = min(
            (group for group in groups if _belongs(glimpse, group, cuts, reach)),
            key=lambda group: _distance(group[-1].box, glimpse.box),
            default=None,
        )
        if home is None:
            groups.append([glimpse])
        else:
            home.append(glimpse)
    return groups


def believed(group: Sequence[Glimpse], settings: LeakSettings) -> bool:
    """Whether findings are of a face: two detectors agree in a frame, or the record lacks a mask by its own settings.

    One detector alone errs again and again alike.
    """
    if by_rules(group):
        return True
    by_frame: defaultdict[int, set[str]] = defaultdict(set)
    for glimpse in group:
        if glimpse.score >= settings.likely:
            by_frame[glimpse.frame].add(glimpse.detector)
    return any(len(detectors) > 1 for detectors in by_frame.values())


def by_rules(group: Iterable[Glimpse]) -> bool:
    """Whether any of these is a mask that the record lacks by its own settings."""
    return any(glimpse.detector == RULES for glimpse in group)


def leak_of(group: Sequence[Glimpse], kind: Kind, track: int | None) -> Leak:
    """One leak of findings that belong together."""
    best = max(group, key=lambda one: (one.score, -one.frame))
    first, last = group[0].frame, group[-1].frame
    edges = "-".join(str(edge) for edge in best.box.pixels())
    return Leak(
        key=f"{kind}:{best.frame}:{edges}",
        kind=kind,
        frame=best.frame,
        box=best.box,
        score=best.score,
        detector=best.detector,
        first=first,
        last=last,
        seen=tuple(group),
        track=track,
        finding=_finding(kind, best, (first, last), track),
    )


def doubted(group: Sequence[Glimpse], frames: Sequence[AmendedFrame]) -> bool:
    """Whether the detection had seen the same and doubted it, in any frame of the group."""
    return any(seen.box.iou(glimpse.box) >= _SAME for glimpse in group for seen in frames[glimpse.frame].doubtful)


def nearest_track(group: Sequence[Glimpse], frames: Sequence[AmendedFrame], reach: int) -> int | None:
    """The track whose mask comes nearest to a face in the open, in its frames or up to `reach` frames beside them."""
    shares: dict[int, float] = {}
    for glimpse in group:
        for frame in frames[max(0, glimpse.frame - reach) : glimpse.frame + reach + 1]:
            for face in frame.faces:
                share = face.box.iou(glimpse.box)
                if share >= _NEAR:
                    shares[face.track] = max(share, shares.get(face.track, 0.0))
    return max(shares, key=lambda track: (shares[track], -track), default=None)


def unmasked(
    showing: Mapping[int, Sequence[tuple[int, Box, float]]], cuts: Sequence[int], reach: int
) -> Iterator[Leak]:
    """Leaks of masks that are not in the output.

    Args:
        showing: by track: frame, box and likeness to the source of each mask under which the source shows.
        cuts: first frames of scenes.
        reach: frames between that may be missing.
    """
    for track, places in sorted(showing.items()):
        run: list[Glimpse] = []
        for frame, box, value in places:
            if run and (frame - run[-1].frame > reach or any(run[-1].frame < cut <= frame for cut in cuts)):
                yield leak_of(run, "unmasked", track)
                run = []
            run.append(Glimpse(frame, box, round(min(1.0, max(0.0, value)), 4), COMPARISON))
        if run:
            yield leak_of(run, "unmasked", track)


def _belongs(glimpse: Glimpse, group: Sequence[Glimpse], cuts: Sequence[int], reach: int) -> bool:
    last = group[-1]
    if glimpse.frame - last.frame > reach or any(last.frame < cut <= glimpse.frame for cut in cuts):
        return False
    if last.frame == glimpse.frame:
        return last.box.iou(glimpse.box) >= _NEAR
    return last.box.iou(glimpse.box) >= _NEAR or _distance(last.box, glimpse.box) < 1.0


def _distance(one: Box, other: Box) -> float:
    """Of the middles, in sides of the smaller box."""
    (x, y), (u, v) = one.centre, other.centre
    side = min(max(one.width, one.height), max(other.width, other.height))
    return max(abs(x - u), abs(y - v)) / side


def _finding(kind: Kind, best: Glimpse, run: tuple[int, int], track: int | None) -> str:
    frames = f"frame {run[0]}" if run[0] == run[1] else f"frames {run[0]} to {run[1]}"
    mask = "its mask" if track is None else f"the mask of track {track}"
    match kind:
        case "unmasked":
            return f"{mask} is not in the output in {frames}: the source shows there (likeness {best.score:.2f})"
        case "weak":
            return f"under {mask}, {best.detector} still finds a face in {frames} (score {best.score:.2f})"
        case "unrecorded" if best.detector == RULES:
            return f"the record has no mask of track {track} in {frames}, where its own settings put one"
        case "unrecorded":
            near = "" if track is None else f", next to track {track}"
            return f"{best.detector} finds a face where no mask is in {frames}{near} (score {best.score:.2f})"
