"""The Live page in a network namespace of its own; `test_isolated_live` starts it with `unshare --net`.

The namespace has the loopback and an interface with a default route behind which nobody answers. strace names what the
server sends to another address than those of the machine itself. A browser's own traffic is not Veil's and not counted.
Prints the result as JSON.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from engine.storage.data_folder import DataFolder
from tests.browser import CHROMIUM, find_browser, find_free_port, running_workbench, wait_until_settled
from tests.workbench.page_actions import LONG_TIMEOUT_MS, wait_for_bright_video
from tests.workbench.server.isolated_day import INTERFACE, OWN_ADDRESS, trace_command

_ADDRESS = re.compile(r'(?:inet_addr\("|inet_pton\(AF_INET6, ")([^"]+)"')
_SENT = re.compile(r"\b(?:connect|send(?:to|msg|mmsg))\(")
_OWN = re.compile(rf"127\.|::1$|::ffff:127\.|{re.escape(OWN_ADDRESS)}$")
_RESOLVE = """
import asyncio, sys
from aioice import Candidate, Connection
from workbench.views.live.name_queries import switch_off_name_queries

async def offer_a_name():
    connection = Connection(ice_controlling=False)
    await connection.add_remote_candidate(
        Candidate("1", 1, "udp", 1, "0b9d0ee4-5b2c-4d0c-8d8e-3f1a2b3c4d5e.local", 5000, "host")
    )
    await connection.close()

if sys.argv[1] == "off":
    switch_off_name_queries()
asyncio.run(offer_a_name())
"""


def find_foreign_addresses(log: Path) -> list[str]:
    """Return the addresses of other machines that something was sent to, from an strace log."""
    sent = [line for line in log.read_text().splitlines() if _SENT.search(line)]
    found = {address for line in sent for address in _ADDRESS.findall(line) if not _OWN.match(address)}
    return sorted(found)


def show_a_file(page: Any, address: str, clip: str) -> None:
    """Play a file of the server on the page until the browser shows a picture; then stop."""
    page.goto(f"{address}/live")
    wait_until_settled(page)
    page.get_by_text("Camera, stream or file on the server").click()
    page.get_by_role("textbox", name="Address or path").fill(clip)
    page.get_by_role("textbox", name="Address or path").press("Enter")
    page.get_by_role("button", name="Start", exact=True).click()
    wait_for_bright_video(page)
    page.get_by_role("button", name="Stop and save").click()
    page.get_by_text("The live run has ended").wait_for()


def main(root: str, clip: str) -> None:
    """Do what the module's docstring says with a data folder and a video."""
    from playwright.sync_api import sync_playwright

    subprocess.run(["sh", "-ec", INTERFACE], check=True)
    data, log = DataFolder(Path(root)), Path(root) / "trace"
    trace = trace_command(log)
    with (
        running_workbench(data, wrapper=(*trace[:1], "-D", *trace[1:]), port=find_free_port()) as server,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=find_browser(), args=CHROMIUM)
        page = browser.new_page()
        page.set_default_timeout(LONG_TIMEOUT_MS)
        show_a_file(page, server.url, clip)
        browser.close()
    text = log.read_text()
    result: dict[str, Any] = {
        "foreign": find_foreign_addresses(log),
        "media": f'inet_addr("{OWN_ADDRESS}")' in text,
    }
    # The control: without the switch, a name is asked for, and the same search finds it.
    for switch in ("on", "off"):
        control = Path(root) / switch
        subprocess.run([*trace_command(control), sys.executable, "-c", _RESOLVE, switch], check=True)
        result[f"names {switch}"] = find_foreign_addresses(control)
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
