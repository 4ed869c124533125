"""Every error that Veil raises on purpose.

    VeilError
    ├── InputError            exit 2   what was given cannot be used
    │   ├── SourceError                a video that cannot be read
    │   │   └── DamagedFrameError      one frame of it, named
    │   ├── RecordError                a record that is invalid, or belongs to another video
    │   │   ├── ReviewError                a review that is missing, unreadable or changed
    │   │   │   ├── TornReviewError            its last line is unfinished; can be repaired
    │   │   │   └── ForeignReviewError         it belongs to another record
    │   │   └── AmendmentError             one amendment that does not fit its record
    │   ├── ModelError                 weights that are missing or not the pinned ones
    │   ├── RunError                   a run that does not exist, is damaged, or is not where that can be done to it
    │   ├── StyleError                 a style that would not hide a face, or does not exist
    │   ├── TargetError                an output that cannot be written
    │   ├── AccessError                somebody who may not do that, or is not who they say
    │   ├── AuditError                 an audit log that cannot be read or added to
    │   └── QueryError                 a question that the index cannot answer
    ├── DetectorError         exit 1   a detector's process died, hung or failed; the run can be resumed
    ├── RenderError           exit 1   a frame or stream that could not be written
    ├── RunCancelledError     exit 130 somebody wanted a run to stop; it can be resumed
    └── CheckFailedError      exit 3   a check on finished files failed
        └── SignOffError               a step of review and sign-off is missing, or was voided by a change

A message is one sentence or two for a person: what is wrong with which file, and what to do.
"""

from __future__ import annotations

from typing import ClassVar


class VeilError(Exception):
    """Base of all errors that Veil raises on purpose; `exit_code` is what the command line returns."""

    exit_code: ClassVar[int] = 1


class InputError(VeilError):
    """What the caller gave cannot be used."""

    exit_code = 2


class SourceError(InputError):
    """The source is not a readable video, or not the one that is meant."""


class DamagedFrameError(SourceError):
    """A frame of the source cannot be decoded; `index` is its place in presentation order."""

    def __init__(self, message: str, index: int) -> None:
        super().__init__(message)
        self.index = index


class RecordError(InputError):
    """The detection record, or its review, cannot be read, or does not belong to the source."""


class ReviewError(RecordError):
    """The review is missing or unreadable, or a line of it was changed."""


class TornReviewError(ReviewError):
    """The last line of the review is unfinished, as after a crash; `engine.review.review_file.repair_review` helps."""


class ForeignReviewError(ReviewError):
    """The review belongs to another record."""


class AmendmentError(RecordError):
    """An amendment does not fit its record; `number` is its place in the review, `problem` what is wrong."""

    def __init__(self, number: int, problem: str) -> None:
        super().__init__(f"Amendment {number} (line {number} of the review) does not fit the record: {problem}.")
        self.number = number
        self.problem = problem


class ModelError(InputError):
    """Model weights are missing, or are not the pinned ones."""


class RunError(InputError):
    """There is no such run, its folder is damaged, or it is in a state in which what was asked cannot be done."""


class StyleError(InputError):
    """The style does not exist, or would not hide a face."""


class TargetError(InputError):
    """The output cannot be written where it was asked for."""


class AccessError(InputError):
    """The person may not do that, or is not who they say."""


class AuditError(InputError):
    """The audit log cannot be read or added to."""


class QueryError(InputError):
    """A question that the index cannot answer, or may not."""


class DetectorError(VeilError):
    """A detector's worker process died, hung or failed; what it had finished is kept."""


class RenderError(VeilError):
    """A frame or a stream could not be written."""


class RunCancelledError(VeilError):
    """Somebody wanted a run to stop; what it had finished is kept."""

    exit_code = 130


class CheckFailedError(VeilError):
    """A check on finished files failed."""

    exit_code = 3


class SignOffError(CheckFailedError):
    """A step of review and sign-off is missing, or was voided by a change."""
