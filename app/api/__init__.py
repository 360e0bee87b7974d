"""The OpenAPI description of the interface for programs: stable names, scopes, limits and problems of each operation."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from fastapi import APIRouter
from fastapi.openapi.utils import get_openapi
from fastapi.routing import RouteContext, iter_route_contexts
from starlette.routing import BaseRoute

from app import __version__
from app.api import (
    activities,
    activity_log,
    awards,
    badges,
    campus,
    imports,
    people,
    reports,
    trust,
    verification,
)
from app.api import frameworks as competencies
from app.api.imports import calendars
from app.api.publishing import connected_apps, public, wallets
from app.api.publishing import public as case
from app.api.verification import presentations, vc_api
from app.http import health
from app.http.allowances import FOR_PROGRAMS, HEADERS
from app.http.problems import PROBLEM_SCHEMA, documented
from app.http.programs import FORMER_ADDRESS, Writing, version_1
from app.http.request_scope import WITH_ORGANISERS, Policy, Who, is_limited, policies

TAGS: Final = {
    "activities": "Workshops, internships, projects and series, and their participants.",
    "activity log": "The signed, append-only log of a campus, and its witnesses.",
    "awards": "Badges given to people, and withdrawn.",
    "badges": "Definitions of badges, in versions.",
    "changes": "Change feed for synchronising another system.",
    "competencies": "Competencies of a campus and of public frameworks.",
    "endorsements": "Endorsements of campuses, badges and awards by organisations.",
    "evidence": "What awards rest on, as public proofs.",
    "frameworks": "Competency frameworks as 1EdTech CASE and SKOS.",
    "health": "Whether the service works.",
    "networks": "Networks of campuses: lists of recognised campuses, shared definitions.",
    "Open Badges API": "Badges of a learner, for applications that they connect (1EdTech Open Badges 3.0).",
    "Open Badges 2.0": "Awards in Open Badges 2.0.",
    "pathways": "Pathways of badges, and where people are on them.",
    "people": "People of a campus, by its own identifiers too.",
    "public documents": "Signed documents at their own addresses.",
    "reports": "What activities add to the yearly report, and their surveys.",
    "vc-api": "W3C VC API, for conformance suites.",
    "verification": "Is this credential genuine, and still valid?",
    "wallets": "OpenID for Verifiable Credentials: badges into wallets, and requests for a badge.",
    "webhooks": "Messages about changes, sent to an address of the campus.",
}
DESCRIPTION: Final = """\
Record activities and people, give badges, keep another system in step, and verify credentials of any issuer.

A token belongs to one campus and has scopes. Lists are paged by `after` and `limit`. Requests that write take
`Idempotency-Key`. Refusals are problem documents (RFC 9457), whose `type` leads to an explanation.
"""
_METHODS: Final = ("get", "post", "put", "patch", "delete")
_REFERENCE: Final = re.compile(r'"#/components/schemas/(\w+)"')
_NEVER: Final = "HTTPValidationError"
"""The framework's own refusal, which is never sent."""
_TEXTS: Final = {
    "RateLimit-Policy": "The limits that the request counted for: `q` requests in `w` seconds.",
    "RateLimit": "What is left of them: `r` requests in the next `t` seconds.",
    "RateLimit-Limit": "Of the tighter limit: requests in its window.",
    "RateLimit-Remaining": "Of the tighter limit: requests that are left.",
    "RateLimit-Reset": "Of the tighter limit: seconds until the window resets.",
    "Retry-After": "Seconds to wait.",
}
_VALUES: Final = {
    "RateLimit-Policy": '"requests-of-a-token";q=3000;w=60',
    "RateLimit": '"requests-of-a-token";r=2987;t=41',
}
_DOCUMENT: Final = {"id": "https://badges.exemple.fr/campus/itip"}


def describe_api(routes: Sequence[BaseRoute], *, base_url: str, publisher: str = "") -> dict[str, Any]:
    """OpenAPI 3.1 of those routes that programs use."""
    found = get_openapi(
        title="Sceau",
        version=__version__,
        summary="Open Badges 3.0 of French vocational campuses (Campus des métiers et des qualifications).",
        description=DESCRIPTION,
        routes=routes,
        servers=[{"url": base_url}],
        contact={"name": publisher or "Sceau", "url": base_url},
        license_info={"name": "EUPL-1.2", "identifier": "EUPL-1.2"},
    )
    schemas = found.setdefault("components", {}).setdefault("schemas", {})
    schemas["Problem"] = PROBLEM_SCHEMA
    found["components"]["headers"] = {name: _header(name) for name in (*HEADERS, "Retry-After")}
    named = {
        (method.lower(), each.path_format): each
        for each in iter_route_contexts(routes)
        for method in each.methods or ()
        if getattr(each, "include_in_schema", False)
    }
    for path, by_method in found["paths"].items():
        for method in _METHODS:
            if method in by_method:
                _complete(by_method[method], named[method, path], path)
    found["paths"] = dict(_each_form(found["paths"], schemas))
    while unused := schemas.keys() - set(_REFERENCE.findall(json.dumps(found))):
        for name in unused:
            del schemas[name]
    used = {tag for each in operations_of(found) for tag in each["tags"]}
    found["tags"] = [{"name": name, "description": text} for name, text in TAGS.items() if name in used]
    return found


def operations_of(description: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for by_method in description["paths"].values():
        yield from (by_method[method] for method in _METHODS if method in by_method)


def _header(name: str) -> dict[str, Any]:
    kind = "string" if name in _VALUES else "integer"
    return {"description": _TEXTS[name], "schema": {"type": kind}, "example": _VALUES.get(name, 41)}


def _complete(operation: dict[str, Any], route: RouteContext, path: str) -> None:
    (policy,) = set(policies([route]).values())
    operation["operationId"] = route.operation_id or route.name
    operation["description"] = _text(operation, policy)
    operation.setdefault("security", [])
    answers = operation["responses"]
    later = {"Retry-After": {"$ref": "#/components/headers/Retry-After"}}
    headers: dict[str, Any] = {}
    is_for_programs = path.startswith(FOR_PROGRAMS)
    if is_limited(route) or "429" in answers:
        if is_for_programs:
            headers = {name: {"$ref": f"#/components/headers/{name}"} for name in HEADERS}
        answers["429"] = documented(429)[429] | answers.get("429", {}) | {"headers": headers | later}
    if is_for_programs and "503" in answers:
        answers["503"] = answers["503"] | {"headers": later}
    for status, answer in answers.items():
        if headers and status.startswith("2"):
            answer["headers"] = answer.get("headers", {}) | headers
    if _NEVER in str(answers.get("422")):
        # A malformed part of an address: nothing exists there.
        del answers["422"]
        in_path = all(each["in"] == "path" for each in operation.get("parameters", ()))
        status = 404 if in_path and "requestBody" not in operation else 422
        answers.setdefault(str(status), documented(status)[status])
    for answer in (*answers.values(), *filter(None, (operation.get("requestBody"),))):
        for media in answer.get("content", {}).values():
            _illustrate(media)


def _text(operation: Mapping[str, Any], policy: Policy) -> str:
    text = operation.get("description") or f"{operation['summary']}."
    if policy.scope is not None and f"`{policy.scope.value}`" not in text:
        text += f"\n\nRequires the scope `{policy.scope.value}`."
    elif policy.who is Who.ANYBODY and "token" not in text:
        text += "\n\nNeeds no token."
    return text


def _illustrate(media: dict[str, Any]) -> None:
    """Schemas have their own examples; documents that are sent byte for byte get a short one."""
    schema = media.setdefault("schema", {"type": "object"})
    if schema == PROBLEM_SCHEMA:
        media["schema"] = {"$ref": "#/components/schemas/Problem"}
    if (
        not {"example", "examples"} & (media.keys() | schema.keys())
        and schema.get("type") in _MADE_UP
        and "$ref" not in schema.get("items", {})
    ):
        media["example"] = _MADE_UP[schema["type"]](schema)


def _object_of(schema: Mapping[str, Any]) -> Any:
    return {name: _value_of(each) for name, each in schema.get("properties", {}).items()} or _DOCUMENT


def _value_of(schema: Mapping[str, Any]) -> Any:
    make = _MADE_UP.get(schema.get("type", ""))
    return make(schema) if make else 1


_MADE_UP: Final[Mapping[str, Callable[[Mapping[str, Any]], Any]]] = {
    "object": _object_of,
    "array": lambda schema: [_value_of(schema.get("items", {}))],
    "string": lambda _: "eyJhbGciOiJFZERTQSJ9.…",
}


def _each_form(paths: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """`/a/{id}.{extension}` once for each extension: readers of descriptions take it for `/a/{id}`."""
    for path, by_method in paths.items():
        found = re.search(r"\.{(\w+)}$", path)
        if not found or not re.search(r"/{\w+}\.{\w+}$", path):
            yield path, by_method
            continue
        (method,) = by_method
        operation = by_method[method]
        (choice,) = (each for each in operation["parameters"] if each["name"] == found[1])
        name = choice["schema"]["$ref"].rpartition("/")[2]
        for extension in schemas[name]["enum"]:
            one = operation | {
                "operationId": f"{operation['operationId']}_{extension}",
                "parameters": [each for each in operation["parameters"] if each is not choice],
            }
            yield path.replace(found[0], f".{extension}"), {method: one}


# --- Every route of the JSON interface, by noun; `documents` are matched first

documents = public.public_documents
router = APIRouter()
former = version_1("/campuses/{slug}", route_class=Writing, dependencies=[WITH_ORGANISERS, FORMER_ADDRESS])
former.put("/people/by-external-id/{external:path}", include_in_schema=False)(people.upsert_person)
former.put("/activities/by-external-id/{external:path}", include_in_schema=False)(activities.upsert_activity)
for each in (
    competencies.router,
    competencies.search_router,
    competencies.pathways_router,
    badges.router,
    former,
    activities.router,
    activities.by_external_id,
    activities.sessions_router,
    activities.participations_router,
    reports.router,
    reports.surveys_router,
    imports.router,
    imports.xapi_router,
    imports.record_store,
    calendars.router,
    imports.lists_router,
    awards.router,
    people.router,
    people.of_campus,
    people.by_external_id,
    campus.changes,
    campus.webhooks,
    trust.of_campus,
    verification.router,
    activity_log.hand_in,
    vc_api.router,
    activity_log.router,
    activity_log.preflights,
    public.in_version_2,
    wallets.router,
    wallets.preflights,
    presentations.router,
    presentations.preflights,
    connected_apps.router,
    trust.endorsements_router,
    trust.endorsements_with_page,
    trust.endorsements_preflights,
    activity_log.evidence_router,
    trust.networks_with_page,
    trust.networks_router,
    trust.networks_preflights,
    public.preflights,
    verification.preflights,
    case.case_with_page,
    case.case_router,
    health.router,
    health.metrics_router,
):
    router.routes.extend(each.routes)
