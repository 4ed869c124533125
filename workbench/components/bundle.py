"""Bundling of the JavaScript of a component into one module, the form that Streamlit needs.

Each file keeps its own scope: it becomes a function that runs once and returns what it exports. Only the few
forms of `import` and `export` that the components use are supported; any other is an error, never a guess. Comments of
documentation are left out, because Streamlit sends the text to the browser whenever it draws the component.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_IMPORT = re.compile(r'^import \{\s*(\w+(?:,\s+\w+)*),?\s*\} from "(\.[^"]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (default )?((?:async )?function|class|const) (\w+)", re.MULTILINE)
_DOCUMENTATION = re.compile(r"^ */\*\*(?:(?!\*/).)*\*/\n", re.MULTILINE | re.DOTALL)
_EMPTY_EXPORT = re.compile(r"^export \{\};\n", re.MULTILINE)
_UNKNOWN_FORM = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)


class BundleError(Exception):
    """A JavaScript file has an unsupported form, or imports something that does not exist."""


@dataclass(frozen=True, slots=True)
class _Module:
    """A file of JavaScript.

    Attributes:
        path: path of the file.
        body: its text without imports and exports.
        imports: the imported names by file.
        exports: the names that other files may import.
        default: the name of the default export.
    """

    path: Path
    body: str
    imports: Mapping[Path, tuple[str, ...]]
    exports: frozenset[str]
    default: str | None


def bundle(main: Path) -> str:
    """Combine a JavaScript file and all files that it imports into one module with the same default export.

    Args:
        main: the file that Streamlit calls.

    Raises:
        BundleError: a file is missing or has an unsupported form, or imports form a circle.
    """
    modules = list(_iterate_modules(main.resolve(), {}, ()))
    names = {module.path: f"$module{place}" for place, module in enumerate(modules)}
    default = modules[-1].default
    if default is None:
        raise BundleError(f"{main} has no default export")
    parts = [_build_function(module, names) for module in modules]
    return "\n".join([*parts, f"export default {names[modules[-1].path]}.{default};", ""])


def _iterate_modules(path: Path, done: dict[Path, _Module], importing: tuple[Path, ...]) -> Iterator[_Module]:
    """Yield a module after those that it imports, each one once."""
    if path in importing:
        raise BundleError(f"{path} imports itself by way of {importing[-1]}")
    if path in done:
        return
    module = _read_module(path)
    for imported, wanted in module.imports.items():
        yield from _iterate_modules(imported, done, (*importing, path))
        if missing := set(wanted) - done[imported].exports:
            raise BundleError(f"{path} imports {', '.join(sorted(missing))}, which {imported} does not export")
    done[path] = module
    yield module


def _read_module(path: Path) -> _Module:
    if not path.is_file():
        raise BundleError(f"{path} is imported, but not there")
    text = _DOCUMENTATION.sub("", path.read_text(encoding="utf-8"))
    imports = {
        (path.parent / source).resolve(): tuple(re.findall(r"\w+", names)) for names, source in _IMPORT.findall(text)
    }
    exported = [(bool(default), name) for default, _, name in _EXPORT.findall(text)]
    body = _EMPTY_EXPORT.sub("", _EXPORT.sub(r"\2 \3", _IMPORT.sub("", text)))
    if unknown := _UNKNOWN_FORM.search(body):
        raise BundleError(f"{path} has a form that is not known: {unknown.group()}")
    default = next((name for is_default, name in exported if is_default), None)
    return _Module(path, body, imports, frozenset(name for is_default, name in exported if not is_default), default)


def _build_function(module: _Module, names: Mapping[Path, str]) -> str:
    imports = [f"const {{ {', '.join(wanted)} }} = {names[path]};" for path, wanted in module.imports.items()]
    exports = sorted(module.exports | ({module.default} if module.default else set()))
    result = f"return {{ {', '.join(exports)} }};"
    lines = [f"const {names[module.path]} = (() => {{ // {module.path.name}", *imports, module.body, result, "})();"]
    return "\n".join(lines)
