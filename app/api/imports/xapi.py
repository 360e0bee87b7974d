"""xAPI statements of a learning platform, under our own profile: not a store of statements, only what they say of participations."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Body, Query

from app.api.imports.participations import DryRun, ImportView, taken
from app.api.programs import ActivityWriter
from app.domain.imports.imports import MOST_AT_THE_API, ImportForm
from app.domain.imports.xapi import COMPLETED, read_statements

router = APIRouter(prefix="/campuses/{slug}/xapi/statements", tags=["activities"])

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


@router.post("", summary="Take participations from xAPI statements; safe to repeat")
def take_statements(
    body: _Statements,
    program: ActivityWriter,
    source: Annotated[str, Query(min_length=1, max_length=60)] = "xapi",
    dry_run: DryRun = False,
) -> ImportView:
    """`attended`, `completed` and `contributed` are read; `voided` takes back. Any other verb is refused by its name.

    The statement's own `id` is its identifier. Of several statements about one person in one activity the last one holds.
    """
    records = read_statements(body, program.campus.time_zone)
    return taken(
        program, ImportForm.XAPI, source, records, orjson.dumps(body), dry_run=dry_run, restates=True
    )
