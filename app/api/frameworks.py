"""Competencies of a campus, for programs."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from app.api.programs import BadgeWriter, Reader
from app.api.shapes import Shape, example
from app.domain.frameworks import Competency, Framework

router = APIRouter(prefix="/campuses/{slug}/competencies", tags=["competencies"])

Levels = list[Annotated[str, Field(min_length=1, max_length=120)]]


_CA_3 = {
    "framework": "controle-acces",
    "framework_name": "Contrôle d’accès",
    "code": "CA-3",
    "statement": "Mesurer, analyser et caractériser",
    "levels": ["Accompagné", "Autonome", "Transmet"],
}


class CompetencyRequest(Shape):
    """`framework` is the code of one of the campus's frameworks; a new code makes a new framework."""

    model_config = example(**_CA_3)
    framework: str = Field(min_length=1, max_length=60)
    framework_name: str = Field("", max_length=200)
    code: str = Field(min_length=1, max_length=60)
    statement: str = Field(min_length=1, max_length=500)
    levels: Levels = Field([], max_length=10)


class CompetencyView(BaseModel):
    model_config = example(id="0c1f5c0e-53a5-4c39-9a5b-0f8f0a6d7c3e", **_CA_3)
    id: uuid.UUID
    framework: str
    framework_name: str
    code: str
    statement: str
    levels: list[str]

    @staticmethod
    def of(competency: Competency, framework: Framework) -> CompetencyView:
        return CompetencyView(
            id=competency.id,
            framework=framework.code,
            framework_name=framework.name,
            code=competency.code,
            statement=competency.statement,
            levels=competency.levels,
        )


@router.get("", summary="The competencies of a campus")
def list_competencies(program: Reader) -> list[CompetencyView]:
    return [CompetencyView.of(*pair) for pair in program.services.competencies.list_of(program.campus)]


@router.get("/{competency_id}", summary="One competency")
def get_competency(competency_id: uuid.UUID, program: Reader) -> CompetencyView:
    return CompetencyView.of(*program.services.competencies.get(program.campus, competency_id))


@router.post("", status_code=201, summary="Write down a competency")
def create_competency(body: CompetencyRequest, program: BadgeWriter) -> CompetencyView:
    competencies, campus, by = program.services.competencies, program.campus, program.actor
    framework = competencies.framework(
        campus, code=body.framework, name=body.framework_name or body.framework, by=by
    )
    competency = competencies.create(
        campus, framework, code=body.code, statement=body.statement, levels=list(body.levels), by=by
    )
    return CompetencyView.of(competency, framework)
