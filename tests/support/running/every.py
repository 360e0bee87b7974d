"""One test over many cases: runs all of them, and reports each failure by name."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest

Test = Callable[..., None]


def for_each(
    names: str | Sequence[str],
    cases: Iterable[Any] | Callable[[], Iterable[Any]],
    ids: Iterable[str] | Callable[[Any], object] | None = None,
) -> Callable[[Test], Test]:
    """Like `pytest.mark.parametrize`, in a single item: for cases that do not modify the shared fixtures.

    Pass cases that take long to make as a function: it is called when the test runs, not at collection.
    """
    arguments = [each.strip() for each in names.split(",")] if isinstance(names, str) else list(names)
    names_of = ids if ids is None or callable(ids) else list(ids)

    @functools.cache
    def said() -> list[tuple[str, dict[str, Any]]]:
        made = cases() if callable(cases) else cases
        return [_case(arguments, number, each, names_of) for number, each in enumerate(made)]

    if not callable(cases):
        said()

    def over_all(test: Test) -> Test:
        @functools.wraps(test)
        def run(**fixtures: Any) -> None:
            faults: list[Exception] = []
            skipped: list[BaseException] = []
            for name, values in said():
                try:
                    test(**fixtures, **values)
                except pytest.skip.Exception as why:
                    skipped.append(why)
                except (Exception, pytest.fail.Exception) as fault:
                    faults.append(_named(fault, name))
            if faults:
                raise ExceptionGroup(f"{len(faults)} of {len(said())} cases", faults)
            if skipped and len(skipped) == len(said()):
                raise skipped[0]

        signature = inspect.signature(test)
        kept = [each for name, each in signature.parameters.items() if name not in arguments]
        run.__signature__ = signature.replace(parameters=kept)  # type: ignore[attr-defined]
        return run

    return over_all


def _case(
    arguments: Sequence[str], number: int, case: Any, ids: Sequence[str] | Callable[[Any], object] | None
) -> tuple[str, dict[str, Any]]:
    own_name = ""
    if hasattr(case, "marks") and hasattr(case, "values") and hasattr(case, "id"):
        assert not case.marks, "marks need separate items: use pytest.mark.parametrize"
        own_name, values = case.id or "", case.values
    else:
        values = (case,) if len(arguments) == 1 else tuple(case)
    if ids is None:
        name = ", ".join(map(repr, values))
    elif callable(ids):
        name = ", ".join(str(ids(value)) for value in values)
    else:
        name = str(ids[number])
    return own_name or name, dict(zip(arguments, values, strict=True))


def _named(fault: BaseException, name: str) -> Exception:
    if not isinstance(fault, Exception):
        # `pytest.fail` raises a BaseException, which an ExceptionGroup cannot contain.
        fault = AssertionError(str(fault)).with_traceback(fault.__traceback__)
    fault.add_note(f"in the case {name[:300]}")
    return fault
