"""What the benchmark of re-identification says: figures with what they were made from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from engine.assurance.reidentification.people import Sampling
from engine.masking.style import Style
from engine.record import DetectorFacts, Document

Attack = Literal["plain", "parrot"]
ATTACKS: tuple[Attack, ...] = ("plain", "parrot")

CHANCE_MARGIN = 0.03
"""What identification of masked faces may lie above chance."""


class Top1Rate(Document, frozen=True):
    """How often the nearest of all people is the right one: the mean of the people's shares, and its 95 % interval."""

    share: float
    interval: tuple[float, float]


class AttackScores(Document, frozen=True):
    """What one attack makes of one style.

    Attributes:
        frame: from a single frame.
        mean: from the mean embedding of all probes of a person.
        superposed: from the mean picture of all probes of a person.
        centred: from a single frame, after the attacker took off what all masked and all known faces have in common.
        centred_mean: the same from all probes of a person.
    """

    frame: Top1Rate
    mean: Top1Rate
    superposed: Top1Rate
    centred: Top1Rate
    centred_mean: Top1Rate


class StyleScores(Document, frozen=True):
    """How well a style hides people.

    Attributes:
        name: as it was asked for.
        weaknesses: why Veil refuses the style; empty when it does not.
        attacks: by name. "plain": the attacker knows unmasked faces. "parrot": he masks what he knows in the same way.
        hidden: a single frame in the plain attack identifies nobody more often than chance and 3 points.
    """

    name: str
    style: Style
    weaknesses: tuple[str, ...]
    attacks: Mapping[Attack, AttackScores]
    hidden: bool


class ReidentificationReport(Document, frozen=True):
    """The whole benchmark.

    Attributes:
        schema: always "veil/reidentification/1".
        recogniser: the face-recognition model.
        sampling: which frames were looked at.
        clips: clips of which a person counts.
        looked_at: people that show long enough.
        people: those of them who are identified by more than half of their unmasked probes; only they count.
        chance: 1 / people.
        apart: median of the seconds between the last frame known and the first one tried.
        control: single unmasked frames, aligned by landmarks.
        control_by_box: the same, aligned by nothing but the box, as masked faces are.
        mean_control_by_box: the same, from the mean embedding of all probes of a person.
        styles: in the order asked for.
    """

    schema: Literal["veil/reidentification/1"]
    recogniser: DetectorFacts
    sampling: Sampling
    clips: int
    looked_at: int
    people: int
    chance: float
    apart: float
    control: Top1Rate
    control_by_box: Top1Rate
    mean_control_by_box: Top1Rate
    styles: tuple[StyleScores, ...]

    @property
    def passed(self) -> bool:
        """Whether every style that Veil accepts hides people."""
        return all(style.hidden or style.weaknesses for style in self.styles)
