"""Estimate by capture-recapture how many faces no detector found, from how often the detectors found the same ones.

If two detectors are independent, the share of B's faces that A found too estimates the probability that A finds a
face, and with it the number of all faces. For two detectors: Chapman's estimator ("Some properties of the
hypergeometric distribution with applications to zoological sample censuses", 1951). For three and more: Chao's lower
bound ("Estimating the population size for capture-recapture data with unequal catchability", Biometrics 43, 1987),
bias-corrected. It needs only the numbers of faces found by one and by two detectors, and allows some faces to be harder
to find than others.

The assumptions, and where they fail:

- Detectors are independent. They are not: a face turned away, blurred or in the dark is hard for all of them. They then
  agree more than by chance, and the estimate is too low. It is a likely lower bound.
- Every detection is a face. A false detection of one detector makes the estimate too high.
- Detections are paired correctly. A pair that was not joined counts as two faces and makes the estimate too high.

A face here is a face in one frame. The frames of one track are alike, so the intervals resample whole tracks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from engine.core.face_sizes import SIZE_CLASSES, Interval
from engine.errors import InputError
from engine.record import Detection, DetectionConfig, Document, Record

ESTIMATE_LABEL = "likely lower bound"
"""The words for an estimate wherever it is shown."""

Sums = NDArray[np.float64]
"""Numbers of faces by pattern."""
_MAX_RESAMPLED_VALUES = 4_000_000


@dataclass(frozen=True, slots=True)
class Capture:
    """A face in one frame with the detectors that found it, or several equal ones.

    Attributes:
        unit: What is resampled as a whole: the run and the track.
        height: Height of the box with the highest score, in display pixels.
        seen_by: Names of the detectors, at least one.
        count: Number of faces that this stands for.
    """

    unit: Hashable
    height: float
    seen_by: frozenset[str]
    count: int = 1


class MissedFacesEstimate(Document, frozen=True, kw_only=True):
    """The number of faces in frames that were found, and the estimate of those that every detector missed.

    Attributes:
        seen: Faces that any detector found.
        alone: Faces that only one detector found.
        missed: Estimate of the faces that no detector found, a likely lower bound; None if nothing was found.
        missed_interval: Both ends of its interval; None for fewer than two tracks.
        found: seen / (seen + missed), a likely upper bound of the share that was found.
        units: Number of tracks.
    """

    seen: int
    alone: int
    missed: float | None
    missed_interval: Interval | None
    found: float | None
    units: int


class RecaptureEstimate(MissedFacesEstimate, frozen=True, kw_only=True):
    """The estimate over all sizes, and for each of `engine.core.face_sizes.SIZE_CLASSES`.

    Attributes:
        schema: Always "veil/recapture/1".
        detectors: Sorted names.
        method: "chapman" for two detectors, "chao" for more.
        confidence: Confidence level of the intervals.
        by_size: By the height of the box with the highest score. The classes do not add up to the whole, because each
            is an estimate of its own.
    """

    schema: Literal["veil/recapture/1"] = "veil/recapture/1"
    detectors: tuple[str, ...]
    method: Literal["chapman", "chao"]
    confidence: float
    by_size: Mapping[str, MissedFacesEstimate]


def estimate_missed_faces(
    captures: Iterable[Capture],
    detectors: Iterable[str],
    *,
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> RecaptureEstimate:
    """Estimate how many faces no detector saw.

    Args:
        captures: Faces that were found, in frames in which all `detectors` were asked.
        detectors: Names of the detectors.
        confidence: Confidence level of the intervals.
        resamples: Number of resamples. The same arguments give the same intervals.
        seed: Seed of the resampling.

    Raises:
        InputError: There are fewer than two detectors.
    """
    names = tuple(sorted(set(detectors)))
    if len(names) < 2:
        raise InputError(
            f"An estimate of missed faces needs two independent detectors, this has {len(names)}; "
            "detect in mode hybrid, or name two with --detectors."
        )
    captures = list(captures)
    drawing = _Estimator(names, confidence, resamples, seed)
    overall, *classes = [
        drawing.estimate([capture for capture in captures if least <= capture.height < limit])
        for least, limit in ((0.0, float("inf")), *SIZE_CLASSES.values())
    ]
    return RecaptureEstimate(
        **{name: getattr(overall, name) for name in MissedFacesEstimate.__struct_fields__},
        detectors=names,
        method="chapman" if len(names) == 2 else "chao",
        confidence=confidence,
        by_size=dict(zip(SIZE_CLASSES, classes, strict=True)),
    )


def list_captures(record: Record) -> Iterator[Capture]:
    """Yield the faces that were found in the frames in which all detectors of the record were asked.

    In other frames a detector that was not asked would count as one that missed the face.
    """
    everywhere = flag_frames_asked_of_all(record.detection, len(record.frames))
    for frame in record.frames:
        if everywhere[frame.index]:
            for face in frame.faces:
                if face.evidence:
                    seen_by = frozenset(seen.detector for seen in face.evidence)
                    yield Capture(face.track, find_best_evidence(face.evidence).box.height, seen_by)


def flag_frames_asked_of_all(detection: DetectionConfig, frames: int) -> NDArray[np.bool_]:
    """Flag the frames about which every detector was asked."""
    everywhere = np.ones(frames, dtype=np.bool_)
    for asked in flag_asked_frames(detection, frames).values():
        everywhere &= asked
    return everywhere


def flag_asked_frames(detection: DetectionConfig, frames: int) -> dict[str, NDArray[np.bool_]]:
    """Flag, for each detector by name, the frames about which it was asked."""
    return {
        detector.name: _flags_from_ranges(detection.asked.get(detector.name), frames)
        for detector in detection.detectors
    }


def _flags_from_ranges(ranges: Iterable[tuple[int, int]] | None, frames: int) -> NDArray[np.bool_]:
    mask = np.full(frames, ranges is None)
    for start, stop in ranges or ():
        mask[start:stop] = True
    return mask


def find_best_evidence(evidence: Sequence[Detection]) -> Detection:
    """Return the evidence with the highest score; of equal scores the first detector by name."""
    return min(evidence, key=lambda seen: (-seen.score, seen.detector))


@dataclass(frozen=True, slots=True)
class _Estimator:
    """Counts the captures and resamples the tracks."""

    names: tuple[str, ...]
    confidence: float
    resamples: int
    seed: int

    def estimate(self, captures: Sequence[Capture]) -> MissedFacesEstimate:
        counts = self._count_patterns(captures)
        sums = counts.sum(axis=0)
        seen, alone = int(sums.sum()), int(sum(capture.count for capture in captures if len(capture.seen_by) == 1))
        missed = float(self._estimate_missed(sums[None])[0]) if seen else None
        return MissedFacesEstimate(
            seen=seen,
            alone=alone,
            missed=missed,
            missed_interval=self._bootstrap_interval(counts),
            found=None if missed is None else seen / (seen + missed),
            units=len(counts),
        )

    def _count_patterns(self, captures: Sequence[Capture]) -> Sums:
        """Count the faces of each unit by pattern (see `_find_pattern`), shape (units, 3)."""
        units: defaultdict[Hashable, list[int]] = defaultdict(lambda: [0, 0, 0])
        for capture in captures:
            units[capture.unit][self._find_pattern(capture.seen_by)] += capture.count
        return np.array(list(units.values()), dtype=np.float64).reshape(-1, 3)

    def _find_pattern(self, seen_by: frozenset[str]) -> int:
        """Return the pattern: of two detectors the first, the second or both; of more by one, two, or more."""
        # Chao's bound needs only the faces found by one and by two detectors; Chapman's needs to know by which one.
        if len(self.names) > 2:
            return min(len(seen_by), 3) - 1
        return 2 if len(seen_by) == 2 else int(self.names[1] in seen_by)

    def _estimate_missed(self, sums: Sums) -> Sums:
        """Estimate the faces that no detector found, for each row of sums over the three patterns."""
        first, second, both = sums.T
        if len(self.names) == 2:
            chapman: Sums = first * second / (both + 1.0)  # (n1+1)(n2+1)/(m+1) - 1, minus the faces that were found
            return chapman
        occasions = len(self.names)
        bound: Sums = (occasions - 1) / occasions * first * (first - 1.0) / (2.0 * (second + 1.0))
        return bound

    def _bootstrap_interval(self, counts: Sums) -> Interval | None:
        """Compute the percentile bootstrap interval over units, as `bootstrap_intervals` does for rates."""
        units = len(counts)
        # Every resample of a single track is that track again, so the interval would be a point.
        if units < 2:
            return None
        generator = np.random.default_rng(self.seed)
        drawn = np.empty(self.resamples)
        step = max(1, _MAX_RESAMPLED_VALUES // units)
        for start in range(0, self.resamples, step):
            part = drawn[start : start + step]
            times = generator.multinomial(units, np.full(units, 1.0 / units), size=len(part))
            part[:] = self._estimate_missed(times.astype(np.float64) @ counts)
        tail = (1.0 - self.confidence) / 2
        low, high = np.quantile(drawn, [tail, 1.0 - tail])
        return float(low), float(high)
