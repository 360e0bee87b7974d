"""The people of a campus: list, export, and each person's activities and badges."""

from __future__ import annotations

import csv
import io
import json
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.datastructures import FormData

from app.container import Services
from app.domain.accounts.permissions import Permission
from app.domain.activities import Activity, PartKind
from app.domain.activities.listed_people import ListedPerson
from app.domain.imports.lists.text import MAX_LINES
from app.domain.imports.lists.vocabulary.hours import hours_in
from app.domain.people import AgeGroup, Person, masked_address, normal_address
from app.domain.people.consents import NO_ANSWERS, AccessRecord, ListAnswers, closed_until, digest_of_list
from app.errors import AppError, Conflict, InvalidInput
from app.http.pages.forms import SafeForm, ids_in, text_of, texts_of, untouched_text_of
from app.http.pages.words import PARTS, days, hours_text
from app.http.request_scope import (
    CROSS_TENANT,
    ReadingServices,
    limited,
    process_of,
    sentence_of,
    status_of,
    write_transaction,
)
from app.http.workplaces import AtWork, access_views, at_work, staff
from app.language import N_, translated
from app.services.campus.dashboard import Start
from app.web.badges.badges_admin import BadgeLine
from app.web.campus.dashboard import AwardLine
from app.web.imports.list_table import (
    CARRIED,
    CHANGE,
    FORGET,
    LEFT,
    NOWHERE,
    READ,
    SOURCE,
    STEP,
    KnownPerson,
    ListSetting,
    SettlingTable,
    left_in,
    list_table_page,
    read_list_table,
    seen_words,
    table_fields,
)
from app.web.people.names import outcome_words

FEW, MANY = 5, 30
search_router = APIRouter(prefix="/gestion/{slug}/recherche")
_SEARCH_VIEW = [staff(Permission.VIEW)]


class Where(StrEnum):
    PEOPLE = "personnes"
    BADGES = "badges"
    ACTIVITIES = "activites"
    AWARDS = "attributions"


TITLES = {
    Where.PEOPLE: N_("Personnes"),
    Where.BADGES: N_("Badges"),
    Where.ACTIVITIES: N_("Activités"),
    Where.AWARDS: N_("Attributions"),
}


@dataclass(frozen=True)
class Hit:
    href: str
    title: str
    beside: str = ""


@dataclass(frozen=True)
class Hits:
    """Search results of one kind; `more` is the URL of the rest."""

    where: str
    title: str
    lines: Sequence[Hit]
    more: str = ""


@search_router.get("", dependencies=_SEARCH_VIEW)
def show_search(
    request: Request,
    services: ReadingServices,
    q: str = "",
    dans: Where | None = None,
    apres: uuid.UUID | None = None,
) -> HTMLResponse:
    work = at_work(request)
    words = services.directory.unseal(q, work.campus, work.actor) if q else ""
    if not words:
        found: list[Hits] = []
    elif dans is None:
        found = _everywhere(services, work, words, q)
    else:
        found = [_one_kind(services, work, words, q, dans, apres)]
    return work.page(
        request,
        "people/results.html",
        words=words,
        token=q,
        found=[hits for hits in found if hits.lines],
        only=translated(TITLES[dans]) if dans else "",
        is_first=apres is None,
    )


@search_router.post("", dependencies=_SEARCH_VIEW)
def search(request: Request, form: SafeForm, services: ReadingServices) -> Response:
    work, words = at_work(request), text_of(form, "mots")
    here = f"{work.home}/recherche"
    sealed = services.directory.seal(words, work.campus, work.actor) if words else ""
    return RedirectResponse(f"{here}?q={sealed}" if sealed else here, status_code=303)


def _everywhere(services: Services, work: AtWork, words: str, token: str) -> list[Hits]:
    found = services.directory.search(work.campus, words, limit=FEW)
    by_kind = {
        Where.PEOPLE: [person_hit(work, person, found.addresses) for person in found.people],
        Where.BADGES: [_badge_hit(BadgeLine.of(work, *pair)) for pair in found.badges],
        Where.ACTIVITIES: [_activity_hit(work, activity) for activity in found.activities],
        Where.AWARDS: [_award_hit(AwardLine.of(work, record)) for record in found.awards],
    }
    return [
        Hits(
            where.value,
            translated(TITLES[where]),
            hits[:FEW],
            f"?q={token}&dans={where.value}" if len(hits) > FEW else "",
        )
        for where, hits in by_kind.items()
    ]


def _one_kind(
    services: Services, work: AtWork, words: str, token: str, where: Where, after: uuid.UUID | None
) -> Hits:
    start, directory = Start(after, MANY), services.directory
    ids: list[uuid.UUID] = []
    match where:
        case Where.PEOPLE:
            people = directory.find_people(work.campus, words, start)
            addresses = directory.addresses_of(work.campus, people)
            hits = [person_hit(work, person, addresses) for person in people]
            ids = [person.id for person in people]
        case Where.ACTIVITIES:
            activities = directory.find_activities(work.campus, words, start)
            hits = [_activity_hit(work, activity) for activity in activities]
            ids = [activity.id for activity in activities]
        case Where.AWARDS:
            records = directory.find_awards(work.campus, words, start)
            hits = [_award_hit(AwardLine.of(work, record)) for record in records]
            ids = [record.award.id for record in records]
        case Where.BADGES:
            badges = directory.search(work.campus, words, limit=1_000).badges
            hits = [_badge_hit(BadgeLine.of(work, *pair)) for pair in badges]
    more = f"?q={token}&dans={where.value}&apres={ids[MANY - 1]}" if len(ids) > MANY else ""
    return Hits(where.value, translated(TITLES[where]), hits if where is Where.BADGES else hits[:MANY], more)


def person_hit(work: AtWork, person: Person, addresses: dict[uuid.UUID, str]) -> Hit:
    return Hit(f"{work.home}/repertoire/{person.id}", person.name, addresses.get(person.id, ""))


def _badge_hit(line: BadgeLine) -> Hit:
    return Hit(line.href, line.name, translated(line.kind))


def _activity_hit(work: AtWork, activity: Activity) -> Hit:
    dates = days(activity.starts_on, activity.ends_on)
    beside = f"{dates}. {activity.place}" if activity.place else dates
    return Hit(f"{work.home}/activites/{activity.id}", activity.title, beside)


def _award_hit(line: AwardLine) -> Hit:
    return Hit(line.href, line.person, line.badge)


A_PAGE = 50
router = APIRouter(prefix="/gestion/{slug}")
_VIEW = [staff(Permission.VIEW)]


@dataclass(frozen=True)
class ParticipationLine:
    href: str
    title: str
    starts_on: date
    ends_on: date
    part: str
    hours: str
    contribution: str


@dataclass(frozen=True)
class ParentRefusal:
    """About one badge; `typed` and `trouble`: a correction of the parent's address that was refused."""

    id: uuid.UUID
    badge: str
    address: str
    until: datetime
    typed: str = ""
    trouble: str = ""


@router.get("/repertoire/{person_id:uuid}", dependencies=_VIEW)
def show_person(
    person_id: uuid.UUID, request: Request, services: ReadingServices, fait: str = ""
) -> HTMLResponse:
    return _person_page(request, services, person_id, corrected=outcome_words(fait))


def _person_page(
    request: Request,
    services: Services,
    person_id: uuid.UUID,
    *,
    corrected: str = "",
    refused: tuple[uuid.UUID | None, str, AppError] | None = None,
) -> HTMLResponse:
    """`refused`: the correction of a parent's address, by the refusal that it is about."""
    work = at_work(request)
    found = services.directory.person(work.campus, person_id)
    access_views(request, person_id, AccessRecord.RECORD)
    return work.page(
        request,
        "people/person.html",
        zone=work.campus.time_zone,
        id=person_id,
        name=found.person.name,
        status=status_of(refused[2]) if refused else 200,
        corrected=corrected,
        refusals=_refusals(services, work, found.person, refused) if work.may(Permission.CORRECT) else (),
        address=found.address,
        participations=[
            ParticipationLine(
                f"{work.home}/activites/{activity.id}",
                activity.title,
                activity.starts_on,
                activity.ends_on,
                PARTS[participation.part],
                hours_text(participation.hours if participation.hours is not None else activity.hours),
                participation.contribution,
            )
            for participation, activity in found.participations
        ],
        awards=[AwardLine.of(work, record) for record in found.awards],
        age_group=found.person.age_group.value if found.person.age_group else "",
        age=f"{work.home}/repertoire/{person_id}/age" if work.may(Permission.WORK) else "",
        archive=f"{work.home}/repertoire/{person_id}/donnees.zip" if work.may(Permission.PROTECT) else "",
        erase=f"{work.home}/repertoire/{person_id}/effacer" if work.may(Permission.PROTECT) else "",
    )


def _refusals(
    services: Services,
    work: AtWork,
    person: Person,
    refused: tuple[uuid.UUID | None, str, AppError] | None,
) -> list[ParentRefusal]:
    lines = [
        ParentRefusal(each.id, record.version.name, masked_address(each.address), closed_until(each))
        for each, record in services.guardians.refusals(work.campus, person)
    ]
    if refused is None:
        return lines
    about, typed, error = refused
    return [
        replace(line, typed=typed, trouble=sentence_of(error)) if line.id == about else line for line in lines
    ]


TEXT_FIELD, FILE_FIELD, OTHER_FIELD, WHO_FIELD = "liste", "fichier", "autre", "qui-"
HEADING = ("Nom", "Prénom", "E-mail", "Heures", "Rôle", "Contribution")
_AGE_HEADING = "Tranche d’âge"
_UNDER_15, _FROM_15 = "moins de 15 ans", "15 ans ou plus"


@dataclass(frozen=True)
class GivenList:
    """A submitted list: its people, and what its form carries along."""

    lines: tuple[ListedPerson, ...] = ()
    source: str = ""
    """As it was given."""
    trouble: str = ""
    """Why the list is unreadable, in the reader's language."""
    texts: Mapping[int, str] = field(default_factory=dict)
    """The original of each line, and of the heading as 0; empty where a person edited the lines."""
    others: frozenset[int] = frozenset()
    """The lines marked as another person with that name."""
    answers: ListAnswers = NO_ANSWERS
    """The chosen people, where several have the name."""
    left: Sequence[tuple[int, str, str]] = ()
    """Ignored lines: number, text, reason."""
    to_settle: SettlingTable | None = None
    """The table to confirm first, where a line is doubtful."""
    rereading: Sequence[tuple[str, str]] = ()
    """Fields with which the table opens again."""

    @property
    def marked_others(self) -> str:
        """Which lines were marked as another person."""
        return " ".join(f"autre-{number}" for number in sorted(self.others))

    @property
    def carried(self) -> str:
        return json.dumps(
            [[line.line, *_fields_of(line), self.texts.get(line.line, "")] for line in self.lines]
            + ([[0, *_fields_of(ListedPerson(0)), self.texts[0]]] if 0 in self.texts else []),
            ensure_ascii=False,
            separators=(",", ":"),
        )

    def only(self, wanted: Collection[int]) -> str:
        """Only these lines, with their heading, as they were given where they were not edited."""
        numbers = [line.line for line in self.lines if line.line in wanted]
        if not all(number in self.texts for number in numbers):
            return as_text(line for line in self.lines if line.line in wanted)
        texts = [self.texts.get(0, ""), *(self.texts[number] for number in numbers)]
        return "\n".join(filter(None, texts))


def _fields_of(line: ListedPerson) -> list[str]:
    hours = line.hours_as_written or hours_text(line.hours)
    names = [line.given_name, line.family_name, line.number]
    return [*names, line.address, hours, line.part.value, line.contribution, _age_of(line)]


def _carried_people(text: str) -> tuple[list[ListedPerson], dict[int, str]]:
    """Inverse of `GivenList.carried`."""
    lines: list[ListedPerson] = []
    texts: dict[int, str] = {}
    try:
        for number, *fields, original in json.loads(text):
            given, family, homonym, address, written, part, contribution, age = map(str, fields)
            if original:
                texts[int(number)] = str(original)
            if not number:
                continue
            hours, readable = hours_in(written)
            listed = ListedPerson(
                int(number),
                given,
                family,
                normal_address(address),
                hours,
                PartKind(part),
                contribution,
                fault="" if readable else "hours",
                hours_as_written="" if readable else written,
                under_15={_UNDER_15: True, _FROM_15: False}.get(age),
                homonym=int(homonym.strip(" ()") or 1),
                numbered_first=homonym == " (1)",
            )
            lines.append(listed)
    except (ValueError, TypeError, RecursionError):
        raise InvalidInput("Cette liste n’est plus lisible : donnez-la de nouveau.") from None
    return lines[:MAX_LINES], texts


OWN_FIELDS = (TEXT_FIELD, FILE_FIELD, LEFT, CARRIED)
"""Of the list itself, which its table does not carry along."""


def settling_page(
    request: Request, work: AtWork, form: FormData, given: GivenList, crumb: tuple[str, str], *, action: str
) -> HTMLResponse | None:
    """The table where something is doubtful; None where the list goes on. `action`: where its form is sent."""
    if given.to_settle is None:
        return None
    return list_table_page(request, work, form, given.to_settle, own=OWN_FIELDS, crumb=crumb, action=action)


def list_setting(services: Services, work: AtWork, activity: Activity) -> ListSetting:
    def known(lines: Sequence[tuple[str, str, str]]) -> dict[int, list[KnownPerson]]:
        found = services.participants.known_beside(work.campus, activity.id, lines)
        return {
            number: [
                KnownPerson(one.person.given_name, one.person.family_name, one.address, seen_words(one))
                for one in people
            ]
            for number, people in found.items()
        }

    return ListSetting(
        activity.hours,
        activity.is_for_pupils,
        known,
        lambda shape: services.list_mappings.columns_for(work.campus, shape),
    )


def keep_mapping(request: Request, work: AtWork, form: FormData, setting: ListSetting) -> None:
    """Columns named on the page are read so again for the next list of this shape, until they are forgotten."""
    step = text_of(form, STEP)
    if step not in (READ, FORGET):
        return
    table = read_list_table(form, TEXT_FIELD, FILE_FIELD, setting)
    if not table.shape:
        return
    with write_transaction(request) as writing:
        if step == FORGET:
            writing.list_mappings.forget(work.campus, table.shape)
        else:
            writing.list_mappings.remember(work.campus, table.shape, table.columns)


def given_list(form: FormData, setting: ListSetting = NOWHERE) -> GivenList:
    """The list of a form. A text and a file together are one list."""
    source = untouched_text_of(form, SOURCE)
    rereading: Sequence[tuple[str, str]] = ()
    try:
        if (carried := text_of(form, CARRIED)) and not text_of(form, STEP):
            read, texts = _carried_people(carried)
            left, rereading = left_in(form), table_fields(form)
        else:
            settled = read_list_table(form, TEXT_FIELD, FILE_FIELD, setting)
            source = settled.source
            if text_of(form, STEP) == CHANGE:
                return GivenList(source=source)
            going = settled.going_on(form)
            if going is None:
                return GivenList(tuple(settled.people), source, to_settle=settled)
            read, texts, left = going
            rereading = settled.fields
        others = frozenset(texts_of(form, OTHER_FIELD))
        lines = tuple(_numbered(read, others))
        differing = frozenset(line.line for line in lines if str(line.line) in others)
        answers = ListAnswers(digest_of_list(source), _answers_in(form, lines))
        return GivenList(
            lines, source, "", texts, differing, answers, tuple(left), rereading=tuple(rereading)
        )
    except AppError as error:
        return GivenList(source=source or untouched_text_of(form, TEXT_FIELD), trouble=sentence_of(error))


def _answers_in(form: FormData, lines: Iterable[ListedPerson]) -> dict[int, str]:
    answers = {line.line: text_of(form, f"{WHO_FIELD}{line.line}") for line in lines}
    return {number: answer for number, answer in answers.items() if answer}


def _numbered(lines: Iterable[ListedPerson], others: Collection[str]) -> Iterable[ListedPerson]:
    """Lines marked as another person get the next number for their name."""
    numbers: dict[str, int] = {}
    for line in lines:
        if str(line.line) in others and line.homonym == 1:
            key = replace(line, homonym=1).line_key
            numbers[key] = numbers.get(key, 1) + 1
            line = replace(line, homonym=numbers[key])
        yield line


def as_text(lines: Iterable[ListedPerson]) -> str:
    """Lines as a table that parses to the same lines."""
    listed = list(lines)
    with_age = any(line.under_15 is not None for line in listed)
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";", lineterminator="\n")
    writer.writerow((*HEADING, _AGE_HEADING) if with_age else HEADING)
    writer.writerows((*cells_of(line), _age_of(line)) if with_age else cells_of(line) for line in listed)
    return text.getvalue()


def cells_of(line: ListedPerson) -> Sequence[str]:
    return (
        line.family_name + line.number,
        line.given_name,
        line.address,
        line.hours_as_written or hours_text(line.hours),
        line.part.value,
        line.contribution,
    )


def _age_of(line: ListedPerson) -> str:
    return "" if line.under_15 is None else _UNDER_15 if line.under_15 else _FROM_15


age_groups_router = APIRouter(dependencies=[CROSS_TENANT])


def age_group_in(form: FormData) -> AgeGroup | None:
    return {"moins": AgeGroup.UNDER_15, "plus": AgeGroup.FROM_15, "majeur": AgeGroup.ADULT}.get(
        text_of(form, "age")
    )


@age_groups_router.post(
    "/gestion/{slug}/repertoire/{person_id:uuid}/age", dependencies=[staff(Permission.WORK)]
)
def set_age_band(
    person_id: uuid.UUID, request: Request, services: ReadingServices, form: SafeForm
) -> RedirectResponse:
    work = at_work(request)
    services.directory.person(work.campus, person_id)
    with write_transaction(request) as writing:
        group = age_group_in(form)
        if group is not None:
            writing.guardians.set_age_group(work.campus, person_id, group, by=work.actor)
    return RedirectResponse(f"{work.home}/repertoire/{person_id}#age", status_code=303)


@age_groups_router.post(
    "/gestion/{slug}/repertoire/{person_id:uuid}/parent",
    dependencies=[staff(Permission.CORRECT), limited("parent")],
)
def correct_parent(
    person_id: uuid.UUID, request: Request, services: ReadingServices, form: SafeForm
) -> Response:
    work, typed = at_work(request), text_of(form, "parent")
    services.directory.person(work.campus, person_id)
    refusal_id = next(iter(ids_in([text_of(form, "refus")])), None)
    try:
        with write_transaction(request) as writing:
            writing.guardians.correct_address(
                work.campus, person_id, refusal_id or uuid.UUID(int=0), typed, by=work.actor
            )
    except (InvalidInput, Conflict) as error:
        return _person_page(request, services, person_id, refused=(refusal_id, typed, error))
    process_of(request).on_enqueue()
    return RedirectResponse(f"{work.home}/repertoire/{person_id}?fait=parent", status_code=303)
