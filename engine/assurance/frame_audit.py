"""The random sample check: frames drawn at random that a person looks at for faces that still show."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from itertools import pairwise
from typing import Literal

import numpy as np

from engine.errors import InputError
from engine.record import Count, Document, Record, Sha256, Timestamp, sha256_hex
from engine.review.amendments import Author

AUDIT_SCHEMA: Literal["veil/audit-of-frames/1"] = "veil/audit-of-frames/1"


class FrameAudit(Document, frozen=True):
    """The result of one random sample check.

    Attributes:
        drawn: The frames that `draw_audit_frames` chose.
        looked: The drawn frames that the person looked at.
        missed: The frames among them in which a face shows that should be masked.
        by: The person who looked.
    """

    schema: Literal["veil/audit-of-frames/1"]
    source_sha256: Sha256
    record_sha256: Sha256
    review_sha256: Sha256 | None
    drawn: tuple[Count, ...]
    looked: tuple[Count, ...]
    missed: tuple[Count, ...]
    by: Author
    at: Timestamp


def draw_audit_frames(record: Record, frame_count: int, review_sha256: Sha256 | None = None) -> tuple[int, ...]:
    """Draw frames for a person to look at: one at random from each of `frame_count` equal parts of the video.

    Args:
        record: The record of the video.
        frame_count: Number of frames to draw. A shorter video gives all its frames.
        review_sha256: SHA-256 of the review, None if there is none. Another review gives other frames.

    Raises:
        InputError: `frame_count` is less than 1.
    """
    if frame_count < 1:
        raise InputError(f"A random sample check needs at least 1 frame, got {frame_count}.")
    frames = len(record.frames)
    # The seed follows from the source and the review alone, so the sample cannot be redrawn until it looks favourable.
    # A new review changes what the output shows, so it must also change the frames: otherwise a reviewer could mend
    # just the frames that are known to be checked.
    seed = sha256_hex(f"{AUDIT_SCHEMA} {record.source.sha256} {review_sha256 or ''}".encode())
    generator = np.random.default_rng(int(seed[:16], 16))
    bounds = [part * frames // frame_count for part in range(frame_count + 1)]
    # One frame per part instead of a plain draw: frames that follow each other show the same faces, and a plain draw
    # may leave long stretches out. A video shorter than `frame_count` has empty parts, which give no frame.
    return tuple(int(generator.integers(start, stop)) for start, stop in pairwise(bounds) if stop > start)


def build_frame_audit(  # noqa: PLR0913 - one argument for each fact that the result holds
    record: Record,
    record_sha256: Sha256,
    drawn: tuple[int, ...],
    missed: Collection[int],
    by: Author,
    *,
    review_sha256: Sha256 | None = None,
) -> FrameAudit:
    """Build the result of a check in which a person looked at all drawn frames, dated now.

    Args:
        record: The record of the video.
        record_sha256: SHA-256 of the stored bytes of the record.
        drawn: The frames from `draw_audit_frames`.
        missed: The drawn frames in which a face shows that should be masked.
        by: The person who looked.
        review_sha256: SHA-256 of the review, None if there is none.

    Raises:
        InputError: `missed` names a frame that was not drawn.
    """
    if not_drawn := set(missed) - set(drawn):
        raise InputError(
            f"Frame {min(not_drawn)} was not drawn; the frames to look at are {', '.join(map(str, drawn))}."
        )
    return FrameAudit(
        schema=AUDIT_SCHEMA,
        source_sha256=record.source.sha256,
        record_sha256=record_sha256,
        review_sha256=review_sha256,
        drawn=drawn,
        looked=drawn,
        missed=tuple(sorted(missed)),
        by=by,
        at=datetime.now(UTC).astimezone(),
    )
