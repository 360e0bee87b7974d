"""Who meets the rule of a badge, who is near, and the badge for those who are there."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from app.container import Services
from app.domain.accounts.permissions import Deed
from app.domain.badges.rule_words import missing_words, rule_words, step_words
from app.errors import Conflict, InvalidInput, NotAllowed, Unavailable
from app.http.pages.forms import SafeForm, text_of, texts_of
from app.http.pages.render import page
from app.http.pages.typography import say
from app.http.request_scope import AT_ANY_CAMPUS, ReadingServices, process_of
from app.http.workplaces import AtWork, at_work, sentence_of, staff
from app.language import N_
from app.services.awards.awards import AwardRequest, Preview
from app.services.awards.rule_ledger import Roll, Standing
from app.web.awards.awarding import CHOOSE_AGAIN, GIVE, GIVE_LATER, SEEN, TICKED, Hour, give, ids_in
from app.web.awards.choices import Ticks, lines_offered
from app.web.awards.corrections import EVIDENCE
from app.web.awards.preview import MOST_NOTES, SHOWN_AT_ONCE, PreviewView
from app.web.campus.desk import BadgeTile

router = APIRouter(prefix="/gestion/{slug}/badges/{badge_id}/regle", dependencies=[AT_ANY_CAMPUS])


@dataclass(frozen=True)
class Origin:
    """Where an award comes from that no one activity gives, in the place of the activity."""

    title: str
    href: str


@dataclass(frozen=True)
class PersonLine:
    id: uuid.UUID
    name: str
    steps: str
    missing: str
    href: str

    @staticmethod
    def of(work: AtWork, one: Standing) -> PersonLine:
        nearest = one.progress.nearest
        return PersonLine(
            one.person.id,
            one.person.name,
            ", ".join(map(step_words, nearest)),
            missing_words(nearest),
            f"{work.home}/personnes/{one.person.id}",
        )


@router.get("", dependencies=[staff(Deed.VIEW)])
def show_roll(badge_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    work = at_work(request)
    return _roll_page(request, work, services.rule_ledger.roll(work.campus, badge_id))


@router.post("/attribuer", dependencies=[staff(Deed.AWARD)])
def preview_or_give(
    badge_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices
) -> Response:
    """Whoever is chosen is judged again on what the log says now, before anything is given."""
    work, ticks = at_work(request), Ticks.of(form)
    roll = services.rule_ledger.roll(work.campus, badge_id)
    if text_of(form, "geste") == CHOOSE_AGAIN:
        return _roll_page(request, work, roll)
    evidence, people = text_of(form, EVIDENCE), _chosen(texts_of(form, "personne"))
    try:
        if not people:
            raise InvalidInput(N_("Choisissez au moins une personne."))
        wanted = AwardRequest(
            badge_id,
            person_ids=people,
            evidence=evidence,
            grounds=ticks.grounds,
            idempotency_key=text_of(form, "cle")[:128] or None,
        )
        judged = services.awards.preview(work.campus, wanted, by=work.actor)
        hour = Hour.of(form, work, at=services.clock())
        gives = not hour.trouble and text_of(form, "geste") in (GIVE, GIVE_LATER)
        if gives and text_of(form, SEEN) == str(len(judged.ready)):
            return give(request, work, wanted, hour)
        return _preview_page(request, services, work, judged, people, evidence, ticks, hour, gives)
    except (InvalidInput, Conflict, NotAllowed, Unavailable) as error:
        return _roll_page(request, work, roll, evidence, sentence_of(error))


def _chosen(ticked: Sequence[str]) -> tuple[uuid.UUID, ...]:
    return tuple(dict.fromkeys(ids_in(" ".join(ticked))))


def _roll_page(
    request: Request, work: AtWork, roll: Roll, evidence: str = "", trouble: str = ""
) -> HTMLResponse:
    return page(
        request,
        "awards/rule.html",
        campus=work.look,
        private=True,
        status=422 if trouble else 200,
        home=work.home,
        here=f"{work.home}/badges/{roll.badge.id}/regle",
        badge=BadgeTile.of(roll.badge, roll.version),
        rule=rule_words(roll.rule),
        awards=work.may(Deed.AWARD) and roll.badge.archived_at is None,
        ready_count=len(roll.ready),
        ready=[PersonLine.of(work, one) for one in roll.ready],
        who=TICKED,
        waiting=roll.waiting,
        near=[PersonLine.of(work, one) for one in roll.near],
        others=roll.others,
        held=roll.held,
        evidence=evidence,
        trouble=trouble,
    )


def _preview_page(
    request: Request,
    services: Services,
    work: AtWork,
    judged: Preview,
    people: Sequence[uuid.UUID],
    evidence: str,
    ticks: Ticks,
    hour: Hour,
    held_back: bool,
) -> HTMLResponse:
    return page(
        request,
        "awards/preview.html",
        campus=work.look,
        private=True,
        status=422 if hour.trouble else 200,
        home=work.home,
        zone=work.campus.time_zone,
        activity=Origin(say(N_("Qui remplit la règle")), f"{work.home}/badges/{judged.badge.id}/regle"),
        badge=BadgeTile.of(judged.badge, judged.version),
        preview=PreviewView.of(judged, work.home, {}, {}, process_of(request).addresses),
        offered=lines_offered(services, judged, ticks),
        by_rule=True,
        shown_at_once=SHOWN_AT_ONCE,
        most_notes=MOST_NOTES,
        held_back=held_back,
        faults="",
        hour=hour,
        who=TICKED,
        people=" ".join(map(str, people)),
        text="",
        evidence=evidence,
        key=secrets.token_urlsafe(16),
    )
