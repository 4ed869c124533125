"""The leak check: faces that can still be found in an output, for a person to judge before it is released.

Two questions are asked of every output. Is each mask of the plan in it? That is told for every mask of every frame by
holding the output against the source. And is there a face where the plan has none? Where a track of the record is
interrupted, or ends, as no detection leaves it, a mask is missing. Apart from that, detectors that the detection did
not use look at the output: thinly where the plan is sure, densely where masks begin and end. Where they find
something, a second look at that frame and its neighbours, by another detector too, tells a face from a chance likeness.
See docs/guides/leak-check.md for what this finds and what it costs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise, zip_longest
from os import cpu_count
from pathlib import Path

from engine.assurance.leak_check.check_detectors import CheckDetectors, choose_check_detectors
from engine.assurance.leak_check.detector_pass import DetectorPass, Region
from engine.assurance.leak_check.grouping import (
    RECORD_RULES_DETECTOR,
    build_leak,
    find_mask_over,
    find_nearest_track,
    find_unmasked_leaks,
    has_missing_mask,
    is_confirmed,
    is_doubtful,
    link_detections,
    split_by_mask,
)
from engine.assurance.leak_check.missing_masks import MissingMask, find_missing_masks
from engine.assurance.leak_check.report import (
    SCHEMA,
    Leak,
    LeakCheckCoverage,
    LeakReport,
    LeakSettings,
    OutputDetection,
)
from engine.assurance.leak_check.sampling import SamplingPlan, expand_to_region, plan_sampling
from engine.assurance.leak_check.similarity import measure_likeness
from engine.core.geometry import Box
from engine.core.progress import ProgressListener, SilentListener
from engine.detectors.registry import DetectorPlan
from engine.errors import CheckFailedError, RecordError
from engine.media.facts import MediaInfo
from engine.media.frame import SourceFrame
from engine.media.source.decode import OnDamage, open_source
from engine.media.source.probe import probe
from engine.record import Record
from engine.review.amendments import Review
from engine.review.apply import AmendedFace, AmendedFrame, amend_frames
from engine.review.load import load_record
from engine.review.review_file import read_review
from engine.storage.data_folder import find_data_folder
from engine.version import VERSION

_RECHECK_OFFSETS_FRAMES = (1, 4)
"""Frames before and after a finding that are looked at again."""
_MAX_RECHECKS_PER_FRAME = 0.1
"""Findings, a frame of the video, that are looked at again at most, and not less than this many:"""
_MIN_RECHECK_LIMIT = 16
_SMALL_FACE_PX = 18.0
"""Shorter side, in pixels, of a face of which a mosaic leaves enough to be like the source."""
_SAME_REGION_IOU = 0.5
"""IoU of two parts of a frame from which one look at either shows both."""


def check_leaks(  # noqa: PLR0913 - three files, a review, how, and who hears of it
    source: Path | str,
    record: Path | str | Record,
    output: Path | str,
    *,
    review: Path | str | Review | None = None,
    settings: LeakSettings | None = None,
    panel: CheckDetectors | None = None,
    data: Path | str | None = None,
    listener: ProgressListener | None = None,
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
    subject = _prepare_input(Path(source), Path(output), document, digest, reviewed)
    check = _LeakCheck(
        subject, settings or LeakSettings(), panel or choose_check_detectors(document), find_data_folder(data).models
    )
    return check.run(listener or SilentListener())


@dataclass(frozen=True, slots=True)
class _CheckInput:
    """What is checked: files that belong together, and the frames as they were to be rendered."""

    source: Path
    output: Path
    record: Record
    document_hashes: tuple[str, str | None]
    media_infos: tuple[MediaInfo, MediaInfo]
    frames: tuple[AmendedFrame, ...]

    def read_frame_pairs(self) -> Iterator[tuple[AmendedFrame, SourceFrame, SourceFrame]]:
        """Every frame with what the source and the output show of it.

        Raises:
            CheckFailedError: they have other frames than the record.
        """
        on_damage: OnDamage = "cover" if self.record.damaged else "stop"
        with (
            open_source(self.source, self.media_infos[0], on_damage=on_damage) as source,
            open_source(self.output, self.media_infos[1]) as output,
        ):
            for frame, ours, theirs in zip_longest(self.frames, source.frames(), output.frames()):
                if frame is None or ours is None or theirs is None:
                    raise CheckFailedError(
                        f"{self.output} has other frames than {self.source} and its record; render it again."
                    )
                yield frame, ours, theirs

    def read_output_frames(self, indices: Container[int], last_index: int) -> Iterator[SourceFrame]:
        """Some frames of the output, up to the last one."""
        with open_source(self.output, self.media_infos[1]) as output:
            for frame in output.frames():
                if frame.index in indices:
                    yield frame
                if frame.index >= last_index:
                    return


def _prepare_input(
    source: Path, output: Path, record: Record, record_sha256: str, review: Review | None
) -> _CheckInput:
    infos = probe(source), probe(output)
    if infos[0].sha256 != record.source.sha256:
        raise RecordError(f"The record is of another video than {source}; give its own, or detect this one.")
    if infos[1].video.display != record.display:
        raise CheckFailedError(f"{output} has another picture size than the record; render it again.")
    digests = record_sha256, review.sha256 if review else None
    return _CheckInput(source, output, record, digests, infos, amend_frames(record, review))


class _LeakCheck:
    """One run of the check."""

    def __init__(
        self, check_input: _CheckInput, settings: LeakSettings, detectors: CheckDetectors, models_folder: Path
    ) -> None:
        self._input, self._settings, self._detectors = check_input, settings, detectors
        self._models_folder = models_folder
        self._cuts, self._display_size = check_input.record.cuts, check_input.record.display
        self._unapplied_masks: dict[int, list[tuple[int, Box, float]]] = defaultdict(list)
        self._compared_mask_count = 0
        self._missing_masks: dict[int, list[MissingMask]] = defaultdict(list)
        for one in find_missing_masks(check_input.record):
            self._missing_masks[one.frame_index].append(one)
        self._missing_mask_detections: list[OutputDetection] = []

    def run(self, listener: ProgressListener) -> LeakReport:
        subject, settings = self._input, self._settings
        where = plan_sampling(subject.frames, self._cuts, self._display_size, settings)
        with ExitStack() as stack:
            lookouts = stack.enter_context(self._create_scan_pass(self._detectors.scan_plans))
            witnesses = _LazyDetectorPass(stack, self._create_confirmation_pass)
            seen = self._scan_frames(where, lookouts, witnesses, listener)
            seen = self._recheck_candidates(seen, lookouts, witnesses)
        leaks, doubtful = self._build_leaks(seen)
        return LeakReport(
            schema=SCHEMA,
            veil=VERSION,
            source_sha256=subject.media_infos[0].sha256,
            record_sha256=subject.document_hashes[0],
            review_sha256=subject.document_hashes[1],
            output_sha256=subject.media_infos[1].sha256,
            settings=settings,
            detectors=tuple(self._detectors.list_facts(subject.record)),
            looked=self._measure_coverage(where),
            leaks=leaks,
            doubtful=doubtful,
        )

    def _create_scan_pass(self, plans: tuple[DetectorPlan, ...]) -> DetectorPass:
        workers = max(1, (cpu_count() or 1) // len(plans))
        return DetectorPass(
            plans, self._detectors.start_detectors(plans, self._models_folder, workers), self._display_size
        )

    def _create_confirmation_pass(self) -> DetectorPass:
        plans = (self._detectors.confirmation_plan,)
        return DetectorPass(plans, self._detectors.start_detectors(plans, self._models_folder, 1), self._display_size)

    def _scan_frames(
        self,
        sampling_plan: SamplingPlan,
        scan_pass: DetectorPass,
        confirmation: _LazyDetectorPass,
        listener: ProgressListener,
    ) -> list[OutputDetection]:
        """Every mask compared, and the lookout's finds where it was to look.

        The witness takes a second to load, so it is sent for as soon as there may be something to ask it.
        """
        parts: dict[int, list[Box]] = defaultdict(list)
        for part in sampling_plan.regions:
            parts[part.frame_index].append(part.box)
        for frame, ours, theirs in self._input.read_frame_pairs():
            self._compare_masks(frame, ours, theirs)
            wanted: list[Box | None] = [None] if frame.index in sampling_plan.whole_frames else []
            scan_pass.submit_regions([Region(theirs, region) for region in (*wanted, *parts.get(frame.index, ()))])
            if any(
                find.score >= self._settings.likely for find in self._select_candidates(scan_pass.take_new_detections())
            ):
                confirmation.start()
            listener.progress("leaks", frame.index + 1, len(self._input.frames))
        return list(scan_pass.collect_detections())

    def _compare_masks(self, frame: AmendedFrame, source_frame: SourceFrame, output_frame: SourceFrame) -> None:
        if frame.covered:
            return
        orientation = self._input.media_infos[0].video.orientation
        for face in frame.faces:
            value = (
                None
                if face.visible
                else measure_likeness(source_frame.picture(), output_frame.picture(), face.box, orientation)
            )
            if value is None:
                continue
            self._compared_mask_count += 1
            if value >= self._choose_likeness_limit(face.box):
                self._unapplied_masks[face.track].append((frame.index, face.box, value))
        for one in self._missing_masks[frame.index]:
            value = measure_likeness(source_frame.picture(), output_frame.picture(), one.box, orientation)
            shows = (
                find_mask_over(one.box, frame) is None
                if value is None
                else value >= self._choose_likeness_limit(one.box)
            )
            if shows:
                self._missing_mask_detections.append(OutputDetection(frame.index, one.box, 1.0, RECORD_RULES_DETECTOR))

    def _choose_likeness_limit(self, box: Box) -> float:
        """Likeness from which the mask of a face is not there."""
        small = min(box.width, box.height) < _SMALL_FACE_PX
        return self._settings.small_likeness if small else self._settings.likeness

    def _select_candidates(self, detections: Iterable[OutputDetection]) -> Iterator[OutputDetection]:
        """What was seen where no face should show, in the open or under a mask."""
        sifted = split_by_mask(detections, self._input.frames)
        yield from sifted.unmasked
        yield from (glimpse for glimpse, _ in sifted.masked)

    def _recheck_candidates(
        self, detections: list[OutputDetection], scan_pass: DetectorPass, confirmation: _LazyDetectorPass
    ) -> list[OutputDetection]:
        """What was seen, and what a second look at the finds and about them adds."""
        asked = self._choose_recheck_regions(detections)
        if not asked:
            return detections
        witnesses = confirmation.start()
        for frame in self._input.read_output_frames(asked, max(asked)):
            for region in asked[frame.index]:
                sight = [Region(frame, region)]
                scan_pass.submit_regions(sight)
                witnesses.submit_regions(sight)
        return [*scan_pass.collect_detections(), *witnesses.collect_detections()]

    def _choose_recheck_regions(self, detections: list[OutputDetection]) -> dict[int, list[Box]]:
        """By frame, the regions to be looked at again: about the finds, and about their places in the frames around."""
        groups = link_detections(self._select_candidates(detections), self._cuts, 2 * self._settings.stride)
        groups = [group for group in groups if max(one.score for one in group) >= self._settings.likely]
        groups.sort(key=lambda group: -max(one.score for one in group))
        most = max(_MIN_RECHECK_LIMIT, round(_MAX_RECHECKS_PER_FRAME * len(self._input.frames)))
        asked: dict[int, list[Box]] = defaultdict(list)
        for group in groups[:most]:
            best = max(group, key=lambda one: one.score)
            for around in {best.frame: best, group[0].frame: group[0], group[-1].frame: group[-1]}.values():
                for index in (
                    around.frame,
                    *(around.frame + step * way for step in _RECHECK_OFFSETS_FRAMES for way in (-1, 1)),
                ):
                    if 0 <= index < len(self._input.frames):
                        _add_region(asked[index], expand_to_region(around.box, self._display_size))
        return dict(asked)

    def _build_leaks(self, detections: list[OutputDetection]) -> tuple[tuple[Leak, ...], tuple[Leak, ...]]:
        frames, settings, reach = self._input.frames, self._settings, 2 * self._settings.stride
        leaks = list(find_unmasked_leaks(self._unapplied_masks, self._cuts, reach))
        doubtful: list[Leak] = []
        sifted = split_by_mask(detections, frames)
        for group in link_detections([*sifted.unmasked, *self._missing_mask_detections], self._cuts, reach):
            if is_confirmed(group, settings):
                leak = build_leak(group, "unrecorded", find_nearest_track(group, frames, reach))
                (doubtful if is_doubtful(group, frames) and not has_missing_mask(group) else leaks).append(leak)
        leaks += self._find_weak_masks(sifted.masked)
        return tuple(sorted(leaks, key=_leak_sort_key)), tuple(sorted(doubtful, key=_leak_sort_key))

    def _find_weak_masks(self, masked_detections: Sequence[tuple[OutputDetection, AmendedFace]]) -> Iterator[Leak]:
        """Masks that are in the output, and under which detectors still find a face."""
        by_track: dict[int, list[OutputDetection]] = defaultdict(list)
        missing = {(index, track) for track, places in self._unapplied_masks.items() for index, _, _ in places}
        for glimpse, face in masked_detections:
            if (glimpse.frame, face.track) not in missing:
                by_track[face.track].append(glimpse)
        for track, glimpses in sorted(by_track.items()):
            for group in link_detections(glimpses, self._cuts, 2 * self._settings.stride):
                if is_confirmed(group, self._settings):
                    yield build_leak(group, "weak", track)

    def _measure_coverage(self, sampling_plan: SamplingPlan) -> LeakCheckCoverage:
        seen = sorted(sampling_plan.whole_frames | {part.frame_index for part in sampling_plan.regions})
        bounds = [-1, *seen, len(self._input.frames)]
        return LeakCheckCoverage(
            frames=len(self._input.frames),
            whole=len(sampling_plan.whole_frames),
            parts=len(sampling_plan.regions),
            left_out=sampling_plan.left_out_count,
            masks=self._compared_mask_count,
            longest=max(after - before - 1 for before, after in pairwise(bounds)),
        )


class _LazyDetectorPass:
    """The witness, which is started when it is first asked for and ended with the check."""

    def __init__(self, stack: ExitStack, create_pass: Callable[[], DetectorPass]) -> None:
        self._stack, self._create_pass = stack, create_pass
        self._started_pass: DetectorPass | None = None

    def start(self) -> DetectorPass:
        """Start it unless it runs; returns while it loads."""
        if self._started_pass is None:
            self._started_pass = self._stack.enter_context(self._create_pass())
        return self._started_pass


def _add_region(regions: list[Box], region: Box) -> None:
    """Add a region to those of a frame, unless one of them shows the same."""
    if all(region.iou(other) < _SAME_REGION_IOU for other in regions):
        regions.append(region)


def _leak_sort_key(leak: Leak) -> tuple[int, str]:
    return leak.frame, leak.key
