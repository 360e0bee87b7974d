"""Participations of many activities in one request, xAPI statements, and lists that are read and not stored."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Final

from anyio import CapacityLimiter, to_thread
from fastapi import Body, Depends, Query, Request, Response, Security
from pydantic import BaseModel, Field, ValidationError
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from app.domain.accounts.sessions import Scope
from app.domain.activities import ActivityKind, PartKind
from app.domain.activities.listed_people import ListedPerson
from app.domain.imports.imports import (
    MOST_AT_THE_API,
    ActivityRecord,
    ImportForm,
    ImportLineOutcome,
    ImportRun,
    Record,
    fault_in,
    improbable_in,
)
from app.domain.imports.xapi import COMPLETED, VERSION
from app.domain.people import check_name, normal_address
from app.domain.people.consents import OTHER
from app.errors import InvalidInput
from app.http.problems import not_accepted, type_of
from app.http.programs import (
    ACCEPT_LANGUAGE,
    BEARER,
    XAPI_CHECKED,
    XAPI_VERSION,
    ActivityWriter,
    Day,
    DryRun,
    Program,
    Shape,
    Writing,
    example,
    version_1,
)
from app.http.receipts import LineProblem, Warnings, warnings_of
from app.http.request_scope import (
    Policy,
    ProgramCounted,
    Who,
    limited_by_token,
    marked,
    public,
    token_of,
    visit,
)
from app.language import N_
from app.language import gettext as _
from app.services.imports.import_matching import MatchedRecord
from app.services.imports.imports import SAME
from app.services.imports.lists import MAX_BYTES, as_document, read_list_file, read_list_text, reasons_in

router = version_1("/campuses/{slug}/participations", route_class=Writing, tags=["activities"])

Identifier = Annotated[str, Field(max_length=300)]
Name = Annotated[str, Field(max_length=120)]
_ACTIVITY = {
    "external_id": "ROB-1",
    "title": "Robotique pour tous",
    "kind": "workshop",
    "starts_on": "2026-11-25",
    "ends_on": "2026-11-25",
    "place": "Le Creusot",
    "hours": 3,
}
_LINE = {
    "external_id": "P-2026-001",
    "activity": _ACTIVITY,
    "given_name": "Anne-Gaëlle",
    "family_name": "Le Bœuf",
    "address": "anne-gaelle.leboeuf@exemple.fr",
    "part": "apprenant",
    "hours": 2.5,
    "contribution": "A réglé les capteurs de son équipe.",
}


class ActivityIn(Shape):
    """Identified by its identifier at the source, else by its title and first day."""

    model_config = example(**_ACTIVITY)
    external_id: Identifier = ""
    title: str = Field(min_length=1, max_length=200)
    kind: ActivityKind | None = None
    starts_on: Day
    ends_on: Day | None = None
    place: str = Field("", max_length=200)
    hours: float | None = Field(None, gt=0, le=10_000)


class ParticipationIn(Shape):
    model_config = example(**_LINE)
    external_id: str = Field(
        min_length=1,
        max_length=300,
        description="The same identifier with the same content changes nothing; with other content it is a correction.",
    )
    activity: ActivityIn
    given_name: Name = ""
    family_name: Name
    address: str = Field("", max_length=254)
    same_person: bool | None = Field(
        None,
        description="Where the campus knows this name at another address, or this address under another name:"
        " `true` for the person already known, `false` for another. Without an answer the line is refused.",
    )
    part: PartKind | None = None
    hours: float | None = Field(None, ge=0, le=10_000)
    contribution: str = Field("", max_length=1000)

    def record(self, number: int) -> Record:
        record = Record(
            number,
            self.external_id,
            ActivityRecord(
                self.activity.external_id,
                " ".join(self.activity.title.split()),
                self.activity.kind,
                self.activity.starts_on,
                self.activity.ends_on,
                self.activity.place,
                self.activity.hours,
            ),
            ListedPerson(
                number,
                given_name=" ".join(self.given_name.split()),
                family_name=" ".join(self.family_name.split()),
                address=normal_address(self.address),
                hours=self.hours,
                part=self.part or PartKind.LEARNER,
                contribution=self.contribution,
            ),
            self.part,
        )
        try:
            check_name(record.person.given_name, record.person.family_name)
        except InvalidInput as error:
            return record.refused(error.sentence, **error.values)
        fault = fault_in(record)
        return record.refused(fault.sentence, **fault.values) if fault else record


class ParticipationsRequest(Shape):
    model_config = example(source="Scolarité", participations=[_LINE])
    source: str = Field(
        "api", min_length=1, max_length=60, description="Identifiers are those of this source."
    )
    participations: list[ParticipationIn] = Field(min_length=1, max_length=MOST_AT_THE_API)


class LineOutcomeView(BaseModel):
    line: int = Field(description="Counted from 1.")
    external_id: str
    outcome: ImportLineOutcome = Field(description="`created`, `changed`, `same` or `refused`.")
    changes: list[str] = Field(description="The names of what a correction changes.")
    problem: LineProblem | None = None
    warnings: Warnings = []


class ImportView(BaseModel):
    model_config = example(
        report="6d0f6d56-1f0b-4b0e-9b38-0a5d8c2f4e11",
        dry_run=False,
        created=1,
        changed=0,
        same=0,
        refused=1,
        lines=[
            {"line": 1, "external_id": "P-2026-001", "outcome": "created", "changes": [], "problem": None},
            {
                "line": 2,
                "external_id": "P-2026-002",
                "outcome": "refused",
                "changes": [],
                "problem": {
                    "type": type_of(422),
                    "title": "Contenu non recevable",
                    "status": 422,
                    "detail": "Cette adresse e-mail n’est pas valable.",
                },
            },
        ],
    )
    report: uuid.UUID | None = Field(
        description="The report, as people of the campus find it; none of a dry run."
    )
    dry_run: bool
    created: int
    changed: int
    same: int
    refused: int
    lines: list[LineOutcomeView]

    @staticmethod
    def of(run: ImportRun, matched: Sequence[MatchedRecord], *, dry_run: bool) -> ImportView:
        counts = {fate: sum(one.fate is fate for one in matched) for fate in ImportLineOutcome}
        return ImportView(
            report=None if dry_run else run.id,
            dry_run=dry_run,
            created=counts[ImportLineOutcome.CREATED],
            changed=counts[ImportLineOutcome.CHANGED],
            same=counts[ImportLineOutcome.SAME],
            refused=counts[ImportLineOutcome.REFUSED],
            lines=[_line(one, run.asked_at.date()) for one in matched],
        )


def _line(one: MatchedRecord, today: date) -> LineOutcomeView:
    what: Any = one.values.get("what", ())
    problem = None
    if one.fate is ImportLineOutcome.REFUSED:
        values = {
            name: ", ".join(value) if isinstance(value, list) else value for name, value in one.values.items()
        }
        problem = LineProblem(title=_("Contenu non recevable"), detail=_(one.reason).format(**values))
    is_taken = problem is None and not one.record.withdrawn
    return LineOutcomeView(
        line=one.record.number,
        external_id=one.record.external_id,
        outcome=one.fate,
        changes=list(what) if one.fate is ImportLineOutcome.CHANGED else [],
        problem=problem,
        warnings=warnings_of(one.record.person, improbable_in(one.record, today=today), is_taken=is_taken),
    )


def taken(
    program: Program,
    form: ImportForm,
    source: str,
    records: Sequence[Record],
    data: bytes,
    *,
    dry_run: bool,
    restates: bool = False,
    known: Mapping[int, str] | None = None,
) -> ImportView:
    run, matched = program.services.imports.take(
        program.campus,
        form,
        source,
        records,
        data,
        by=program.actor,
        dry_run=dry_run,
        restates=restates,
        known=known,
    )
    return ImportView.of(run, matched, dry_run=dry_run)


@router.post("", summary="Record participations of many activities; safe to repeat")
def record_participations_of_many(
    body: ParticipationsRequest, program: ActivityWriter, dry_run: DryRun = False
) -> ImportView:
    """Valid lines are recorded, each other line has its reason. Up to 1,000 lines; missing activities are
    created.

    An empty field deletes nothing. People erased at their own request are not recorded again.
    """
    records = [line.record(number) for number, line in enumerate(body.participations, 1)]
    data = body.model_dump_json().encode()
    known = {
        number: SAME if line.same_person else OTHER
        for number, line in enumerate(body.participations, 1)
        if line.same_person is not None
    }
    return taken(program, ImportForm.API, body.source, records, data, dry_run=dry_run, known=known)


# --- xAPI statements: with a receipt for each, or as learning platforms send them to a learning record store


xapi_router = version_1("/campuses/{slug}/xapi/statements", route_class=Writing, tags=["activities"])

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

record_store = version_1("/campuses/{slug}/lrs", route_class=Writing, tags=["activities"])
_SOURCE: Final = "xapi"
_WITHOUT_ID: Final = uuid.UUID("6f0c7d9e-0a3e-5a53-8a0e-2f1f4a1d9b60")
"""The namespace of ids for statements that have none."""
_Sent = Annotated[
    dict[str, Any] | list[dict[str, Any]],
    Body(max_length=MOST_AT_THE_API, examples=[[_STATEMENT]]),
]


@record_store.get("/about", include_in_schema=False)
@public
def about_record_store(response: Response) -> dict[str, list[str]]:
    response.headers[XAPI_VERSION] = VERSION
    return {"version": [VERSION]}


@record_store.post(
    "/statements",
    dependencies=[XAPI_CHECKED],
    summary="Take statements as a learning record store does; safe to repeat",
    responses={200: {"content": {"application/json": {"example": [_STATEMENT["id"]]}}}},
)
def store_statements(body: _Sent, program: ActivityWriter) -> list[uuid.UUID]:
    """For learning platforms, with the endpoint `…/campuses/{slug}/lrs/`: one statement or several, as xAPI 1.0.3
    has them. Answers their ids.

    Statements that the campus does not read are taken too: the report has the reason. A statement without
    an id gets one from its content, so that it counts once. 409, and nothing is taken, where a known id comes with
    other content.
    """
    statements = body if isinstance(body, list) else [body]
    return _stored(program, [{**each, "id": str(_id_of(each))} for each in statements])


@record_store.put("/statements", status_code=204, include_in_schema=False, dependencies=[XAPI_CHECKED])
def store_statement(
    body: dict[str, Any],
    program: ActivityWriter,
    statement_id: Annotated[uuid.UUID, Query(alias="statementId")],
) -> None:
    if _id_of({"id": str(statement_id), **body}) != statement_id:
        raise InvalidInput("L’énoncé et l’adresse n’ont pas le même identifiant.")
    _stored(program, [{**body, "id": str(statement_id)}])


def _stored(program: Program, statements: Sequence[dict[str, Any]]) -> list[uuid.UUID]:
    if not statements:
        return []
    imports, now = program.services.statement_imports, program.services.imports.clock().isoformat()
    # A statement without a timestamp has the time at which it came (xAPI 1.0.3, part 2, 2.4.7).
    moments = [each | {"timestamp": each.get("timestamp") or now} for each in statements]
    records = imports.immutable(program.campus, _SOURCE, imports.read(program.campus, moments))
    data = json.dumps(list(statements)).encode()
    taken(program, ImportForm.XAPI, _SOURCE, records, data, dry_run=False, restates=True, known={})
    return [uuid.UUID(each["id"]) for each in statements]


def _id_of(statement: dict[str, Any]) -> uuid.UUID:
    given = statement.get("id")
    if given is None:
        return uuid.uuid5(_WITHOUT_ID, json.dumps(statement, sort_keys=True))
    try:
        return uuid.UUID(given)
    except (ValueError, TypeError, AttributeError):
        raise InvalidInput("L’identifiant d’un énoncé est un UUID.") from None


# --- Results of the list reader for a file or a text: nothing is stored, no person is created


lists_router = version_1("/lists", tags=["activities"])

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


_PREVIEWED_LINE = {
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
    model_config = example(lines=[_PREVIEWED_LINE], mapping=_MAPPING, mappings=[_MAPPING])
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


@lists_router.post(
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
        raise not_accepted("application/json", "multipart/form-data")
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
