"""How many faces no detector saw: capture-recapture, from how often the detectors saw the same ones.

If two detectors look independently, the share of B's faces that A saw too tells A's chance to see a face, and with it
how many faces there are. Two detectors: Chapman's estimator ("Some properties of the hypergeometric distribution with
applications to zoological sample censuses", 1951). Three and more: Chao's lower bound ("Estimating the population size
for capture-recapture data with unequal catchability", Biometrics 43, 1987), bias-corrected, which needs only how many
faces one and how many two detectors saw, and allows faces to differ in how easily they are seen.

What it rests on, and where that fails:

- Detectors see faces independently. They do not: a face turned away, blurred or in the dark is hard for all of them.
  They then agree more than chance, and the estimate comes out too LOW. Read it as a likely lower bound.
- Every sighting is a face. A false sighting that one detector has alone makes the estimate too high.
- Sightings are paired rightly. A pair that was not joined counts as two faces and makes the estimate too high.

A face here is a face in one frame. Frames of one track are alike, so intervals come from drawing whole tracks again.
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
"""How an estimate is to be called wherever it is shown."""

Sums = NDArray[np.float64]
_MAX_RESAMPLED_VALUES = 4_000_000


@dataclass(frozen=True, slots=True)
class Capture:
    """A face in one frame, or several alike, and who saw it.

    Attributes:
        unit: what is drawn again as a whole for an interval: its run and track.
        height: of its surest sighting's box, in display pixels.
        seen_by: names of detectors, at least one.
        count: how many faces this stands for.
    """

    unit: Hashable
    height: float
    seen_by: frozenset[str]
    count: int = 1


class MissedFacesEstimate(Document, frozen=True, kw_only=True):
    """Faces in frames: how many were seen, and how many were likely missed by every detector.

    Attributes:
        seen: faces that any detector saw.
        alone: those that only one saw.
        missed: estimate of those that none saw, a likely lower bound; None where nothing was seen.
        missed_interval: both ends, from resampling tracks; None from fewer than two tracks.
        found: seen / (seen + missed): a likely upper bound of what share of all faces was seen.
        units: tracks that the faces belong to.
    """

    seen: int
    alone: int
    missed: float | None
    missed_interval: Interval | None
    found: float | None
    units: int


class RecaptureEstimate(MissedFacesEstimate, frozen=True, kw_only=True):
    """The estimate over all sizes, and for each of `engine.evaluation.scores.SIZES`.

    Attributes:
        schema: always "veil/recapture/1".
        detectors: names, sorted.
        method: "chapman" for two detectors, "chao" for more.
        confidence: of the intervals.
        by_size: by the height of the surest sighting. The classes add up to more or less than the whole: they are
            estimates of their own.
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
        captures: faces that were seen, in frames in which all `detectors` were asked.
        detectors: those that looked.
        confidence: of the intervals.
        resamples: how often tracks are drawn again; the same arguments give the same intervals.
        seed: of that drawing.

    Raises:
        InputError: there are fewer than two detectors.
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
    """Every face that was seen in a frame in which all detectors of the record were asked."""
    everywhere = flag_frames_asked_of_all(record.detection, len(record.frames))
    for frame in record.frames:
        if everywhere[frame.index]:
            for face in frame.faces:
                if face.evidence:
                    seen_by = frozenset(seen.detector for seen in face.evidence)
                    yield Capture(face.track, find_best_evidence(face.evidence).box.height, seen_by)


def flag_frames_asked_of_all(detection: DetectionConfig, frames: int) -> NDArray[np.bool_]:
    """For each frame, whether every detector was asked about it."""
    everywhere = np.ones(frames, dtype=np.bool_)
    for asked in flag_asked_frames(detection, frames).values():
        everywhere &= asked
    return everywhere


def flag_asked_frames(detection: DetectionConfig, frames: int) -> dict[str, NDArray[np.bool_]]:
    """For each detector, by name, whether it was asked about each frame."""
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
    """The sighting with the highest score; of equals the one whose detector comes first by name."""
    return min(evidence, key=lambda seen: (-seen.score, seen.detector))


@dataclass(frozen=True, slots=True)
class _Estimator:
    """How faces are counted and tracks drawn again."""

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
        """For each unit, how many faces were seen in each of three ways (see `_way`)."""
        units: defaultdict[Hashable, list[int]] = defaultdict(lambda: [0, 0, 0])
        for capture in captures:
            units[capture.unit][self._find_pattern(capture.seen_by)] += capture.count
        return np.array(list(units.values()), dtype=np.float64).reshape(-1, 3)

    def _find_pattern(self, seen_by: frozenset[str]) -> int:
        """With two detectors: by the first alone, the second alone, both. With more: by one, by two, by more."""
        if len(self.names) > 2:
            return min(len(seen_by), 3) - 1
        return 2 if len(seen_by) == 2 else int(self.names[1] in seen_by)

    def _estimate_missed(self, sums: Sums) -> Sums:
        """Faces that nobody saw, for each row of sums over the three ways."""
        first, second, both = sums.T
        if len(self.names) == 2:
            chapman: Sums = first * second / (both + 1.0)  # (n1+1)(n2+1)/(m+1) - 1 less those that were seen
            return chapman
        occasions = len(self.names)
        bound: Sums = (occasions - 1) / occasions * first * (first - 1.0) / (2.0 * (second + 1.0))
        return bound

    def _bootstrap_interval(self, counts: Sums) -> Interval | None:
        """Percentile bootstrap over units, as `engine.statistics.bootstrap.intervals` does for rates."""
        units = len(counts)
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
