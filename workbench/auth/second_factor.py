"""The page that sets up the second factor of one's own account; like the sign-in, it is outside Streamlit."""

from __future__ import annotations

import re
from html import escape
from string import Template
from urllib.parse import parse_qs

import anyio.to_thread
import msgspec
import segno
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from engine import access
from engine.access import Password, Session
from engine.errors import AccessError
from engine.storage.data_folder import find_data_folder
from workbench.auth import session_store
from workbench.auth.form_page import build_form_page, to_local_address
from workbench.auth.middleware import (
    SECOND_FACTOR_PATH,
    SESSION_COOKIE,
    build_sign_in_address,
    set_session_cookie,
)
from workbench.auth.password_queue import PASSWORD_QUEUE, QueueFullError

_MAX_FIELDS = 10
_TITLE = "second factor"


async def show_form(request: Request) -> Response:
    """Return the page with the QR code of a new secret, or what there is to say to an account that has one."""
    wanted = to_local_address(request.query_params.get("next", "/"), SECOND_FACTOR_PATH)
    return await anyio.to_thread.run_sync(_build_page, request, wanted)


async def set_up(request: Request) -> Response:
    """Check password and code, store the second factor, and show the recovery codes."""
    try:
        form = parse_qs((await request.body()).decode(errors="replace"), max_num_fields=_MAX_FIELDS)
    except ValueError:
        return build_form_page(_TITLE, "", message="The form cannot be read. Open the page again.", status=400)
    password, code, wanted = (form.get(name, [""])[0] for name in ("password", "code", "next"))
    wanted = to_local_address(wanted, SECOND_FACTOR_PATH)
    try:
        return await PASSWORD_QUEUE.run(_set_up, request, password, code, wanted)
    except QueueFullError as error:
        return await anyio.to_thread.run_sync(_build_page, request, wanted, str(error), 429)
    except AccessError as error:
        return await anyio.to_thread.run_sync(_build_page, request, wanted, str(error), 401)


ROUTES = (
    Route(SECOND_FACTOR_PATH, show_form, methods=["GET"]),
    Route(SECOND_FACTOR_PATH, set_up, methods=["POST"]),
)


def _set_up(request: Request, password: str, code: str, wanted: str) -> Response:
    """Set up the second factor.

    Raises:
        AccessError: There is no session, or password or code is wrong.
    """
    data, session = find_data_folder(), _find_session(request)
    if session.new_secret is None or _has_factor(session):
        return _build_page(request, wanted, "Open this page again.", 400)
    account = session.person.account
    # A person at an unattended screen must not be able to put an app of their own in the way of its owner.
    access.check_password(data, Password(password, account), purpose="set up the second factor")
    recovery_codes = access.add_second_factor(data, session.person, session.new_secret, code)
    # Every session that began without the second factor has ended now, this one too: it goes on under a new token.
    token = request.cookies.get(SESSION_COOKIE)
    session_store.remove_session(data, token)
    factor = access.read_people(data).get_account(account).second_factor
    started = factor.added if factor is not None else session.started
    renewed = msgspec.structs.replace(session, started=started, seen=started, new_secret=None)
    content = _RECOVERY_TEMPLATE.substitute(
        codes="".join(f"<li><code>{escape(one)}</code></li>" for one in recovery_codes), wanted=escape(wanted)
    )
    response = build_form_page(_TITLE, content)
    set_session_cookie(response, session_store.add_session(data, renewed), secure=request.url.scheme == "https")
    return response


def _build_page(request: Request, wanted: str, message: str = "", status: int = 200) -> Response:
    data = find_data_folder()
    try:
        session = _find_session(request)
    except AccessError:
        return RedirectResponse(build_sign_in_address(wanted), status_code=303)
    if session.person.how != "account":
        return build_form_page(_TITLE, _build_note("Your provider checks who you are; set it up there.", wanted))
    if _has_factor(session):
        text = (
            "Your account has a second factor. With a new phone, run veil users second-factor, or ask an administrator "
            "to remove it; then set it up again here."
        )
        return build_form_page(_TITLE, _build_note(text, wanted), message=message, status=status)
    if session.new_secret is None:
        # Kept with the session, so that the page shows the same picture when it is loaded again.
        session = msgspec.structs.replace(session, new_secret=access.create_secret())
        session_store.replace(data, request.cookies.get(SESSION_COOKIE) or "", session)
    secret = session.new_secret or ""
    picture = segno.make(access.build_app_address(session.person.account, secret), micro=False)
    content = _FORM_TEMPLATE.substitute(
        picture=picture.svg_inline(scale=4, border=3, omitsize=False, title="QR code"),
        secret=" ".join(re.findall("....", secret)),
        wanted=escape(wanted),
        action=SECOND_FACTOR_PATH,
    )
    return build_form_page(_TITLE, content, message=message, status=status)


def _build_note(text: str, wanted: str) -> str:
    return f'<p>{escape(text)}</p><a class="button" href="{escape(wanted)}">Back to the workbench</a>'


def _find_session(request: Request) -> Session:
    return session_store.find(find_data_folder(), request.cookies.get(SESSION_COOKIE), sets_up_second_factor=True)


def _has_factor(session: Session) -> bool:
    return access.read_people(find_data_folder()).get_account(session.person.account).second_factor is not None


_FORM_TEMPLATE = Template("""<p>Set up the second factor of your account. From then on you sign in and sign with a code
of an authenticator app besides your password.</p>
<div class="code">$picture</div>
<p>Scan the picture with the app, or enter this key: <code>$secret</code></p>
<form method="post" action="$action">
<input type="hidden" name="next" value="$wanted">
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<label for="code">Code that the app shows</label>
<input id="code" name="code" autocomplete="one-time-code" inputmode="numeric" required>
<button type="submit">Set up</button>
</form>
""")
_RECOVERY_TEMPLATE = Template("""<p>Your second factor is set up. Keep these recovery codes in a safe place;
they are shown only now. Each works once in place of a code, when you do not have the app.</p>
<ol>$codes</ol>
<a class="button" href="$wanted">Continue</a>
""")
