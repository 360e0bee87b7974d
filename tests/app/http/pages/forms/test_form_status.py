"""A form that is shown again has the status of its error, like an API answer."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import web
from app.errors import AppError, Conflict, InvalidInput, NotAllowed, NotFound, NotSignedIn, Unavailable
from app.http.request_scope import STATUS_OF, sentence_of, status_for

PAGES = sorted(Path(next(iter(web.__path__))).rglob("*.py"))
STATUS_OF_FORM = {kind.__name__: status for kind, status in STATUS_OF.items()} | {
    "NotFound": 422,
    "NotSignedIn": 422,
}


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InvalidInput("Le nom manque."), 422),
        (Conflict("Déjà fait."), 409),
        (NotAllowed("Pas vous."), 403),
        (Unavailable("Plus tard."), 503),
        (NotFound("Aucun badge n’a ce nom."), 422),
        (NotSignedIn("Ce code n’est pas le bon."), 422),
    ],
)
def test_a_form_has_the_status_of_its_error_however_it_is_raised(error: AppError, status: int) -> None:
    text = sentence_of(error)
    assert status_for(error) == status_for("", text) == status_for({}, {"nom": text}) == status


def test_a_sentence_of_the_page_itself_is_a_field_to_correct() -> None:
    assert status_for("Cochez la case.") == status_for({"nom": "Ce champ manque."}) == status_for(True) == 422
    assert status_for("", {}, None, False) == 200


def test_no_page_writes_another_status_than_that_of_the_errors_it_catches() -> None:
    found = [
        f"{path.name}:{number.lineno}"
        for path in PAGES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        for number in _other_numbers(node)
    ]
    assert found == []


def _other_numbers(node: ast.AST) -> Iterator[ast.Constant]:
    match node:
        case ast.IfExp() if "status_for(" not in ast.unparse(node):
            yield from _numbers([node.body, node.orelse], but=set())
        case ast.ExceptHandler(type=ast.expr() as caught):
            kinds = [each.id for each in ast.walk(caught) if isinstance(each, ast.Name)]
            if any(kind in STATUS_OF_FORM or kind == AppError.__name__ for kind in kinds):
                statuses = {STATUS_OF_FORM.get(kind, 0) for kind in kinds}
                yield from _numbers(node.body, but=statuses if len(statuses) == 1 else set())


def _numbers(nodes: list[ast.expr] | list[ast.stmt], *, but: set[int]) -> Iterator[ast.Constant]:
    for node in nodes:
        for each in ast.walk(node):
            if isinstance(each, ast.Constant) and each.value in {409, 422} - but:
                yield each
