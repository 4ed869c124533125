"""The words of the page Review for the causes of items to check."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class ItemWords(NamedTuple):
    """The words of the page for one cause of an item to check.

    Attributes:
        label: the cause.
        accept: what a reviewer states by accepting the item, as a button.
    """

    label: str
    accept: str


_MASK_IS_RIGHT = "Mask is right"
_CHECKED = "Checked"
_ITEM_WORDS: Mapping[str, ItemWords] = {
    "doubtful": ItemWords("Possible face, not masked", "Not a face"),
    "hole": ItemWords("Gap in a track, not masked", _CHECKED),
    "start": ItemWords("Start of a track", _CHECKED),
    "end": ItemWords("End of a track", _CHECKED),
    "gap": ItemWords("Gap in a track, masked", _MASK_IS_RIGHT),
    "cut": ItemWords("Next to a cut", _CHECKED),
    "unseen": ItemWords("Not detected for long", _MASK_IS_RIGHT),
    "weak": ItemWords("Weak evidence", _MASK_IS_RIGHT),
    "disagreement": ItemWords("Detectors disagree", _MASK_IS_RIGHT),
    "border": ItemWords("Face at the border", _MASK_IS_RIGHT),
    "small": ItemWords("Small face", _MASK_IS_RIGHT),
    "unasked": ItemWords("Detector did not run", _CHECKED),
    "damaged": ItemWords("Damaged frames", _CHECKED),
    "removed": ItemWords("Mask removed", "Removal is right"),
    "similar": ItemWords("Similar place, not masked", "Not a face"),
    "person": ItemWords("Person on a card", _MASK_IS_RIGHT),
}


def get_item_words(kind: str) -> ItemWords:
    """Return the words for a cause; a cause that has none yet is shown by its own name."""
    return _ITEM_WORDS.get(kind) or ItemWords(kind.replace("_", " ").capitalize(), _CHECKED)
