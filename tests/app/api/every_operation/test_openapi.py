"""The description of the API is complete: every request and answer has an example that is valid under its schema."""

from __future__ import annotations

import json
import re
from functools import cache
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from jsonschema import Draft202012Validator

from app.api import describe_api, documents, router
from tests.support.running.every import for_each

METHODS = {"get", "post", "put", "patch", "delete"}


@cache
def described() -> dict[str, Any]:
    app = FastAPI(title="Sceau", version="0")
    app.router.routes.extend(documents)
    app.include_router(router)
    return describe_api(app.routes, base_url="https://badges.exemple.fr")


Operations = list[tuple[str, dict[str, Any]]]


@cache
def operations() -> Operations:
    return [
        (f"{method.upper()} {path}", operation)
        for path, methods in described()["paths"].items()
        for method, operation in methods.items()
        if method in METHODS
    ]


def of_the_api() -> Operations:
    return [(name, operation) for name, operation in operations() if "/api/v1/" in name]


def _needs_token(name: str) -> bool:
    return not name.endswith(
        (
            "/verify",
            "/verify/batch",
            "/log/cosignatures",
            "/v1/frameworks/search",
            "/v1/pathways",
            "/v1/pathways/{pathway_id}",
        )
    )


def _cases(found: Operations) -> list[Any]:
    return [pytest.param(operation, id=name) for name, operation in found]


def _all() -> list[Any]:
    return _cases(operations())


def _of_the_api() -> list[Any]:
    return _cases(of_the_api())


def _public() -> list[Any]:
    return _cases([case for case in of_the_api() if not _needs_token(case[0])])


def _guarded() -> list[Any]:
    return _cases([case for case in of_the_api() if _needs_token(case[0])])


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = described()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def _examples(schema: dict[str, Any], media: dict[str, Any]) -> list[Any]:
    """Examples of a body: its own, its schema's, or for a list one of its item."""
    if "example" in media:
        return [media["example"]]
    schema = _resolved(schema)
    if "examples" in schema:
        return list(schema["examples"])
    if schema.get("type") == "array":
        return [[example] for example in _examples(schema["items"], {})]
    return [schema["example"]] if "example" in schema else []


def test_no_schema_is_named_after_the_module_that_holds_it():
    """Two classes of one name would get names such as `app__api__awards__BatchView`, which change when code moves."""
    assert [name for name in described()["components"]["schemas"] if "__" in name] == []


def test_identifiers_of_operations_are_those_that_were_published():
    """Generated clients derive function names from them: new ones are added to the list, none is renamed or removed."""
    published = Path(__file__).with_name("operation_ids.txt").read_text().split()
    assert sorted(operation["operationId"] for _, operation in operations()) == published


def test_names_and_descriptions_do_not_reveal_the_modules_of_the_code():
    texts = [
        text for _, each in operations() for text in (each["operationId"], each["description"], *each["tags"])
    ]
    assert [text for text in texts if re.search(r"\bapp[._]|__|_api_v1_|\.py\b", text)] == []
    assert {each["name"] for each in described()["tags"]} == {
        tag for _, each in operations() for tag in each["tags"]
    }


def test_description_is_a_page_without_external_resources(world: TestClient):
    index = world.get("/aide/api", headers={"accept": "text/html"})
    assert index.status_code == 200
    links = re.findall(r'<a href="(/aide/api/[a-z0-9-]+)#(\w+)"', index.text)
    assert {name for _, name in links} == {each["operationId"] for _, each in operations()}
    shown = {path: world.get(path, headers={"accept": "text/html"}).text for path, _ in links}
    assert [name for path, name in links if f'<section class="stack-s" id="{name}"' not in shown[path]] == []
    ours = ("/", "http://testserver/", "http://localhost:8000/")
    for text in (index.text, *shown.values()):
        loaded = re.findall(r'<(?:script|link|img|iframe)[^>]+(?:src|href)="([^"]+)"', text)
        assert loaded
        assert [each for each in loaded if not each.startswith(ours) or each.startswith("//")] == []
    assert world.get("/aide/api/nothing", headers={"accept": "text/html"}).status_code == 404


def test_help_page_shows_the_example_of_every_request_body(world: TestClient):
    index = world.get("/aide/api", headers={"accept": "text/html"}).text
    links = re.findall(r'<a href="(/aide/api/[a-z0-9-]+)#(\w+)"', index)
    pages = {path: world.get(path, headers={"accept": "text/html"}).text for path, _ in links}
    for path, name in links:
        (operation,) = (each for _, each in operations() if each["operationId"] == name)
        body = next(iter(operation.get("requestBody", {}).get("content", {}).values()), None)
        if body is None:
            continue
        (wanted, *_) = _examples(body["schema"], body)
        text = wanted if isinstance(wanted, str) else json.dumps(wanted, ensure_ascii=False, indent=1)
        _, _, section = pages[path].partition(f'<section class="stack-s" id="{name}"')
        assert text.strip() in unescape(section.partition("</section>")[0]), name


def _check(media: dict[str, Any]) -> None:
    examples = _examples(media["schema"], media)
    assert examples, "no example"
    schema = {**media["schema"], "components": described()["components"]}
    for example in examples:
        Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(example)


def test_the_description_is_served(world: TestClient):
    served = world.get("/api/v1/openapi.json").json()
    assert served["openapi"].startswith("3.1")
    assert set(served["paths"]) == set(described()["paths"])


@for_each("operation", _of_the_api)
def test_each_request_and_answer_has_an_example_valid_under_its_schema(operation: dict[str, Any]):
    if "requestBody" in operation:
        content = operation["requestBody"]["content"]
        _check(content.get("application/json") or content["text/calendar"])
    good = [answer for status, answer in operation["responses"].items() if status.startswith("2")]
    assert good
    for answer in good:
        _check(answer["content"]["application/json"])


@for_each("operation", _of_the_api)
def test_each_refusal_is_described_as_a_problem(operation: dict[str, Any]):
    refused = {status: answer for status, answer in operation["responses"].items() if status[0] in "45"}
    assert "422" in refused
    if "429" in refused:  # test_allowances.py checks which operations have a limit
        assert {"ratelimit", "retry-after"} <= {name.lower() for name in refused["429"]["headers"]}
    for status, answer in refused.items():
        media = answer["content"]
        assert list(media) == ["application/problem+json"], status
        Draft202012Validator(_resolved(media["application/problem+json"]["schema"])).validate(
            media["application/problem+json"]["example"]
        )


@for_each("operation", _public)
def test_each_operation_without_a_token_is_described_as_public(operation: dict[str, Any]):
    assert operation["security"] == []


@for_each("operation", _guarded)
def test_each_operation_that_needs_a_token_is_described_as_such(operation: dict[str, Any]):
    (needed,) = operation["security"]
    (scheme,) = needed
    how = described()["components"]["securitySchemes"][scheme]
    assert (how["type"], how["scheme"]) == ("http", "bearer")
    assert {"401", "403", "404"} <= set(operation["responses"])


@for_each("operation", _all)
def test_each_operation_has_a_summary_and_a_unique_identifier(operation: dict[str, Any]):
    assert operation["summary"]
    names = [each["operationId"] for _, each in operations()]
    assert names.count(operation["operationId"]) == 1
