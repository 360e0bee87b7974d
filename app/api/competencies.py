"""Competencies of a campus, for programs."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from app.api.shapes import Shape, Slug
from app.domain.access import Scope
from app.domain.competencies import Competency, Framework
from app.request_scope import ReadingServices, WritingServices, token_of

router = APIRouter(prefix="/campuses/{slug}/competencies", tags=["competencies"])

Levels = list[Annotated[str, Field(min_length=1, max_length=120)]]


class CompetencyRequest(Shape):
    """`framework` is the code of one of the campus's frameworks; a new code makes a new framework."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "framework": "controle-acces",
                "framework_name": "Contrôle d’accès",
                "code": "CA-3",
                "statement": "Mesurer, analyser et caractériser",
                "levels": ["Accompagné", "Autonome", "Transmet"],
            }
        },
    )
    framework: str = Field(min_length=1, max_length=60)
    framework_name: str = Field("", max_length=200)
    code: str = Field(min_length=1, max_length=60)
    statement: str = Field(min_length=1, max_length=500)
    levels: Levels = Field([], max_length=10)


class CompetencyView(BaseModel):
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
def list_competencies(slug: Slug, request: Request, services: ReadingServices) -> list[CompetencyView]:
    _, campus = token_of(request, services, Scope.READ, slug)
    return [CompetencyView.of(*pair) for pair in services.competencies.list_of(campus)]


@router.get("/{competency_id}", summary="One competency")
def get_competency(
    slug: Slug, competency_id: uuid.UUID, request: Request, services: ReadingServices
) -> CompetencyView:
    _, campus = token_of(request, services, Scope.READ, slug)
    return CompetencyView.of(*services.competencies.get(campus, competency_id))


@router.post("", status_code=201, summary="Write down a competency")
def create_competency(
    slug: Slug, body: CompetencyRequest, request: Request, services: WritingServices
) -> CompetencyView:
    actor, campus = token_of(request, services, Scope.BADGE_WRITE, slug)
    framework = services.competencies.framework(
        campus, code=body.framework, name=body.framework_name or body.framework, by=actor
    )
    competency = services.competencies.create(
        campus, framework, code=body.code, statement=body.statement, levels=list(body.levels), by=actor
    )
    return CompetencyView.of(competency, framework)
