"""Figures of the source that no linter has: lengths, names, and comments that give reasons."""

import ast
import io
import re
import statistics
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

MAX_MODULE_LINES = 400
MAX_FUNCTION_LINES = 50
MAX_PARTICIPLE_SHARE = 0.02
MIN_COMMENT_SHARE = {"engine": 0.025}
"""Prose comments per line of code, by top package."""

_PARTICIPLES = frozenset(
    re.findall(
        r"\w+",
        "asked begun born brought built chosen come done drawn found given gone grown heard held kept known laid left "
        "lost made meant met paid said seen sent shown sought spelled spent stood taken told torn understood united "
        "woken won worn written",
    )
)
_VERBS_IN_ED = frozenset({"feed", "embed", "need", "seed", "speed"})
_LINTER_COMMENT = re.compile(r"#\s*(noqa|type:|fmt:|pragma|pylint|mypy|ruff|!)")


class Function(NamedTuple):
    """A function, or a property, with the lines of its body without its docstring."""

    place: str
    name: str
    lines: int
    is_property: bool

    @property
    def is_bare_participle(self) -> bool:
        """True for a name that is one past participle, such as `told`; a property may be one, such as `released`."""
        word = self.name.strip("_")
        if self.is_property or "_" in word or word in _VERBS_IN_ED:
            return False
        return word in _PARTICIPLES or (word.endswith("ed") and len(word) > 4)


def describe_sources(root: Path, tops: tuple[str, ...]) -> Iterator[str]:
    """Yield one line of figures for each top package."""
    for top in tops:
        functions = list_functions(root, top)
        code, comments = count_lines(root, top)
        longest_module = max(_count_file_lines(path) for path in _sources(root, top))
        participles = sum(function.is_bare_participle for function in functions)
        yield f"{top}: {code} lines of code, longest module {longest_module}, prose comments {comments / code:.1%}"
        lengths = [function.lines for function in functions]
        yield f"{top}: {len(functions)} functions, median {statistics.median(lengths):g} lines, longest {max(lengths)}"
        yield f"{top}: {participles} functions ({participles / len(functions):.1%}) are named by a bare participle"


def find_violations(root: Path, tops: tuple[str, ...]) -> Iterator[str]:
    """Yield a sentence for each limit that is exceeded."""
    for top in tops:
        for path in _sources(root, top):
            if (lines := _count_file_lines(path)) > MAX_MODULE_LINES:
                yield f"{path.relative_to(root)} has {lines} lines; split it (at most {MAX_MODULE_LINES})"
        functions = list_functions(root, top)
        for function in functions:
            if function.lines > MAX_FUNCTION_LINES:
                yield f"{function.place} {function.name} has {function.lines} lines (at most {MAX_FUNCTION_LINES})"
        bare = [f"{function.place} {function.name}" for function in functions if function.is_bare_participle]
        if len(bare) > MAX_PARTICIPLE_SHARE * len(functions):
            yield f"{len(bare)} functions of {top} are a bare participle; start with a verb: {', '.join(bare)}"
        code, comments = count_lines(root, top)
        if comments < MIN_COMMENT_SHARE.get(top, 0) * code:
            yield f"{top} has {comments / code:.1%} prose comments; say why where the code cannot"


def list_functions(root: Path, top: str) -> list[Function]:
    """List every function of a top package, nested ones too."""
    return [function for path in _sources(root, top) for function in _functions_of(path, root)]


def count_lines(root: Path, top: str) -> tuple[int, int]:
    """Count lines that are not blank, and comments that are prose and no message to a linter."""
    code = comments = 0
    for path in _sources(root, top):
        text = path.read_text(encoding="utf-8")
        code += sum(bool(line.strip()) for line in text.splitlines())
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            comments += token.type == tokenize.COMMENT and not _LINTER_COMMENT.match(token.string)
    return code, comments


def _functions_of(path: Path, root: Path) -> Iterator[Function]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
            lines = (body[-1].end_lineno or body[-1].lineno) - body[0].lineno + 1
            decorators = [name.id for name in node.decorator_list if isinstance(name, ast.Name)]
            is_property = any(name.endswith("property") for name in decorators)
            yield Function(f"{path.relative_to(root)}:{node.lineno}", node.name, lines, is_property)


def _count_file_lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def _sources(root: Path, top: str) -> list[Path]:
    return sorted((root / top).rglob("*.py"))
