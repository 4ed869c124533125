"""Small phrases that results, errors and pages share."""

from __future__ import annotations


def format_count(number: int, thing: str, plural: str | None = None) -> str:
    """Format a number of things, such as "1 frame" or "1,200 frames".

    Args:
        number: how many.
        thing: the singular of the noun.
        plural: the plural, if it is not the singular with an "s", such as "people".
    """
    return f"{number:,} {thing if number == 1 else plural or f'{thing}s'}"


def to_sentence(text: str) -> str:
    """Capitalise the first letter only, so that names within the text stay as they are."""
    return text[:1].upper() + text[1:]
