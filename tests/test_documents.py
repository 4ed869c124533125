"""The documents agree with the code: their links resolve, and the files and names that they mention exist."""

import ast
import importlib
import re

import pytest

from tests.repository import ROOT

LINK = re.compile(r"\]\(([^)\s]+)\)")
MODULE_PATH = re.compile(r"(?<![\w./-])((?:engine|workbench|pages|tests)/[\w./-]*\w/?)")
DOTTED_NAME = re.compile(r"`((?:engine|workbench)(?:\.\w+)+)`")
PYTHON_BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")), ROOT / "data" / "README.md"]
each_document = pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


def list_anchors(path):
    """The anchors of the headings of a document, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", path.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def exists(name):
    """True if a dotted name is a module, or an attribute of one."""
    module_name, *rest = [name]
    while True:
        try:
            value = importlib.import_module(module_name)
        except ModuleNotFoundError:
            module_name, _, attribute = module_name.rpartition(".")
            rest.insert(0, attribute)
            if not module_name:
                return False
        else:
            break
    for attribute in rest:
        if not hasattr(value, attribute):
            return False
        value = getattr(value, attribute)
    return True


@each_document
def test_relative_links_resolve(path):
    for link in LINK.findall(path.read_text("utf-8")):
        if re.match(r"\w+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = path.parent / name if name else path
        assert target.exists(), link
        assert not anchor or anchor in list_anchors(target), link


@each_document
def test_paths_of_the_code_exist(path):
    # The changelog names modules that were moved.
    if path.name != "CHANGELOG.md":
        names = [name for name in MODULE_PATH.findall(path.read_text("utf-8")) if "NAME" not in name]
        assert [name for name in names if not (ROOT / name).exists()] == []


@each_document
def test_dotted_names_exist(path):
    if path.name != "CHANGELOG.md":
        assert [name for name in DOTTED_NAME.findall(path.read_text("utf-8")) if not exists(name)] == []


@each_document
def test_python_snippets_import_what_exists(path):
    for block in PYTHON_BLOCK.findall(path.read_text("utf-8")):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom):
                assert [alias.name for alias in node.names if not exists(f"{node.module}.{alias.name}")] == []


def test_the_index_of_the_documentation_is_complete():
    index = ROOT / "docs" / "README.md"
    linked = {(index.parent / link).resolve() for link in LINK.findall(index.read_text("utf-8"))}
    pages = {path for path in DOCUMENTS if index.parent in path.parents and path != index}
    assert {str(path.relative_to(ROOT)) for path in pages - linked} == set()
