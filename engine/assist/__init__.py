"""Help for reviewers that needs the frames of the source: following a drawn face, finding places that look alike."""

from engine.assist.follow import FollowedFace, describe_end, follow_face

__all__ = ["FollowedFace", "describe_end", "follow_face"]
