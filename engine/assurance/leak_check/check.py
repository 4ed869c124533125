"""The leak check: faces that can still be found in an output, for a person to judge before it is released.

Two questions are asked of every output. Is each mask of the plan in it? That is told for every mask of every frame by
holding the output against the source. And is there a face where the plan has none? Where a track of the record is
interrupted, or ends, as no detection leaves it, a mask is missing. Apart from that, detectors that the detection did
not use look at the output: thinly where the plan is sure, densely where masks begin and end. Where they find
something, a second look at that frame and its neighbours, by another detector too, tells a face from a chance likeness.
See docs/leaks.md for what this finds and what it costs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise, zip_longest
from os import cpu_count
from pathlib import Path

from engine.assurance.leak_check.check_detectors import Panel, panel_for
from engine.assurance.leak_check.detector_pass import Lookouts, Sight
from engine.assurance.leak_check.grouping import (
    RULES,
    believed,
    by_rules,
    doubted,
    leak_of,
    linked,
    mask_over,
    nearest_track,
    sift,
    unmasked,
)
from engine.assurance.leak_check.missing_masks import Owed, owed
from engine.assurance.leak_check.report import SCHEMA, Glimpse, Leak, LeakReport, LeakSettings, Looked
from engine.assurance.leak_check.sampling import Scrutiny, region_about, scrutiny
from engine.assurance.leak_check.similarity import likeness
from engine.core.geometry import Box
from engine.core.progress import Listener, Silent
from engine.detectors.registry import DetectorPlan
from engine.errors import CheckFailedError, RecordError
from engine.media.facts import MediaInfo
from engine.media.frame import SourceFrame
from engine.media.source.decode import OnDamage, open_source
from engine.media.source.probe import probe
from engine.record import Record
from engine.review.amendments import Review
from engine.review.apply import AmendedFace, AmendedFrame, amended
from engine.review.load import load_record
from engine.review.review_file import read_review
from engine.storage.files import data_folder
from engine.version import VERSION

_AGAIN = (1, 4)
"""Frames before and after a finding that are looked at again."""
_MOST_AGAIN = 0.1
"""Findings, a frame of the video, that are looked at again at most, and not less than this many:"""
_LEAST_AGAIN = 16
_SMALL = 18.0
"""Shorter side, in pixels, of a face of which a mosaic leaves enough to be like the source."""
_SAME_REGION = 0.5
"""IoU of two parts of a frame from which one look at either shows both."""


def check_leaks(  # noqa: PLR0913 - three files, a review, how, and who hears of it
    source: Path | str,
    record: Path | str | Record,
    output: Path | str,
    *,
    review: Path | str | Review | None = None,
    settings: LeakSettings | None = None,
    panel: Panel | None = None,
    data: Path | str | None = None,
    listener: Listener | None = None,
) -> LeakReport:
    """Look for faces that can still be found in an output.

    The same files, settings and detectors give the same report.

    Args:
        source: the video.
        record: its detection record, or the path of it.
        output: what was rendered of both.
        review: amendments that the output was rendered with, or the path of them.
        settings: how densely to look, and what counts as what.
        panel: other detectors than those that `panel_for` chooses.
        data: the data folder.
        listener: hears of progress.

    Raises:
        RecordError: the record or the review is invalid, or of another video.
        SourceError: source or output is unreadable.
        CheckFailedError: the output has other frames than the source.
        ModelError: weights are missing or not the pinned ones.
        DetectorError: a detector's process died, hung or failed.
    """
    document, digest = load_record(record)
    reviewed = read_review(Path(review), digest) if isinstance(review, Path | str) else review
    subject = _subject(Path(source), Path(output), document, digest, reviewed)
    check = _Check(subject, settings or LeakSettings(), panel or panel_for(document), data_folder(data).models)
    return check.report(listener or Silent())


@dataclass(frozen=True, slots=True)
class _Subject:
    """What is checked: files that belong together, and the frames as they were to be rendered."""

    source: Path
    output: Path
    record: Record
    digests: tuple[str, str | None]
    infos: tuple[MediaInfo, MediaInfo]
    frames: tuple[AmendedFrame, ...]

    def pairs(self) -> Iterator[tuple[AmendedFrame, SourceFrame, SourceFrame]]:
        """Every frame with what the source and the output show of it.

        Raises:
            CheckFailedError: they have other frames than the record.
        """
        on_damage: OnDamage = "cover" if self.record.damaged else "stop"
        with (
            open_source(self.source, self.infos[0], on_damage=on_damage) as source,
            open_source(self.output, self.infos[1]) as output,
        ):
            for frame, ours, theirs in zip_longest(self.frames, source.frames(), output.frames()):
                if frame is None or ours is None or theirs is None:
                    raise CheckFailedError(
                        f"{self.output} has other frames than {self.source} and its record; render it again."
                    )
                yield frame, ours, theirs

    def shown(self, wanted: Container[int], last: int) -> Iterator[SourceFrame]:
        """Some frames of the output, up to the last one."""
        with open_source(self.output, self.infos[1]) as output:
            for frame in output.frames():
                if frame.index in wanted:
                    yield frame
                if frame.index >= last:
                    return


def _subject(source: Path, output: Path, record: Record, digest: str, review: Review | None) -> _Subject:
    infos = probe(source), probe(output)
    if infos[0].sha256 != record.source.sha256:
        raise RecordError(f"The record is of another video than {source}; give its own, or detect this one.")
    if infos[1].video.display != record.display:
        raise CheckFailedError(f"{output} has another picture size than the record; render it again.")
    digests = digest, review.sha256 if review else None
    return _Subject(source, output, record, digests, infos, amended(record, review))


class _Check:
    """One run of the check."""

    def __init__(self, subject: _Subject, settings: LeakSettings, panel: Panel, models: Path) -> None:
        self._subject, self._settings, self._panel = subject, settings, panel
        self._models = models
        self._cuts, self._display = subject.record.cuts, subject.record.display
        self._showing: dict[int, list[tuple[int, Box, float]]] = defaultdict(list)
        self._masks = 0
        self._owed: dict[int, list[Owed]] = defaultdict(list)
        for one in owed(subject.record):
            self._owed[one.frame].append(one)
        self._owing: list[Glimpse] = []

    def report(self, listener: Listener) -> LeakReport:
        subject, settings = self._subject, self._settings
        where = scrutiny(subject.frames, self._cuts, self._display, settings)
        with ExitStack() as stack:
            lookouts = stack.enter_context(self._lookouts(self._panel.lookouts))
            witnesses = _Summoned(stack, self._witnesses)
            seen = self._first(where, lookouts, witnesses, listener)
            seen = self._again(seen, lookouts, witnesses)
        leaks, doubtful = self._leaks(seen)
        return LeakReport(
            schema=SCHEMA,
            veil=VERSION,
            source_sha256=subject.infos[0].sha256,
            record_sha256=subject.digests[0],
            review_sha256=subject.digests[1],
            output_sha256=subject.infos[1].sha256,
            settings=settings,
            detectors=tuple(self._panel.facts(subject.record)),
            looked=self._looked(where),
            leaks=leaks,
            doubtful=doubtful,
        )

    def _lookouts(self, plans: tuple[DetectorPlan, ...]) -> Lookouts:
        workers = max(1, (cpu_count() or 1) // len(plans))
        return Lookouts(plans, self._panel.hire(plans, self._models, workers), self._display)

    def _witnesses(self) -> Lookouts:
        plans = (self._panel.witness,)
        return Lookouts(plans, self._panel.hire(plans, self._models, 1), self._display)

    def _first(self, where: Scrutiny, lookouts: Lookouts, witnesses: _Summoned, listener: Listener) -> list[Glimpse]:
        """Every mask compared, and the lookout's finds where it was to look.

        The witness takes a second to load, so it is sent for as soon as there may be something to ask it.
        """
        parts: dict[int, list[Box]] = defaultdict(list)
        for part in where.parts:
            parts[part.frame].append(part.region)
        for frame, ours, theirs in self._subject.pairs():
            self._compare(frame, ours, theirs)
            wanted: list[Box | None] = [None] if frame.index in where.whole else []
            lookouts.show([Sight(theirs, region) for region in (*wanted, *parts.get(frame.index, ()))])
            if any(find.score >= self._settings.likely for find in self._finds(lookouts.news())):
                witnesses.come()
            listener.progress("leaks", frame.index + 1, len(self._subject.frames))
        return list(lookouts.rest())

    def _compare(self, frame: AmendedFrame, ours: SourceFrame, theirs: SourceFrame) -> None:
        if frame.covered:
            return
        orientation = self._subject.infos[0].video.orientation
        for face in frame.faces:
            value = None if face.visible else likeness(ours.picture(), theirs.picture(), face.box, orientation)
            if value is None:
                continue
            self._masks += 1
            if value >= self._limit(face.box):
                self._showing[face.track].append((frame.index, face.box, value))
        for one in self._owed[frame.index]:
            value = likeness(ours.picture(), theirs.picture(), one.box, orientation)
            shows = mask_over(one.box, frame) is None if value is None else value >= self._limit(one.box)
            if shows:
                self._owing.append(Glimpse(frame.index, one.box, 1.0, RULES))

    def _limit(self, box: Box) -> float:
        """Likeness from which the mask of a face is not there."""
        small = min(box.width, box.height) < _SMALL
        return self._settings.small_likeness if small else self._settings.likeness

    def _finds(self, seen: Iterable[Glimpse]) -> Iterator[Glimpse]:
        """What was seen where no face should show, in the open or under a mask."""
        sifted = sift(seen, self._subject.frames)
        yield from sifted.open
        yield from (glimpse for glimpse, _ in sifted.under)

    def _again(self, seen: list[Glimpse], lookouts: Lookouts, summoned: _Summoned) -> list[Glimpse]:
        """What was seen, and what a second look at the finds and about them adds."""
        asked = self._doubts(seen)
        if not asked:
            return seen
        witnesses = summoned.come()
        for frame in self._subject.shown(asked, max(asked)):
            for region in asked[frame.index]:
                sight = [Sight(frame, region)]
                lookouts.show(sight)
                witnesses.show(sight)
        return [*lookouts.rest(), *witnesses.rest()]

    def _doubts(self, seen: list[Glimpse]) -> dict[int, list[Box]]:
        """By frame, the regions to be looked at again: about the finds, and about their places in the frames around."""
        groups = linked(self._finds(seen), self._cuts, 2 * self._settings.stride)
        groups = [group for group in groups if max(one.score for one in group) >= self._settings.likely]
        groups.sort(key=lambda group: -max(one.score for one in group))
        most = max(_LEAST_AGAIN, round(_MOST_AGAIN * len(self._subject.frames)))
        asked: dict[int, list[Box]] = defaultdict(list)
        for group in groups[:most]:
            best = max(group, key=lambda one: one.score)
            for around in {best.frame: best, group[0].frame: group[0], group[-1].frame: group[-1]}.values():
                for index in (around.frame, *(around.frame + step * way for step in _AGAIN for way in (-1, 1))):
                    if 0 <= index < len(self._subject.frames):
                        _add(asked[index], region_about(around.box, self._display))
        return dict(asked)

    def _leaks(self, seen: list[Glimpse]) -> tuple[tuple[Leak, ...], tuple[Leak, ...]]:
        frames, settings, reach = self._subject.frames, self._settings, 2 * self._settings.stride
        leaks = list(unmasked(self._showing, self._cuts, reach))
        doubtful: list[Leak] = []
        sifted = sift(seen, frames)
        for group in linked([*sifted.open, *self._owing], self._cuts, reach):
            if believed(group, settings):
                leak = leak_of(group, "unrecorded", nearest_track(group, frames, reach))
                (doubtful if doubted(group, frames) and not by_rules(group) else leaks).append(leak)
        leaks += self._weak(sifted.under)
        return tuple(sorted(leaks, key=_place)), tuple(sorted(doubtful, key=_place))

    def _weak(self, under: Sequence[tuple[Glimpse, AmendedFace]]) -> Iterator[Leak]:
        """Masks that are in the output, and under which detectors still find a face."""
        by_track: dict[int, list[Glimpse]] = defaultdict(list)
        missing = {(index, track) for track, places in self._showing.items() for index, _, _ in places}
        for glimpse, face in under:
            if (glimpse.frame, face.track) not in missing:
                by_track[face.track].append(glimpse)
        for track, glimpses in sorted(by_track.items()):
            for group in linked(glimpses, self._cuts, 2 * self._settings.stride):
                if believed(group, self._settings):
                    yield leak_of(group, "weak", track)

    def _looked(self, where: Scrutiny) -> Looked:
        seen = sorted(where.whole | {part.frame for part in where.parts})
        bounds = [-1, *seen, len(self._subject.frames)]
        return Looked(
            frames=len(self._subject.frames),
            whole=len(where.whole),
            parts=len(where.parts),
            left_out=where.left_out,
            masks=self._masks,
            longest=max(after - before - 1 for before, after in pairwise(bounds)),
        )


class _Summoned:
    """The witness, which is started when it is first asked for and ended with the check."""

    def __init__(self, stack: ExitStack, make: Callable[[], Lookouts]) -> None:
        self._stack, self._make = stack, make
        self._there: Lookouts | None = None

    def come(self) -> Lookouts:
        """Start it unless it runs; returns while it loads."""
        if self._there is None:
            self._there = self._stack.enter_context(self._make())
        return self._there


def _add(regions: list[Box], region: Box) -> None:
    """Add a region to those of a frame, unless one of them shows the same."""
    if all(region.iou(other) < _SAME_REGION for other in regions):
        regions.append(region)


def _place(leak: Leak) -> tuple[int, str]:
    return leak.frame, leak.key
