"""Badges of a campus for its staff: list, open, archive, and compare versions."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.accounts.permissions import Permission
from app.domain.badges import (
    Badge,
    BadgeCompetency,
    BadgeVersion,
    Content,
    content_of,
    differences,
    split_criteria,
)
from app.domain.badges.rules import rule_of, rule_words
from app.domain.core import ChangedMeanwhile, csv_for_excel, mark_of, plain_text
from app.domain.frameworks import Competency
from app.errors import InvalidInput
from app.http.pages.forms import CHECKED_FORM, SafeForm, text_of
from app.http.pages.words import BADGE_CHANGES, BADGE_KINDS, KIND_NAMES, REPEATS, StateLabel, sentence_text
from app.http.request_scope import ReadingServices, sentence_of, write_transaction
from app.http.workplaces import AtWork, at_work, staff
from app.language import N_, translated
from app.services.badges import BadgePage, picture_words
from app.web.badges import DifferenceShown, shared_by_network, shown_difference, standings_of, validity_words
from app.web.badges.rules import picture_of
from app.web.frameworks.search import StandingView

router = APIRouter(prefix="/gestion/{slug}/badges")
_VIEW, _ACTION = [staff(Permission.VIEW)], [staff(Permission.DESIGN), CHECKED_FORM]
Number = Annotated[int, Query(ge=1, le=100_000)]
_STATES = {
    "open": StateLabel("En service", "ok"),
    "draft": StateLabel("Brouillon", "shut"),
    "revised": StateLabel("En service, version suivante en brouillon", "ok"),
    "archived": StateLabel("Archivé", "past"),
}
SORTS = {"nom": N_("Nom"), "type": N_("Type"), "recent": N_("Plus récents d’abord")}


@dataclass(frozen=True)
class BadgeLine:
    href: str
    name: str
    kind: str
    picture: str
    number: int
    state: StateLabel
    repeat: str

    @staticmethod
    def of(work: AtWork, badge: Badge, version: BadgeVersion) -> BadgeLine:
        return BadgeLine(
            f"{work.home}/badges/{badge.id}",
            version.name,
            BADGE_KINDS[version.kind],
            picture_of(badge, version),
            version.number,
            state_of(badge, version),
            REPEATS[badge.repeat],
        )


@dataclass(frozen=True)
class VersionLine:
    number: int
    name: str
    state: str
    since: datetime
    compare: str
    """URL of the changes since the previous version; empty for the first."""


@dataclass(frozen=True)
class BadgeShown:
    href: str
    public_href: str
    """Public URL; empty while the badge has no holder."""
    name: str
    kind: str
    description: str
    criteria: str
    assessment: str
    picture: str
    picture_words: str
    number: int
    state: StateLabel
    is_draft: bool
    given: int | None
    """The number of the version that is awarded today."""
    is_archived: bool
    accepts_requests: bool
    ask_href: str
    """Public URL of the request form; empty while requests are closed."""
    repeat: str
    validity: str
    required_hours: float | None
    rule: str
    """As text; empty where only the person who awards decides."""
    competencies: Sequence[tuple[str, str]]
    alignments: Sequence[StandingView]
    tags: Sequence[str]
    versions: Sequence[VersionLine]
    shared_by: str = ""
    shared_url: str = ""
    amended: Sequence[tuple[str, str]] = ()
    """Competencies amended since this version was frozen, with today's text."""


def state_of(badge: Badge, version: BadgeVersion) -> StateLabel:
    if badge.archived_at is not None:
        return _STATES["archived"]
    if not version.is_draft:
        return _STATES["open"]
    # A next version exists only beside one that has holders.
    return _STATES["revised"] if version.number > 1 else _STATES["draft"]


@router.get("", dependencies=_VIEW)
def list_badges(
    request: Request, services: ReadingServices, tri: str = "nom", archives: str = ""
) -> HTMLResponse:
    work = at_work(request)
    found = sorted_badges(services.badges.list_newest(work.campus), tri)
    shown = [(badge, version) for badge, version in found if bool(badge.archived_at) is bool(archives)]
    return work.page(
        request,
        "badges/list.html",
        designs=work.may(Permission.DESIGN),
        sorts=[(value, translated(words)) for value, words in SORTS.items()],
        chosen=tri if tri in SORTS else "nom",
        archives=bool(archives),
        archived=sum(1 for badge, _ in found if badge.archived_at),
        lines=[BadgeLine.of(work, badge, version) for badge, version in shown],
    )


def sorted_badges(
    found: Sequence[tuple[Badge, BadgeVersion]], order: str
) -> list[tuple[Badge, BadgeVersion]]:
    """A campus has tens of badges, so they are sorted here; the store returns them by name."""
    if order == "type":
        kinds = list(KIND_NAMES)
        return sorted(found, key=lambda pair: kinds.index(pair[1].kind))
    if order == "recent":
        return sorted(found, key=lambda pair: pair[1].created_at, reverse=True)
    return sorted(found, key=lambda pair: plain_text(pair[1].name))


@router.get("/badges.csv", dependencies=_VIEW)
def badges_table(request: Request, services: ReadingServices) -> Response:
    work = at_work(request)
    listed = services.badges.list_newest(work.campus)
    shared = services.shared_definitions.about_badges([badge.id for badge, _ in listed])
    rows = [
        (
            version.name,
            translated(KIND_NAMES[version.kind]),
            translated(state_of(badge, version).text),
            str(version.number),
            translated(REPEATS[badge.repeat]),
            validity_words(version.validity_days),
            version.description,
            services.addresses.badge(badge.id),
            shared_by_network(shared.get(badge.id))[0],
        )
        for badge, version in listed
    ]
    heading = (
        "Badge", "Type", "État", "Version", "Répétition", "Validité", "Description", "Adresse", "Définition du réseau"
    )  # fmt: skip
    return table_file("badges", heading, rows)


def table_file(name: str, heading: Sequence[str], rows: Sequence[Sequence[str]]) -> Response:
    return Response(
        csv_for_excel(heading, rows),
        media_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{name}.csv"',
            "Cache-Control": "no-store",
        },
    )


@router.get("/{badge_id:uuid}", dependencies=_VIEW)
def show_badge(badge_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    return _badge_page(request, services, at_work(request), badge_id)


@router.post("/{badge_id:uuid}/ouvrir", dependencies=[staff(Permission.DESIGN)])
def open_badge(badge_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices) -> Response:
    work = at_work(request)
    try:
        with write_transaction(request) as writing:
            writing.badges.open(work.campus, badge_id, by=work.actor, seen=text_of(form, "vu"))
    except (ChangedMeanwhile, InvalidInput) as error:
        return _badge_page(request, services, work, badge_id, sentence_of(error))
    return RedirectResponse(f"{work.home}/badges/{badge_id}", status_code=303)


@router.post("/{badge_id:uuid}/competences", dependencies=_ACTION)
def take_amended_competencies(badge_id: uuid.UUID, request: Request) -> Response:
    work = at_work(request)
    with write_transaction(request) as writing:
        writing.badges.take_amended(work.campus, badge_id, by=work.actor)
    return RedirectResponse(f"{work.home}/badges/{badge_id}", status_code=303)


@router.post("/{badge_id:uuid}/archiver", dependencies=_ACTION)
def archive_badge(badge_id: uuid.UUID, request: Request) -> Response:
    work = at_work(request)
    with write_transaction(request) as writing:
        writing.badges.archive(work.campus, badge_id, by=work.actor)
    return RedirectResponse(f"{work.home}/badges/{badge_id}", status_code=303)


@router.post("/{badge_id:uuid}/reprendre", dependencies=_ACTION)
def restore_badge(badge_id: uuid.UUID, request: Request) -> Response:
    work = at_work(request)
    with write_transaction(request) as writing:
        writing.badges.restore(work.campus, badge_id, by=work.actor)
    return RedirectResponse(f"{work.home}/badges/{badge_id}", status_code=303)


@router.get("/{badge_id:uuid}/differences", dependencies=_VIEW)
def compare_versions(
    badge_id: uuid.UUID,
    request: Request,
    services: ReadingServices,
    de: Number | None = None,
    a: Number | None = None,
) -> HTMLResponse:
    """Default: the newest version and the one before it."""
    work = at_work(request)
    a = a or services.badges.manuscript(work.campus, badge_id).page.version.number
    de = de or max(1, a - 1)
    before = services.badges.page(work.campus, badge_id, de)
    after = services.badges.page(work.campus, badge_id, a)
    found: list[DifferenceShown] = [
        shown_difference(each) for each in differences(content_shown(before), content_shown(after))
    ]
    return work.page(
        request,
        "badges/differences.html",
        href=f"{work.home}/badges/{badge_id}",
        name=after.version.name,
        numbers=[(str(version.number), str(version.number)) for version in after.versions],
        before=de,
        after=a,
        pictures=(picture_of(before.badge, before.version), picture_of(after.badge, after.version)),
        differences=found,
    )


def content_shown(found: BadgePage) -> Content:
    return content_of(
        found.version, [f"{name} ({level})" if level else name for name, level in _attested(found)]
    )


def _attested(found: BadgePage) -> list[tuple[str, str]]:
    return competency_words((link, competency) for link, competency, _ in found.competencies)


def competency_words(attested: Iterable[tuple[BadgeCompetency, Competency]]) -> list[tuple[str, str]]:
    return [
        (
            f"{competency.code} – {competency.statement}",
            competency.levels[link.level - 1] if link.level else "",
        )
        for link, competency in attested
    ]


def _badge_page(
    request: Request, services: Services, work: AtWork, badge_id: uuid.UUID, trouble: str = ""
) -> HTMLResponse:
    manuscript = services.badges.manuscript(work.campus, badge_id)
    shared = shared_by_network(services.shared_definitions.about_badges([badge_id]).get(badge_id))
    return work.page(
        request,
        "badges/show.html",
        seen=mark_of(services.badges.content_mark(work.campus, manuscript.page.version, None))
        if manuscript.page.version.is_draft
        else "",
        zone=work.campus.time_zone,
        designs=work.may(Permission.DESIGN),
        b=replace(
            _shown(work, manuscript.page, standings_of(services, manuscript.page.version)),
            shared_by=shared[0],
            shared_url=shared[1],
            amended=competency_words(services.badges.amended_since(manuscript.page.version)),
        ),
        lacks=[translated(lack.sentence) for lack in manuscript.lacks]
        if manuscript.page.version.is_draft
        else [],
        trouble=trouble,
        history=[
            (at, BADGE_CHANGES.get(done, done), actor)
            for at, done, actor in services.badges.history_of(work.campus, badge_id)
        ],
    )


def _shown(work: AtWork, found: BadgePage, standings: Sequence[StandingView]) -> BadgeShown:
    badge, version = found.badge, found.version
    href = f"{work.home}/badges/{badge.id}"
    criteria, assessment = split_criteria(version.criteria)
    return BadgeShown(
        href=href,
        public_href=f"/badges/{badge.id}" if any(each.frozen_at for each in found.versions) else "",
        name=version.name,
        kind=BADGE_KINDS[version.kind],
        description=version.description,
        criteria=criteria,
        assessment=assessment,
        picture=picture_of(badge, version),
        picture_words=sentence_text(picture_words(found.campus, version, found.competencies)),
        number=version.number,
        state=state_of(badge, version),
        given=max((each.number for each in found.versions if not each.is_draft), default=None),
        is_draft=version.is_draft,
        is_archived=badge.archived_at is not None,
        accepts_requests=badge.accepts_requests,
        ask_href=f"/badges/{badge.id}/demande"
        if badge.accepts_requests and not badge.archived_at and not version.is_draft
        else "",
        repeat=REPEATS[badge.repeat],
        validity=validity_words(version.validity_days),
        required_hours=version.required_hours,
        rule=_rule_words(version),
        competencies=_attested(found),
        alignments=standings,
        tags=version.tags,
        versions=[_version_line(href, each) for each in reversed(found.versions)],
    )


def _rule_words(version: BadgeVersion) -> str:
    rule = rule_of(version.rule)
    return rule_words(rule) if rule else ""


def _version_line(href: str, version: BadgeVersion) -> VersionLine:
    if version.frozen_at is not None:
        state = N_("Figée : quelqu’un l’a reçue")
    else:
        state = N_("Brouillon") if version.is_draft else N_("Publiée, pas encore attribuée")
    earlier = version.number - 1
    return VersionLine(
        version.number,
        version.name,
        state,
        version.frozen_at or version.created_at,
        f"{href}/differences?de={earlier}&a={version.number}" if earlier else "",
    )
