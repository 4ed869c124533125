"""The report of the re-identification benchmark: figures with the data they come from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from engine.assurance.reidentification.people import Sampling
from engine.masking.style import Style
from engine.record import DetectorFacts, Document

Attack = Literal["plain", "parrot"]
ATTACKS: tuple[Attack, ...] = ("plain", "parrot")

CHANCE_MARGIN = 0.03
"""Largest difference from chance, in the share of identified faces, at which a style still hides people."""


class Top1Rate(Document, frozen=True):
    """Rate at which the nearest person is the right one: the mean over the people, and its 95 % interval."""

    share: float
    interval: tuple[float, float]


class AttackScores(Document, frozen=True):
    """The scores of one attack on one style.

    Attributes:
        frame: From a single frame.
        mean: From the mean embedding of all probes of a person.
        superposed: From the mean picture of all probes of a person.
        centred: From a single frame, after the attacker removed what all masked faces, and all known faces, share.
        centred_mean: As `centred`, from all probes of a person.
    """

    frame: Top1Rate
    mean: Top1Rate
    superposed: Top1Rate
    centred: Top1Rate
    centred_mean: Top1Rate


class StyleScores(Document, frozen=True):
    """The scores of one style.

    Attributes:
        name: Name under which it was given.
        weaknesses: Reasons why Veil refuses the style; empty if it does not.
        attacks: Scores by attack. "plain": the attacker knows unmasked faces. "parrot": the attacker masks the known
            faces in the same way.
        hidden: True if a single frame in the plain attack is identified at most 3 points more often than by chance.
    """

    name: str
    style: Style
    weaknesses: tuple[str, ...]
    attacks: Mapping[Attack, AttackScores]
    hidden: bool


class ReidentificationReport(Document, frozen=True):
    """The report of the benchmark.

    Attributes:
        schema: Always "veil/reidentification/1".
        recogniser: The face-recognition model.
        sampling: The choice of frames.
        clips: Number of clips with a person who counts.
        looked_at: Number of people who show long enough.
        people: Number of those who are identified by more than half of their unmasked probes. Only these count.
        chance: 1 / people.
        apart: Median of the seconds between the last frame of a gallery and the first probe.
        control: Score of single unmasked frames, aligned by landmarks.
        control_by_box: The same, aligned by the box alone, as masked faces are.
        mean_control_by_box: As `control_by_box`, from the mean embedding of all probes of a person.
        styles: Scores of the styles, in the given order.
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
        """True if every style that Veil accepts hides people."""
        return all(style.hidden or style.weaknesses for style in self.styles)
