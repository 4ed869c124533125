"""The figures themselves: a cycle, a long module and a name that is a riddle are found in a small tree."""

import pytest

from tests.architecture import import_graph, source_figures


@pytest.fixture
def tree(tmp_path):
    """Writes modules of a package `engine`; gives the root."""

    def write(**modules):
        for name, text in modules.items():
            path = tmp_path / "engine" / (name.replace("__", "/") + ".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    return write


def cycles(root):
    return import_graph.find_cycles(import_graph.read_imports(root, ("engine",)))


def test_imports_downwards_are_no_cycle(tree):
    assert cycles(tree(a__x="from engine.b import y\n", b__y="import json\n")) == []


@pytest.mark.parametrize("back", ["from engine.a import x", "def f():\n    import engine.a.x"])
def test_a_cycle_between_rooms_is_found_also_inside_a_function(tree, back):
    assert cycles(tree(a__x="from engine.b import y\n", b__y=back + "\n"))


def test_a_cycle_between_rooms_without_one_between_files_is_found(tree):
    root = tree(a__x="import engine.b.y\n", b__y="\n", b__z="import engine.a.w\n", a__w="\n")
    assert cycles(root) == [("engine.a", "engine.b", "engine.a")]


def test_rooms_and_arrows_are_counted(tree):
    root = tree(a__x="from engine.b import y\n", b__y="\n")
    lines = list(import_graph.describe_rooms(import_graph.read_imports(root, ("engine",))))
    assert lines[-1] == "2 rooms, 2 layers, 1 arrows, 0 cycles"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("\n".join(f"x{n} = {n}" for n in range(401)), "401 lines"),
        ("def f():\n" + "    x = 1\n" * 51, "51 lines"),
        ("def told():\n    return 1\n", "told"),
        ("def _opened():\n    return 1\n", "_opened"),
        ("x = 1\n" * 50, "prose comments"),
    ],
)
def test_what_exceeds_a_limit_is_named(tree, text, complaint):
    assert any(complaint in fault for fault in source_figures.find_violations(tree(a=text), ("engine",)))


def test_a_good_module_is_not_complained_of(tree):
    text = "# Why: a reason.\nclass A:\n    @property\n    def released(self):\n        return 1\n"
    assert list(source_figures.find_violations(tree(a=text), ("engine",))) == []
