"""The browser fixtures, for measurements."""

from tests.browser import chromium, launch_browser

__all__ = ["chromium", "launch_browser"]
