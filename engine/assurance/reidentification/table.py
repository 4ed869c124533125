"""Format the report of the re-identification benchmark as a text table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from engine.assurance.reidentification.scores import (
    CHANCE_MARGIN,
    AttackScores,
    ReidentificationReport,
    StyleScores,
    Top1Rate,
)

_HEADER = ("style", "attack", "1 frame", "mean of all", "superposed", "centred", "centred, mean")


def format_table(result: ReidentificationReport) -> str:
    """Format the people, the controls, and a line for each style and attack."""
    rows = [_HEADER, *(row for style in result.styles for row in _build_rows(style))]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([*_describe_people(result), "", *lines, "", *_format_verdicts(result)])


def _describe_people(result: ReidentificationReport) -> Iterator[str]:
    yield (
        f"{result.people} of {result.looked_at} people are identified unmasked and count, from {result.clips} clips; "
        f"{result.apart:g} s (median) between the last frame known and the first one tried"
    )
    limit = result.chance + CHANCE_MARGIN
    yield f"Chance: {result.chance:.1%}; a style hides people up to {limit:.1%} in a plain frame"
    yield f"Unmasked: {_format_rate(result.control)}; aligned by the box alone {_format_rate(result.control_by_box)}"


def _build_rows(style: StyleScores) -> Iterator[Sequence[str]]:
    for number, (name, scores) in enumerate(style.attacks.items()):
        yield (style.name if number == 0 else "", name, *map(_format_rate, _list_rates(scores)))


def _list_rates(scores: AttackScores) -> tuple[Top1Rate, ...]:
    return scores.frame, scores.mean, scores.superposed, scores.centred, scores.centred_mean


def _format_rate(rate: Top1Rate) -> str:
    return f"{rate.share:.1%} [{rate.interval[0]:.0%}, {rate.interval[1]:.0%}]"


def _format_verdicts(result: ReidentificationReport) -> Iterator[str]:
    for style in result.styles:
        refused = "refused by Veil" if style.weaknesses else "accepted by Veil"
        yield f"{style.name}: {'hides people' if style.hidden else 'DOES NOT HIDE PEOPLE'}, {refused}"
