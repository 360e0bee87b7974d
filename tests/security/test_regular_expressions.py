"""No regular expression of the application takes quadratic time on untrusted text."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Final, NamedTuple

import pytest

from tests.security.regular_expressions import fault_of

ROOT: Final = Path(__file__).parents[2]
LIBRARY: Final = ROOT / "packages" / "sceau_credentials" / "src"
_SEARCHING: Final = frozenset({"search", "findall", "finditer", "sub", "subn", "split"})
_USES: Final = _SEARCHING | {"match", "fullmatch"}

BOUNDED: Final = {
    (
        "app.adapters.calendars",
        r"^BEGIN:VTIMEZONE\n.*?^END:VTIMEZONE\n",
    ): "a calendar begins 20 zones at most",
    (
        "app.adapters.sheets.list_files",
        "~~(.+?)~~",
    ): "an attempt fails only where no other ~~ follows in its line",
}
"""(module, expression) → why its backtracking is bounded."""


class Use(NamedTuple):
    module: str
    line: int
    pattern: str | bytes
    flags: int
    methods: frozenset[str]


def uses_of(module: ModuleType, tree: ast.Module) -> Iterator[Use]:
    """The regular expressions that a module compiles or uses, with their methods."""
    parents: dict[ast.AST, ast.AST] = {}
    waiting: list[ast.AST] = [tree]
    for node in waiting:
        children = [*ast.iter_child_nodes(node)]
        parents.update(dict.fromkeys(children, node))
        waiting += children
    for node in parents:
        if not (isinstance(node, ast.Call) and _is_of_re(node.func, _USES | {"compile"}) and node.args):
            continue
        assert isinstance(node.func, ast.Attribute)
        written = _value(node.args[0], module)
        place = 2 if node.func.attr in ("sub", "subn", "split") else 1 if node.func.attr == "compile" else 2
        flagged = [each.value for each in node.keywords if each.arg == "flags"] + node.args[place:]
        flags = [value for each in flagged if isinstance(value := _value(each, module), re.RegexFlag)]
        methods = _methods_of(node, parents) if node.func.attr == "compile" else frozenset({node.func.attr})
        if isinstance(written, re.Pattern):
            yield Use(module.__name__, node.lineno, written.pattern, written.flags, methods)
        else:
            assert isinstance(written, str | bytes), f"{module.__name__}:{node.lineno} cannot be read"
            yield Use(module.__name__, node.lineno, written, int(flags[0]) if flags else 0, methods)


def _is_of_re(called: ast.expr, names: frozenset[str]) -> bool:
    return (
        isinstance(called, ast.Attribute)
        and isinstance(called.value, ast.Name)
        and called.value.id == "re"
        and called.attr in names
    )


def _value(node: ast.expr, module: ModuleType) -> Any:
    """The value of the expression; local variables are replaced by one letter."""
    try:
        return eval(compile(ast.Expression(node), "", "eval"), dict(vars(module)))
    except NameError:
        pass
    if isinstance(node, ast.JoinedStr):
        return "".join(
            str(each.value) if isinstance(each, ast.Constant) else str(_value(each.value, module))
            for each in node.values
            if isinstance(each, ast.Constant | ast.FormattedValue)
        )
    if isinstance(node, ast.BinOp):
        return _value(node.left, module) + _value(node.right, module)
    return "X"


def _methods_of(node: ast.Call, parents: dict[ast.AST, ast.AST]) -> frozenset[str]:
    """The methods called on a compiled expression; all if unknown."""
    parent = parents[node]
    if isinstance(parent, ast.Attribute):
        return frozenset({parent.attr}) & _USES
    target = parent.targets[0] if isinstance(parent, ast.Assign) else getattr(parent, "target", None)
    if not isinstance(target, ast.Name):
        return _USES
    found: set[str] = set()
    for each in parents:
        if isinstance(each, ast.Name) and each.id == target.id and isinstance(each.ctx, ast.Load):
            used = parents[each]
            if not isinstance(used, ast.Attribute):
                return _USES
            if used.attr != "pattern":
                found |= {used.attr} & _USES
    return frozenset(found) if found else frozenset() if target.id.startswith("_") else _USES


def all_uses() -> Iterator[Use]:
    for root, folder in ((ROOT, ROOT / "app"), (LIBRARY, LIBRARY)):
        for path in sorted(folder.rglob("*.py")):
            text = path.read_text()
            if re.search(r"^import re$", text, re.MULTILINE):
                name = ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
                yield from uses_of(importlib.import_module(name), ast.parse(text))


def fault_in(use: Use) -> str:
    found = ""
    if use.methods & _SEARCHING:
        found = fault_of(use.pattern, use.flags)
    if not found and "match" in use.methods:
        found = fault_of(use.pattern, use.flags, anchored=True)
    if not found and "fullmatch" in use.methods:
        found = fault_of(use.pattern, use.flags, anchored=True, whole=True)
    return found


def test_no_regular_expression_takes_quadratic_time():
    uses = list(all_uses())
    assert len(uses) > 400
    faults = {(use.module, use.pattern): use for use in uses if fault_in(use)}
    unknown = [use for key, use in faults.items() if key not in BOUNDED]
    assert not unknown, "\n".join(
        f"{use.module}:{use.line} repeats of {fault_in(use)!r}: {use.pattern!r}" for use in unknown
    )
    assert not BOUNDED.keys() - faults.keys(), "these are not quadratic any more: remove them from BOUNDED"


LINEAR = (
    r"\w+",
    r"\b\w+x",
    r"<[^<>]*>",
    r"(?<![a-z])[a-z]+x",
    r"(?<![a-z])[a-z]++x",
    r"(?:(?<!\s)\s++)?+,",
    r"(?<!\s)\s+$",
    r"(?m)^[ \t]*x",
    r"(?s)/\*.*?(?:\*/|\Z)",
    r"\b(?:colleg\w*|lyce\w*)\b",
    r"x(?=\s*y)",
    r"\S+(?: \S+)*",
    r"[^\s@/:]@[^\s@/:]+\.[^\s@]",
    r"(?:https?://|(?<![\w.-]))[\w.-]++(?::\d{1,5})?/[^\s<>]+",
)
QUADRATIC = (
    r"[a-z]+x",
    r"[a-z]++x",
    r"(?i)[A-Z]+k",
    r"\s*,",
    r"\s+$",
    r"<[^>]*>",
    r"(?m)^\s*x",
    r"(?s)/\*.*?\*/",
    r"(?=\s*y)",
    r"a(?:[^b]*b)?",
    r"\b[\w.]+x",
    r"(?:https?://)?[\w.-]+(?::\d{1,5})?/[^\s<>]+",
    rb"[a-z]+x",
)
# With `fullmatch`.
LINEAR_WHOLE = (r"[0-9]*+\.?[0-9]+", r"a+b+", r"([^,]*,)*x", r"(?:[a-z](?:[a-z-]{0,61}[a-z])?\.)+x")
QUADRATIC_WHOLE = (r"[0-9]*\.?[0-9]+", r"a+(?:b?a)+", r"(a+)+", r"\s*/?\s*x", r"(?:a|ab?)*c")


@pytest.mark.parametrize("pattern", LINEAR + QUADRATIC)
def test_a_search_that_restarts_at_each_character_is_reported(pattern: str | bytes):
    assert bool(fault_of(pattern)) == (pattern in QUADRATIC)


@pytest.mark.parametrize("pattern", LINEAR_WHOLE + QUADRATIC_WHOLE)
def test_two_repeats_that_match_the_same_text_are_reported(pattern: str):
    assert bool(fault_of(pattern, anchored=True, whole=True)) == (pattern in QUADRATIC_WHOLE)


def test_an_expression_with_local_variables_is_read():
    module = ModuleType("some")
    vars(module).update(re=re, PART="[a-z]")
    text = 'def f(x): return re.sub(rf"{PART}+{x}" + "$", "", x, flags=re.I), re.compile(PART).match(x)'
    assert [(use.pattern, use.flags, use.methods) for use in uses_of(module, ast.parse(text))] == [
        ("[a-z]+X$", re.I, {"sub"}),
        ("[a-z]", 0, {"match"}),
    ]
