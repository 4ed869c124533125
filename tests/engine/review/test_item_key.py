import pytest

from engine.review.item_key import ReviewItemKey


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("gap:12:340-361", ReviewItemKey("gap", 12, 340, 361)),
        ("cut:-:500-508", ReviewItemKey("cut", None, 500, 508)),
        ("two-words:0:0-1", ReviewItemKey("two-words", 0, 0, 1)),
    ],
)
def test_a_key_is_parsed_and_formatted_again(text, key):
    assert ReviewItemKey.parse(text) == key
    assert key.format() == text


@pytest.mark.parametrize(
    "text", ["", "gap", "gap:12", "gap:x:1-2", "gap:1:1", "Gap:1:1-2", "gap:1:1-2\n", "gap:1:1-2:3"]
)
def test_another_text_is_refused(text):
    with pytest.raises(ValueError, match="expected a key"):
        ReviewItemKey.parse(text)
