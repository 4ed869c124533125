"""The errors that Veil raises on purpose.

    VeilError
    ├── InputError            exit 2   the input cannot be used
    │   ├── SourceError                a video that cannot be read
    │   │   └── DamagedFrameError      one of its frames, named
    │   ├── RecordError                a record that is invalid, or belongs to another video
    │   │   ├── ReviewError                a review that is missing, unreadable or changed
    │   │   │   ├── TornReviewError            its last line is unfinished; can be repaired
    │   │   │   └── ForeignReviewError         it belongs to another record
    │   │   └── AmendmentError             an amendment that does not fit its record
    │   ├── ModelError                 weights that are missing or differ from the pinned ones
    │   ├── RunError                   a run that does not exist, is damaged, or is in the wrong state
    │   ├── StyleError                 a style that would not hide a face, or does not exist
    │   ├── TargetError                an output that cannot be written
    │   ├── AccessError                a person lacks the permission, or did not prove who they are
    │   ├── AuditError                 an audit log that cannot be read or added to
    │   └── QueryError                 a query that the index cannot or may not answer
    ├── DetectorError         exit 1   a detector's process died, hung or failed; the run can be resumed
    ├── RenderError           exit 1   a frame or stream that could not be written
    ├── RunCancelledError     exit 130 a person cancelled the run; it can be resumed
    └── CheckFailedError      exit 3   a check on finished files failed
        ├── SignOffError               a step of review and sign-off is missing, or was voided by a change
        └── TimeStampError             a time stamp that could not be had, or that is of something else

A message tells a person in one or two sentences what is wrong with which file, and what to do.
"""

from __future__ import annotations

from typing import ClassVar


class VeilError(Exception):
    """Base of all errors that Veil raises on purpose; `exit_code` is what the command line returns."""

    exit_code: ClassVar[int] = 1


class InputError(VeilError):
    """The input of the caller cannot be used."""

    exit_code = 2


class SourceBusyError(InputError):
    """Another process works on the source in the same way; it can be done after that."""


class SourceError(InputError):
    """The source is not a readable video, or not the expected one."""


class DamagedFrameError(SourceError):
    """A frame of the source cannot be decoded completely.

    Attributes:
        index: index of the frame in presentation order.
    """

    def __init__(self, message: str, index: int) -> None:
        super().__init__(message)
        self.index = index

    def __reduce__(self) -> tuple[type[DamagedFrameError], tuple[str, int]]:
        # An error of another machine is met here with all its arguments.
        return type(self), (str(self), self.index)


class RecordError(InputError):
    """The detection record, or its review, cannot be read, or does not belong to the source."""


class ReviewError(RecordError):
    """The review is missing or unreadable, or a line of it was changed."""


class TornReviewError(ReviewError):
    """The last line of the review is unfinished, as after a crash; use `repair_review`."""


class ForeignReviewError(ReviewError):
    """The review belongs to another record."""


class AmendmentError(RecordError):
    """An amendment does not fit its record.

    Attributes:
        number: number of the amendment in the review, from 1.
        problem: what is wrong, as the end of a sentence.
    """

    def __init__(self, number: int, problem: str) -> None:
        super().__init__(f"Amendment {number} (line {number} of the review) does not fit the record: {problem}.")
        self.number = number
        self.problem = problem

    def __reduce__(self) -> tuple[type[AmendmentError], tuple[int, str]]:
        # As for `DamagedFrameError`.
        return type(self), (self.number, self.problem)


class ModelError(InputError):
    """Model weights are missing, or differ from the pinned ones."""


class RunError(InputError):
    """The run does not exist, its folder is damaged, or its state does not allow the operation."""


class StyleError(InputError):
    """The style does not exist, or would not hide a face."""


class TargetError(InputError):
    """The output cannot be written to its target."""


class AccessError(InputError):
    """The person lacks the permission, or did not prove who they are."""


class AuditError(InputError):
    """The audit log cannot be read or added to."""


class QueryError(InputError):
    """The index cannot, or may not, answer the query."""


class DetectorError(VeilError):
    """A detector's worker process died, hung or failed; finished work is kept."""


class RenderError(VeilError):
    """A frame or a stream could not be written."""


class RunCancelledError(VeilError):
    """A person cancelled the run; finished work is kept."""

    exit_code = 130


class CheckFailedError(VeilError):
    """A check on finished files failed."""

    exit_code = 3


class SignOffError(CheckFailedError):
    """A step of review and sign-off is missing, or was voided by a change."""


class TimeStampError(CheckFailedError):
    """A time stamp authority gave no time stamp, or the time stamp is of other bytes or of another authority."""
