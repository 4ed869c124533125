"""The leak check: search an output for faces that still show, for a person to judge before the release.

The check answers two questions.

1. Is every mask of the plan in the output? Every mask of every frame is compared with the source by its fine detail
   (`similarity`). This needs no detector, so it also finds missing masks over faces that no detector sees.
2. Is there a face where the plan has no mask?
   a. A track of the record that is interrupted, or ends as no detection leaves it, lacks a mask (`missing_masks`).
   b. Scan detectors, which the detection did not use, look at the output: at some whole frames, and at regions where
      masks begin and end (`sampling`). A detector of the detection would only miss the same faces again.
   c. What they find is looked at again, with the frames around it, by them and by a second detector. A finding counts
      if two detectors agree in one frame (`grouping.is_confirmed`).

Running detectors on every frame would cost as much as the detection; the check takes 0.07 to 0.5 of its time.
docs/guides/leak-check.md has the measurements: what is found and what is not, the time, and the source of the
thresholds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise, zip_longest
from os import cpu_count
from pathlib import Path

from engine.assurance.leak_check.check_detectors import CheckDetectors, choose_check_detectors
from engine.assurance.leak_check.detector_pass import DetectorPass, LazyDetectorPass, Region
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
from engine.isolation.guarded import guarded
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
"""Distances of the frames, before and after a finding, that are looked at again. The next frame shows almost the same
picture, so a real face must show there too; four frames on, noise and pose have changed."""
_MAX_RECHECKS_PER_FRAME = 0.1
"""Number of findings that are looked at again, per frame of the video. It bounds the cost where a pattern looks like
faces in every frame."""
_MIN_RECHECK_LIMIT = 16
"""Number of findings that are always looked at again, however short the video is."""
_SMALL_FACE_PX = 18.0
"""Shorter side of a face below which `small_likeness` applies. Of so small a face a mosaic of five or six blocks keeps
enough to be up to 0.79 like the source."""
_SAME_REGION_IOU = 0.5
"""IoU of two regions of a frame from which it is enough to look at one of them."""


@guarded("output")
def check_leaks(  # noqa: PLR0913 - three files, and options that have defaults
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
    """Search an output for faces that still show.

    The same files, settings and detectors give the same report.

    Args:
        source: The source video.
        record: Its detection record, or the path of the record.
        output: The output that was rendered from both.
        review: The review that the output was rendered with, or its path. None: it was rendered without one.
        settings: How densely to look, and the thresholds.
        panel: The detectors of the check. None: those of `choose_check_detectors`.
        data: The data folder.
        listener: Receives the progress.

    Raises:
        RecordError: The record or the review is invalid, or of another video.
        SourceError: The source or the output is unreadable.
        CheckFailedError: The output has other frames than the source.
        ModelError: Weights are missing or not the pinned ones.
        DetectorError: The process of a detector died, hung or failed.
    """
    document, record_sha256 = load_record(record)
    loaded_review = read_review(Path(review), record_sha256) if isinstance(review, Path | str) else review
    check_input = _prepare_input(Path(source), Path(output), document, record_sha256, loaded_review)
    check = _LeakCheck(
        check_input,
        settings or LeakSettings(),
        panel or choose_check_detectors(document),
        find_data_folder(data).models,
    )
    return check.run(listener or SilentListener())


@dataclass(frozen=True, slots=True)
class _CheckInput:
    """The files of one check, and the frames as they had to be rendered.

    Attributes:
        document_hashes: SHA-256 of the record, and of the review or None.
        media_infos: Probed facts of the source and of the output.
    """

    source: Path
    output: Path
    record: Record
    document_hashes: tuple[str, str | None]
    media_infos: tuple[MediaInfo, MediaInfo]
    frames: tuple[AmendedFrame, ...]

    def read_frame_pairs(self) -> Iterator[tuple[AmendedFrame, SourceFrame, SourceFrame]]:
        """Read every frame of the source and of the output beside its plan.

        Raises:
            CheckFailedError: The source, the output and the record do not have the same number of frames.
        """
        # Damaged frames of the source were covered whole when it was rendered, so they are read in the same way. The
        # output has no excuse: a frame of it that cannot be decoded stops the check.
        on_damage: OnDamage = "cover" if self.record.damaged else "stop"
        with (
            open_source(self.source, self.media_infos[0], on_damage=on_damage) as source,
            open_source(self.output, self.media_infos[1]) as output,
        ):
            for frame, source_frame, output_frame in zip_longest(self.frames, source.frames(), output.frames()):
                if frame is None or source_frame is None or output_frame is None:
                    raise CheckFailedError(
                        f"{self.output} has other frames than {self.source} and its record; render it again."
                    )
                yield frame, source_frame, output_frame

    def read_output_frames(self, indices: Container[int], last_index: int) -> Iterator[SourceFrame]:
        """Read the frames of the output with these indices; decoding stops after the last one."""
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
    """One run of the check.

    The comparison of the masks and the scan share one pass over both videos. The second look takes another pass over
    the output, because its frames are known only after the scan.
    """

    def __init__(
        self, check_input: _CheckInput, settings: LeakSettings, detectors: CheckDetectors, models_folder: Path
    ) -> None:
        self._input, self._settings, self._detectors = check_input, settings, detectors
        self._models_folder = models_folder
        self._cuts, self._display_size = check_input.record.cuts, check_input.record.display
        self._unapplied_masks: dict[int, list[tuple[int, Box, float]]] = defaultdict(list)
        self._compared_mask_count = 0
        self._missing_masks: dict[int, list[MissingMask]] = defaultdict(list)
        for missing in find_missing_masks(check_input.record):
            self._missing_masks[missing.frame_index].append(missing)
        self._missing_mask_detections: list[OutputDetection] = []

    def run(self, listener: ProgressListener) -> LeakReport:
        check_input, settings = self._input, self._settings
        sampling_plan = plan_sampling(check_input.frames, self._cuts, self._display_size, settings)
        with ExitStack() as stack:
            scan_pass = stack.enter_context(self._create_scan_pass(self._detectors.scan_plans))
            confirmation = LazyDetectorPass(stack, self._create_confirmation_pass)
            detections = self._scan_frames(sampling_plan, scan_pass, confirmation, listener)
            detections = self._recheck_candidates(detections, scan_pass, confirmation)
        leaks, doubtful = self._build_leaks(detections)
        return LeakReport(
            schema=SCHEMA,
            veil=VERSION,
            source_sha256=check_input.media_infos[0].sha256,
            record_sha256=check_input.document_hashes[0],
            review_sha256=check_input.document_hashes[1],
            output_sha256=check_input.media_infos[1].sha256,
            settings=settings,
            detectors=tuple(self._detectors.list_facts(check_input.record)),
            looked=self._measure_coverage(sampling_plan),
            leaks=leaks,
            doubtful=doubtful,
        )

    def _create_scan_pass(self, plans: tuple[DetectorPlan, ...]) -> DetectorPass:
        # A worker computes with one thread, so this many keep every core busy.
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
        confirmation: LazyDetectorPass,
        listener: ProgressListener,
    ) -> list[OutputDetection]:
        """Compare every mask with the source, and run the scan detectors where the sampling plan says."""
        regions_by_frame: dict[int, list[Box]] = defaultdict(list)
        for region in sampling_plan.regions:
            regions_by_frame[region.frame_index].append(region.box)
        for frame, source_frame, output_frame in self._input.read_frame_pairs():
            self._compare_masks(frame, source_frame, output_frame)
            whole: list[Box | None] = [None] if frame.index in sampling_plan.whole_frames else []
            boxes = (*whole, *regions_by_frame.get(frame.index, ()))
            scan_pass.submit_regions([Region(output_frame, box) for box in boxes])
            # The second detector takes a second to load. It is started as soon as something may have to be confirmed,
            # so that it loads while the scan continues, and not at all if the scan finds nothing.
            candidates = self._select_candidates(scan_pass.take_new_detections())
            if any(candidate.score >= self._settings.likely for candidate in candidates):
                confirmation.start()
            listener.progress("leaks", frame.index + 1, len(self._input.frames))
        return list(scan_pass.collect_detections())

    def _compare_masks(self, frame: AmendedFrame, source_frame: SourceFrame, output_frame: SourceFrame) -> None:
        """Compare the masks of a frame, and the places where the record lacks one, with the source."""
        if frame.covered:
            return
        orientation = self._input.media_infos[0].video.orientation
        for face in frame.faces:
            if face.visible:
                continue
            likeness = measure_likeness(source_frame.picture(), output_frame.picture(), face.box, orientation)
            # None: the face is too small, or the source has no fine detail there to compare (or to recognise).
            if likeness is None:
                continue
            self._compared_mask_count += 1
            if likeness >= self._choose_likeness_limit(face.box):
                self._unapplied_masks[face.track].append((frame.index, face.box, likeness))
        for missing in self._missing_masks[frame.index]:
            likeness = measure_likeness(source_frame.picture(), output_frame.picture(), missing.box, orientation)
            # The record lacks a mask here, but the mask of another track, or of a reviewer, may cover the place. The
            # pixels decide; where they cannot be compared, the plan does.
            shows = (
                find_mask_over(missing.box, frame) is None
                if likeness is None
                else likeness >= self._choose_likeness_limit(missing.box)
            )
            if shows:
                detection = OutputDetection(frame.index, missing.box, 1.0, RECORD_RULES_DETECTOR)
                self._missing_mask_detections.append(detection)

    def _choose_likeness_limit(self, box: Box) -> float:
        """Return the likeness from which the mask of a face counts as not applied."""
        small = min(box.width, box.height) < _SMALL_FACE_PX
        return self._settings.small_likeness if small else self._settings.likeness

    def _select_candidates(self, detections: Iterable[OutputDetection]) -> Iterator[OutputDetection]:
        """Yield the detections that show a face where none should show, outside and under masks."""
        by_mask = split_by_mask(detections, self._input.frames)
        yield from by_mask.unmasked
        yield from (detection for detection, _ in by_mask.masked)

    def _recheck_candidates(
        self, detections: list[OutputDetection], scan_pass: DetectorPass, confirmation: LazyDetectorPass
    ) -> list[OutputDetection]:
        """Look again at the candidates and around them; return all detections, old and new."""
        boxes_by_frame = self._choose_recheck_regions(detections)
        if not boxes_by_frame:
            return detections
        confirmation_pass = confirmation.start()
        for frame in self._input.read_output_frames(boxes_by_frame, max(boxes_by_frame)):
            for box in boxes_by_frame[frame.index]:
                # Both detectors get the same picture, because a face counts only if two of them agree in one frame.
                regions = [Region(frame, box)]
                scan_pass.submit_regions(regions)
                confirmation_pass.submit_regions(regions)
        return [*scan_pass.collect_detections(), *confirmation_pass.collect_detections()]

    def _choose_recheck_regions(self, detections: list[OutputDetection]) -> dict[int, list[Box]]:
        """Choose the regions to look at again, by frame: around the candidates, there and in the frames around."""
        groups = link_detections(self._select_candidates(detections), self._cuts, 2 * self._settings.stride)
        groups = [group for group in groups if _get_best_score(group) >= self._settings.likely]
        # The highest scores come first, so that the limit drops what is least likely to be a face.
        groups.sort(key=lambda group: -_get_best_score(group))
        limit = max(_MIN_RECHECK_LIMIT, round(_MAX_RECHECKS_PER_FRAME * len(self._input.frames)))
        regions: dict[int, list[Box]] = defaultdict(list)
        for group in groups[:limit]:
            # The best detection of the group and both ends of it: what moves is elsewhere at the ends.
            best = max(group, key=lambda detection: detection.score)
            for anchor in {best.frame: best, group[0].frame: group[0], group[-1].frame: group[-1]}.values():
                offsets = (0, *(sign * offset for offset in _RECHECK_OFFSETS_FRAMES for sign in (-1, 1)))
                for index in (anchor.frame + offset for offset in offsets):
                    if 0 <= index < len(self._input.frames):
                        _add_region(regions[index], expand_to_region(anchor.box, self._display_size))
        return dict(regions)

    def _build_leaks(self, detections: list[OutputDetection]) -> tuple[tuple[Leak, ...], tuple[Leak, ...]]:
        """Build the leaks, and apart from them those that the record already lists as possible faces."""
        frames, settings = self._input.frames, self._settings
        # Whole frames are one stride apart. Two strides allow one of them to miss the face without splitting the leak.
        reach = 2 * settings.stride
        leaks = list(find_unmasked_leaks(self._unapplied_masks, self._cuts, reach))
        doubtful: list[Leak] = []
        by_mask = split_by_mask(detections, frames)
        for group in link_detections([*by_mask.unmasked, *self._missing_mask_detections], self._cuts, reach):
            if is_confirmed(group, settings):
                leak = build_leak(group, "unrecorded", find_nearest_track(group, frames, reach))
                # Review already lists a possible face as an item to check, so it does not stop the release once more.
                (doubtful if is_doubtful(group, frames) and not has_missing_mask(group) else leaks).append(leak)
        leaks += self._find_weak_masks(by_mask.masked)
        return tuple(sorted(leaks, key=_leak_sort_key)), tuple(sorted(doubtful, key=_leak_sort_key))

    def _find_weak_masks(self, masked_detections: Sequence[tuple[OutputDetection, AmendedFace]]) -> Iterator[Leak]:
        """Find the masks that are in the output and under which detectors still find a face."""
        by_track: dict[int, list[OutputDetection]] = defaultdict(list)
        # A mask that is not in the output is reported as "unmasked"; the face found there is the same leak.
        unapplied = {(index, track) for track, places in self._unapplied_masks.items() for index, _, _ in places}
        for detection, face in masked_detections:
            if (detection.frame, face.track) not in unapplied:
                by_track[face.track].append(detection)
        for track, track_detections in sorted(by_track.items()):
            for group in link_detections(track_detections, self._cuts, 2 * self._settings.stride):
                if is_confirmed(group, self._settings):
                    yield build_leak(group, "weak", track)

    def _measure_coverage(self, sampling_plan: SamplingPlan) -> LeakCheckCoverage:
        sampled = sorted(sampling_plan.whole_frames | {region.frame_index for region in sampling_plan.regions})
        # With both ends of the video as bounds, what comes before the first look and after the last one counts too.
        bounds = [-1, *sampled, len(self._input.frames)]
        return LeakCheckCoverage(
            frames=len(self._input.frames),
            whole=len(sampling_plan.whole_frames),
            parts=len(sampling_plan.regions),
            left_out=sampling_plan.left_out_count,
            masks=self._compared_mask_count,
            longest=max(after - before - 1 for before, after in pairwise(bounds)),
        )


def _add_region(regions: list[Box], region: Box) -> None:
    """Add a region to those of a frame unless one of them shows the same."""
    if all(region.iou(other) < _SAME_REGION_IOU for other in regions):
        regions.append(region)


def _get_best_score(group: Sequence[OutputDetection]) -> float:
    return max(detection.score for detection in group)


def _leak_sort_key(leak: Leak) -> tuple[int, str]:
    return leak.frame, leak.key
