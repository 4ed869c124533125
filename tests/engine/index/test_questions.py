"""Saved SQL: each person has their own, and nothing else is read or written by it."""

import pytest

from engine import access, index
from engine.errors import AccessError, InputError
from engine.storage.data_folder import DataFolder


@pytest.fixture
def data(tmp_path):
    (tmp_path / "data").mkdir()
    return DataFolder(tmp_path / "data")


@pytest.fixture
def ana(data):
    return access.get_single_user(data)


def test_questions_are_kept_by_name_and_replaced(data, ana):
    assert index.read_questions(data, ana) == {}
    index.save_question(data, ana, "  small   faces ", " SELECT 1 ")
    index.save_question(data, ana, "all", "FROM runs")
    index.save_question(data, ana, "small faces", "SELECT 2")
    assert list(index.read_questions(data, ana).items()) == [("all", "FROM runs"), ("small faces", "SELECT 2")]
    index.remove_question(data, ana, "all")
    index.remove_question(data, ana, "never saved")
    assert list(index.read_questions(data, ana)) == ["small faces"]


def test_another_person_has_others_whatever_the_account_is_called(data, ana):
    other = access.Person("../../o th/er", "Other", ana.roles, ana.how)
    index.save_question(data, ana, "one", "SELECT 1")
    assert index.read_questions(data, other) == {}
    assert [path.parent for path in data.root.rglob("*.json")] == [data.questions]


@pytest.mark.parametrize(
    ("name", "statement"), [("", "SELECT 1"), ("a" * 81, "SELECT 1"), ("a", " "), ("a", "x" * 20_001)]
)
def test_what_cannot_be_kept_is_refused(data, ana, name, statement):
    with pytest.raises(InputError, match="characters"):
        index.save_question(data, ana, name, statement)
    assert index.read_questions(data, ana) == {}


def test_only_those_who_may_analyse_save(data):
    reviewer = access.Person("rev", "Rev", frozenset({"reviewer"}), "account")
    with pytest.raises(AccessError):
        index.save_question(data, reviewer, "one", "SELECT 1")


def test_a_damaged_file_is_told(data, ana):
    index.save_question(data, ana, "one", "SELECT 1")
    next(data.questions.glob("*.json")).write_text("{")
    with pytest.raises(InputError, match="no saved questions"):
        index.read_questions(data, ana)
