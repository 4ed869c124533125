"""The browser of the workbench's tests, for measurements."""

from tests.workbench.conftest import chromium, launch

__all__ = ["chromium", "launch"]
