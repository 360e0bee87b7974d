"""A body value must have the type in the API description: "3" is not a number, 1 is not true."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args, get_origin

import pytest
from fastapi.routing import APIRoute
from pydantic import ValidationError

from app.api import router
from app.http.problems import _OTHERWISE, reason_of
from app.http.programs import Shape
from tests.support.running.every import for_each

OTHERS: dict[str, list[Any]] = {
    "string": [3, 0.5, True, []],
    "number": ["3", "3.0", "", True, []],
    "integer": ["3", "", True, 3.5, []],
    "boolean": ["true", "no", "", 1, 0, []],
    "array": ["a", 3, True, {"a": "b"}],
    "object": ["a", 3, True, []],
}


def _bodies() -> Iterator[tuple[str, Any]]:
    for route in router.routes:
        if isinstance(route, APIRoute) and route.body_field is not None:
            yield route.path, route.body_field.field_info.annotation


def _types(schema: dict[str, Any], known: dict[str, Any]) -> set[str]:
    if "$ref" in schema:
        return _types(known[schema["$ref"].rpartition("/")[2]], known)
    found = {schema["type"]} if isinstance(schema.get("type"), str) else set()
    return found.union(*(_types(each, known) for each in schema.get("anyOf", ())))


def _fields() -> Iterator[tuple[str, type[Shape], str, set[str]]]:
    shapes = list(Shape.__subclasses__())
    for shape in shapes:
        shapes += shape.__subclasses__()
        schema = shape.model_json_schema()
        for name, each in schema["properties"].items():
            yield f"{shape.__name__}.{name}", shape, name, _types(each, schema.get("$defs", {}))


def _cases() -> list[Any]:
    return [pytest.param(*facts, id=name) for name, *facts in _fields()]


@for_each(("shape", "field", "types"), _cases)
def test_a_value_of_another_type_is_refused_at_its_field(shape: type[Shape], field: str, types: set[str]):
    assert types
    for wrong in OTHERS[min(types - {"null"})]:
        with pytest.raises(ValidationError) as refused:
            shape.model_validate({field: wrong})
        faults = [each for each in refused.value.errors() if each["loc"] == (field,)]
        assert len(faults) == 1, (wrong, refused.value.errors())
        assert reason_of(faults[0]) != _OTHERWISE, (wrong, faults)


def test_each_body_is_a_subclass_of_shape():
    """So that one rule holds for all; calendars and statements have their own rules."""
    bodies = [
        (path, body) for path, body in _bodies() if not path.endswith(("/statements", "/calendars/import"))
    ]
    assert len(bodies) > 20
    for path, body in bodies:
        assert issubclass(get_args(body)[0] if get_origin(body) is list else body, Shape), path
