"""The view SQL of Analyse: questions of one's own, saved under a name, and the names of the columns."""

from __future__ import annotations

import time

import pandas as pd
import streamlit as st

from engine import index
from engine.core.wording import format_count
from engine.errors import InputError, VeilError
from engine.index import Index, Selection, SqlResult
from workbench.auth import current_user
from workbench.core import formatting, session
from workbench.views.analyse import filters
from workbench.views.analyse.panels import show_table

_EXAMPLE_NAME = "Example"
_EXAMPLE_SQL = """SELECT run, detector, count(*) AS detections, avg(score) AS mean_score
FROM evidence
WHERE height_px < 48
GROUP BY run, detector
ORDER BY run, detector"""
_STATEMENT_KEY, _SAVED_KEY, _NAME_KEY = "analyse_statement", "analyse_saved", "analyse_question_name"


def show(run_index: Index, _selection: Selection) -> None:
    """Show the form, the columns and the answer.

    Raises:
        InputError: the saved questions cannot be read, or the statement is refused.
    """
    form_column, schema_column = st.columns([5, 6], gap="large")
    note = st.empty()
    with form_column:
        st.caption(
            "Run one SELECT statement in the SQL of DuckDB. It reads all indexed runs; the filters do not apply."
        )
        _show_saved()
        with st.form("analyse_sql", border=False):
            # Set before it is drawn rather than given as its value: a saved question replaces what is in it.
            st.session_state.setdefault(_STATEMENT_KEY, _EXAMPLE_SQL)
            statement = st.text_area("SQL", height=190, key=_STATEMENT_KEY)
            submitted = st.form_submit_button("Run", icon=":material/play_arrow:", type="primary")
        if submitted:
            session.LAST_SQL.set(statement)
            # At once, for the same question may well have the same answer, and then nothing else would change.
            note.caption("The statement runs.")
        _show_saving(statement)
    with schema_column:
        table = st.selectbox("Schema of", [*index.TABLES, "runs"], key="analyse_schema")
        st.dataframe(_build_schema(table), hide_index=True, height=290)
    # Kept in the session: a rerun by another widget has no submitted form, and would lose the answer.
    if statement_to_run := session.LAST_SQL.get():
        names, began_s = filters.list_run_titles(run_index), time.perf_counter()
        try:
            answer = index.run_sql(run_index, statement_to_run, names=names)
        except InputError:
            note.empty()
            raise
        note.caption(_describe_answer(answer, time.perf_counter() - began_s))
        show_table(add_names(answer.table, names), "answer", empty_text="The result has no rows.")


def _describe_answer(answer: SqlResult, seconds: float) -> str:
    rows = format_count(len(answer.table), "row")
    return f"{rows} in {seconds:.2f} s." if answer.complete else f"Only the first {rows} are shown and exported."


def add_names(rows: pd.DataFrame, names: dict[str, str]) -> pd.DataFrame:
    """Return rows with the names of their runs beside the identifiers, unless they have a column of that name."""
    columns = [str(column) for column in rows.columns]
    if "run" not in columns or "name" in columns or rows.empty:
        return rows
    named = rows.copy()
    named.insert(columns.index("run") + 1, "name", [names.get(str(run), str(run)) for run in rows["run"]])
    return named


def _show_saved() -> None:
    """Show the saved questions of this person; choosing one puts it into the form."""
    saved = index.read_questions(session.get_data(), current_user.require_person())
    if not saved:
        return
    choice, remove = st.columns([4, 1], vertical_alignment="bottom")
    chosen = choice.selectbox(
        "Saved questions",
        [_EXAMPLE_NAME, *(name for name in saved if name != _EXAMPLE_NAME)],
        key=_SAVED_KEY,
        on_change=lambda: st.session_state.update(
            {_STATEMENT_KEY: saved.get(st.session_state[_SAVED_KEY], _EXAMPLE_SQL)}
        ),
    )
    remove.button(
        "Remove", help="Remove this saved question", disabled=chosen not in saved, on_click=_remove, args=(chosen,),
        width="stretch",
    )  # fmt: skip


def _show_saving(statement: str) -> None:
    field, save = st.columns([4, 1], vertical_alignment="bottom")
    name = field.text_input("Save this question as", key=_NAME_KEY, placeholder="Name", max_chars=80)
    save.button("Save", on_click=_save, args=(name, statement), disabled=not name.strip(), width="stretch")
    if error := session.SQL_ERROR.take():
        st.error(formatting.escape_markdown(error))


def _save(name: str, statement: str) -> None:
    try:
        index.save_question(session.get_data(), current_user.require_person(), name, statement)
    except VeilError as error:
        session.SQL_ERROR.set(str(error))
    else:
        st.session_state.update({_SAVED_KEY: " ".join(name.split()), _NAME_KEY: ""})


def _remove(name: str) -> None:
    try:
        index.remove_question(session.get_data(), current_user.require_person(), name)
    except VeilError as error:
        session.SQL_ERROR.set(str(error))
    else:
        st.session_state[_SAVED_KEY] = _EXAMPLE_NAME


def _build_schema(table: str) -> pd.DataFrame:
    columns = index.RUN_COLUMNS if table == "runs" else index.TABLES[table]
    rows = [(column.name, column.kind, column.meaning) for column in columns]
    rows += [
        (column.earlier_name, column.kind, f"earlier name of {column.name}; do not use it in new questions")
        for column in columns
        if column.earlier_name
    ]
    return pd.DataFrame(rows, columns=["column", "type", "meaning"])
