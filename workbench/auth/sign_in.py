"""The sign-in page. It is outside Streamlit, so that no password passes through a session of the workbench."""

from __future__ import annotations

from html import escape
from string import Template
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from engine import access
from engine.errors import AccessError
from engine.storage.data_folder import find_data_folder
from workbench.auth import oidc, session_store
from workbench.auth.middleware import SESSION_COOKIE, SIGN_IN_PATH, set_session_cookie
from workbench.auth.password_queue import PasswordQueue, QueueFullError
from workbench.auth.request_origin import is_same_origin

_PASSWORD_QUEUE = PasswordQueue()
_MAX_FIELDS = 10
_REASON_TEXTS = {
    "stranger": "You have no account here. Ask an administrator to create one for you.",
}
_SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


async def show_form(request: Request) -> Response:
    """Return the page with the form."""
    why = _REASON_TEXTS.get(request.query_params.get("why", ""), "")
    return _build_page(_to_local_address(request.query_params.get("next", "/")), why)


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
    account, password, wanted = (form.get(name, [""])[0] for name in ("account", "password", "next"))
    data = find_data_folder()
    try:
        session = await _PASSWORD_QUEUE.run(access.sign_in, data, account.strip(), password)
    except QueueFullError as error:
        return _build_page(_to_local_address(wanted), str(error), account=account, status=429)
    except AccessError as error:
        return _build_page(_to_local_address(wanted), str(error), account=account, status=401)
    # The old session ends and the token changes, so a token planted before the sign-in is worth nothing.
    session_store.remove_session(data, request.cookies.get(SESSION_COOKIE))
    response = RedirectResponse(_to_local_address(wanted), status_code=303)
    set_session_cookie(response, session_store.add_session(data, session), secure=request.url.scheme == "https")
    return response


ROUTES = (Route(SIGN_IN_PATH, show_form, methods=["GET"]), Route(SIGN_IN_PATH, sign_in, methods=["POST"]))


def _to_local_address(address: str) -> str:
    """Return the address if it is on this server and safe to redirect to, otherwise the start page."""
    # Browsers take // and /\ for the start of another server's address.
    plain = address.startswith("/") and not address.startswith(("//", "/\\")) and address.isprintable()
    return address if plain and not address.startswith(SIGN_IN_PATH) else "/"


def _build_page(next_address: str, message: str, *, account: str = "", status: int = 200) -> Response:
    notice = f'<p class="said" role="alert">{escape(message)}</p>' if message else ""
    providers = "".join(
        f'<a class="button" href="{escape(address)}">{escape(_label_provider(name))}</a>'
        for name, address in oidc.list_providers().items()
    )
    other = f'{providers}<p class="or">or with an account of this installation</p>' if providers else ""
    content = _PAGE_TEMPLATE.substitute(
        notice=notice,
        providers=other,
        account=escape(account),
        wanted=escape(next_address),
        action=SIGN_IN_PATH,
        first="" if account else "autofocus",
        second="autofocus" if account else "",
    )
    return HTMLResponse(content, status_code=status, headers=_SECURITY_HEADERS)


def _label_provider(name: str) -> str:
    return "Sign in with your organisation" if name == "default" else f"Sign in with {name.capitalize()}"


_PAGE_TEMPLATE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Veil: sign in</title>
<style>
:root { color-scheme: light dark; --text: #1b2328; --paper: #f3f5f7; --card: #fff; --line: #8a97a1; --accent: #00659e;
  --on: #fff; --bad: #8a2c00; }
@media (prefers-color-scheme: dark) { :root { --text: #e4e9ed; --paper: #12171b; --card: #1c242a; --line: #6b7984;
  --accent: #56b4e9; --on: #0b1115; --bad: #ffb38a; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: var(--paper); color: var(--text);
  font: 16px/1.5 "Source Sans", "Source Sans 3", system-ui, sans-serif; }
main { width: min(24rem, calc(100vw - 2rem)); padding: 2rem; background: var(--card); border: 1px solid var(--line);
  border-radius: 6px; }
h1 { margin: 0 0 .25rem; font-size: 1.5rem; display: flex; gap: .5rem; align-items: center; }
p { margin: 0 0 1.25rem; }
label { display: block; margin: 0 0 .25rem; font-weight: 600; font-size: .9rem; }
input { width: 100%; margin: 0 0 1rem; padding: .5rem .6rem; font: inherit; color: inherit; background: transparent;
  border: 1px solid var(--line); border-radius: 4px; }
button, .button { display: block; width: 100%; padding: .55rem; font: inherit; font-weight: 600; text-align: center;
  color: var(--on); background: var(--accent); border: 1px solid var(--accent); border-radius: 4px; cursor: pointer;
  text-decoration: none; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.said { padding: .5rem .6rem; border-left: 3px solid var(--bad); color: var(--bad); }
.or { margin: 1.25rem 0; font-size: .9rem; }
</style>
</head>
<body>
<main>
<h1><svg viewBox="0 0 24 24" width="26" height="26" aria-hidden="true"><ellipse cx="12" cy="12" rx="8" ry="10.5"
fill="#0072b2"/><path d="M3 9h18v6H3z" fill="currentColor"/></svg> Veil</h1>
<p>Sign in to the workbench.</p>
$notice
$providers
<form method="post" action="$action">
<input type="hidden" name="next" value="$wanted">
<label for="account">Account</label>
<input id="account" name="account" value="$account" autocomplete="username" autocapitalize="none" required $first>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required $second>
<button type="submit">Sign in</button>
</form>
</main>
</body>
</html>
""")
