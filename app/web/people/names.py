"""Name corrections by a campus: for people without an account, and change requests of people with one."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.datastructures import FormData

from app.container import Services
from app.domain.accounts.permissions import Permission
from app.domain.core import mark_of
from app.domain.people import NAME_FIELDS, check_wish_reason, normal_address
from app.errors import Conflict, InvalidInput, NotAllowed, NotFound, faults_of_fields
from app.http.pages.forms import (
    CHECKED_FORM,
    SafeForm,
    SavedMeanwhile,
    address_in,
    check_saved,
    faults_of_name,
    ids_in,
    is_in_doubt,
    name_in,
    text_of,
)
from app.http.pages.render import page
from app.http.pages.words import StateLabel
from app.http.request_scope import (
    CROSS_TENANT,
    ReadingServices,
    WritingServices,
    process_of,
    sentence_of,
    signed_in,
    status_for,
    write_transaction,
)
from app.http.response_cache import CHANGING_HOLDER, holder_of
from app.http.workplaces import SIGNED_IN, SURELY_SIGNED_IN, AtWork, at_work, staff
from app.language import N_, translated
from app.services.accounts.sessions import SignedIn
from app.services.people.corrections import NOT_YOURS, AddressOfAnother, Correctable, CorrectionResult
from app.services.people.names import PRESENT_NAME, MyWish

router = APIRouter(prefix="/gestion/{slug}/repertoire", dependencies=[CROSS_TENANT])
_CORRECT = [staff(Permission.CORRECT)]
_CHECKED = [*_CORRECT, CHECKED_FORM]
_DONE = {
    "accepte": N_("C’est fait : les badges du campus qui disaient l’ancien nom sont signés de nouveau."),
    "refuse": N_("C’est noté. La personne reçoit votre raison par e-mail, et la voit dans « Mon compte »."),
}


@dataclass(frozen=True)
class WishLine:
    id: uuid.UUID
    person_id: uuid.UUID
    before: str
    after: str
    reason: str
    asked_at: datetime


@dataclass(frozen=True)
class Refusal:
    """The typed refusal of one request, and its problem."""

    id: uuid.UUID
    reason: str
    trouble: str


@router.get("/noms", dependencies=_CORRECT)
def list_wishes(request: Request, services: ReadingServices, fait: str = "") -> HTMLResponse:
    return _list(request, services, done=translated(_DONE[fait]) if fait in _DONE else "")


@router.post("/noms/{wish_id:uuid}", dependencies=_CHECKED)
def answer(wish_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices) -> Response:
    work, accepted, reason = at_work(request), text_of(form, "reponse") == "oui", text_of(form, "raison")
    try:
        with write_transaction(request) as writing:
            if accepted:
                seen = text_of(form, "avant") if "avant" in form else None
                writing.names.accept(work.campus, wish_id, by=work.actor, seen=seen)
            else:
                writing.names.refuse(work.campus, wish_id, reason, by=work.actor)
    except Conflict as error:
        kept = Refusal(wish_id, reason, "")
        return _list(request, services, trouble=sentence_of(error), refused=kept, status=409)
    except InvalidInput as error:
        return _list(request, services, refused=Refusal(wish_id, reason, sentence_of(error)), status=422)
    done = "accepte" if accepted else "refuse"
    return RedirectResponse(f"{work.home}/repertoire/noms?fait={done}", status_code=303)


@router.get("/{person_id:uuid}/corriger", dependencies=_CORRECT)
def ask(person_id: uuid.UUID, request: Request, services: ReadingServices, lot: str = "") -> HTMLResponse:
    return _correction_page(request, services, person_id, lot)


@router.post("/{person_id:uuid}/corriger", dependencies=_CHECKED)
def correct(person_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices) -> Response:
    return _correct(request, services, person_id, form)


participants_router = APIRouter(
    prefix="/gestion/{slug}/repertoire/participants/{activity_id}/{person_id:uuid}",
    dependencies=[CROSS_TENANT],
)
_WORK = [staff(Permission.WORK)]


@participants_router.get("", dependencies=_WORK)
def ask_participant(
    activity_id: uuid.UUID, person_id: uuid.UUID, request: Request, services: ReadingServices, lot: str = ""
) -> HTMLResponse:
    """By a trainer, for participants of their own activities; by those who may correct anybody's."""
    _check_may_correct(request, services, activity_id, person_id)
    return _correction_page(request, services, person_id, lot, activity_id)


@participants_router.post("", dependencies=[*_WORK, CHECKED_FORM])
def correct_participant(
    activity_id: uuid.UUID,
    person_id: uuid.UUID,
    request: Request,
    form: SafeForm,
    services: ReadingServices,
) -> Response:
    _check_may_correct(request, services, activity_id, person_id)
    return _correct(request, services, person_id, form, activity_id)


def _check_may_correct(
    request: Request, services: Services, activity_id: uuid.UUID, person_id: uuid.UUID
) -> None:
    work = at_work(request)
    if services.corrections.is_own(work.campus, activity_id, person_id, work.actor):
        return
    if not work.may(Permission.CORRECT):
        raise NotAllowed(NOT_YOURS)
    services.sessions.check_proved(work.who, fresh=False)


def _places(
    work: AtWork, person_id: uuid.UUID, batch: str, activity_id: uuid.UUID | None
) -> tuple[str, str, str]:
    """Where the form is sent, where it leads to, and the label of that."""
    if activity_id is None:
        action = f"{work.home}/repertoire/{person_id}/corriger"
    else:
        action = f"{work.home}/repertoire/participants/{activity_id}/{person_id}"
    if batch:
        return action, f"{work.home}/resultats/{batch}", translated("Résultat")
    if activity_id is not None:
        return action, f"{work.home}/activites/{activity_id}", translated("Activité")
    return action, f"{work.home}/repertoire/{person_id}", ""


def _correct(
    request: Request,
    services: Services,
    person_id: uuid.UUID,
    form: FormData,
    activity_id: uuid.UUID | None = None,
) -> Response:
    work, batch = at_work(request), _batch_in(text_of(form, "lot"))
    found = services.corrections.find(work.campus, person_id)
    person = found.person
    given, family = name_in(request, form, present=(person.given_name, person.family_name))
    typed = CorrectionForm(given, family, address_in(request, form, present=found.address))
    seen = text_of(form, "vu")
    faults = services.corrections.faults_of(found, *typed.stored.fields.values(), by=work.actor)
    if faults or is_in_doubt(request):
        errors = {_CORRECTED[name]: sentence_of(error) for name, error in faults.items()}
        return _correction_page(
            request, services, person_id, batch, activity_id, typed, seen=seen, faults=errors
        )
    try:
        with write_transaction(request) as writing:
            today = writing.corrections.find(work.campus, person_id)
            check_saved(seen, CorrectionForm.of(today).fields, typed.stored.fields)
            done = writing.corrections.correct(
                work.campus,
                person_id,
                typed.given,
                typed.family,
                typed.address,
                by=work.actor,
                is_shared=text_of(form, "partagee") == "oui",
            )
    except (InvalidInput, NotAllowed, Conflict) as error:
        asks, trouble = isinstance(error, AddressOfAnother), sentence_of(error)
        meanwhile = error if isinstance(error, SavedMeanwhile) else None
        return _correction_page(
            request,
            services,
            person_id,
            batch,
            activity_id,
            typed,
            "" if asks else trouble,
            seen=meanwhile.seen if meanwhile else seen,
            faults={"adresse": trouble} if asks else {},
            beside=meanwhile.beside if meanwhile else {},
            asks_if_shared=asks,
        )
    process_of(request).on_enqueue()
    _, back, _label = _places(work, person_id, batch, activity_id)
    return RedirectResponse(f"{back}?fait={_outcome_of(done)}", status_code=303)


_OUTCOMES = {
    "rien": N_("Rien n’a changé."),
    "adresse": N_("L’adresse est corrigée. Les liens déjà envoyés à l’ancienne n’ouvrent plus rien."),
    "parent": N_("L’adresse du parent est corrigée : la demande lui est envoyée."),
    "nom": N_("Le nom est corrigé. Aucun badge signé n’affichait l’ancien : il n’y a rien d’autre à faire."),
    "badges": N_("Le nom est corrigé. Les badges du campus qui portaient l’ancien sont signés de nouveau."),
}


def _outcome_of(done: CorrectionResult) -> str:
    found = ["adresse"] if done.address else []
    if done.name:
        found.append("badges" if done.badges else "nom")
    return "-".join(found) or "rien"


def outcome_words(outcome: str) -> str:
    """What a correction did, by the query of the page that it leads to; empty for anything else."""
    return " ".join(translated(_OUTCOMES[one]) for one in outcome.split("-") if one in _OUTCOMES)


def _batch_in(typed: str) -> str:
    return next(map(str, ids_in([typed])), "")


_CORRECTED = {**NAME_FIELDS, "address": "adresse"}


@dataclass(frozen=True)
class CorrectionForm:
    given: str
    family: str
    address: str

    @staticmethod
    def of(found: Correctable) -> CorrectionForm:
        return CorrectionForm(found.person.given_name, found.person.family_name, found.address)

    @property
    def stored(self) -> CorrectionForm:
        return CorrectionForm(self.given, self.family, normal_address(self.address))

    @property
    def fields(self) -> dict[str, str]:
        return {"prenom": self.given, "nom": self.family, "adresse": self.address}


def _correction_page(
    request: Request,
    services: Services,
    person_id: uuid.UUID,
    batch: str,
    activity_id: uuid.UUID | None = None,
    typed: CorrectionForm | None = None,
    trouble: str = "",
    *,
    seen: str = "",
    faults: Mapping[str, str] = MappingProxyType({}),
    beside: Mapping[str, str] = MappingProxyType({}),
    asks_if_shared: bool = False,
) -> HTMLResponse:
    """`faults` lead to their fields; `beside`: what the fields contain today, where that changed meanwhile."""
    work, batch = at_work(request), _batch_in(batch)
    found = services.corrections.find(work.campus, person_id)
    person = found.person
    today = CorrectionForm.of(found)
    filled = typed or today
    action, back, label = _places(work, person_id, batch, activity_id)
    return work.page(
        request,
        "people/correct.html",
        status=status_for(trouble, faults),
        action=action,
        above=(label or person.name, back),
        batch=batch,
        seen=seen or mark_of(*today.fields.values()),
        faults=faults,
        errors={**beside, **faults},
        name=person.name,
        refusal=sentence_of(found.refusal) if found.refusal else "",
        given=filled.given,
        family=filled.family,
        address=filled.address,
        trouble=trouble,
        asks_if_shared=asks_if_shared,
    )


def _list(
    request: Request,
    services: Services,
    *,
    done: str = "",
    trouble: str = "",
    refused: Refusal | None = None,
    status: int = 200,
) -> HTMLResponse:
    work = at_work(request)
    return work.page(
        request,
        "people/wishes.html",
        status=status,
        zone=work.campus.time_zone,
        wishes=[
            WishLine(wish.id, wish.person_id, before, wish.name, wish.reason, wish.asked_at)
            for wish, before in services.names.waiting_in(work.campus)
        ],
        done=done,
        trouble=trouble,
        refused=refused,
    )


my_name_router = APIRouter()
_EVERYWHERE = [CROSS_TENANT, SIGNED_IN]
_MY_NAME_DONE = {
    "corrige": N_("C’est fait. Les badges qui disent votre nom sont signés de nouveau ; les anciens fichiers disent « remplacé »."),
    "demande": N_("C’est demandé. Chaque campus qui a écrit votre nom répond pour ses badges ; rien ne change avant."),
}  # fmt: skip
_WAITING = StateLabel("En attente du campus", "shut")
_ACCEPTED = StateLabel("Accepté", "ok")
_REFUSED = StateLabel("Refusé", "bad")


@dataclass(frozen=True)
class OwnNameLine:
    campus: str
    name: str
    asked_at: datetime
    state: StateLabel
    answer: str

    @staticmethod
    def of(mine: MyWish) -> OwnNameLine:
        answered = _ACCEPTED if mine.wish.accepted else _REFUSED
        return OwnNameLine(
            mine.campus.short_name,
            mine.wish.name,
            mine.wish.asked_at,
            answered if mine.wish.decided_at else _WAITING,
            mine.wish.answer,
        )


@dataclass(frozen=True)
class NameForm:
    given: str
    family: str
    reason: str = ""
    trouble: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)


@my_name_router.get("/compte/nom", dependencies=_EVERYWHERE)
def show(request: Request, services: ReadingServices, fait: str = "") -> HTMLResponse:
    return _page(request, services, done=translated(_MY_NAME_DONE[fait]) if fait in _MY_NAME_DONE else "")


@my_name_router.post("/compte/nom", dependencies=[CROSS_TENANT, SURELY_SIGNED_IN])
def correct_own_name(request: Request, form: SafeForm, services: ReadingServices) -> Response:
    person = signed_in(request, services).person
    present = (person.given_name, person.family_name)
    given, family = name_in(request, form, present=present, is_own=True)
    typed = NameForm(given, family, text_of(form, "motif"))
    faults = faults_of_name(given, family, is_own=True)
    if faults and typed.reason:  # without one, a name that is wrong does not show whether it needs one
        reasons = faults_of_fields({"motif": lambda: check_wish_reason(typed.reason)})
        faults |= {name: sentence_of(error) for name, error in reasons.items()}
    if faults or is_in_doubt(request):
        return _page(request, services, typed=replace(typed, errors=faults))
    try:
        with write_transaction(request) as writing:
            who = signed_in(request, writing)
            done = writing.names.correct_mine(who, typed.given, typed.family, typed.reason)
    except InvalidInput as error:
        at_fault = "nom" if error.sentence == PRESENT_NAME else "motif"
        return _page(request, services, typed=replace(typed, errors={at_fault: sentence_of(error)}))
    except Conflict as error:
        return _page(request, services, typed=replace(typed, trouble=sentence_of(error)))
    return RedirectResponse(f"/compte/nom?fait={'demande' if done.asked else 'corrige'}", status_code=303)


@my_name_router.post("/mes-badges/{award_id:uuid}/nom-du-badge", dependencies=[CHANGING_HOLDER])
def choose_for_badge(
    award_id: uuid.UUID, request: Request, services: WritingServices, form: SafeForm
) -> Response:
    """With or without the name: the same badge, signed again."""
    who = holder_of(award_id, request, services)
    with_name = text_of(form, "vue") == "avec"
    services.reissuing.choose_name(
        services.awards.record(award_id).award, with_name, name=who.person.name, by=who.actor
    )
    done = "avec-nom" if with_name else "sans-nom"
    return RedirectResponse(f"/mes-badges/{award_id}/confidentialite?fait={done}", status_code=303)


@my_name_router.post("/mes-badges/{award_id:uuid}/adresse", dependencies=[CHANGING_HOLDER])
def choose_address_for_badge(
    award_id: uuid.UUID, request: Request, services: WritingServices, form: SafeForm
) -> Response:
    """The hash of a proved address, for platforms that require one; or none."""
    who, typed = holder_of(award_id, request, services), text_of(form, "adresse")
    proved = {each.address for each in services.own_addresses.list_of(who.person.id) if each.verified_at}
    if not isinstance(who, SignedIn) or (typed and typed not in proved):
        raise NotFound("Cette adresse n’est pas dans votre compte.")
    services.awards.say_address(award_id, typed, by=who.actor)
    done = "avec-adresse" if typed else "sans-adresse"
    return RedirectResponse(f"/mes-badges/{award_id}/confidentialite?fait={done}", status_code=303)


def _page(
    request: Request, services: Services, *, done: str = "", typed: NameForm | None = None
) -> HTMLResponse:
    person = signed_in(request, services).person
    wishes: Sequence[MyWish] = services.names.wishes_of(person.id)
    return page(
        request,
        "people/my_name.html",
        private=True,
        status=status_for(typed and typed.trouble, typed and typed.errors),
        name=person.name,
        typed=typed or NameForm(person.given_name, person.family_name),
        wishes=[OwnNameLine.of(each) for each in wishes],
        others=[(campus.short_name, name) for campus, name in services.names.other_names_of(person)],
        zone=process_of(request).settings.time_zone,
        done=done,
    )
