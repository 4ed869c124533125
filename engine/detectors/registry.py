"""Lookup and planning of detectors. Planning imports a detector's file, but never a machine-learning library."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator, Mapping
from typing import cast

import msgspec

from engine.detectors.base import Detector, DetectorSettings, RemoteDetectorSettings, is_remote
from engine.detectors.table import DETECTORS
from engine.errors import InputError
from engine.record import DetectorFacts


class DetectorPlan(msgspec.Struct, frozen=True):
    """A detector with its parameters, checked and ready to be loaded by a worker process.

    Attributes:
        name: name as in `--detectors`.
        settings: all its parameters.
        facts: its entry in the record.
        longest_side: longest side in pixels of its pictures. None: full size.
    """

    name: str
    settings: DetectorSettings
    facts: DetectorFacts
    longest_side: int | None


def detector_names() -> tuple[str, ...]:
    """Return the names of all detectors, in the order of the table."""
    return tuple(DETECTORS)


def local_detector_names() -> tuple[str, ...]:
    """Return the names of the detectors that run on this machine."""
    return tuple(name for name in DETECTORS if not is_remote(import_detector_class(name)))


def import_detector_class(name: str) -> type[Detector]:
    """Import the class of a detector, and no other detector's file.

    Raises:
        InputError: no detector has this name.
    """
    try:
        module, _, attribute = DETECTORS[name].class_path.partition(":")
    except KeyError as error:
        raise InputError(f"There is no detector {name!r}; there are {', '.join(DETECTORS)}.") from error
    return cast("type[Detector]", getattr(importlib.import_module(module), attribute))


def plan_detector(name: str, overrides: Mapping[str, object] | None = None) -> DetectorPlan:
    """Plan a detector with some of its parameters overridden.

    Args:
        name: name as in `--detectors`.
        overrides: JSON values by parameter name; types are not converted.

    Raises:
        InputError: no detector or parameter has this name, a value has the wrong type or is out of range, or a
            package the detector needs is not installed.
    """
    detector = import_detector_class(name)
    settings = _convert_settings(name, detector.settings_type, overrides or {})
    return DetectorPlan(name, settings, detector.describe(settings), detector.longest_side(settings))


def select_remote(plans: Iterable[DetectorPlan]) -> Iterator[tuple[DetectorPlan, RemoteDetectorSettings]]:
    """Yield the plans of remote detectors, each with its settings."""
    for plan in plans:
        if isinstance(plan.settings, RemoteDetectorSettings):
            yield plan, plan.settings


def _convert_settings(name: str, kind: type[DetectorSettings], overrides: Mapping[str, object]) -> DetectorSettings:
    known = kind.__struct_fields__
    for parameter in overrides:
        if parameter not in known:
            raise InputError(f"The detector {name} has no parameter {parameter!r}; it has {', '.join(known)}.")
    # Strict: a value of the wrong type is a mistake of the caller, and is not converted to another value silently.
    try:
        return msgspec.convert(dict(overrides), kind)
    except msgspec.ValidationError as error:
        complaint, _, place = str(error).partition(" - at `$.")
        raise InputError(
            f"The detector {name} cannot take {place.rstrip('`') or 'these parameters'}: {complaint}."
        ) from error
