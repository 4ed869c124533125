"""The JavaScript of a component as one module, which is how Streamlit takes it when it is not an installed package.

Each file stays a scope of its own: it becomes a function that runs once and returns what it exports. Only the few
forms of `import` and `export` that the components use are known; any other is an error, never a guess. Documentation
is left out, because Streamlit sends the text to the browser whenever the component is drawn.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_IMPORT = re.compile(r'^import \{\s*(\w+(?:,\s+\w+)*),?\s*\} from "(\.[^"]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (default )?((?:async )?function|class|const) (\w+)", re.MULTILINE)
_DOCUMENTATION = re.compile(r"^ */\*\*(?:(?!\*/).)*\*/\n", re.MULTILINE | re.DOTALL)
_NOTHING = re.compile(r"^export \{\};\n", re.MULTILINE)
_LEFT = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)


class BundleError(Exception):
    """A file of JavaScript has a form that the bundle does not know, or imports what is not there."""


@dataclass(frozen=True, slots=True)
class _Module:
    """A file of JavaScript.

    Attributes:
        path: of the file.
        body: its text without imports and exports.
        imports: for each file it imports from, the names.
        exports: the names that others may import.
        default: the name of the default export.
    """

    path: Path
    body: str
    imports: Mapping[Path, tuple[str, ...]]
    exports: frozenset[str]
    default: str | None


def bundle(main: Path) -> str:
    """Put a file of JavaScript and all that it imports into one module with the same default export.

    Args:
        main: the file that Streamlit calls.

    Raises:
        BundleError: it cannot be done.
    """
    modules = list(_in_order(main.resolve(), {}, ()))
    names = {module.path: f"$module{place}" for place, module in enumerate(modules)}
    default = modules[-1].default
    if default is None:
        raise BundleError(f"{main} has no default export")
    parts = [_function(module, names) for module in modules]
    return "\n".join([*parts, f"export default {names[modules[-1].path]}.{default};", ""])


def _in_order(path: Path, done: dict[Path, _Module], importing: tuple[Path, ...]) -> Iterator[_Module]:
    """A module after those that it imports, each once."""
    if path in importing:
        raise BundleError(f"{path} imports itself by way of {importing[-1]}")
    if path in done:
        return
    module = _read(path)
    for imported, wanted in module.imports.items():
        yield from _in_order(imported, done, (*importing, path))
        if missing := set(wanted) - done[imported].exports:
            raise BundleError(f"{path} imports {', '.join(sorted(missing))}, which {imported} does not export")
    done[path] = module
    yield module


def _read(path: Path) -> _Module:
    if not path.is_file():
        raise BundleError(f"{path} is imported, but not there")
    text = _DOCUMENTATION.sub("", path.read_text(encoding="utf-8"))
    imports = {
        (path.parent / source).resolve(): tuple(re.findall(r"\w+", names)) for names, source in _IMPORT.findall(text)
    }
    exported = [(bool(default), name) for default, _, name in _EXPORT.findall(text)]
    body = _NOTHING.sub("", _EXPORT.sub(r"\2 \3", _IMPORT.sub("", text)))
    if left := _LEFT.search(body):
        raise BundleError(f"{path} has a form that is not known: {left.group()}")
    default = next((name for is_default, name in exported if is_default), None)
    return _Module(path, body, imports, frozenset(name for is_default, name in exported if not is_default), default)


def _function(module: _Module, names: Mapping[Path, str]) -> str:
    imports = [f"const {{ {', '.join(wanted)} }} = {names[path]};" for path, wanted in module.imports.items()]
    exports = sorted(module.exports | ({module.default} if module.default else set()))
    result = f"return {{ {', '.join(exports)} }};"
    lines = [f"const {names[module.path]} = (() => {{ // {module.path.name}", *imports, module.body, result, "})();"]
    return "\n".join(lines)
