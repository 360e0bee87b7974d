"""Two records of one person in a campus: compare, merge with a reason, undo the merge."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.accounts.permissions import Permission
from app.domain.activities import disambiguated
from app.domain.core import check_as_shown, mark_of
from app.domain.people.consents import OTHER, AccessRecord, Namesake, Question
from app.errors import Conflict, InvalidInput, NotAllowed, NotFound
from app.http.pages.forms import CHECKED_FORM, SafeForm, text_of
from app.http.pages.render import page
from app.http.request_scope import (
    CROSS_TENANT,
    ReadingServices,
    close_session_in,
    process_of,
    sentence_of,
    signed_in,
    status_for,
    write_transaction,
)
from app.http.workplaces import SIGNED_IN, SURELY_SIGNED_IN, AtWork, access_views, at_work, staff
from app.language import N_, filled, translated
from app.services.campus.dashboard import PersonFile, Start
from app.services.people.record_merge import Other
from app.web.imports.list_table import seen_words

A_PAGE = 12
_GONE = N_("L’autre fiche n’existe plus : elle vient peut-être d’être fusionnée.")
router = APIRouter(prefix="/gestion/{slug}/repertoire/{person_id:uuid}/reunir", dependencies=[CROSS_TENANT])
_CORRECT = [staff(Permission.CORRECT)]
_CHECKED = [*_CORRECT, CHECKED_FORM]
_DONE = {
    "reunis": N_("C’est fait : les deux fiches sont fusionnées. Les badges signés n’ont pas changé."),
    "separes": N_("Les deux fiches sont de nouveau séparées."),
}


@dataclass(frozen=True)
class Side:
    """One of the two records."""

    id: uuid.UUID
    name: str
    address: str
    badges: Sequence[tuple[str, datetime]]
    activities: Sequence[tuple[str, datetime]]

    @staticmethod
    def of(found: PersonFile) -> Side:
        return Side(
            found.person.id,
            found.person.name,
            found.address,
            [(each.version.name, each.award.awarded_at) for each in found.awards],
            [(activity.title, part.recorded_at) for part, activity in found.participations],
        )


@dataclass(frozen=True)
class MergeForm:
    kept: str = ""
    reason: str = ""
    trouble: str = ""
    field: str = ""
    """The id of the field that `trouble` is about."""


@router.get("", dependencies=_CORRECT)
def choose(
    person_id: uuid.UUID, request: Request, services: ReadingServices, avec: str = "", fait: str = ""
) -> HTMLResponse:
    return _page(request, services, person_id, avec, done=translated(_DONE[fait]) if fait in _DONE else "")


@router.post("", dependencies=_CHECKED)
def merge(person_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices) -> Response:
    """« garder » is the record that stays; the other is merged into it."""
    work, other, kept = at_work(request), text_of(form, "avec"), text_of(form, "garder")
    typed, field = MergeForm(kept, text_of(form, "motif")), "garder"
    try:
        kept_id, gone_id = _chosen(person_id, other, kept)
        field = "motif"
        with write_transaction(request) as writing:
            sides = [Side.of(writing.directory.person(work.campus, each)) for each in (kept_id, gone_id)]
            check_as_shown(text_of(form, "vu"), *_in_order(sides))
            writing.merging.merge_in_campus(work.campus, kept_id, gone_id, typed.reason, by=work.actor)
    except (Conflict, InvalidInput, NotAllowed, NotFound) as error:
        trouble = translated(_GONE) if isinstance(error, NotFound) else sentence_of(error)
        typed = MergeForm(kept, typed.reason, trouble, field if isinstance(error, InvalidInput) else "")
        return _page(request, services, person_id, other, typed=typed, status=status_for(error))
    process_of(request).on_enqueue()
    return _back(work, kept_id, "reunis")


@router.post("/{merge_id:uuid}/defaire", dependencies=_CHECKED)
def undo(person_id: uuid.UUID, merge_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    work = at_work(request)
    try:
        with write_transaction(request) as writing:
            writing.merging.undo_in_campus(work.campus, merge_id, by=work.actor)
    except (Conflict, NotFound) as error:
        refused = MergeForm(trouble=sentence_of(error))
        return _page(request, services, person_id, "", typed=refused, status=status_for(error))
    return _back(work, person_id, "separes")


def _in_order(sides: Collection[Side]) -> list[Side]:
    return sorted(sides, key=lambda each: each.id)


def _chosen(person_id: uuid.UUID, other: str, kept: str) -> tuple[uuid.UUID, uuid.UUID]:
    try:
        both = {person_id, uuid.UUID(other)}
        kept_id = uuid.UUID(kept)
    except ValueError:
        raise InvalidInput("Choisissez la fiche à garder.") from None
    if kept_id not in both or len(both) != 2:
        raise InvalidInput("Choisissez la fiche à garder.")
    return kept_id, (both - {kept_id}).pop()


def _page(
    request: Request,
    services: Services,
    person_id: uuid.UUID,
    other: str,
    *,
    typed: MergeForm | None = None,
    done: str = "",
    status: int = 200,
) -> HTMLResponse:
    work = at_work(request)
    here = services.directory.person(work.campus, person_id)
    beside = _beside(services, work, other) if other else None
    for each in (person_id, beside.id if beside else None):
        access_views(request, each, AccessRecord.RECORD)
    return work.page(
        request,
        "people/merge.html",
        status=status,
        url=f"{work.home}/repertoire/{person_id}/reunir",
        zone=work.campus.time_zone,
        here=Side.of(here),
        seen=mark_of(*_in_order([Side.of(here), beside])) if beside else "",
        beside=beside,
        likely=_likely(services, work, here) if beside is None else (),
        merged=[
            (each.id, each.name, each.at, each.reason)
            for each in services.merging.merged_into(work.campus, person_id)
        ],
        typed=typed or MergeForm(),
        done=done,
    )


def _beside(services: Services, work: AtWork, other: str) -> Side | None:
    try:
        return Side.of(services.directory.person(work.campus, uuid.UUID(other)))
    except (ValueError, NotFound):
        return None


def _likely(services: Services, work: AtWork, here: PersonFile) -> list[Side]:
    """Records with a similar name: the same parts in any order, else the same family name."""
    found: dict[uuid.UUID, None] = {}
    for query in (here.person.name, here.person.family_name):
        if len(found) < A_PAGE:
            people = services.directory.find_people(work.campus, query, Start(limit=A_PAGE))
            found |= {person.id: None for person in people if person.id != here.person.id}
    return [Side.of(each) for each in services.directory.files_of(work.campus, list(found)[:A_PAGE])]


def _back(work: AtWork, person_id: uuid.UUID, done: str) -> RedirectResponse:
    return RedirectResponse(f"{work.home}/repertoire/{person_id}/reunir?fait={done}", status_code=303)


my_merging_router = APIRouter(prefix="/compte/reunir", dependencies=[CROSS_TENANT])
_MY_MERGING_DONE = {
    "confirmee": N_("L’adresse est confirmée. D’autres badges y ont été donnés : dites s’ils sont à vous."),
    "reunis": N_("C’est fait : tous ces badges sont dans votre compte."),
    "separes": N_("Les deux fiches sont de nouveau séparées."),
}


@dataclass(frozen=True)
class RecordShown:
    id: uuid.UUID
    name: str
    works: bool
    badges: Sequence[tuple[str, str, datetime]]
    """For each badge: its title, its campus, and when it was awarded."""
    campuses: Sequence[str]

    @staticmethod
    def of(other: Other) -> RecordShown:
        return RecordShown(
            other.person.id,
            other.person.name,
            other.works,
            [(each.version.name, each.campus.short_name, each.award.awarded_at) for each in other.awards],
            [campus.short_name for campus in other.campuses],
        )


@my_merging_router.get("", dependencies=[SIGNED_IN])
def show(request: Request, services: ReadingServices, fait: str = "") -> HTMLResponse:
    return _my_merging_page(
        request, services, done=translated(_MY_MERGING_DONE[fait]) if fait in _MY_MERGING_DONE else ""
    )


@my_merging_router.post("/{other_id:uuid}", dependencies=[SURELY_SIGNED_IN, CHECKED_FORM])
def merge_own_records(other_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    try:
        with write_transaction(request) as writing:
            who = signed_in(request, writing)
            mine, kept = who.person.id, writing.merging.merge_mine(who, other_id).id
    except (Conflict, NotAllowed) as error:
        return _my_merging_page(request, services, trouble=sentence_of(error))
    process_of(request).on_enqueue()
    if kept == mine:
        return _my_merging_back("reunis")
    # The other record, with roles in a campus, is the one that stays: it has its own sign-in.
    answer = RedirectResponse("/connexion", status_code=303)
    close_session_in(answer, request)
    return answer


@my_merging_router.post("/{merge_id:uuid}/defaire", dependencies=[SURELY_SIGNED_IN, CHECKED_FORM])
def undo_own_merge(merge_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    try:
        with write_transaction(request) as writing:
            writing.merging.undo_mine(signed_in(request, writing), merge_id)
    except Conflict as error:
        return _my_merging_page(request, services, trouble=sentence_of(error))
    return _my_merging_back("separes")


def _my_merging_page(
    request: Request, services: Services, *, done: str = "", trouble: str = ""
) -> HTMLResponse:
    who = signed_in(request, services)
    return page(
        request,
        "people/my_merging.html",
        private=True,
        name=who.person.name,
        offered=[RecordShown.of(each) for each in services.merging.offered_to(who.person)],
        merged=[(each.id, each.name, each.at) for each in services.merging.mine(who.person.id)],
        zone=process_of(request).settings.time_zone,
        trouble=trouble,
        done=done,
    )


def _my_merging_back(done: str) -> RedirectResponse:
    return RedirectResponse(f"/compte/reunir?fait={done}", status_code=303)


# --- Name disambiguation: the question and its answers as text


class ChoiceView(NamedTuple):
    value: str
    words: str
    hint: str = ""


@dataclass(frozen=True)
class QuestionView:
    """`number` is the line number; `chosen` a value of one of the choices."""

    number: int
    name: str
    legend: str
    choices: Sequence[ChoiceView]
    chosen: str

    @staticmethod
    def of(number: int, name: str, question: Question, signed: Collection[uuid.UUID] = ()) -> QuestionView:
        default = "" if question.must_be_answered else OTHER
        here = any(each.participation for each in question.namesakes)
        return QuestionView(
            number,
            name,
            which(name, len(question.namesakes)),
            [
                *(_choice(each, each.person.id in signed) for each in question.namesakes),
                ChoiceView(
                    OTHER,
                    translated("Une autre personne"),
                    translated("Elle est inscrite en plus, avec un numéro après son nom.")
                    if here
                    else translated("Pas encore connue du campus."),
                ),
            ],
            question.answer or default,
        )


def which(name: str, count: int) -> str:
    if count == 2:
        return filled(translated("Laquelle des deux personnes du nom de {name} ?"), {"name": name})
    if count > 2:
        return filled(
            translated("Laquelle des {several} personnes du nom de {name} ?"),
            {"name": name, "several": count},
        )
    return translated("{name} : la personne déjà connue, ou une autre ?").format(name=name)


def _choice(namesake: Namesake, signed: bool) -> ChoiceView:
    part, seen = namesake.participation, seen_words(namesake)
    facts = [namesake.address or translated("sans adresse")]
    if signed:
        facts.append(translated("a déjà signé ici"))
    if part is None:
        if namesake.seen is not None and namesake.seen.number > 1:
            seen = f"{namesake.person.name} ({namesake.seen.number}). {seen}"
        return ChoiceView(str(namesake.person.id), seen, " · ".join(filter(None, facts)))
    words = translated("{name}, de cette activité").format(name=disambiguated(part, namesake.person.name))
    if part.contribution:
        facts.append(part.contribution[:60])
    return ChoiceView(str(namesake.person.id), words, " · ".join(filter(None, [seen, *facts])))
