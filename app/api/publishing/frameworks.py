"""Frameworks of campuses at the addresses of 1EdTech CASE 1.1, and as SKOS."""

from __future__ import annotations

import uuid
from typing import Any

from fastapi import APIRouter, Request, Response

from app.api.publishing.public import FIVE_MINUTES, Number, answer, shown
from app.domain.frameworks.case import CASE_PATH, CaseWriter, association_id, rubric_id
from app.errors import NotFound
from app.http.negotiation import ForPrograms
from app.http.policies import public
from app.http.problems import documented
from app.http.request_scope import ReadingServices
from app.language import N_
from app.services.publishing.publication import Published
from sceau_credentials.values import dump_json

with_page = APIRouter(tags=["frameworks"], responses=documented(404), route_class=ForPrograms)
router = APIRouter(prefix=CASE_PATH, tags=["frameworks"], responses=documented(404))
_JSON = shown("application/json", about="As CASE 1.1 describes it.")


@router.get("/CFDocuments", summary="The frameworks of all campuses", **_JSON)
@public
def documents(request: Request, services: ReadingServices) -> Response:
    found = [each.document() for each in services.frameworks.published_frameworks()]
    return _json(request, {"CFDocuments": found})


@router.get("/CFDocuments/{framework_id}", summary="One framework without its items", **_JSON)
@public
def document(framework_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    return _json(request, services.frameworks.published(framework_id).document())


@router.get("/CFPackages/{framework_id}", summary="One framework with everything in it", **_JSON)
@public
def package(framework_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    return _json(request, services.frameworks.published(framework_id).package())


@router.get(
    "/CFPackages/{framework_id}/skos", summary="The same as SKOS in JSON-LD", **shown("application/ld+json")
)
@public
def skos(framework_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    return _json(request, services.frameworks.published(framework_id).skos(), "application/ld+json")


@router.get("/CFItems/{competency_id}", summary="One item", **_JSON)
@public
def item(competency_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    writer, found = services.frameworks.published_item(competency_id)
    return _json(request, {**writer.item(found), "CFDocumentURI": _link(writer)})


@with_page.get(
    "/competences/{competency_id:uuid}/v{number}", summary="One item in the wording of one version", **_JSON
)
@public
def item_version(
    competency_id: uuid.UUID, number: Number, request: Request, services: ReadingServices
) -> Response:
    """What the alignments of credentials refer to; browsers get its page."""
    writer, found = services.frameworks.published_version(competency_id, number)
    uri = services.addresses.competency(competency_id, number)
    return _json(request, {**writer.item(found), "uri": uri, "CFDocumentURI": _link(writer)})


@router.get("/CFItemAssociations/{competency_id}", summary="One item with its associations", **_JSON)
@public
def item_associations(competency_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    writer, found = services.frameworks.published_item(competency_id)
    own = writer.item(found)
    ends = {"originNodeURI", "destinationNodeURI"}
    related = [
        each
        for each in writer.all_associations()
        if own["identifier"] in {each.get(end, {}).get("identifier") for end in ends}
    ]
    return _json(request, {"CFItem": own, "CFAssociations": related})


@router.get("/CFAssociations/{case_id}", summary="One association", **_JSON)
@public
def association(case_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    """A stored one by its own identifier, a position in the tree by that derived from its item's."""
    writer = services.frameworks.publisher_of(case_id, association_id(case_id))
    for each in writer.all_associations() if writer else ():
        if each["identifier"] == str(case_id):
            return _json(request, each)
    raise NotFound(N_("Cette association n’existe pas."))


@router.get("/CFRubrics/{case_id}", summary="The levels of one item, described", **_JSON)
@public
def rubric(case_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    writer = services.frameworks.publisher_of(case_id, rubric_id(case_id))
    for each in writer.package().get("CFRubrics", ()) if writer else ():
        if each["identifier"] == str(case_id):
            return _json(request, each)
    raise NotFound(N_("Cette grille n’existe pas."))


def _link(writer: CaseWriter) -> dict[str, Any]:
    document = writer.document()
    return {"title": document["title"], "identifier": document["identifier"], "uri": document["uri"]}


def _json(request: Request, document: dict[str, Any], media_type: str = "application/json") -> Response:
    published = Published.of(dump_json(document), media_type)
    return answer(request, published, cache=FIVE_MINUTES)
