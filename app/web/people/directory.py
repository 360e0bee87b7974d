"""The people of a campus: list, export, and each person's activities and badges."""

from __future__ import annotations

import csv
import io
import re
import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.datastructures import FormData

from app.container import Services
from app.domain.accounts.permissions import Permission
from app.domain.activities.activities import Activity
from app.domain.activities.list_columns import FROM_15, UNDER_15, Column
from app.domain.activities.participant_lists import ListedPerson, ListTable, read_list, read_table
from app.domain.imports.lists.model import Line, Reason, State
from app.domain.people.name_disambiguation import NO_ANSWERS, ListAnswers, digest_of_list
from app.domain.people.people import AgeGroup, Person
from app.domain.privacy import AccessRecord
from app.errors import AppError
from app.http.pages.forms import SafeForm, text_of, texts_of
from app.http.pages.render import page
from app.http.pages.typography import translated
from app.http.pages.words import PARTS, days, hours_text
from app.http.request_scope import CROSS_TENANT, ReadingServices, write_transaction
from app.http.workplaces import AtWork, at_work, sentence_of, staff
from app.language import N_
from app.services.activities.line_faults import fault_of
from app.services.activities.participants import listed_person, text_of_file
from app.services.campus.dashboard import Start
from app.web.badges.badges_admin import BadgeLine
from app.web.campus.dashboard import AwardLine
from app.web.imports.list_table import (
    BLOCKS,
    CHANGE,
    FORGET,
    LEFT,
    NOWHERE,
    READ,
    SOURCE,
    STEP,
    ListSetting,
    SettlingTable,
    goes_on,
    left_in,
    list_table_page,
    read_list_table,
)
from app.web.people.name_disambiguation import seen_words
from app.web.privacy import access_views

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
    return page(
        request,
        "people/results.html",
        campus=work.look,
        private=True,
        home=work.home,
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
            addresses = directory.addresses_of(people)
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
_VIEW, _EXPORT = [staff(Permission.VIEW)], [staff(Permission.EXPORT)]


@dataclass(frozen=True)
class ParticipationLine:
    href: str
    title: str
    starts_on: date
    ends_on: date
    part: str
    hours: str
    contribution: str


@router.get("/repertoire/{person_id:uuid}", dependencies=_VIEW)
def show_person(
    person_id: uuid.UUID, request: Request, services: ReadingServices, fait: str = ""
) -> HTMLResponse:
    work = at_work(request)
    found = services.directory.person(work.campus, person_id)
    access_views(request, person_id, AccessRecord.RECORD)
    return page(
        request,
        "people/person.html",
        campus=work.look,
        private=True,
        home=work.home,
        zone=work.campus.time_zone,
        id=person_id,
        name=found.person.name,
        corrected=fait == "nom",
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


TEXT_FIELD, FILE_FIELD = "liste", "fichier"
COLUMN_FIELD, SWAP_FIELD, OTHER_FIELD, WHO_FIELD = "colonne-", "inverser", "autre", "qui-"
HEADING = ("Nom", "Prénom", "Courriel", "Heures", "Rôle", "Contribution")
_AGE_HEADING = "Tranche d’âge"
_LINE_END = re.compile(r"\r\n|\r|\n")
_TWICE = N_("Deux colonnes disent la même chose : choisissez-en une, et « ne pas lire » pour l’autre.")
_EMPTY = ListTable((), ())


@dataclass(frozen=True)
class GivenList:
    """A submitted list: parsed lines, and the text for the form."""

    lines: tuple[ListedPerson, ...] = ()
    text: str = ""
    trouble: str = ""
    """Why the list is unreadable, in the reader's language; `text` still contains it."""
    table: ListTable = _EMPTY
    told: str = ""
    """Summary of the user's choices for columns and names; empty where all of it was guessed."""
    others: frozenset[int] = frozenset()
    """The lines marked as another person with that name."""
    answers: ListAnswers = NO_ANSWERS
    """The chosen people, where several have the name."""
    source: str = ""
    """The pasted text, where `text` is the table made of it."""
    left: Sequence[tuple[int, str, str]] = ()
    """Ignored lines: number, text, reason."""
    to_settle: SettlingTable | None = None
    """The table to confirm first, where a line is doubtful."""

    @property
    def given_back(self) -> str:
        return self.source or self.text

    def only(self, wanted: Collection[int]) -> str:
        """The original text of only these lines, with its heading."""
        if self.told:
            return as_text(line for line in self.lines if line.line in wanted)
        starts = {line.line for line in self.lines}
        kept, keeping = [], True
        for number, words in enumerate(_LINE_END.split(self.text.lstrip("\ufeff")), start=1):
            if number in starts:
                keeping = number in wanted
            if keeping and words.strip():
                kept.append(words)
        return "\n".join(kept)


OWN_FIELDS = (TEXT_FIELD, FILE_FIELD, LEFT)
"""Of the list itself, which its table does not carry along."""


def settling_page(
    request: Request, work: AtWork, form: FormData, given: GivenList, crumb: tuple[str, str], *, action: str
) -> HTMLResponse | None:
    """The table where something is doubtful; None where the list goes on. `action`: where its form is sent."""
    if given.to_settle is None:
        return None
    return list_table_page(request, work, form, given.to_settle, own=OWN_FIELDS, crumb=crumb, action=action)


def list_setting(services: Services, work: AtWork, activity: Activity) -> ListSetting:
    def known(lines: Sequence[tuple[str, str, str]]) -> dict[int, list[tuple[str, str]]]:
        found = services.participants.known_beside(work.campus, activity.id, lines)
        return {
            number: [(one.address, seen_words(one)) for one in people] for number, people in found.items()
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
    text, source = text_of(form, TEXT_FIELD), text_of(form, SOURCE)
    left: Sequence[tuple[int, str, str]] = ()
    try:
        if source and BLOCKS not in form:
            left = left_in(form)
        else:
            settled = read_list_table(form, TEXT_FIELD, FILE_FIELD, setting)
            if text_of(form, STEP) == CHANGE:
                return GivenList((), settled.source, source=settled.source)
            plain = _as_it_was(form, settled)
            if plain is not None:
                text, source, left = plain, "", settled.left_as_no_person
            elif goes_on(form, settled):
                text, source, left = as_text(settled.people), settled.source, settled.left
            else:
                return GivenList(
                    tuple(settled.people), settled.source, source=settled.source, to_settle=settled
                )
        guessed = read_table(text)
        table, swapped = guessed.corrected(_columns_in(form)), frozenset(texts_of(form, SWAP_FIELD))
        read = [_swapped(line) if str(line.line) in swapped else line for line in table.lines()]
        others = frozenset(texts_of(form, OTHER_FIELD))
        lines = tuple(_numbered(read, others))
        told = [
            *(table.columns if table.columns != guessed.columns else ()),
            *sorted(swapped),
            *(f"autre-{number}" for number in sorted(others)),
        ]
        differing = frozenset(line.line for line in lines if str(line.line) in others)
        twice = any(
            table.columns.count(column) > 1 for column in table.columns if column is not Column.NOTHING
        )
        answers = ListAnswers(digest_of_list(text), _answers_in(form, lines))
        trouble = translated(_TWICE) if twice else ""
        return GivenList(lines, text, trouble, table, " ".join(told), differing, answers, source, tuple(left))
    except AppError as error:
        return GivenList((), text, sentence_of(error))


SETTLED_LATER = frozenset(
    (
        Reason.ADDRESS_INVALID,
        Reason.HOURS_UNREADABLE,
        Reason.NO_NAME,
        Reason.SAME_NAME,
        Reason.REPEATED,
        Reason.TOTAL,
    )
)
"""Doubts that the following pages state and settle themselves."""


def _as_it_was(form: FormData, table: SettlingTable) -> str | None:
    """The text as given, where its plain reading names the same people and only later pages have doubts.

    Its lines then keep their own numbers.
    """
    data, typed = table.data, text_of(form, TEXT_FIELD)
    if BLOCKS in form or (data and typed) or table.is_remembered or table.asks_about_people:
        return None
    read: dict[int, list[Line]] = {}
    for line in table.reading.lines:
        doubts = {doubt.reason for doubt in line.doubts}
        if line.state is State.REFUSED and not doubts & SETTLED_LATER:
            continue
        if doubts - SETTLED_LATER:
            return None
        read.setdefault(line.line, []).append(line)
    try:
        text = text_of_file(data) if data else typed
        plain = read_list(text)
    except AppError:
        return None
    same = len(plain) == sum(map(len, read.values())) and all(
        len(read.get(line.line, ())) == 1 and _is_same(line, read[line.line][0]) for line in plain
    )
    return text if same else None


def _is_same(plain: ListedPerson, line: Line) -> bool:
    doubts = {doubt.reason for doubt in line.doubts}
    if Reason.TOTAL in doubts:
        return fault_of(plain) is not None
    read = listed_person(line)
    if doubts & {Reason.ADDRESS_INVALID, Reason.NO_NAME}:
        return fault_of(plain) is not None
    return (plain.line_key, plain.hours, plain.part, plain.contribution, plain.under_15) == (
        read.line_key,
        read.hours,
        read.part,
        read.contribution,
        read.under_15,
    )


def _columns_in(form: FormData) -> Sequence[Column]:
    """The mapping in the selects of the review, possibly incomplete."""
    columns: list[Column] = []
    known = {column.value: column for column in Column}
    while (typed := text_of(form, f"{COLUMN_FIELD}{len(columns)}")) in known:
        columns.append(known[typed])
    return columns


def _answers_in(form: FormData, lines: Iterable[ListedPerson]) -> dict[int, str]:
    told = {line.line: text_of(form, f"{WHO_FIELD}{line.line}") for line in lines}
    return {number: answer for number, answer in told.items() if answer}


def _swapped(line: ListedPerson) -> ListedPerson:
    return replace(line, given_name=line.family_name, family_name=line.given_name)


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
    return "" if line.under_15 is None else UNDER_15 if line.under_15 else FROM_15


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
