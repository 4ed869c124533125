"""The SQL that a person keeps under a name, to ask again. It is no evidence: a file is replaced, and may be removed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import quote

import msgspec

from engine.access import Person, authorise
from engine.core.json_decoder import decode_json
from engine.errors import InputError
from engine.record import Document, encode_document
from engine.storage.data_folder import DataFolder
from engine.storage.files import make_private_folder, write_file
from engine.storage.locks import lock_file

_Change = Callable[[Mapping[str, str]], dict[str, str]]
_MAX_NAME_LENGTH, _MAX_STATEMENT_LENGTH, _MAX_QUESTIONS = 80, 20_000, 200


class _Questions(Document, frozen=True):
    """The statements of one person by name, which the file sorts."""

    schema: Literal["veil/questions/1"] = "veil/questions/1"
    questions: dict[
        Annotated[str, msgspec.Meta(max_length=_MAX_NAME_LENGTH)],
        Annotated[str, msgspec.Meta(max_length=_MAX_STATEMENT_LENGTH)],
    ] = msgspec.field(default_factory=dict)


def read_questions(data: DataFolder, by: Person) -> Mapping[str, str]:
    """Read the statements that a person saved, by name.

    Raises:
        InputError: the file cannot be read.
    """
    path = _find_path(data, by)
    try:
        return decode_json(path.read_bytes(), type=_Questions).questions
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.MsgspecError) as error:
        raise InputError(f"{path} has no saved questions ({error}): remove it, and save them again.") from error


def save_question(data: DataFolder, by: Person, name: str, statement: str) -> None:
    """Save a statement under a name; another one of the same name is replaced.

    Raises:
        AccessError: the person may not analyse.
        InputError: name or statement is empty or too long, or there are too many.
        TargetError: it cannot be written.
    """
    name, statement = " ".join(name.split()), statement.strip()
    for what, text, limit in (("name", name, _MAX_NAME_LENGTH), ("question", statement, _MAX_STATEMENT_LENGTH)):
        if not 0 < len(text) <= limit:
            raise InputError(f"The {what} must have 1 to {limit:,} characters, not {len(text):,}.")
    _replace(data, by, lambda kept: {**kept, name: statement})


def remove_question(data: DataFolder, by: Person, name: str) -> None:
    """Remove a statement; one that is not there is left out silently, as another window may have removed it.

    Raises:
        AccessError: the person may not analyse.
        InputError: the file cannot be read.
        TargetError: it cannot be written.
    """
    _replace(data, by, lambda kept: {other: statement for other, statement in kept.items() if other != name})


def _replace(data: DataFolder, by: Person, change: _Change) -> None:
    person = authorise(data, by, "analyse")
    make_private_folder(data.questions)
    with lock_file(data.questions / ".lock"):
        questions = change(read_questions(data, person))
        if len(questions) > _MAX_QUESTIONS:
            raise InputError(f"At most {_MAX_QUESTIONS} questions are kept; remove one first.")
        write_file(_find_path(data, person), encode_document(_Questions(questions=questions)))


def _find_path(data: DataFolder, person: Person) -> Path:
    return data.questions / f"{quote(person.account, safe='')}.json"
