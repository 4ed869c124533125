"""Help for reviewers that needs the frames of the source: following a drawn face, finding places that look alike."""

from engine.assist.follow import FollowedFace, describe_end, follow_face
from engine.assist.similar import SimilarPlaces, find_similar

__all__ = ["FollowedFace", "SimilarPlaces", "describe_end", "find_similar", "follow_face"]
