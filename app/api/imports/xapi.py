"""xAPI statements: with a receipt for each, or as learning platforms send them to a learning record store."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Query, Response
from pydantic import BaseModel

from app.api.imports import ImportView, taken
from app.api.programs import ActivityWriter, DryRun, Program, Writing, example
from app.domain.imports.imports import MOST_AT_THE_API, ImportForm
from app.domain.imports.xapi import COMPLETED
from app.domain.people.parental_consent import OTHER
from app.errors import InvalidInput
from app.http.policies import public
from app.language import N_
from app.services.imports.imports import SAME

xapi_router = APIRouter(prefix="/campuses/{slug}/xapi/statements", route_class=Writing, tags=["activities"])

_STATEMENT = {
    "id": "12345678-1234-5678-1234-567812345678",
    "actor": {"name": "Anne-Gaëlle Le Bœuf", "mbox": "mailto:anne-gaelle.leboeuf@exemple.fr"},
    "verb": {"id": COMPLETED},
    "object": {
        "id": "https://plateforme.exemple.fr/cours/42",
        "definition": {
            "name": {"fr": "Fabrication additive"},
            "type": "http://adlnet.gov/expapi/activities/course",
        },
    },
    "result": {"completion": True, "duration": "PT2H30M"},
    "timestamp": "2026-11-25T14:00:00+01:00",
}
_Statements = Annotated[
    list[dict[str, Any]],
    Body(min_length=1, max_length=MOST_AT_THE_API, examples=[[_STATEMENT]]),
]


@xapi_router.post("", summary="Take participations from xAPI statements; safe to repeat")
def take_statements(
    body: _Statements,
    program: ActivityWriter,
    source: Annotated[str, Query(min_length=1, max_length=60)] = "xapi",
    same_person: Annotated[
        bool | None,
        Query(
            description="Where the campus knows a name at another address, or an address under another name:"
            " `true` for the person already known, `false` for another. Without an answer the line is refused."
        ),
    ] = None,
    dry_run: DryRun = False,
) -> ImportView:
    """The verbs that the campus chose are read, at first `attended`, `completed` and `contributed`; `voided`
    cancels. Any other verb is refused by its name. A client that knows HTTP Basic alone sends the token as the
    password.

    The statement's own `id` is its identifier. Of several statements about one person in one activity the
    last one counts.
    """
    records = program.services.statement_imports.read(program.campus, body)
    answer = SAME if same_person else OTHER
    known = {} if same_person is None else {record.number: answer for record in records}
    return taken(
        program,
        ImportForm.XAPI,
        source,
        records,
        json.dumps(body).encode(),
        dry_run=dry_run,
        restates=True,
        known=known,
    )


# --- as a learning record store

record_store = APIRouter(prefix="/campuses/{slug}/lrs", route_class=Writing, tags=["activities"])
XAPI_VERSION: Final = "1.0.3"
_SOURCE: Final = "xapi"
_WITHOUT_ID: Final = uuid.UUID("6f0c7d9e-0a3e-5a53-8a0e-2f1f4a1d9b60")
"""The namespace of ids for statements that have none."""
_Sent = Annotated[
    dict[str, Any] | list[dict[str, Any]],
    Body(max_length=MOST_AT_THE_API, examples=[[_STATEMENT]]),
]


class VersionsView(BaseModel):
    model_config = example(version=[XAPI_VERSION])
    version: list[str]


@record_store.get("/about", include_in_schema=False)
@public
def about_record_store(response: Response) -> VersionsView:
    response.headers["X-Experience-API-Version"] = XAPI_VERSION
    return VersionsView(version=[XAPI_VERSION])


@record_store.post(
    "/statements",
    summary="Take statements as a learning record store does; safe to repeat",
    responses={200: {"content": {"application/json": {"example": [_STATEMENT["id"]]}}}},
)
def store_statements(body: _Sent, program: ActivityWriter, response: Response) -> list[uuid.UUID]:
    """For learning platforms, with the endpoint `…/campuses/{slug}/lrs/`: one statement or several, as xAPI 1.0.3
    has them. Answers their ids.

    Statements that the campus does not read are taken too: the report has the reason. A statement without
    an id gets one from its content, so that it counts once.
    """
    statements = body if isinstance(body, list) else [body]
    return _stored(program, [{**each, "id": str(_id_of(each))} for each in statements], response)


@record_store.put("/statements", status_code=204, include_in_schema=False)
def store_statement(
    body: dict[str, Any],
    program: ActivityWriter,
    response: Response,
    statement_id: Annotated[uuid.UUID, Query(alias="statementId")],
) -> None:
    if _id_of({"id": str(statement_id), **body}) != statement_id:
        raise InvalidInput(N_("L’énoncé et l’adresse n’ont pas le même identifiant."))
    _stored(program, [{**body, "id": str(statement_id)}], response)


def _stored(program: Program, statements: Sequence[dict[str, Any]], response: Response) -> list[uuid.UUID]:
    if not statements:
        return []
    records = program.services.statement_imports.read(program.campus, list(statements))
    data = json.dumps(list(statements)).encode()
    taken(program, ImportForm.XAPI, _SOURCE, records, data, dry_run=False, restates=True, known={})
    response.headers["X-Experience-API-Version"] = XAPI_VERSION
    return [uuid.UUID(each["id"]) for each in statements]


def _id_of(statement: dict[str, Any]) -> uuid.UUID:
    given = statement.get("id")
    if given is None:
        return uuid.uuid5(_WITHOUT_ID, json.dumps(statement, sort_keys=True))
    try:
        return uuid.UUID(given)
    except (ValueError, TypeError, AttributeError):
        raise InvalidInput(N_("L’identifiant d’un énoncé est un UUID.")) from None
