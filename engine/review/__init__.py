"""What people make of a record: amendments, the plan that follows, spots that leave doubt, and sign-off.

In a notebook, `Sheet` is the way in.
"""

from engine.review.amendments import Author
from engine.review.editor import ReviewEditor

__all__ = ["Author", "ReviewEditor"]
