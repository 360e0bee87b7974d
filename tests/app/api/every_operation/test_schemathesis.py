"""Requests generated from the description of the API, valid and invalid, are answered as described (Schemathesis)."""

from __future__ import annotations

from collections import Counter
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.app.api.clients import token
from tests.app.api.every_operation.test_idempotency import things  # noqa: F401 - a fixture
from tests.app.api.every_operation.test_openapi import of_the_api
from tests.support.app import App
from tests.support.running.examples import examples

schemathesis = pytest.importorskip("schemathesis", reason="run `make setup`")
from schemathesis.checks import CHECKS, load_all_checks  # noqa: E402

load_all_checks()
RULES_BEYOND_A_SCHEMA = {"positive_data_acceptance"}
"""Order of dates, cursors, addresses: 422 is described, but no schema can express the rule."""


def _description(application: Any, ids: dict[str, str]) -> dict[str, Any]:
    """Of the API, with ids of existing resources."""
    found = deepcopy(application.openapi())
    found["servers"] = [{"url": "http://testserver"}]
    found["paths"] = {path: each for path, each in found["paths"].items() if path.startswith("/api/v1/")}
    for operations in found["paths"].values():
        for operation in operations.values():
            for given_ in operation.get("parameters", ()):
                if given_["in"] == "path" and given_["name"] in ids:
                    given_["schema"] = {"type": "string", "enum": [ids[given_["name"]]]}
    return found


def test_every_operation_answers_as_described(app: App, things: dict[str, str]):  # noqa: F811
    application = app.client().app  # type: ignore[attr-defined]
    ids = {name: value for name, value in things.items() if name != "external"}
    schema = schemathesis.openapi.from_dict(_description(application, ids))
    schema.app = application
    headers = {"Authorization": f"Bearer {token(app)}"}
    checks = [check for check in CHECKS.get_all() if check.__name__ not in RULES_BEYOND_A_SCHEMA]
    operations = sorted(
        (result.ok() for result in schema.get_all_operations()), key=lambda each: each.method == "delete"
    )
    assert len(operations) == len(of_the_api())
    faults: list[Exception] = []
    answered: Counter[int] = Counter()
    for operation in operations:
        # A new minute resets the rate limits.
        app.clock.now += timedelta(minutes=1)

        @given(case=operation.as_strategy())
        @settings(
            max_examples=examples(6),
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        def ask(case: Any) -> None:
            answer = case.call(headers=headers)
            answered[answer.status_code] += 1
            case.validate_response(answer, checks=checks, headers=headers)

        try:
            ask()
        except (Exception, BaseExceptionGroup) as fault:
            found = "; ".join(str(each) for each in getattr(fault, "exceptions", [fault]))
            faults.append(AssertionError(f"{operation.label}: {found}"))
    if faults:
        raise ExceptionGroup(f"{len(faults)} of {len(operations)} operations", faults)
    assert answered[200] > answered[404], "most requests reach an existing resource"
