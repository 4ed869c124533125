"""Sign off: what a responsible person signs, the signatures, and what was released."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import streamlit as st

from engine import release
from engine.access import Password
from engine.access.sessions import Credential
from engine.errors import VeilError
from engine.redact.presets import PRESETS
from engine.release import Wish
from engine.review.coverage import coverage
from engine.runs import Run
from workbench import audio, caches, cases, opening, session, signoff
from workbench.links import Page, Place
from workbench.pages import way_to
from workbench.releasing import Order
from workbench.wording import sentence

_WORDS = {
    "strong": "Strong: a soft patch of skin colour is left",
    "broadcast": "Broadcast: the mosaic that viewers know",
    "editorial": "Editorial: keeps the light, wide soft edge",
    "training-data": "Training data: grey, nothing of the face",
}
_STAGES = {
    "sign-off": "Checking",
    "render": "Rendering",
    "verify": "Verifying",
    "leaks": "Searching for faces left over",
    "plant": "Measuring with planted faces",
}


def _opened(run: Run) -> release.Case | None:
    preset = session.STYLE.get() if session.STYLE.is_set() else None
    try:
        with st.spinner("Checking the run and the audit log"):
            return caches.sign_off_case(session.data(), run, preset, session.AUDIO.get().get(run.id))
    except VeilError as error:
        st.error(str(error))
        opening.way_out()
        return None


def _summary(run: Run, case: release.Case) -> None:
    mine = cases.case_of(run)
    spots = cases.spots_of(mine)
    looked = coverage(mine.record, spots, caches.viewed_of(session.data(), run))
    open_spots = sum(spot.state == "open" for spot in spots)
    figures = st.columns(5)
    figures[0].metric("Sign-off", signoff.step_of(case).capitalize())
    figures[1].metric("Amendments", len(case.review.amendments))
    figures[2].metric("Risk looked at", f"{int(100 * looked.risk_seen)} %")
    figures[3].metric("Open spots", f"{open_spots} of {len(spots)}")
    figures[4].metric("Frames seen", f"{looked.seen} of {looked.frames}")
    left = list(signoff.residual_sentences(looked, open_spots))
    if left:
        st.warning("Residual risk: " + " ".join(left))
    else:
        st.success("Every spot is decided, and every frame was seen.")


def _style() -> str:
    st.header("Style", anchor=False)
    options = list(PRESETS)
    return st.radio(
        "What covers a face", options, format_func=_WORDS.__getitem__, key=session.STYLE.name, horizontal=True
    )


def _previews(run: Run, chosen: str) -> None:
    index = signoff.showcase(caches.record_of(run))
    index = int(st.number_input("Frame to compare on", 0, len(caches.record_of(run).frames) - 1, index, width=200))
    places = st.columns(len(PRESETS) + 1)
    address = f"/api/stills/{quote(run.id)}/{index}?side=640"
    revision = cases.case_of(run).review.sha256[:12]
    looks = [("As recorded", address)]
    looks += [(preset, f"{address}&masked=1&style={preset}&at={revision}") for preset in PRESETS]
    for place, (name, source) in zip(places, looks, strict=True):
        label = f"{name} (chosen)" if name == chosen else name
        place.html(f'<img src="{source}" alt="Frame {index}, {label}" style="width:100%;border-radius:4px">')
        place.caption(label)


def _facts(case: release.Case) -> None:
    st.header("What is signed", anchor=False)
    rows = "".join(f"<tr><th>{escape(what)}</th><td>{escape(value)}</td></tr>" for what, value in signoff.facts(case))
    st.html(f"{signoff.TABLE}<table class=facts>{rows}</table>")


def _signatures(case: release.Case) -> None:
    standings = case.steps.standings()
    if standings:
        st.header("Signatures", anchor=False)
    for standing in standings:
        why = f"  \nDoes not count any more: {'; '.join(standing.void)}." if standing.void else ""
        icon = ":material/block:" if standing.void else ":material/verified:"
        st.markdown(f"{icon} {standing.statement.line()}{why}")


def _credential(key: str) -> Credential | None:
    """Fields for what confirms a signature; nothing is asked of a single user."""
    sitting = session.sitting()
    match sitting.person.how:
        case "account":
            account = st.text_input("Account", sitting.person.account, key=f"{key}-account")
            password = st.text_input("Password", type="password", key=f"{key}-password", autocomplete="off")
            return Password(password, account)
        case "oidc":
            st.caption("Your sign-in at the provider confirms this; it must be at most five minutes old.")
            return session.provider_login()
        case _:
            st.caption("A single user is asked for no credential, and the signature says so.")
            return None


def _sign_form(run: Run, case: release.Case, meaning: str, title: str, words: str) -> None:
    person = session.person()
    with st.form(f"sign-{meaning}", border=True):
        st.markdown(f"**{title}**")
        st.caption(words)
        reason = st.text_input("Reason" if meaning != "rejected" else "Reason (needed)", key=f"{meaning}-reason")
        credential = _credential(meaning)
        kind: Literal["primary", "secondary"] = "primary" if meaning == "approved" else "secondary"
        refusal = case.steps.refusal(meaning, person.account)  # type: ignore[arg-type]
        if refusal:
            st.caption(refusal)
        if st.form_submit_button(title, type=kind, disabled=bool(refusal)):
            terms, subject = case.terms, case.steps.subject
            wish = Wish(meaning, reason or None, terms.options, terms.suffix, subject)  # type: ignore[arg-type]
            _sign(run, credential, wish)


def _sign(run: Run, credential: Credential | None, wish: Wish) -> None:
    try:
        statement, changed = release.sign(session.data(), run.id, session.sitting(), credential, wish)
    except VeilError as error:
        st.error(str(error))
        return
    session.keep_sitting(changed)
    session.SIGNED.set(f"Signed: {statement.line()}")
    st.rerun()


def _steps(run: Run, case: release.Case) -> None:
    person = session.person()
    st.header("Sign", anchor=False)
    shown = f"source {signoff.short(case.steps.subject.source)}, record {signoff.short(case.steps.subject.record)}, "
    shown += f"amendments {signoff.short(case.steps.subject.review)}, terms {signoff.short(case.steps.subject.terms)}"
    st.caption(f"A signature is bound to exactly what is shown here: {shown}.")
    forms = [
        ("sign-reviewed", "reviewed", "Sign as reviewed", "I reviewed this run, and the amendments are complete."),
        ("sign-approved", "approved", "Approve", "I approve what is shown; the final video may be made of it."),
        ("sign-rejected", "rejected", "Send back", "It goes back to review, for the reason given."),
    ]
    places = iter(st.columns(3))
    offered = [form for form in forms if signoff.may(person, form[0])]  # type: ignore[arg-type]
    for _, meaning, title, words in offered:
        with next(places):
            _sign_form(run, case, meaning, title, words)
    if not offered:
        st.info("Signing takes the role reviewer or approver.")


def _release(run: Run, case: release.Case) -> None:
    if signoff.step_of(case) != "approved" or not signoff.may(session.person(), "release"):
        return
    st.header("Release", anchor=False)
    with st.form("release", border=True):
        st.caption("The final video is rendered, verified and searched for faces left over; this may take long.")
        credential = _credential("release")
        if st.form_submit_button("Release the final video", type="primary"):
            who = session.sitting(), session.token(), credential
            caches.releases().start(Order(session.data(), run.id, *who, case.terms.options))
            st.rerun()


@st.fragment(run_every=1.0)
def _under_way(run_id: str) -> None:
    standing = caches.releases().of(run_id)
    if standing is None:
        return
    if standing.ended:
        st.rerun()
    share = standing.done / standing.total if standing.total else 0.0
    st.progress(min(1.0, share), f"{_STAGES.get(standing.stage, standing.stage)}: {standing.done} frames")


def _leaks(run: Run) -> None:
    """Findings that hold a release up, to be judged by a person."""
    report = release.newest_leaks(session.data(), run)
    unjudged = release.open_leaks(session.data(), run, report) if report else ()
    if not unjudged:
        return
    st.header("Findings that hold the release up", anchor=False)
    for leak in unjudged:
        with st.form(f"leak-{leak.key}", border=True):
            st.markdown(f"**Frames {leak.first} to {leak.last}**: {leak.finding}")
            way_to(Page.REVIEW, "Look at it", Place(run.id, leak.frame))
            verdict = st.radio(
                "Verdict", ["no face", "hidden", "allowed", "leak"], horizontal=True, key=f"v-{leak.key}"
            )
            reason = st.text_input("Reason (needed)", key=f"r-{leak.key}")
            if st.form_submit_button("Judge"):
                _judge(run, leak.key, verdict, reason)


def _judge(run: Run, leak: str, verdict: str, reason: str) -> None:
    try:
        release.judge(session.data(), run.id, session.person(), leak, verdict, reason)  # type: ignore[arg-type]
    except VeilError as error:
        st.error(str(error))
        return
    st.rerun()


def _risk(run: Run) -> None:
    """The measures of what may still be in an output, as they go into the certificate."""
    found = caches.risk_of(session.data(), run)
    st.header("Residual risk", anchor=False)
    st.caption(found.summary)
    cells = ((one.name, one.figure, one.means, one.means_not) for one in found.measures)
    rows = (tuple(map(sentence, row)) for row in cells)
    st.html(signoff.table(["Measure", "Figure", "It means", "It does not mean"], rows))


def _released(run: Run) -> None:
    for place, folder in enumerate(signoff.releases_of(run)):
        video = signoff.video_of(folder)
        if video is None:
            continue
        st.header(f"Release {int(folder.name)}", anchor=False)
        if place == 0:
            _players(run, folder, video)
        _checks(folder)
        _downloads(run, folder, video)


def _address(run: Run, folder: Path, path: Path) -> str:
    return f"/api/outputs/{quote(run.id)}/{folder.name}/{quote(path.name)}"


def _players(run: Run, folder: Path, video: Path) -> None:
    before, after = st.columns(2)
    for place, name, source in (
        (before, "Source", f"/api/sources/{quote(run.id)}"),
        (after, "Released", _address(run, folder, video)),
    ):
        place.html(f'<video src="{source}" controls preload="metadata" aria-label="{name}" style="width:100%"></video>')
        place.caption(name)


def _checks(folder: Path) -> None:
    report = signoff.checks_of(folder)
    if report is None:
        return
    title = "Every check passed" if report.passed else "A check failed"
    with st.expander(f"{title}: {len(report.checks)} checks"):
        st.table(
            [
                {"Check": one.name, "Passed": "yes" if one.passed else "no", "Finding": one.finding}
                for one in report.checks
            ],
            border="horizontal",
        )


def _downloads(run: Run, folder: Path, video: Path) -> None:
    if not signoff.may(session.person(), "download"):
        return
    rows = "".join(
        f'<li><a href="{_address(run, folder, path)}?keep=1" download>{escape(path.name)}</a></li>'
        for path in (video, *signoff.papers_of(folder))
    )
    st.html(f'<ul aria-label="Downloads">{rows}</ul>')


def _show(run: Run) -> None:
    case = _opened(run)
    if case is None:
        return
    if not session.STYLE.is_set():
        session.STYLE.set(signoff.preset_of(case.terms.style))
    if said := session.SIGNED.get():
        st.success(said)
        session.SIGNED.set(None)
    standing = caches.releases().of(run.id)
    if standing is not None and not standing.ended:
        _under_way(run.id)
    elif standing is not None and standing.failure:
        st.error(f"The release came to nothing: {standing.failure}")
    _released(run)
    _summary(run, case)
    _previews(run, _style())
    audio.decision(run, case)
    _facts(case)
    _signatures(case)
    _leaks(run)
    _risk(run)
    if standing is None or standing.ended:
        _steps(run, case)
        _release(run, case)


def main() -> None:
    """Show the page."""
    run = opening.opened(Page.SIGN_OFF, Page.REVIEW)
    if run is None:
        return
    try:
        _show(run)
    except VeilError as error:
        st.error(str(error))
        opening.way_out()


main()
