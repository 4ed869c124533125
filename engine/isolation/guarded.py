"""Runs a function of the engine in a process of its own when this one must not end with it."""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast, get_type_hints

import msgspec

from engine.core.progress import ProgressListener
from engine.errors import SourceError
from engine.isolation.call import CallProcess, ProcessEndedError
from engine.isolation.crash import FILE_ADVICE, describe_crash, is_crash
from engine.isolation.expendable import is_expendable
from engine.isolation.messages import decode_value, encode_value
from engine.isolation.sweep import sweep_after_crash

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")

_MODULE = "engine.isolation.guarded_process"
_LISTENER = "listener"
_NOTHING_KEPT = "; no unfinished file was kept under the output's name"


class _PackedValue(msgspec.Struct, frozen=True, array_like=True):
    """An argument, and where its type is defined; no type: it is text, a number, a truth value or None."""

    type: str | None
    body: msgspec.Raw


def guarded(
    subject: str,
) -> Callable[[Callable[_Parameters, _Result]], Callable[_Parameters, _Result]]:
    """Make a function run in a process of its own, unless this process may be lost with it.

    It has to be a function of a module of the engine. Its result and its arguments have to be documents, dataclasses,
    paths, text or numbers, but for `listener`, whose methods are called in this process. With any other argument, such
    as running detectors, it runs here.

    Args:
        subject: the argument that the sentence about a crash begins with.
    """

    def decorate(function: Callable[_Parameters, _Result]) -> Callable[_Parameters, _Result]:
        signature = inspect.signature(function)

        @functools.wraps(function)
        def call(*args: _Parameters.args, **kwargs: _Parameters.kwargs) -> _Result:
            if is_expendable():
                return function(*args, **kwargs)
            arguments = signature.bind(*args, **kwargs).arguments
            listener = arguments.pop(_LISTENER, None)
            try:
                packed = {name: _pack(value) for name, value in arguments.items()}
            except TypeError:
                return function(*args, **kwargs)
            result_type = cast("type[_Result]", get_type_hints(function)["return"])
            name = f"{function.__module__}:{function.__qualname__}"
            try:
                with CallProcess(_MODULE) as process:
                    return process.call(name, packed, result_type, listener)
            except ProcessEndedError as ended:
                sweep_after_crash(arguments)
                raise explain_end(ended, str(arguments[subject]), _NOTHING_KEPT) from None
            except BaseException:
                # An interruption, or a listener that raised, ends the process wherever it is.
                sweep_after_crash(arguments)
                raise

        return call

    return decorate


def explain_end(
    ended: ProcessEndedError, subject: str, consequence: str = "", advice: str = FILE_ADVICE
) -> SourceError:
    """Return the error that says how a process ended before it had answered.

    Args:
        ended: its end.
        subject: what it worked on, for the start of the sentence.
        consequence: the end of the sentence.
        advice: what to do, without a full stop.
    """
    if is_crash(ended.code):
        return SourceError(f"{subject} {describe_crash(ended.code, advice)}{consequence}.")
    shown = f': "{ended.last_line}"' if ended.last_line else ""
    return SourceError(f"The process that worked on {subject} ended with exit code {ended.code}{shown}. Try again.")


def call_packed(name: str, body: msgspec.Raw, listener: ProgressListener) -> object:
    """Call a guarded function in the process that was started for it.

    Args:
        name: its module and its name.
        body: its arguments.
        listener: gets progress and notices.
    """
    module, _, attribute = name.partition(":")
    function = getattr(importlib.import_module(module), attribute)
    arguments = {key: _unpack(value) for key, value in decode_value(body, dict[str, _PackedValue]).items()}
    return function(**arguments, listener=listener)


def _pack(value: object) -> _PackedValue:
    if value is None or isinstance(value, bool | int | float | str):
        return _PackedValue(None, encode_value(value))
    kind = Path if isinstance(value, Path) else type(value)
    if not (kind is Path or isinstance(value, msgspec.Struct) or is_dataclass(value)):
        raise TypeError(f"{kind.__name__} cannot leave its process")
    return _PackedValue(f"{kind.__module__}:{kind.__qualname__}", encode_value(value))


def _unpack(packed: _PackedValue) -> Any:
    if packed.type is None:
        return msgspec.msgpack.decode(packed.body)
    module, _, name = packed.type.partition(":")
    return decode_value(packed.body, getattr(importlib.import_module(module), name))
