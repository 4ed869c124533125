import re
from pathlib import Path

import streamlit

from tests.browser import wait_until_settled
from workbench.server import analyse_preload

STATIC = Path(streamlit.__file__).with_name("static")


def named(html):
    return re.findall(r'<link rel="modulepreload"[^>]* href="\./static/js/([^"]+)">', html)


def test_scripts_of_charts_and_widgets_are_named_once_and_exist():
    before, names = named((STATIC / "index.html").read_text()), named(analyse_preload.build_page())
    assert names[: len(before)] == before
    assert len(set(names)) == len(names)
    assert {"PlotlyChart", "Multiselect", "Slider"} <= {name.split(".")[0] for name in names}
    assert all((STATIC / "static" / "js" / name).is_file() for name in names)


def test_nothing_else_of_the_page_changes():
    added = re.compile(
        r'<link rel="modulepreload" crossorigin fetchpriority="low"[^>]*>\n|<script type="module">\n.*?</script>\n',
        re.DOTALL,
    )
    assert added.sub("", analyse_preload.build_page()) == (STATIC / "index.html").read_text()


def test_a_browser_asks_for_plotly_before_the_server_has_said_anything(workbench, page):
    asked = []
    page.on("request", lambda request: asked.append(request.url.rsplit("/", 1)[-1]))
    page.on("websocket", lambda _socket: asked.append("socket"))
    page.goto(f"{workbench.url}/analyse")
    wait_until_settled(page)
    plotly = next(at for at, name in enumerate(asked) if name.startswith("PlotlyChart"))
    assert plotly < asked.index("socket")
