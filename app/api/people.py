"""People of a campus, for programs: lists, identifiers of their own system, competencies."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Path, Query, Request, Response, Security
from fastapi.security import HTTPAuthorizationCredentials
from pydantic import BaseModel, Field

from app.domain.accounts.sessions import Scope
from app.domain.campus.integration import MOST_UPSERTED, NamedKind, Wanted
from app.domain.people import Person, normal_address
from app.domain.people.consents import needs_parent
from app.domain.publishing import Addresses
from app.http.programs import (
    BEARER,
    DryRun,
    ExternalIdText,
    Page,
    Paged,
    PersonWriter,
    Program,
    Reader,
    Shape,
    UpdatedSince,
    Writing,
    example,
    program_of,
    version_1,
)
from app.http.receipts import CREATED, ReceiptsView, ReceiptView, one_receipt
from app.http.request_scope import Policy, ProgramCounted, ReadingServices, Who, marked
from app.services.frameworks import Mastered
from app.services.people.upserts import PersonLine

router = version_1("/people", tags=["people"])
PersonId = Annotated[uuid.UUID, Path(description="The person, as activities and awards name them.")]
_Shown = Annotated[HTTPAuthorizationCredentials | None, Security(BEARER)]

_AWARD = {
    "award": "https://badges.example.org/attributions/5f7b0d4e-6e0b-4f3e-9c53-0d7c0e2f0b11",
    "badge": "Mesurer un badge d’accès",
    "awarded_at": "2026-11-24T12:00:00Z",
}
_COMPETENCY = {
    "id": "0c1f5c0e-53a5-4c39-9a5b-0f8f0a6d7c3e",
    "url": "https://badges.example.org/competences/0c1f5c0e-53a5-4c39-9a5b-0f8f0a6d7c3e",
    "framework": "Contrôle d’accès",
    "code": "CA-3",
    "statement": "Mesurer, analyser et caractériser",
    "level": 2,
    "levels": ["Accompagné", "Autonome", "Transmet"],
    "hours": 6.0,
    "awards": [_AWARD],
}


class AttestingAwardView(BaseModel):
    model_config = example(**_AWARD)
    award: str
    badge: str
    awarded_at: datetime


class MasteredView(BaseModel):
    model_config = example(**_COMPETENCY)
    id: uuid.UUID
    url: str
    framework: str
    code: str
    statement: str
    level: int | None = Field(description="The highest that a valid award attests, counted from 1.")
    levels: list[str]
    hours: float | None = Field(description="As far as the person discloses them.")
    awards: list[AttestingAwardView]

    @staticmethod
    def of(mastered: Mastered, addresses: Addresses) -> MasteredView:
        competency = mastered.competency
        return MasteredView(
            id=competency.id,
            url=addresses.competency(competency.id),
            framework=mastered.framework.name,
            code=competency.code,
            statement=competency.statement,
            level=mastered.level,
            levels=competency.levels,
            hours=mastered.hours,
            awards=[
                AttestingAwardView(
                    award=addresses.award(each.award.id),
                    badge=each.version.name,
                    awarded_at=each.award.awarded_at,
                )
                for each in mastered.records
            ],
        )


class PersonCompetenciesView(BaseModel):
    model_config = example(person="8a1f2d60-52a8-4ef5-8d2c-5be4d7c2b6d9", competencies=[_COMPETENCY])
    person: uuid.UUID
    competencies: list[MasteredView]


@marked(Policy(Who.TOKEN, scope=Scope.COMPETENCY_READ))
def _reader(
    _counted: ProgramCounted,
    request: Request,
    response: Response,
    services: ReadingServices,
    _shown: _Shown,
) -> Program:
    """The token's own campus."""
    response.headers["Cache-Control"] = "no-store"
    return program_of(request, services, Scope.COMPETENCY_READ)


@router.get("/{person_id}/competencies", summary="What a person can do, with their consent")
def competencies_of_person(
    person_id: PersonId, program: Annotated[Program, Depends(_reader, scope="function")]
) -> PersonCompetenciesView:
    """Competencies that valid awards of the token's campus attest. Requires the scope `competency:read`.

    403 until the person has agreed on « Mes données »; never for a person under 15.
    """
    services = program.services
    found = services.shared_competencies.read(program.campus, person_id)
    return PersonCompetenciesView(
        person=person_id, competencies=[MasteredView.of(each, services.addresses) for each in found]
    )


of_campus = version_1("/campuses/{slug}/people", route_class=Writing, tags=["people"])

Name = Annotated[str, Field(max_length=120)]
_PERSON = {
    "id": "5a7d5cf2-2c0f-4f0e-8f39-4b0b7a0f6f11",
    "external_ids": ["E-2026-0412"],
    "given_name": "Anne-Gaëlle",
    "family_name": "Le Bœuf",
    "address": "anne-gaelle.leboeuf@exemple.fr",
    "under_15": False,
}
_LINE = {
    "external_id": "E-2026-0412",
    "given_name": "Anne-Gaëlle",
    "family_name": "Le Bœuf",
    "address": "anne-gaelle.leboeuf@exemple.fr",
}


class PersonView(BaseModel):
    model_config = example(**_PERSON)
    id: uuid.UUID
    external_ids: list[str] = Field(description="Two after two records of one person were merged.")
    given_name: str
    family_name: str
    address: str | None = Field(description="Null without the scope `person:read`.")
    under_15: bool


def people_views(program: Program, people: list[Person]) -> list[PersonView]:
    ids = [person.id for person in people]
    names = program.services.external_ids.names_of(program.campus, NamedKind.PERSON, ids)
    addresses = (
        program.services.program_lists.addresses_of(program.campus, ids) if program.sees_addresses else {}
    )
    young = {person.id for person in people if needs_parent(person)}
    seen = program.services.program_lists.met(program.campus, young) if young else set()
    return [
        PersonView(
            id=person.id,
            external_ids=list(names.get(person.id, ())),
            given_name=person.given_name,
            family_name=person.family_name,
            address=addresses.get(person.id, "") if program.sees_addresses else None,
            under_15=person.id in seen,
        )
        for person in people
    ]


class PersonFacts(Shape):
    model_config = example(**{name: value for name, value in _LINE.items() if name != "external_id"})
    given_name: Name = ""
    family_name: Name = Field(min_length=1)
    address: str = Field("", max_length=254, description="Empty changes nothing.")
    under_15: bool | None = Field(None, description="The age band; nothing said changes nothing.")
    same_person: bool | None = Field(
        None,
        description="Where the campus knows this name at another address, or this address under another name:"
        " `true` for the person already known, `false` for another. Without an answer the line is refused.",
    )

    def line(self, external_id: str) -> PersonLine:
        return PersonLine(
            external_id,
            self.given_name,
            self.family_name,
            normal_address(self.address),
            self.under_15,
            self.same_person,
        )


class PersonIn(PersonFacts):
    model_config = example(**_LINE)
    external_id: ExternalIdText = Field(min_length=1)


class PeopleRequest(Shape):
    model_config = example(people=[_LINE])
    people: list[PersonIn] = Field(min_length=1, max_length=MOST_UPSERTED)


class ExternalIdShape(Shape):
    model_config = example(external_id="E-2026-0412")
    external_id: ExternalIdText = Field(description="Empty for none any more.")


class PeoplePage(Page[PersonView]):
    model_config = example(items=[_PERSON], next=None)


@of_campus.get("", summary="The people of a campus, the latest first, page by page")
def list_people(
    program: Reader,
    paging: Paged,
    external_id: Annotated[str, Query(max_length=200)] = "",
    address: Annotated[str, Query(max_length=254, description="Requires `person:read`.")] = "",
    updated_since: UpdatedSince = None,
) -> PeoplePage:
    """Who took part in an activity, holds a badge, or was registered here by the campus's own system."""
    if address:
        program.need(Scope.PERSON_READ)
    wanted = Wanted(paging.place, updated_since, limit=paging.limit)
    found = program.services.program_lists.people(
        program.campus, wanted, external_id=external_id, address=normal_address(address)
    )
    shown, cursor = paging.cut(found, lambda person: (person.created_at, person.id))
    return PeoplePage(items=people_views(program, list(shown)), next=cursor)


@of_campus.post("/bulk", summary="Register or correct people by the campus's own identifiers; safe to repeat")
def upsert_people(body: PeopleRequest, program: PersonWriter, dry_run: DryRun = False) -> ReceiptsView:
    """Each line is answered on its own; a refused line changes nothing. Names and addresses that people proved
    themselves are theirs to correct: such a line is refused."""
    lines = [each.line(each.external_id) for each in body.people]
    receipts = program.services.people_upserts.upsert_all(program.campus, lines, by=program.actor)
    return ReceiptsView.of(receipts, body.people, dry_run=program.is_trial(dry_run))


by_external_id = version_1("/campuses/{slug}/external-ids/people", route_class=Writing, tags=["people"])


@by_external_id.put(
    "/{external:path}",
    summary="Register or correct one person by the campus's own identifier; safe to repeat",
    responses=CREATED,
)
def upsert_person(
    external: Annotated[str, Path(max_length=200)],
    body: PersonFacts,
    program: PersonWriter,
    response: Response,
    dry_run: DryRun = False,
) -> ReceiptView:
    """201 where the person is new. 409 where the identifier names another person, or the person has another one."""
    receipt = program.services.people_upserts.upsert(program.campus, body.line(external), by=program.actor)
    return one_receipt(program, receipt, response, body, dry_run=dry_run)


@of_campus.get("/{person_id}", summary="One person")
def get_person(person_id: PersonId, program: Reader) -> PersonView:
    person = program.services.people_upserts.get(program.campus, person_id)
    return people_views(program, [person])[0]


@of_campus.put(
    "/{person_id}/external-id", summary="Give a person the campus's own identifier; safe to repeat"
)
def name_person(person_id: PersonId, body: ExternalIdShape, program: PersonWriter) -> PersonView:
    """It replaces those given before. 409 where it names another person."""
    person = program.services.people_upserts.get(program.campus, person_id)
    program.services.external_ids.replace(program.campus, NamedKind.PERSON, body.external_id, person.id)
    return people_views(program, [person])[0]
