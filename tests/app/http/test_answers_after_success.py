"""A successful form of the workspace redirects to a page, so that Back and reload work."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Sequence
from textwrap import dedent
from typing import Any

from fastapi.routing import iter_route_contexts

from tests.support.app import App

SHOWN_ONCE = {
    "create_token": "the token is in no address, and is stored nowhere in clear",
    "show_code": "the short code is in no address",
}
"""Handlers that answer with a page after they have written, and why."""


def answers_with_page(handler: Any) -> bool:
    """Whether a page is returned after a successful write transaction, other than with an error status."""
    [function] = ast.parse(dedent(inspect.getsource(handler))).body
    assert isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
    return any(_pages_after_writing(function.body)[1])


def _pages_after_writing(body: Sequence[ast.stmt], has_written: bool = False) -> tuple[bool, list[str]]:
    pages: list[str] = []
    for step in body:
        if isinstance(step, ast.With):
            has_written = has_written or "write_transaction" in ast.unparse(step.items[0])
        if isinstance(step, ast.Return) and has_written and step.value is not None:
            returned = ast.unparse(step.value)
            is_error = any(word in returned for word in ("trouble", "error", "wrong_", "status="))
            pages += [returned] if "page(" in returned and not is_error else []
        # An `except` does not return after success.
        for below in (getattr(step, "body", []), getattr(step, "orelse", [])):
            has_written, found = _pages_after_writing(below, has_written)
            pages += found
    return has_written, pages


def test_a_successful_form_of_the_workspace_redirects(app: App) -> None:
    handlers = {
        each.endpoint
        for each in iter_route_contexts(app.client().app.routes)  # type: ignore[attr-defined]
        if "POST" in (each.methods or ()) and str(each.path).startswith("/gestion/") and each.endpoint
    }
    assert len(handlers) > 100
    assert {handler.__name__ for handler in handlers if answers_with_page(handler)} == set(SHOWN_ONCE)


def test_a_page_after_a_write_is_detected() -> None:
    def decide(request: Any, writing: Any, page: Any, write_transaction: Any) -> Any:
        try:
            with write_transaction(request) as writing:
                writing.done()
        except ValueError as error:
            return page(request, trouble=error)
        return page(request)

    assert answers_with_page(decide)
