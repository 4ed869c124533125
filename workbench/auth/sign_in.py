"""The sign-in page. It is outside Streamlit, so that no password passes through a session of the workbench."""

from __future__ import annotations

from html import escape
from string import Template
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from engine import access
from engine.errors import AccessError
from engine.storage.data_folder import find_data_folder
from workbench.auth import oidc
from workbench.auth.form_page import build_form_page, to_local_address
from workbench.auth.middleware import SIGN_IN_PATH, start_browser_session
from workbench.auth.password_queue import PASSWORD_QUEUE, QueueFullError
from workbench.auth.request_origin import is_same_origin

_MAX_FIELDS = 10
_REASON_TEXTS = {
    "stranger": "You have no account here. Ask an administrator to create one for you.",
}


async def show_form(request: Request) -> Response:
    """Return the page with the form."""
    why = _REASON_TEXTS.get(request.query_params.get("why", ""), "")
    return _build_page(to_local_address(request.query_params.get("next", "/"), SIGN_IN_PATH), why)


async def sign_in(request: Request) -> Response:
    """Check account and password; redirect to the requested page, or show the form with the error."""
    # Otherwise another website could sign this browser in to an account that its owner watches.
    if not is_same_origin(request):
        return _build_page("/", "The request came from another website. Sign in on this page.", status=403)
    body = await request.body()
    try:
        form = parse_qs(body.decode(errors="replace"), keep_blank_values=True, max_num_fields=_MAX_FIELDS)
    except ValueError:
        return _build_page("/", "The form cannot be read. Sign in on this page.", status=400)
    account, password, code, wanted = (form.get(name, [""])[0] for name in ("account", "password", "code", "next"))
    data = find_data_folder()
    try:
        # An account that lacks the second factor that the policy asks for gets a session for setting it up, and the
        # middleware leads it there.
        session = await PASSWORD_QUEUE.run(
            access.sign_in, data, account.strip(), password, code, sets_up_second_factor=True
        )
    except QueueFullError as error:
        return _build_page(to_local_address(wanted, SIGN_IN_PATH), str(error), account=account, status=429)
    except AccessError as error:
        return _build_page(to_local_address(wanted, SIGN_IN_PATH), str(error), account=account, status=401)
    return start_browser_session(data, request, session, to_local_address(wanted, SIGN_IN_PATH))


ROUTES = (Route(SIGN_IN_PATH, show_form, methods=["GET"]), Route(SIGN_IN_PATH, sign_in, methods=["POST"]))


def _build_page(next_address: str, message: str, *, account: str = "", status: int = 200) -> Response:
    providers = "".join(
        f'<a class="button" href="{escape(address)}">{escape(_label_provider(name))}</a>'
        for name, address in oidc.list_providers().items()
    )
    content = _FORM_TEMPLATE.substitute(
        providers=f'{providers}<p class="or">or with an account of this installation</p>' if providers else "",
        account=escape(account),
        wanted=escape(next_address),
        action=SIGN_IN_PATH,
        first="" if account else "autofocus",
        second="autofocus" if account else "",
        # For everybody or for nobody: a field for some would tell which accounts exist.
        code=_CODE_FIELD if access.is_second_factor_in_use(find_data_folder()) else "",
    )
    return build_form_page("sign in", content, message=message, status=status)


def _label_provider(name: str) -> str:
    return "Sign in with your organisation" if name == "default" else f"Sign in with {name.capitalize()}"


_CODE_FIELD = """<label for="code">Code of your second factor, if you have one</label>
<input id="code" name="code" autocomplete="one-time-code" autocapitalize="none" spellcheck="false">
"""
_FORM_TEMPLATE = Template("""<p>Sign in to the workbench.</p>
$providers
<form method="post" action="$action">
<input type="hidden" name="next" value="$wanted">
<label for="account">Account</label>
<input id="account" name="account" value="$account" autocomplete="username" autocapitalize="none" required $first>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required $second>
$code<button type="submit">Sign in</button>
</form>
""")
