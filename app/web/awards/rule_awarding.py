"""People who meet the rule of a badge, people close to it, and the award for the former."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from starlette.datastructures import FormData

from app.container import Services
from app.domain.accounts.permissions import Permission
from app.domain.activity_log import ASSESSMENT, PARTICIPATION, LogPayload
from app.domain.awards import check_evidence_text
from app.domain.awards.batches import key_of_page
from app.domain.awards.open_badges import DisclosedContent
from app.domain.badges import Badge, BadgeVersion
from app.domain.badges.rules import Progress, missing_words, progress_words, rule_of, rule_words, step_words
from app.errors import AppError, Conflict, InvalidInput, NotAllowed, Unavailable, faults_of_fields
from app.http.pages.forms import DRAFT_NOTE, SafeForm, draft_form, save_draft, text_of, texts_of
from app.http.request_scope import CROSS_TENANT, ReadingServices, process_of, sentence_of, status_for
from app.http.workplaces import AtWork, at_work, staff
from app.language import N_, translated
from app.services.awards.awards import AwardRecord, AwardRequest, Preview
from app.services.awards.rule_ledger import RefusalGround, Roll, Standing
from app.web.awards.awarding import (
    CHOOSE_AGAIN,
    CONTENT_SEEN,
    EVIDENCE,
    GIVE,
    SEEN,
    TICKED,
    Ticks,
    give,
    held_back_words,
    ids_in,
    lines_offered,
)
from app.web.awards.preview import GIVE_LATER, MOST_NOTES, SHOWN_AT_ONCE, Hour, PreviewView
from app.web.campus.dashboard import BadgeTile

router = APIRouter(prefix="/gestion/{slug}/badges/{badge_id}/regle", dependencies=[CROSS_TENANT])


@dataclass(frozen=True)
class Origin:
    """Origin of an award that does not come from one activity."""

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
            f"{work.home}/repertoire/{one.person.id}",
        )


@router.get("", dependencies=[staff(Permission.VIEW)])
def show_roll(badge_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    work = at_work(request)
    return _roll_page(request, work, services.rule_ledger.roll(work.campus, badge_id))


@router.post("/attribuer", dependencies=[staff(Permission.AWARD)])
def check_or_award(
    badge_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices
) -> Response:
    """Re-evaluates the chosen people on the current log before awarding."""
    work = at_work(request)
    services.rule_ledger.roll(work.campus, badge_id)
    return award_or_preview(
        request, form, services, lambda: _request_in(badge_id, form), _here(work, badge_id)
    )


@router.get("/attribuer/{draft_id:uuid}", dependencies=[staff(Permission.AWARD)])
def show_draft(
    badge_id: uuid.UUID, draft_id: uuid.UUID, request: Request, services: ReadingServices
) -> HTMLResponse:
    work = at_work(request)
    roll = services.rule_ledger.roll(work.campus, badge_id)
    return draft_page(
        request,
        services,
        draft_id,
        _here(work, badge_id),
        lambda form: _request_in(badge_id, form),
        lambda again: _roll_page(request, work, roll, again),
    )


def award_or_preview(
    request: Request, form: FormData, services: Services, wanted: Callable[[], AwardRequest], here: str
) -> Response:
    """Awards what the preview showed unchanged, judged again; anything else leads to the preview."""
    work, note = at_work(request), ""
    hour = Hour.of(form, work, at=services.clock())
    if not hour.trouble and text_of(form, "geste") in (GIVE, GIVE_LATER):
        try:
            asked = wanted()
            checked = services.awards.preview(work.campus, asked, by=work.actor)
            is_seen = text_of(form, SEEN) == str(len(checked.ready)) and text_of(form, CONTENT_SEEN) in (
                "",
                checked.content,
            )
            if is_seen and (awarded := give(request, work, asked, hour)):
                return awarded
        except (InvalidInput, Conflict, NotAllowed, Unavailable) as error:
            note = sentence_of(error)
    return save_draft(request, form, here, note=note)


def draft_page(
    request: Request,
    services: Services,
    draft_id: uuid.UUID,
    here: str,
    wanted: Callable[[FormData], AwardRequest],
    choose_again: Callable[[Again], HTMLResponse],
    origin: Origin | None = None,
) -> HTMLResponse:
    """The preview of a draft, or the choice with its evidence and what is wrong with it."""
    work = at_work(request)
    form = draft_form(request, services, draft_id, here)
    evidence, note = text_of(form, EVIDENCE), text_of(form, DRAFT_NOTE)
    again = Again(evidence, frozenset(chosen_people(texts_of(form, "personne"))), note)
    if text_of(form, "geste") == CHOOSE_AGAIN:
        return choose_again(again)
    errors = faults_of_fields({EVIDENCE: lambda: check_evidence_text(evidence)})
    try:
        asked = wanted(form)
    except InvalidInput as error:
        errors["personne"] = error
    except AppError as error:
        return choose_again(replace(again, trouble=sentence_of(error)))
    if errors:
        sentences = {name: sentence_of(error) for name, error in errors.items()}
        return choose_again(replace(again, trouble="", errors=sentences))
    if note:
        return choose_again(again)
    try:
        checked = services.awards.preview(work.campus, asked, by=work.actor)
    except AppError as error:
        return choose_again(replace(again, trouble=sentence_of(error)))
    hour = Hour.of(form, work, at=services.clock())
    held_back = not hour.trouble and text_of(form, "geste") in (GIVE, GIVE_LATER)
    return preview_page(
        request, services, work, checked, asked.person_ids, evidence, Ticks.of(form), hour,
        held_back_words(form, checked) if held_back else "",
        key=services.award_batches.free_key(work.campus, str(draft_id)), origin=origin,
    )  # fmt: skip


@dataclass(frozen=True)
class Again:
    """What was chosen on a page that is shown again, and why."""

    evidence: str = ""
    people: frozenset[uuid.UUID] | None = None
    """None for everybody, before a first choice."""
    trouble: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)

    def has(self, person_id: uuid.UUID) -> bool:
        return self.people is None or person_id in self.people


def _here(work: AtWork, badge_id: uuid.UUID) -> str:
    return f"{work.home}/badges/{badge_id}/regle/attribuer"


def _request_in(badge_id: uuid.UUID, form: FormData) -> AwardRequest:
    people = chosen_people(texts_of(form, "personne"))
    if not people:
        raise InvalidInput("Choisissez au moins une personne.")
    return request_for(badge_id, form, people)


def request_for(badge_id: uuid.UUID, form: FormData, people: Sequence[uuid.UUID]) -> AwardRequest:
    return AwardRequest(
        badge_id,
        person_ids=tuple(people),
        evidence=text_of(form, EVIDENCE),
        grounds=Ticks.of(form).grounds,
        idempotency_key=key_of_page(text_of(form, "cle")),
    )


def chosen_people(ticked: Sequence[str]) -> tuple[uuid.UUID, ...]:
    return tuple(dict.fromkeys(ids_in(" ".join(ticked))))


def _roll_page(request: Request, work: AtWork, roll: Roll, again: Again = Again()) -> HTMLResponse:
    return work.page(
        request,
        "awards/rule.html",
        here=f"{work.home}/badges/{roll.badge.id}/regle",
        badge=BadgeTile.of(roll.badge, roll.version),
        rule=rule_words(roll.rule),
        awards=work.may(Permission.AWARD) and roll.badge.archived_at is None,
        ready_count=len(roll.ready),
        ready=[PersonLine.of(work, one) for one in roll.ready],
        who=TICKED,
        waiting=roll.waiting,
        near=[PersonLine.of(work, one) for one in roll.near],
        others=roll.others,
        held=roll.held,
        again=again,
        status=status_for(again.trouble, again.errors),
    )


def preview_page(
    request: Request,
    services: Services,
    work: AtWork,
    checked: Preview,
    people: Sequence[uuid.UUID],
    evidence: str,
    ticks: Ticks,
    hour: Hour,
    held_back: str,
    *,
    key: str,
    origin: Origin | None = None,
) -> HTMLResponse:
    """`origin`: what proposed these people; else the rule of the badge."""
    return work.page(
        request,
        "awards/preview.html",
        status=status_for(hour.trouble),
        zone=work.campus.time_zone,
        activity=origin
        or Origin(translated("Qui remplit la règle"), f"{work.home}/badges/{checked.badge.id}/regle"),
        badge=BadgeTile.of(checked.badge, checked.version),
        preview=PreviewView.of(checked, work.home, {}, {}, process_of(request).addresses),
        offered=lines_offered(services, checked, ticks),
        by_rule=True,
        shown_at_once=SHOWN_AT_ONCE,
        most_notes=MOST_NOTES,
        held_back=held_back,
        content=checked.content,
        faults="",
        hour=hour,
        who=TICKED,
        people=" ".join(map(str, people)),
        carried="",
        source="",
        left=(),
        left_text="",
        evidence=evidence,
        key=key,
    )


_WHY = {
    RefusalGround.ACTIVITY: N_("C’est l’activité pour laquelle le badge a été donné."),
    RefusalGround.RULE: N_("Comptée par la règle du badge."),
    RefusalGround.CHOSEN: N_("Choisie par la personne qui a donné le badge."),
}
_SAID = N_("Ce que la personne qui a donné le badge a dit de ce que vous avez fait.")
_THERE = N_("Vous remplissez la règle : le campus peut vous attribuer ce badge.")
_YOURS = N_("Votre contribution, confirmée par le campus.")


@dataclass(frozen=True)
class WayAhead:
    """A badge counted in the log, and the progress of the person."""

    name: str
    rule: str
    steps: Sequence[tuple[str, int]]
    """As text, and in hundredths."""
    text: str


def lines_shown(services: Services, record: AwardRecord) -> list[tuple[int, str, str, str]]:
    """Each line used as evidence: number, title, reason, and what is shown of it."""
    row = services.evidence.find(record.award.id)
    if row is None:
        return []
    chosen: Mapping[int, DisclosedContent] = services.evidence.shown(row)
    payloads = services.evidence.payloads(row)
    why = services.rule_ledger.why(record, [each.noun_id for each in payloads if each.noun == PARTICIPATION])
    return [
        (
            each.number,
            _title(each.facts),
            _why(each, why),
            chosen[each.number].value,
        )
        for each in payloads
    ]


def _why(payload: LogPayload, why: Mapping[uuid.UUID, RefusalGround]) -> str:
    if payload.noun_id in why:
        return translated(_WHY[why[payload.noun_id]])
    return translated(_SAID if payload.noun == ASSESSMENT else _YOURS)


def rule_text(record: AwardRecord) -> str:
    rule = rule_of(record.version.rule)
    return rule_words(rule) if rule else ""


def ways_ahead(services: Services, record: AwardRecord, person_id: uuid.UUID) -> list[WayAhead]:
    return [_ahead(*one) for one in services.rule_ledger.ways_ahead(record.campus, person_id)]


def _ahead(_badge: Badge, version: BadgeVersion, progress: Progress) -> WayAhead:
    return WayAhead(
        version.name,
        rule_words(progress.rule),
        [
            (step_words(step), min(100, step.reached * 100 // step.condition.least))
            for step in progress.nearest
        ],
        translated(_THERE) if progress.is_met else progress_words(progress),
    )


def _title(facts: Mapping[str, object]) -> str:
    named = next(filter(None, map(facts.get, ("title", "artefact", "link", "activity", "text"))), "")
    return str(named)[:120]
