"""Competencies of a campus, for programs."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, Field

from app.container import Services
from app.domain.frameworks import Competency, Framework
from app.domain.frameworks.pathways import ProposalState
from app.http.programs import (
    BadgeWriter,
    Page,
    Paged,
    PathwayReader,
    Reader,
    Shape,
    Writing,
    example,
    version_1,
)
from app.http.request_scope import ReadingServices, public
from app.services.frameworks import Details
from app.services.frameworks.pathways import PublicPathway

router = version_1("/campuses/{slug}/competencies", route_class=Writing, tags=["competencies"])

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


_COMPETENCY = {"id": "0c1f5c0e-53a5-4c39-9a5b-0f8f0a6d7c3e", **_CA_3}


class CompetencyView(BaseModel):
    model_config = example(**_COMPETENCY)
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


class CompetenciesPage(Page[CompetencyView]):
    model_config = example(items=[_COMPETENCY], next=None)


@router.get("", summary="The competencies of a campus")
def list_competencies(program: Reader, paging: Paged) -> CompetenciesPage:
    found = program.services.competencies.list_of(program.campus)
    shown, cursor = paging.slice(found, lambda pair: pair[0].id)
    return CompetenciesPage(items=[CompetencyView.of(*pair) for pair in shown], next=cursor)


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


search_router = version_1(tags=["competencies"])
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
        ended_on="2025-06-30",
        has_ended=True,
        replaced_by=["H3205"],
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


pathways_router = version_1(tags=["pathways"])
_ACCESS = "9f2b1a52-6d0e-4a0b-8f4e-0a3a4b6f1d11"


class PathwayStageView(BaseModel):
    model_config = example(
        key="e2",
        title="Installer et mettre en service",
        conditions=[{"kind": "badges", "least": 1, "badges": []}],
        after=["e1"],
        choice="",
        is_optional=False,
    )
    key: str
    title: str
    conditions: list[dict[str, Any]] = Field(
        description="All are required: `badges` (`least` of them), `competency` at a level, `hours`, "
        "`activities`, `decision`."
    )
    after: list[str] = Field(description="Keys of the stages to reach before.")
    choice: str = Field(description="Of the stages with one choice, one suffices.")
    is_optional: bool


_PATHWAY = {
    "id": _ACCESS,
    "campus": "ti",
    "title": "Contrôle d’accès, de l’étude à la maintenance",
    "summary": "Pour qui installe ou entretient des accès.",
    "version": 2,
    "published_at": "2026-09-01T08:00:00Z",
    "badge_id": "0c1f5c0e-53a5-4c39-9a5b-0f8f0a6d7c3e",
    "stages": [],
}


class PathwayView(BaseModel):
    model_config = example(**_PATHWAY)
    id: uuid.UUID
    campus: str
    title: str
    summary: str
    version: int
    published_at: datetime
    badge_id: uuid.UUID | None = Field(description="The badge of the whole, proposed at the end.")
    stages: list[PathwayStageView]

    @staticmethod
    def of(found: PublicPathway) -> PathwayView:
        content = found.content
        return PathwayView(
            id=found.pathway.id,
            campus=found.campus.slug,
            title=content.title,
            summary=content.summary,
            version=found.version.number,
            published_at=found.version.published_at,
            badge_id=content.badge.id if content.badge else None,
            stages=[PathwayStageView.model_validate(each.to_document()) for each in content.stages],
        )


class PathwaysPage(Page[PathwayView]):
    model_config = example(items=[_PATHWAY], next=None)


_FOLLOWER = {
    "enrolment": "5a1d1a6e-2f6b-4a56-9a30-0d6d1a1f2b33",
    "person_id": "1b2e3c4d-5f60-4718-8a9b-0c1d2e3f4a5b",
    "version": 2,
    "joined_at": "2026-09-02T08:00:00Z",
    "changed_at": "2026-11-20T12:00:00Z",
    "reached": 3,
    "possible_now": ["e4", "e6"],
    "badge": "none",
}


class FollowerView(BaseModel):
    model_config = example(**_FOLLOWER)
    enrolment: uuid.UUID
    person_id: uuid.UUID
    version: int
    joined_at: datetime
    changed_at: datetime = Field(description="When a stage was last reached.")
    reached: int
    possible_now: list[str] = Field(description="Keys of the needed stages that are possible now.")
    badge: ProposalState = Field(description="Of the whole: `waiting` for a decision, `declined`, `awarded`.")


class FollowersPage(Page[FollowerView]):
    model_config = example(items=[_FOLLOWER], next=None)


@pathways_router.get("/pathways", summary="Published pathways of every campus")
@public
def list_pathways(services: ReadingServices, paging: Paged) -> PathwaysPage:
    shown, cursor = paging.slice(services.pathways.list_public(), lambda each: each.pathway.id)
    return PathwaysPage(items=[PathwayView.of(each) for each in shown], next=cursor)


@pathways_router.get("/pathways/{pathway_id}", summary="One pathway, in its newest version")
@public
def get_pathway(pathway_id: uuid.UUID, services: ReadingServices) -> PathwayView:
    return PathwayView.of(services.pathways.show(pathway_id))


@pathways_router.get(
    "/campuses/{slug}/pathways/{pathway_id}/progress",
    summary="Where people are on a pathway, in no order of merit",
)
def list_pathway_progress(pathway_id: uuid.UUID, program: PathwayReader, paging: Paged) -> FollowersPage:
    after = paging.place[1] if paging.place else None
    found = program.services.pathway_followers.in_turn(
        program.campus, pathway_id, after=after, limit=paging.limit + 1
    )
    shown, cursor = paging.cut(found, lambda each: (each.enrolment.joined_at, each.enrolment.id))
    items = [
        FollowerView(
            enrolment=each.enrolment.id,
            person_id=each.enrolment.person_id,
            version=each.enrolment.number,
            joined_at=each.enrolment.joined_at,
            changed_at=each.enrolment.changed_at,
            reached=each.done,
            possible_now=[key for key, _ in each.at],
            badge=each.enrolment.proposal,
        )
        for each in shown
    ]
    return FollowersPage(items=items, next=cursor)
