"""Competencies of a person, for programs of a campus."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response, Security
from fastapi.security import HTTPAuthorizationCredentials
from pydantic import BaseModel, Field

from app.api.programs import BEARER, Program
from app.api.shapes import example
from app.domain.accounts.sessions import Scope
from app.domain.publishing import Addresses
from app.http.policies import Policy, Who, marked
from app.http.request_scope import ReadingServices, token_of
from app.services.frameworks import Mastered

router = APIRouter(prefix="/people", tags=["people"])
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
def _reader(request: Request, response: Response, services: ReadingServices, _shown: _Shown) -> Program:
    """The token's own campus."""
    response.headers["Cache-Control"] = "no-store"
    return Program(*token_of(request, services, Scope.COMPETENCY_READ), services)


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
