"""`python -m tests.repository.plain_words [PATH…]`: words that docstrings, comments, error texts, names and docs do not use."""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

from app.language.build import KEYWORDS

REPOSITORY = Path(__file__).resolve().parents[2]
SHIPPED = ("app", "packages", "docs", "demo")
NOT_USED = re.compile(
    r"\b(told|deeds?|whoever|somebody|nobody|whose|kept|press(?:ed|es|ing)?|promise[sd]?|carr(?:y|ies|ied|ying) out"
    r"|houses?|walls?|doors?|rooms?|look(?:s|ed|ing)?|say(?:s|ing)?|said|words?|moments?|places?|placed|comes second)\b",
    re.IGNORECASE,
)
NOT_IN_NAMES = re.compile(r"(?:^|_)(told|deeds?|whoever|promise[sd]?)(?=_|$)", re.IGNORECASE)
"""Of functions, classes, parameters and variables; columns keep theirs."""
# In French, or sentences for people who work at a campus.
FRENCH = ("docs/campus", "docs/fr", "app/web/templates/campus/guides")
GENERATED = ("docs/reference",)


def main(paths: list[str]) -> int:
    total = 0
    for root in paths or SHIPPED:
        found = list(uses_in(REPOSITORY / root))
        total += len(found)
        for path, line, word, text in found:
            print(f"{path.relative_to(REPOSITORY)}:{line}: {word}: {text.strip()[:110]}")
    print(f"{total} words")
    return 1 if total else 0


def uses_in(root: Path) -> Iterator[tuple[Path, int, str, str]]:
    files = [root] if root.is_file() else sorted([*root.rglob("*.py"), *root.rglob("*.md")])
    for path in files:
        if path.relative_to(REPOSITORY).as_posix().startswith((*FRENCH, *GENERATED)):
            continue
        source = path.read_text("utf-8")
        nodes = [*ast.walk(ast.parse(source))] if path.suffix == ".py" else []
        texts = _texts_of_python(source, nodes) if nodes else _texts_of_markdown(source)
        for line, text in texts:
            for match in NOT_USED.finditer(_without_code(text)):
                yield path, line, match[0], text
        for line, name in _names_of_python(nodes):
            if match := NOT_IN_NAMES.search(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)):
                yield path, line, match[1], name


def _names_of_python(nodes: list[ast.AST]) -> Iterator[tuple[int, str]]:
    """What the module itself names."""
    for node in nodes:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield node.lineno, name
            case ast.arg(arg=name):
                yield node.lineno, name
            case ast.Assign(targets=targets):
                for target in targets:
                    yield from (
                        (each.lineno, each.id) for each in ast.walk(target) if isinstance(each, ast.Name)
                    )
            case ast.NamedExpr(target=target) | ast.For(target=target) | ast.comprehension(target=target):
                yield from ((each.lineno, each.id) for each in ast.walk(target) if isinstance(each, ast.Name))
            case _:
                pass


def _without_code(text: str) -> str:
    return re.sub(r"`[^`]*`", "", text)


def _texts_of_markdown(source: str) -> Iterator[tuple[int, str]]:
    in_code = False
    for number, line in enumerate(source.splitlines(), 1):
        if line.startswith("```"):
            in_code = not in_code
        elif not in_code:
            yield number, line


def _own_strings(node: ast.AST) -> Iterator[tuple[int, str]]:
    """Without the French sentences that gettext translates."""
    match node:
        case ast.Constant(value=str() as text):
            yield node.lineno, text
        case ast.Call(func=ast.Name(id=name)) if name in KEYWORDS:
            pass
        case _:
            for child in ast.iter_child_nodes(node):
                yield from _own_strings(child)


def _texts_of_python(source: str, nodes: list[ast.AST]) -> Iterator[tuple[int, str]]:
    # Reading all tokens takes longer than the rest.
    if any(NOT_USED.search(line.partition("#")[2]) for line in source.splitlines()):
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.string
    for node in nodes:
        match node:
            case ast.Expr(value=ast.Constant(value=str() as text)):
                for offset, line in enumerate(text.splitlines()):
                    yield node.lineno + offset, line
            case ast.Raise(exc=ast.Call() as raised):
                yield from _own_strings(raised)
            case ast.FunctionDef(name=name) if name.startswith("test_"):
                yield node.lineno, name.replace("_", " ")
            case _:
                pass


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
