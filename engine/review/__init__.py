"""The review of a record: amendments, the plan that follows from them, and items to check.

In a notebook, start with `ReviewEditor`.
"""

from engine.review.amendments import Author
from engine.review.editor import ReviewEditor

__all__ = ["Author", "ReviewEditor"]
