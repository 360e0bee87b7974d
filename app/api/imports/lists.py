"""Results of the list reader for a file or a text: nothing is stored, no person is created."""

from __future__ import annotations

from typing import Annotated, Any

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Depends, Request, Response, Security
from pydantic import BaseModel, Field, ValidationError
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from app.api.programs import ACCEPT_LANGUAGE, BEARER, Shape, example
from app.domain.accounts.sessions import Scope
from app.errors import InvalidInput
from app.http.policies import Policy, Who, marked
from app.http.request_scope import ProgramCounted, limited_by_token, token_of, visit
from app.language import N_
from app.services.imports.lists import MAX_BYTES, as_document, read_list_file, read_list_text, reasons_in

router = APIRouter(prefix="/lists", tags=["activities"])

_AT_ONCE = CapacityLimiter(2)
"""Lists that one process reads for programs, so that pages keep a processor."""
_NOTHING = N_("Il faut un fichier nommé « file », ou un objet JSON avec « text ».")
_TEXT = "Prénom;Nom;Adresse\nLéa;Martin;lea.martin@exemple.fr"


class ListText(Shape):
    model_config = example(text=_TEXT)
    text: str = Field(min_length=1, max_length=MAX_BYTES)
    hours: Annotated[float, Field(gt=0, le=10_000)] | None = Field(None, description="Of the activity.")
    confirmed: str = Field(
        "", max_length=1_000, description="Reasons settled for all lines, with commas: `order,unusual`."
    )


class DoubtView(BaseModel):
    reason: str
    sentence: str
    suggestion: str = Field("", description="The address that was probably meant.")


class ListLineView(BaseModel):
    line: int = Field(description="Counted from 1 in what was given.")
    text: str = Field(description="The original.")
    given_name: str
    family_name: str
    address: str
    hours: float | None
    state: str = Field(
        description="`ready`, `ask` (a person has to settle a doubt) or `refused` (not a person)."
    )
    reason: str | None
    sentence: str | None
    doubts: list[DoubtView]
    evidence: list[str] = Field(
        description="Of a ready line: what shows that it is a name, how it is split, and that it stands in the list."
    )
    hours_as_written: str
    contribution: str
    other_addresses: list[str] = Field(
        description="Addresses of the line that belong to others, or were not chosen."
    )
    sheet: str = ""


class ColumnView(BaseModel):
    heading: str
    holds: str
    sample: list[str]


class MappingView(BaseModel):
    heading_line: int | None
    columns: list[ColumnView] = Field(description="Empty where each line was read for itself.")
    order: str
    sure: bool
    sheet: str = ""


_LINE = {
    "line": 2,
    "text": "Martin;Léa;lea.martin@gmial.com",
    "given_name": "Léa",
    "family_name": "Martin",
    "address": "lea.martin@gmial.com",
    "hours": 3.0,
    "state": "ask",
    "reason": "address-typo",
    "sentence": "« lea.martin@gmial.com » : vouliez-vous écrire « lea.martin@gmail.com » ?",
    "doubts": [
        {
            "reason": "address-typo",
            "sentence": "« lea.martin@gmial.com » : vouliez-vous écrire « lea.martin@gmail.com » ?",
            "suggestion": "lea.martin@gmail.com",
        }
    ],
    "evidence": [],
    "hours_as_written": "",
    "contribution": "",
    "other_addresses": [],
    "sheet": "",
}
_MAPPING = {
    "heading_line": 1,
    "columns": [{"heading": "Nom", "holds": "nom", "sample": ["Martin"]}],
    "order": "nom-complet",
    "sure": True,
    "sheet": "",
}


class ListView(BaseModel):
    model_config = example(lines=[_LINE], mapping=_MAPPING, mappings=[_MAPPING])
    lines: list[ListLineView] = Field(
        description="Every line that is not blank, headings and titles included."
    )
    mapping: MappingView | None
    mappings: list[MappingView]


_BODIES: dict[str, Any] = {
    "parameters": [ACCEPT_LANGUAGE],
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": ListText.model_json_schema(), "example": {"text": _TEXT}},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "hours": {"type": "number"},
                        "confirmed": {"type": "string"},
                    },
                    "required": ["file"],
                }
            },
        },
    },
}


@marked(Policy(Who.TOKEN, scope=Scope.ACTIVITY_WRITE))
def _list_reader(
    _counted: ProgramCounted,
    request: Request,
    response: Response,
    _shown: Annotated[object, Security(BEARER)],
) -> None:
    """The token's own campus: a list belongs to none."""
    with visit(request, reading=True) as services:
        token_of(request, services, Scope.ACTIVITY_WRITE)
    response.headers["Cache-Control"] = "no-store"


@router.post(
    "/read",
    summary="Read a list of people in any form, without storing it",
    openapi_extra=_BODIES,
    dependencies=[limited_by_token("lists of a token"), Depends(_list_reader, scope="function")],
)
async def read_list(request: Request) -> ListView:
    """CSV, Excel, OpenDocument, DOCX, web page, PDF with text, or pasted text. Requires the scope
    `activity:write`."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        try:
            form = await request.form(max_files=1, max_fields=5)
        except HTTPException as error:
            raise InvalidInput(_NOTHING) from error
        file = next((value for value in form.values() if isinstance(value, UploadFile)), None)
        if file is None:
            raise InvalidInput(_NOTHING)
        given: bytes | str = await file.read()
        hours, settled = _hours(form.get("hours")), str(form.get("confirmed") or "")
    elif kind == "application/json":
        try:
            sent = ListText.model_validate_json(await request.body())
        except ValidationError as error:
            raise InvalidInput(_NOTHING) from error
        given, hours, settled = sent.text, sent.hours, sent.confirmed
    else:
        raise HTTPException(415)
    reading = await to_thread.run_sync(_read, given, hours, settled, limiter=_AT_ONCE)
    return ListView.model_validate(reading)


def _read(given: bytes | str, hours: float | None, settled: str) -> dict[str, Any]:
    reader = read_list_file if isinstance(given, bytes) else read_list_text
    return as_document(reader(given, activity_hours=hours, settled=reasons_in(settled)))  # type: ignore[arg-type]


def _hours(value: object) -> float | None:
    try:
        hours = float(str(value).replace(",", ".")) if value else 0.0
    except ValueError as error:
        raise InvalidInput(_NOTHING) from error
    return hours if 0 < hours <= 10_000 else None
