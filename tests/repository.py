"""Places in the repository that tests read."""

from pathlib import Path

ROOT = Path(__file__).absolute().parents[1]
PAGES = ROOT / "pages"
SCHEMAS = ROOT / "docs" / "schema"
