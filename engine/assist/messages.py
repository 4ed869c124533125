"""What the process of a task is asked, and what it answers: one JSON document a line."""

from __future__ import annotations

from typing import Any, Literal, cast

from engine.assist.follow import FollowedFace
from engine.assist.similar import SimilarPlaces
from engine.core.geometry import Box
from engine.core.json_decoder import decode_json
from engine.record import Count, Document


class AssistRequest(Document, frozen=True):
    """A question about a box that a person drew.

    Attributes:
        source: path of the source.
        record: path of its record.
        review: path of its review; the file need not exist.
        frame: the frame in which the box was drawn.
        box: the box, in display pixels.
        wanted: "follow" its face, or find places "similar" to it.
        models: folder of the weights for a detector that helps to find similar places; None: none helps.
    """

    source: str
    record: str
    review: str
    frame: Count
    box: Box
    wanted: Literal["follow", "similar"] = "follow"
    models: str | None = None


class Progress(Document, frozen=True, tag_field="kind", tag="progress"):
    """How far the work is, in frames of at most `total`."""

    done: int
    total: int


class Failure(Document, frozen=True, tag_field="kind", tag="failure"):
    """Why there is no result, as a sentence."""

    sentence: str


class Followed(Document, frozen=True, tag_field="kind", tag="followed"):
    """The face that was followed."""

    face: FollowedFace


class Similar(Document, frozen=True, tag_field="kind", tag="similar"):
    """The places that look alike."""

    found: SimilarPlaces


AssistAnswer = Progress | Failure | Followed | Similar


def decode_answer(line: bytes) -> AssistAnswer:
    """Decode one line of the process."""
    return cast("AssistAnswer", decode_json(line, type=cast("Any", AssistAnswer)))
