"""Imports between the rooms of the code: a room is a package, or a loose module, right below a top package."""

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

Imports = Mapping[str, frozenset[str]]
"""By module, the modules that it imports, all by their dotted names."""


def read_imports(root: Path, tops: tuple[str, ...]) -> Imports:
    """Read which module of the top packages imports which; imports for type checking and inside functions count."""
    files = {_module_name(root, path): path for top in tops for path in sorted((root / top).rglob("*.py"))}
    return {
        module: frozenset(target for target in _imported(path) if target in files and target != module)
        for module, path in files.items()
    }


def room_of(module: str) -> str:
    """The room that a module belongs to, such as `engine.media`."""
    return ".".join(module.split(".")[:2])


def room_imports(imports: Imports) -> dict[str, set[str]]:
    """The arrows between rooms. The front of a top package (`engine/__init__.py`) only names what is inside."""
    arrows: dict[str, set[str]] = defaultdict(set)
    for module, targets in imports.items():
        source = room_of(module)
        arrows[source] |= {room for room in map(room_of, targets) if room != source and "." in room}
    return {room: targets for room, targets in arrows.items() if "." in room}


def find_cycles(imports: Imports) -> list[tuple[str, ...]]:
    """Cycles between rooms, and between the packages inside of a room and its modules."""
    return [
        *_cycles(room_imports(imports)),
        *_cycles({module: set(found) for module, found in _files(imports).items()}),
    ]


def describe_rooms(imports: Imports) -> Iterator[str]:
    """Yield one line for each layer from the top, then the count of rooms, layers and arrows."""
    arrows = room_imports(imports)
    heights: dict[str, int] = {}

    def height(room: str, above: tuple[str, ...] = ()) -> int:
        if room not in heights:
            below = [height(target, (*above, room)) for target in arrows.get(room, ()) if target not in (*above, room)]
            heights[room] = 1 + max(below, default=0)
        return heights[room]

    for room in arrows:
        height(room)
    for level in sorted(set(heights.values()), reverse=True):
        yield f"{level:>3}  {'  '.join(sorted(room for room, found in heights.items() if found == level))}"
    count = sum(map(len, arrows.values()))
    yield f"{len(arrows)} rooms, {max(heights.values())} layers, {count} arrows, {len(_cycles(arrows))} cycles"


def _files(imports: Imports) -> Imports:
    """Imports between files without the fronts of packages, which name what is inside so that callers need not."""
    packages = {module for module in imports if any(other.startswith(f"{module}.") for other in imports)}
    return {module: targets - packages for module, targets in imports.items() if module not in packages}


def _module_name(root: Path, path: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _cycles(graph: Mapping[str, set[str]]) -> list[tuple[str, ...]]:
    """Return one cycle for every back edge of a depth-first search."""
    state: dict[str, int] = {}
    found: list[tuple[str, ...]] = []

    def visit(node: str, path: tuple[str, ...]) -> None:
        state[node] = 1
        for target in sorted(graph.get(node, ())):
            if state.get(target) == 1:
                found.append((*path[path.index(target) :], target) if target in path else (node, target))
            elif target not in state:
                visit(target, (*path, target))
        state[node] = 2

    for node in sorted(graph):
        if node not in state:
            visit(node, (node,))
    return found
