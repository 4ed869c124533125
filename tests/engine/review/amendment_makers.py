"""Short ways to make amendments in tests."""

from datetime import UTC, datetime

from engine.core.geometry import Box
from engine.record import encode_document, sha256_hex
from engine.review.amendments import SCHEMA, Amendment, Author, Keyframe, Review
from engine.review.review_file import make_empty_review

JANE = Author("jdoe", "Jane Doe")
NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


def keyframes(places):
    """Keyframes from boxes by frame index."""
    return tuple(Keyframe(index, Box(*box)) for index, box in places.items())


def sha256_of(record):
    return sha256_hex(encode_document(record))


def review_of(record, *actions):
    """A review with these actions in order, each with a reason, as `append` would make it."""
    sha256 = previous = sha256_of(record)
    amendments, data = [], b""
    for number, action in enumerate(actions, start=1):
        amendment = Amendment(SCHEMA, number, previous, JANE, NOON, "because", action)
        line = encode_document(amendment)
        previous, data = sha256_hex(line[:-1]), data + line
        amendments.append(amendment)
    return Review(sha256, tuple(amendments), sha256_hex(data)) if actions else make_empty_review(sha256)
