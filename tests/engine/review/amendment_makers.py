"""Short ways to make amendments in tests."""

from datetime import UTC, datetime

from engine.core.geometry import Box
from engine.record import digest, encode
from engine.review.amendments import SCHEMA, Amendment, Author, Keyframe, Review
from engine.review.review_file import no_review

JANE = Author("jdoe", "Jane Doe")
NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


def keyframes(places):
    """Keyframes from boxes by frame index."""
    return tuple(Keyframe(index, Box(*box)) for index, box in places.items())


def sha256_of(record):
    return digest(encode(record))


def review_of(record, *actions):
    """A review with these actions in order, each with a reason, as `append` would make it."""
    sha256 = previous = sha256_of(record)
    amendments, data = [], b""
    for number, action in enumerate(actions, start=1):
        amendment = Amendment(SCHEMA, number, previous, JANE, NOON, "because", action)
        line = encode(amendment)
        previous, data = digest(line[:-1]), data + line
        amendments.append(amendment)
    return Review(sha256, tuple(amendments), digest(data)) if actions else no_review(sha256)
