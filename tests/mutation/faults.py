"""The faults that can be put into a module: one change of its syntax tree each."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult,
    ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.LShift: ast.RShift, ast.RShift: ast.LShift, ast.Pow: ast.Mult,
}  # fmt: skip
_Put = Callable[[], object]


@dataclass(frozen=True)
class Fault:
    """What is changed, and where; `function` is the dotted name of the function around it, "" outside of any."""

    line: int
    function: str
    what: str
    put: _Put

    def __str__(self) -> str:
        return f"{self.line} {self.function or '(module)'}: {self.what}"


def faults_of(tree: ast.Module) -> list[Fault]:
    """Every fault for this tree; `put` of one changes the tree in place, for good."""
    return [
        Fault(node.lineno, function, what, put)
        for node, function in _places(tree, "", "")
        for what, put in _changes(node)
    ]


def _places(node: ast.AST, around: str, function: str) -> Iterator[tuple[ast.expr | ast.stmt, str]]:
    """Every node whose change could be felt: no annotation, decorator, docstring or text for people."""
    for child in _inside(node):
        if isinstance(child, ast.expr | ast.stmt):
            yield child, function
        if isinstance(child, ast.FunctionDef) and not function:
            yield from _of_function(child, f"{around}{child.name}")
        elif isinstance(child, ast.ClassDef) and not function:
            yield from _places(child, f"{around}{child.name}.", "")
        else:
            yield from _places(child, around, function)


def _of_function(node: ast.FunctionDef, name: str) -> Iterator[tuple[ast.expr | ast.stmt, str]]:
    """Defaults are values of the module: they are computed where the function is defined, not where it runs."""
    yield from _places(node.args, "", "")
    for statement in node.body:
        if not _for_people(node, statement):
            yield statement, name
            yield from _places(statement, "", name)


def _inside(node: ast.AST) -> Iterator[ast.AST]:
    if _is_type(node):
        return
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "bases", "keywords") and not isinstance(
            node, ast.Call
        ):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not _for_people(node, child):
                yield child


def _is_type(node: ast.AST) -> bool:
    """A type, whatever name it is given: nothing looks at it while the program runs."""
    match node:
        case ast.Subscript(value=ast.Name(id="Literal")) | ast.Call(func=ast.Name(id="TypeVar")):
            return True
        case ast.AnnAssign(annotation=ast.Name(id="TypeAlias")):
            return True
    return False


def _for_people(parent: ast.AST, child: ast.AST) -> bool:
    if isinstance(parent, ast.JoinedStr | ast.Subscript) and isinstance(child, ast.Constant):
        return isinstance(child.value, str)
    if isinstance(child, ast.Constant) and isinstance(child.value, str):
        return isinstance(parent, ast.Expr) or " " in child.value
    if isinstance(child, ast.Assign):
        return any(isinstance(name, ast.Name) and name.id == "__all__" for name in child.targets)
    return isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)


def _changes(node: ast.expr | ast.stmt) -> Iterator[tuple[str, _Put]]:
    match node:
        case ast.Compare(ops=operators):
            for index, operator in enumerate(operators):
                other = _COMPARISONS[type(operator)]
                yield _named(operator, other), _item(operators, index, other())
        case ast.BoolOp(op=operator):
            swapped = ast.Or if isinstance(operator, ast.And) else ast.And
            yield _named(operator, swapped), _member(node, "op", swapped())
        case ast.BinOp(op=operator) | ast.AugAssign(op=operator) if type(operator) in _OPERATORS:
            other_operator = _OPERATORS[type(operator)]
            yield _named(operator, other_operator), _member(node, "op", other_operator())
        case ast.UnaryOp(op=ast.Not()):
            yield "not removed", _member(node, "op", ast.UAdd(), operand=_truth(node.operand))
        case ast.Constant(value=value):
            for other_value in _other_values(value):
                yield f"{value!r:.40} -> {other_value!r:.40}", _member(node, "value", other_value)
        case ast.Return(value=ast.expr() as value) if not _is_none(value):
            yield "returns None", _member(node, "value", ast.Constant(None))
    yield from _of_statements(node)
    if isinstance(node, ast.If | ast.While | ast.IfExp) and _plain(node.test):
        yield "condition reversed", _member(node, "test", ast.UnaryOp(ast.Not(), node.test))
    if isinstance(node, ast.Call):
        for index, keyword in enumerate(node.keywords):
            if keyword.arg:
                yield f"argument {keyword.arg} removed", _without(node.keywords, index)
    if isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
        for part in node.generators:
            for index in range(len(part.ifs)):
                yield "filter removed", _without(part.ifs, index)


def _of_statements(node: ast.AST) -> Iterator[tuple[str, _Put]]:
    for name in ("body", "orelse", "finalbody"):
        statements = getattr(node, name, None)
        if not isinstance(statements, list):
            continue
        for index, statement in enumerate(statements):
            removed = _removable(statement)
            if removed:
                yield f"{removed} removed (line {statement.lineno})", _item(statements, index, ast.Pass())


def _removable(statement: ast.stmt) -> str:
    if isinstance(statement, ast.Expr) and not isinstance(statement.value, ast.Constant):
        return "call"
    named = {ast.Raise: "raise", ast.AugAssign: "assignment", ast.Break: "break", ast.Continue: "continue"}
    return named.get(type(statement), "")  # type: ignore[call-overload, no-any-return]


def _other_values(value: object) -> list[object]:
    match value:
        case bool():
            return [not value]
        case int() | float():
            return [value + 1]
        case str():
            return ["XX" + value]
        case bytes():
            return [b"XX" + value]
    return []


def _is_none(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is None


def _plain(test: ast.expr) -> bool:
    """Whether no other change reverses it."""
    return not isinstance(test, ast.Compare | ast.BoolOp | ast.Constant | ast.UnaryOp)


def _truth(operand: ast.expr) -> ast.expr:
    return ast.Call(ast.Name("bool", ast.Load()), [operand], [])


def _named(before: ast.AST, after: type[ast.AST]) -> str:
    return f"{type(before).__name__} -> {after.__name__}"


def _member(node: ast.AST, name: str, value: object, **others: object) -> _Put:
    return lambda: [setattr(node, each, to) for each, to in {name: value, **others}.items()]


def _item(items: list[object] | list[ast.cmpop] | list[ast.stmt], index: int, value: object) -> _Put:
    return lambda: items.__setitem__(index, value)  # type: ignore[call-overload]


def _without(items: list[ast.keyword] | list[ast.expr], index: int) -> _Put:
    return lambda: items.pop(index)
