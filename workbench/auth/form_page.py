"""The frame of the pages outside Streamlit: sign-in and second factor. No session sees what is typed there."""

from __future__ import annotations

from html import escape
from string import Template

from starlette.responses import HTMLResponse, Response

_SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


def build_form_page(title: str, content: str, *, message: str = "", status: int = 200) -> Response:
    """Build a page with a form.

    Args:
        title: Heading of the page.
        content: HTML under the heading; whatever a person or a browser has sent in it is escaped.
        message: A message for the person, which is escaped here.
        status: Status of the answer.
    """
    notice = f'<p class="said" role="alert">{escape(message)}</p>' if message else ""
    page = _PAGE_TEMPLATE.substitute(title=escape(title), notice=notice, content=content)
    return HTMLResponse(page, status_code=status, headers=_SECURITY_HEADERS)


def to_local_address(address: str, own_path: str) -> str:
    """Return the address if it is on this server and safe to redirect to, otherwise the start page.

    Args:
        address: The address from a request.
        own_path: Path of the page that redirects, which is no place to go on to.
    """
    # Browsers take // and /\\ for the start of another server's address.
    plain = address.startswith("/") and not address.startswith(("//", "/\\")) and address.isprintable()
    return address if plain and not address.startswith(own_path) else "/"


_PAGE_TEMPLATE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Veil: $title</title>
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
.code svg { display: block; margin: 0 auto 1rem; background: #fff; }
code { font-size: .95rem; overflow-wrap: anywhere; }
ol { padding-left: 1.2rem; }
</style>
</head>
<body>
<main>
<h1><svg viewBox="0 0 24 24" width="26" height="26" aria-hidden="true"><ellipse cx="12" cy="12" rx="8" ry="10.5"
fill="#0072b2"/><path d="M3 9h18v6H3z" fill="currentColor"/></svg> Veil</h1>
$notice
$content
</main>
</body>
</html>
""")
