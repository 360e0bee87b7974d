"""Competencies of a campus, for programs."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from app.api.programs import BadgeWriter, Reader
from app.api.shapes import Shape, example
from app.container import Services
from app.domain.frameworks import Competency, Framework
from app.http.policies import public
from app.http.request_scope import ReadingServices
from app.services.frameworks import Details

router = APIRouter(prefix="/campuses/{slug}/competencies", tags=["competencies"])

Levels = list[Annotated[str, Field(min_length=1, max_length=120)]]


_CA_3 = {
    "framework": "controle-acces",
    "framework_name": "Contrôle d’accès",
    "code": "CA-3",
    "statement": "Mesurer, analyser et caractériser",
    "levels": ["Accompagné", "Autonome", "Transmet"],
    "rubric": ["Suit un plan, avec une personne à côté.", "Mesure seul.", "Forme un pair."],
}


class CompetencyRequest(Shape):
    """`framework` is the code of one of the campus's frameworks; a new code makes a new framework."""

    model_config = example(**_CA_3)
    framework: str = Field(min_length=1, max_length=60)
    framework_name: str = Field("", max_length=200)
    code: str = Field(min_length=1, max_length=60)
    statement: str = Field(min_length=1, max_length=500)
    levels: Levels = Field([], max_length=10)
    rubric: list[Annotated[str, Field(max_length=500)]] = Field(
        [], max_length=10, description="What one sees at each level, in their order."
    )


class CompetencyView(BaseModel):
    model_config = example(id="0c1f5c0e-53a5-4c39-9a5b-0f8f0a6d7c3e", **_CA_3)
    id: uuid.UUID
    framework: str
    framework_name: str
    code: str
    statement: str
    levels: list[str]
    rubric: list[str]

    @staticmethod
    def of(competency: Competency, framework: Framework) -> CompetencyView:
        return CompetencyView(
            id=competency.id,
            framework=framework.code,
            framework_name=framework.name,
            code=competency.code,
            statement=competency.statement,
            levels=competency.levels,
            rubric=competency.rubric,
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
        campus,
        framework,
        code=body.code,
        statement=body.statement,
        levels=list(body.levels),
        details=Details(rubric=body.rubric),
        by=by,
    )
    return CompetencyView.of(competency, framework)


search_router = APIRouter(tags=["competencies"])
Terms = Annotated[
    str,
    Query(
        max_length=100,
        description="A code or terms; three characters suffice.",
        examples=["soudure"],
    ),
]
Within = Annotated[
    str,
    Query(
        max_length=60,
        description="One framework by its code, or `campus` for the campus's own.",
        examples=["rome"],
    ),
]
Limit = Annotated[int, Query(ge=1, le=50)]


class FoundItemView(BaseModel):
    model_config = example(
        id="4f6f4a0e-1a7c-4d0e-9a63-4dcd4e3f0c55",
        framework="rome",
        framework_name="ROME 4.0",
        version="460",
        code="H3203",
        label="Mouleur-stratifieur / Mouleuse-stratifieuse",
        kind="occupation",
        path=["Industrie", "Plastique, caoutchouc"],
        other_labels=["Stratifieur / Stratifieuse composites"],
        ended_on=None,
        has_ended=False,
        replaced_by=[],
    )
    id: uuid.UUID
    framework: str
    framework_name: str
    version: str
    code: str
    label: str
    kind: str
    path: list[str]
    other_labels: list[str]
    ended_on: date | None
    has_ended: bool
    replaced_by: list[str]


class SearchResultView(BaseModel):
    model_config = example(query="soudrue", corrected="soudure", items=[])
    query: str
    corrected: str = Field(description="The terms that were searched instead of misspelt ones; else empty.")
    items: list[FoundItemView]


def _searched(
    services: Services, q: str, campus_id: uuid.UUID | None, within: str, limit: int
) -> SearchResultView:
    result = services.framework_search.search(q, campus_id, within=within, limit=limit)
    return SearchResultView(
        query=result.query,
        corrected=result.corrected,
        items=[
            FoundItemView(
                id=each.item.id,
                framework=each.framework.code,
                framework_name=each.framework.name,
                version=each.framework.version,
                code=each.item.code,
                label=each.item.statement,
                kind=each.item.kind,
                path=list(each.path),
                other_labels=each.item.other_labels[:20],
                ended_on=each.item.ended_on,
                has_ended=each.has_ended,
                replaced_by=list(each.successors),
            )
            for each in result.items
        ],
    )


@search_router.get("/frameworks/search", summary="Search ROME, RNCP, RS and ESCO")
@public
def search_frameworks(
    services: ReadingServices, q: Terms = "", within: Within = "", limit: Limit = 20
) -> SearchResultView:
    return _searched(services, q, None, within, limit)


@search_router.get(
    "/campuses/{slug}/frameworks/search", summary="The same with the campus's own frameworks and synonyms"
)
def search_frameworks_of_campus(
    program: Reader, q: Terms = "", within: Within = "", limit: Limit = 20
) -> SearchResultView:
    return _searched(program.services, q, program.campus.id, within, limit)
