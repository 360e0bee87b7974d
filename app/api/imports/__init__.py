"""Participations of many activities in one request: idempotent, with a dry run and a result for each line."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from app.api.programs import ActivityWriter, DryRun, LineProblem, Program, Shape, Writing, example
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
)
from app.domain.people import check_name, normal_address
from app.domain.people.parental_consent import OTHER
from app.errors import InvalidInput
from app.http.problems import type_of
from app.language import gettext as _
from app.services.imports.import_matching import Judged
from app.services.imports.imports import SAME

router = APIRouter(prefix="/campuses/{slug}/participations", route_class=Writing, tags=["activities"])

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
    starts_on: date
    ends_on: date | None = None
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
    def of(run: ImportRun, judged: Sequence[Judged], *, dry_run: bool) -> ImportView:
        counts = {fate: sum(one.fate is fate for one in judged) for fate in ImportLineOutcome}
        return ImportView(
            report=None if dry_run else run.id,
            dry_run=dry_run,
            created=counts[ImportLineOutcome.CREATED],
            changed=counts[ImportLineOutcome.CHANGED],
            same=counts[ImportLineOutcome.SAME],
            refused=counts[ImportLineOutcome.REFUSED],
            lines=[_line(one) for one in judged],
        )


def _line(one: Judged) -> LineOutcomeView:
    what: Any = one.values.get("what", ())
    problem = None
    if one.fate is ImportLineOutcome.REFUSED:
        values = {
            name: ", ".join(value) if isinstance(value, list) else value for name, value in one.values.items()
        }
        problem = LineProblem(title=_("Contenu non recevable"), detail=_(one.reason).format(**values))
    return LineOutcomeView(
        line=one.record.number,
        external_id=one.record.external_id,
        outcome=one.fate,
        changes=list(what) if one.fate is ImportLineOutcome.CHANGED else [],
        problem=problem,
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
    run, judged = program.services.imports.take(
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
    return ImportView.of(run, judged, dry_run=dry_run)


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
