"""The HTML of the Analyse page, with preload hints for the scripts that it needs.

Streamlit's page names only the scripts of an empty app. The browser would load those of widgets and charts later, and
plotly alone takes half a second to load and start. With the hints they load at once, and plotly starts while the server
is still computing the page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import streamlit as st
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import BaseRoute, Route

from workbench.core.links import Page, build_address

_STATIC = Path(st.__file__).with_name("static")
_SCRIPTS = _STATIC / "static" / "js"
_CHART_PART = "PlotlyChart"
_NEEDED_PARTS = (_CHART_PART, "Multiselect", "Slider", "NumberInput", "ButtonGroup", "Html", "Popover")
"""Parts of Streamlit that the Analyse page uses, by the names of their files."""
_IMPORT_PATTERN = re.compile(r'(?:from|import)\s*"\./([\w.-]+\.js)"')
_PRELOAD_SCRIPT = """<script type="module">
const working = '.stApp[data-test-script-state="running"]';
const watch = new MutationObserver(() => {
  if (document.querySelector(working)) { watch.disconnect(); setTimeout(() => import("./static/js/%s")); }
});
watch.observe(document.documentElement, {subtree: true, childList: true, attributeFilter: ["data-test-script-state"]});
</script>"""
"""Starts plotly only after the browser has requested the page, because the start blocks everything else."""


def build_routes() -> Iterator[BaseRoute]:
    """Return the route of the Analyse page."""
    yield Route(build_address(Page.ANALYSE), _send_page)


async def _send_page(_request: Request) -> HTMLResponse:
    # The browser checks for a new page each time, because an update of Streamlit renames the scripts.
    return HTMLResponse(build_page(), headers={"Cache-Control": "no-cache"})


@lru_cache(maxsize=1)
def build_page() -> str:
    """Return Streamlit's page with preload hints; without them if this Streamlit has no such scripts."""
    html = (_STATIC / "index.html").read_text(encoding="utf-8")
    names = [name for part in _NEEDED_PARTS for name in _find_scripts(part)]
    needed = [name for name in _collect_imports(names) if f"/{name}" not in html]
    # At low priority: the scripts that Streamlit's page names itself are needed first.
    hints = [f'<link rel="modulepreload" crossorigin fetchpriority="low" href="./static/js/{name}">' for name in needed]
    start = [_PRELOAD_SCRIPT % name for name in _find_scripts(_CHART_PART)]
    return html.replace("</head>", "\n".join([*hints, *start, "</head>"]), 1)


def _find_scripts(part: str) -> list[str]:
    """Find the script of a part of Streamlit; its name ends with a hash."""
    return [path.name for path in _SCRIPTS.glob(f"{part}.*.js")]


def _collect_imports(names: list[str]) -> dict[str, None]:
    """List scripts and all that they import, in the order in which they are found."""
    collected = dict.fromkeys(names)
    unread = list(names)
    while unread:
        text = (_SCRIPTS / unread.pop(0)).read_text(encoding="utf-8")
        # Imports are at the start of a file; the whole script of plotly has 4.7 MB.
        added = [name for name in _IMPORT_PATTERN.findall(text[:20_000]) if name not in collected]
        collected.update(dict.fromkeys(added))
        unread += added
    return collected
