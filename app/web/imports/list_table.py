"""One table of a list as it was read: settle what is doubtful, correct, swap, remove, restore, before anything goes on."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from fastapi import Request
from fastapi.responses import HTMLResponse
from starlette.datastructures import FormData

from app.domain.activities.listed_people import ListedPerson
from app.domain.imports.lists.model import (
    NAME_COLUMNS,
    OF_ADDRESS,
    OF_HOURS,
    OF_NAME,
    OF_ORDER,
    SENTENCES,
    Column,
    Doubt,
    Line,
    Reading,
    Reason,
    State,
)
from app.domain.imports.lists.suspicion import remaining_faults
from app.domain.imports.lists.vocabulary.hours import hours_in
from app.domain.imports.lists.vocabulary.names import fold
from app.domain.people import name_key
from app.domain.people.consents import Namesake
from app.errors import InvalidInput
from app.http.pages.forms import bytes_of, text_of, untouched_text_of
from app.http.pages.words import day, hours_text
from app.http.request_scope import status_for
from app.http.workplaces import AtWork
from app.language import N_, filled, respelt, translated
from app.services.activities.participants import listed_person
from app.services.imports.lists import blocks_as_text, blocks_from_text, blocks_of, read_blocks, shape_of

SOURCE, BLOCKS, STEP, LEFT = "source", "lecture", "geste-liste", "laissees"
CARRIED = "lues"
"""The people of a list that was settled."""
GO, READ, SWAP_ALL, TAKE_ALL, CHANGE = "suite", "relire", "inverser", "adresses", "changer"
SAME_ALL, FORGET, FORGOTTEN = "memes-personnes", "oublier", "lecture-oubliee"
CONFIRM, LEAVE_OUT = "confirmer", "ecarter"
"""All lines of one reason at once: « confirmer-order »."""
_COLUMN, _COLUMNS_STATED = "colonne-lue-", "colonnes-dites"
EDITS, SHOWN, CURRENT, PAGE = "retouches", "lignes-montrees", "page-lue", "page"
ROWS_AT_ONCE = 150
"""Rows with fields of their own; a form may have two thousand fields."""
SETTLED_LATER = frozenset(
    (Reason.ADDRESS_INVALID, Reason.HOURS_UNREADABLE, Reason.NO_NAME, Reason.SAME_NAME, Reason.REPEATED)
)
"""Doubts that the following pages state and settle themselves."""
_OF_ONE_ROW = frozenset((SWAP_ALL, TAKE_ALL))
_OF_MANY_ROWS = frozenset((SWAP_ALL, TAKE_ALL, SAME_ALL, CONFIRM, LEAVE_OUT, PAGE))
Going = tuple[list[ListedPerson], dict[int, str], list[tuple[int, str, str]]]
"""People, the original of each line, and lines that are left aside."""
_MARKS = ("sur", "retirer", "garder")
_SAME, _OTHER = "meme", "autre"
_SETTLED = "motifs"
_NEVER_CONFIRMED = frozenset(
    (Reason.NO_NAME, Reason.DIGITS, Reason.SIGNS, Reason.ADDRESS_INVALID, Reason.HOURS_UNREADABLE)
)
ASKED_APART = frozenset((Reason.KNOWN, Reason.ADDRESS_KNOWN))
OF_SEVERAL = {
    Reason.HEADING_WORD: N_("Le nom ressemble à un titre de colonne : est-ce bien un nom ?"),
    Reason.COMMON_WORD: N_("Le nom est aussi un mot courant : est-ce bien un nom ?"),
    Reason.EXTRA: N_("La ligne contient aussi autre chose : vérifiez."),
    Reason.BLANK: N_("Rien n’est écrit dans une colonne que les autres lignes remplissent : vérifiez."),
    Reason.UNDER: N_("La ligne est sous un autre titre : est-ce un participant ou une participante ?"),
    Reason.ADDRESS_INVALID: N_("L’adresse e-mail n’est pas valable."),
    Reason.ADDRESS_TYPO: N_("Une faute de frappe dans l’adresse e-mail ?"),
    Reason.ADDRESS_UNSURE: N_("L’adresse ne contient pas le prénom et le nom : est-ce la sienne ?"),
    Reason.MENTIONED: N_("Une autre ligne parle aussi de cette personne : vérifiez."),
    Reason.CONCERNED: N_("Une autre ligne parle de personnes sans les nommer : qui est concerné ?"),
    Reason.COUNTED: N_("Un nombre écrit dans la liste ne correspond pas aux noms lus : qui était là ?"),
    Reason.SAME_NAME: N_("Ce nom est aussi sur une autre ligne : est-ce la même personne ?"),
    Reason.HOURS_UNREADABLE: N_("Ce n’est pas un nombre d’heures : écrivez 14 ou 14,5."),
    Reason.HOURS_HIGH: N_("C’est beaucoup d’heures pour cette activité."),
}
"""Where the sentence of one line quotes it."""
_OF_COLUMN = N_("« {word} » : ces adresses sont celles d’autres personnes. Continuer sans adresse e-mail ?")
_FIELDS = ("prenom", "nom", "adresse", "heures", "contribution")
_ABOUT = {"prenom": OF_NAME, "nom": OF_NAME, "adresse": OF_ADDRESS, "heures": OF_HOURS}
COLUMNS = {
    Column.NOTHING: N_("Ne pas lire"),
    Column.FAMILY: N_("Nom de famille"),
    Column.GIVEN: N_("Prénom"),
    Column.FAMILY_FIRST: N_("Nom et prénom"),
    Column.GIVEN_FIRST: N_("Prénom et nom"),
    Column.WHOLE: N_("Nom complet, ordre à deviner"),
    Column.ADDRESS: N_("Adresse e-mail de la personne"),
    Column.OTHER_ADDRESS: N_("Adresse e-mail d’un parent, d’une entreprise"),
    Column.HOURS: N_("Heures"),
    Column.PART: N_("Rôle"),
    Column.CONTRIBUTION: N_("Contribution"),
    Column.UNDER_15: N_("Tranche d’âge"),
    Column.STATUS: N_("Présence ou statut"),
    Column.PRESENT: N_("Case « présent »"),
    Column.ABSENT: N_("Case « absent »"),
    Column.EXCUSED: N_("Case « excusé »"),
    Column.LATE: N_("Case « en retard »"),
    Column.CIVILITY: N_("Civilité"),
    Column.PARTICLE: N_("Particule (de, du)"),
}


def changed_row(form: FormData) -> str:
    """The anchor of the row, or of the part of the table, that a button changed: readers continue there."""
    button, _, number = text_of(form, STEP).partition("-")
    if button in _OF_ONE_ROW and number.isdigit():
        return f"ligne-{number}"
    return "verifier" if button in _OF_MANY_ROWS else ""


@dataclass(frozen=True)
class KnownPerson:
    given_name: str
    family_name: str
    address: str
    seen: str
    """The latest activity."""

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}"


@dataclass(frozen=True)
class ListSetting:
    """The activity and campus a list is given for."""

    hours: float | None = None
    for_pupils: bool = False
    known: Callable[[Sequence[tuple[str, str, str]]], Mapping[int, Sequence[KnownPerson]]] | None = None
    """By index of (given name, family name, address): known people of that name or at that address."""
    columns_for: Callable[[str], Sequence[Column]] | None = None


NOWHERE = ListSetting()


def seen_words(namesake: Namesake) -> str:
    if namesake.seen is None:
        return ""
    return translated("Présence le {day} : {activity}").format(
        day=day(namesake.seen.on), activity=namesake.seen.title
    )


@dataclass(frozen=True)
class TableRow:
    """One line with what a person decided of it."""

    number: int
    line: Line
    values: dict[str, str]
    is_sure: bool = False
    is_out: bool = False
    is_kept: bool = False
    """Restored although it is no person by itself."""
    edits: Mapping[str, str] = field(default_factory=dict)
    """Decisions of a person, for a page that does not show this row."""
    choices: Sequence[tuple[str, str, str]] = ()
    """Known people of that name, by address, and « another person »."""
    chosen: str = ""

    @property
    def state(self) -> State:
        if self.is_out:
            return State.REFUSED
        return State.ASK if self.line.doubts else State.READY

    @property
    def sentences(self) -> list[str]:
        return [filled(translated(doubt.sentence), doubt.values) for doubt in self.line.doubts]

    @property
    def suggestion(self) -> str:
        return next((doubt.suggestion for doubt in self.line.doubts if doubt.suggestion), "")

    @property
    def may_be_sure(self) -> bool:
        is_only_asked_who = bool(self.choices) and not self.chosen and len(self.line.doubts) == 1
        return not remaining_faults(self.line) and not is_only_asked_who


@dataclass(frozen=True)
class ReasonGroup:
    """Lines with one reason, to be confirmed or left out together."""

    reason: str
    sentence: str
    count: int
    may_be_confirmed: bool
    keeps_what_is_written: bool = False
    """A button beside it takes what is proposed instead."""


@dataclass(frozen=True)
class SettlingTable:
    """`left` are lines that go no further, with the reason."""

    source: str
    blocks: str
    reading: Reading
    rows: tuple[TableRow, ...]
    trouble: str = ""
    shape: str = ""
    columns: Sequence[Column] = ()
    is_remembered: bool = False
    """Its columns are read as a person named those of an earlier list."""

    @property
    def asks_about_people(self) -> int:
        return sum(bool(row.choices) and not row.chosen for row in self.rows)

    @property
    def groups(self) -> list[ReasonGroup]:
        asked = self.in_state(State.ASK)
        counts = Counter(doubt.reason for row in asked for doubt in row.line.doubts)
        unconfirmed = {doubt.reason for row in asked for doubt in remaining_faults(row.line)}
        columns = {
            "" if row.line.address else doubt.word
            for row in asked
            for doubt in row.line.doubts
            if doubt.reason is Reason.ADDRESS_OF_OTHER
        }
        return [
            ReasonGroup(
                reason.value,
                filled(translated(_OF_COLUMN), {"word": next(iter(columns))})
                if reason is Reason.ADDRESS_OF_OTHER and len(columns) == 1 and any(columns)
                else translated(OF_SEVERAL.get(reason) or SENTENCES[reason]),
                count,
                reason not in _NEVER_CONFIRMED | unconfirmed,
                reason is Reason.ADDRESS_TYPO,
            )
            for reason, count in counts.most_common()
            if count > 1 and reason not in ASKED_APART
        ]

    @property
    def edits(self) -> str:
        return json.dumps({row.number: row.edits for row in self.rows if row.edits}, ensure_ascii=False)

    def in_state(self, state: State) -> list[TableRow]:
        return [row for row in self.rows if row.state is state]

    @property
    def people(self) -> list[ListedPerson]:
        return [listed_person(row.line) for row in self.in_state(State.READY)]

    def going_on(self, form: FormData) -> Going | None:
        """What goes on: by the button, or because nothing has to be settled here. None to show the table."""
        if text_of(form, BLOCKS):
            ready = self.in_state(State.READY)
            return (self._listed(ready), {}, self.left) if text_of(form, STEP) == GO and ready else None
        if self.is_remembered or self.asks_about_people:
            return None
        reasons = {row.number: {doubt.reason for doubt in row.line.doubts} for row in self.rows}
        going = [
            row
            for row in self.rows
            if row.state is State.READY or (reasons[row.number] and reasons[row.number] <= SETTLED_LATER)
        ]
        if (self.rows and not going) or any(
            row.state is State.ASK and not reasons[row.number] <= SETTLED_LATER for row in self.rows
        ):
            return None
        gone = {row.number for row in going}
        headings = {one.heading_line for one in self.reading.mappings}
        people = self._listed(going)
        texts = {person.line: row.line.text for person, row in zip(people, going, strict=True)}
        if heading := next((row.line.text for row in self.rows if row.line.line in headings), ""):
            texts[0] = heading
        return people, texts, self._left(row for row in self.rows if row.number not in gone)

    def _listed(self, rows: Sequence[TableRow]) -> list[ListedPerson]:
        """With the numbers of their lines, or counted anew where several have one number."""
        numbers = [row.line.line for row in self.rows if row.line.given_name or row.line.family_name]
        is_unique = len(set(numbers)) == len(numbers)
        listed = [(row, listed_person(row.line)) for row in rows]
        return [person if is_unique else replace(person, line=row.number + 1) for row, person in listed]

    @property
    def left(self) -> list[tuple[int, str, str]]:
        return self._left(row for row in self.rows if row.state is not State.READY)

    def _left(self, rows: Iterable[TableRow]) -> list[tuple[int, str, str]]:
        headings = {one.heading_line for one in self.reading.mappings}
        return [
            (row.line.line, row.line.text, " ".join(row.sentences) or translated("Enlevée."))
            for row in rows
            if row.line.line not in headings
        ]

    @property
    def fields(self) -> list[tuple[str, str]]:
        """With which this table opens again."""
        columns = [(f"{_COLUMN}{index}", column.value) for index, column in enumerate(self.columns)]
        answered = [(_COLUMNS_STATED, "oui"), *columns] if columns else []
        return [(BLOCKS, self.blocks), (EDITS, self.edits), *answered]


def table_fields(form: FormData) -> list[tuple[str, str]]:
    """The fields of a table that later pages carry along."""
    names = [name for name in form if name in (BLOCKS, EDITS, _COLUMNS_STATED) or name.startswith(_COLUMN)]
    return [(name, text_of(form, name)) for name in names]


def read_list_table(
    form: FormData, text_field: str, file_field: str, setting: ListSetting = NOWHERE
) -> SettlingTable:
    """The list of a form, new or on its way; raises InvalidInput where it cannot be read."""
    if carried := text_of(form, BLOCKS):
        blocks, source = blocks_from_text(carried), untouched_text_of(form, SOURCE)
    else:
        source = untouched_text_of(form, text_field)
        data = bytes_of(form, file_field)
        from_file = blocks_of(data) if data else []
        blocks = [*blocks_of(source), *from_file]
        source = "\n".join(filter(None, [source, *(row.text for block in from_file for row in block.rows)]))
        carried = blocks_as_text(blocks)
    columns = _columns_in(form)
    reading = read_blocks(blocks, activity_hours=setting.hours, columns=columns)
    shape, is_remembered = shape_of(reading, blocks), False
    if not columns and text_of(form, STEP) != FORGET and not text_of(form, FORGOTTEN):
        earlier = setting.columns_for(shape) if setting.columns_for else ()
        width = max((len(one.columns) for one in reading.mappings), default=0)
        if earlier and len(earlier) == width:
            reading = read_blocks(blocks, activity_hours=setting.hours, columns=earlier)
            is_remembered = True
    if setting.for_pupils:
        reading = replace(reading, lines=_without_shared_by_family(reading.lines))
    decided = _Decided.of(form)
    rows = [_row(form, decided, number, line) for number, line in enumerate(reading.lines)]
    # A mistyped address has to be corrected first.
    unclear = {Reason.ADDRESS_INVALID, Reason.ADDRESS_TYPO}
    named = [
        Line(0, "") if row.is_out or unclear & {doubt.reason for doubt in row.line.doubts} else row.line
        for row in rows
    ]
    people = [(line.given_name, line.family_name, line.address) for line in named]
    known = setting.known(people) if setting.known else {}
    for index, same in known.items():
        rows[index] = _with_known(form, decided, rows[index], same)
    return SettlingTable(
        source,
        carried,
        reading,
        tuple(rows),
        shape=shape,
        columns=columns,
        is_remembered=is_remembered,
    )


def _without_shared_by_family(lines: Sequence[Line]) -> tuple[Line, ...]:
    """Brothers and sisters at school share their family's address."""
    families: dict[str, set[str]] = {}
    for line in lines:
        families.setdefault(line.address, set()).add(fold(line.family_name))
    return tuple(
        line.without(Reason.ADDRESS_SHARED) if len(families[line.address]) == 1 else line for line in lines
    )


def _with_known(form: FormData, decided: _Decided, row: TableRow, people: Sequence[KnownPerson]) -> TableRow:
    """The row with its question: the same person as a known one, or another."""
    line, typed = row.line, row.values
    known: dict[str, KnownPerson] = {}
    choices: list[tuple[str, str, str]] = []
    for one in people:
        has_name = name_key(one.given_name, one.family_name) == name_key(line.given_name, line.family_name)
        value = one.address if has_name else f"{one.name} {one.address}"
        same = N_("La même, {address}") if has_name else N_("La même, {name}")
        known[value] = one
        choices.append((value, translated(same).format(address=one.address, name=one.name), one.seen))
    choices.append((_OTHER, translated("Une autre personne"), ""))
    chosen = decided.value(_SAME, row.number) or ""
    if text_of(form, STEP) == SAME_ALL and len(people) == 1 and not chosen:
        chosen = choices[0][0]
    if chosen not in {value for value, _, _ in choices}:
        named = next((one for value, one in known.items() if value == one.address), None)
        if named is None and people:
            doubting = line.doubting(Reason.ADDRESS_KNOWN, people[0].name)
        else:
            doubting = line.doubting(Reason.KNOWN)
        return replace(row, line=doubting, choices=choices)
    if chosen != _OTHER:
        same_person = known[chosen]
        line = replace(line, address=same_person.address).without(*OF_ADDRESS)
        typed = {**typed, "adresse": same_person.address}
        if chosen != same_person.address:
            line = replace(
                line, given_name=same_person.given_name, family_name=same_person.family_name
            ).without(*OF_NAME)
            typed = {**typed, "prenom": same_person.given_name, "nom": same_person.family_name}
    return replace(
        row, line=line, values=typed, choices=choices, chosen=chosen, edits={**row.edits, _SAME: chosen}
    )


def _columns_in(form: FormData) -> list[Column]:
    known = {column.value: column for column in Column}
    found: list[Column] = []
    while (typed := text_of(form, f"{_COLUMN}{len(found)}")) in known:
        found.append(known[typed])
    return found if text_of(form, STEP) == READ or text_of(form, _COLUMNS_STATED) else []


@dataclass(frozen=True)
class _Decided:
    """Fields of the rows that the page showed, and the carried decisions about all others."""

    form: FormData
    shown: frozenset[str]
    carried: Mapping[str, Mapping[str, str]]

    @staticmethod
    def of(form: FormData) -> _Decided:
        if text_of(form, STEP) == READ:
            return _Decided(FormData(), frozenset(), {})
        try:
            carried = json.loads(text_of(form, EDITS) or "{}")
            found = {
                str(number): {str(name): str(value) for name, value in edits.items()}
                for number, edits in carried.items()
            }
        except (ValueError, AttributeError, RecursionError):
            raise InvalidInput("Cette liste n’est plus lisible : donnez-la de nouveau.") from None
        return _Decided(form, frozenset(text_of(form, SHOWN).split()), found)

    def value(self, name: str, number: int) -> str | None:
        if f"t-{name}-{number}" in self.form:
            return text_of(self.form, f"t-{name}-{number}")
        if str(number) in self.shown:
            return None
        return self.carried.get(str(number), {}).get(name)


def _row(form: FormData, decided: _Decided, number: int, line: Line) -> TableRow:
    shown = values_of(line)
    found = {name: decided.value(name, number) for name in _FIELDS}
    typed = {name: shown[name] if value is None else value for name, value in found.items()}
    sure, out, kept = (bool(decided.value(mark, number)) for mark in _MARKS)
    refused = line.state is State.REFUSED
    if refused and not kept:
        return TableRow(number, line, typed, is_out=True)
    edited = {name for name in _FIELDS if typed[name] != shown[name]}
    if (typed["prenom"], typed["nom"]) == (shown["nom"], shown["prenom"]):
        edited -= {"prenom", "nom"}
        cleared: set[Reason] = set(OF_ORDER)
    else:
        cleared = set()
    cleared = cleared.union(*(_ABOUT.get(name, frozenset()) for name in edited))
    if text_of(form, STEP) in (SWAP_ALL, f"{SWAP_ALL}-{number}"):
        typed["prenom"], typed["nom"] = typed["nom"], typed["prenom"]
        cleared |= OF_ORDER
    suggestion = next((doubt.suggestion for doubt in line.doubts if doubt.suggestion), "")
    if suggestion and text_of(form, STEP) in (TAKE_ALL, f"{TAKE_ALL}-{number}"):
        typed["adresse"] = suggestion
        cleared |= OF_ADDRESS
    settled = (decided.value(_SETTLED, number) or "").split()
    step, _, named = text_of(form, STEP).partition("-")
    if any(doubt.reason.value == named for doubt in line.doubts if doubt.reason not in cleared):
        settled += [named] if step == CONFIRM else []
        out = out or (step == LEAVE_OUT and not sure and named not in settled)
    cleared |= {doubt.reason for doubt in line.doubts if doubt.reason.value in settled}
    hours, readable = hours_in(typed["heures"])
    line = replace(
        line,
        given_name=respelt(typed["prenom"]) if typed["prenom"] != shown["prenom"] else typed["prenom"],
        family_name=respelt(typed["nom"]) if typed["nom"] != shown["nom"] else typed["nom"],
        address=typed["adresse"].lower(),
        hours=hours,
        hours_as_written="" if readable else typed["heures"],
        contribution=typed["contribution"],
        doubts=tuple(
            doubt for doubt in line.doubts if doubt.reason not in cleared and not (refused and kept)
        ),
    )
    faults = remaining_faults(line)
    if not readable:
        faults.append(Doubt(Reason.HOURS_UNREADABLE, typed["heures"]))
    rest = () if sure else line.doubts
    line = replace(line, doubts=tuple({doubt.reason: doubt for doubt in (*rest, *faults)}.values()))
    edits = {name: value for name, value in typed.items() if value != shown[name]}
    edits |= {_SETTLED: " ".join(settled)} if settled else {}
    edits |= {mark: "oui" for mark, is_set in zip(_MARKS, (sure, out, kept), strict=True) if is_set}
    return TableRow(number, line, typed, sure, out, kept, edits)


def values_of(line: Line) -> dict[str, str]:
    return {
        "prenom": line.given_name,
        "nom": line.family_name,
        "adresse": line.address,
        "heures": line.hours_as_written or hours_text(line.hours),
        "contribution": line.contribution,
    }


def list_table_page(
    request: Request,
    work: AtWork,
    form: FormData,
    table: SettlingTable,
    *,
    own: Sequence[str],
    crumb: tuple[str, str],
    action: str,
) -> HTMLResponse:
    """`own` are the fields of the list itself; all others are carried along."""
    skipped = {*own, SOURCE, BLOCKS, STEP, "jeton", _COLUMNS_STATED, EDITS, SHOWN, CURRENT, FORGOTTEN}
    carried = [
        (name, value)
        for name, value in form.multi_items()
        if isinstance(value, str) and name not in skipped and not name.startswith(("t-", _COLUMN))
    ]
    mapping = next((one for one in table.reading.mappings if one.columns), None)
    chosen = [column.holds for column in mapping.columns] if mapping else []
    asked, ready, out = (table.in_state(state) for state in (State.ASK, State.READY, State.REFUSED))
    every = [*asked, *ready, *out]
    pages = max(1, -(-len(every) // ROWS_AT_ONCE))
    step = text_of(form, STEP)
    wanted = step.removeprefix(f"{PAGE}-") if step.startswith(f"{PAGE}-") else text_of(form, CURRENT)
    current = min(int(wanted), pages) if re.fullmatch(r"[1-9]\d{0,4}", wanted) else 1
    first = (current - 1) * ROWS_AT_ONCE
    visible = every[first : first + ROWS_AT_ONCE]
    nobody = text_of(form, STEP) == GO and not table.people
    return work.page(
        request,
        "imports/list_table.html",
        status=status_for(table.trouble, nobody),
        crumb=crumb,
        action=action,
        carried=carried,
        source=table.source,
        blocks=table.blocks,
        table=table,
        asked=[row for row in visible if row.state is State.ASK],
        asked_count=len(asked),
        ready=[row for row in visible if row.state is State.READY],
        ready_count=len(ready),
        out=[row for row in visible if row.state is State.REFUSED],
        out_count=len(out),
        shown=" ".join(str(row.number) for row in visible),
        first=first + 1,
        last=first + len(visible),
        total=len(every),
        current=current,
        pages=sorted({1, current - 1, current, current + 1, pages} - {0, pages + 1}),
        columns=mapping.columns if mapping else (),
        choices=[(column.value, translated(words)) for column, words in COLUMNS.items()],
        answered=bool(_columns_in(form)),
        in_doubt=bool(mapping) and not any(column in NAME_COLUMNS - {Column.WHOLE} for column in chosen),
        with_hours=any(row.values["heures"] for row in table.rows),
        with_contribution=any(row.values["contribution"] for row in table.rows),
        forgotten=text_of(form, STEP) == FORGET or bool(text_of(form, FORGOTTEN)),
        groups=table.groups,
        suggestions=sum(bool(row.suggestion) for row in asked),
        nobody=nobody,
        trouble=table.trouble,
    )


def left_in(form: FormData) -> list[tuple[int, str, str]]:
    """The lines that a table left aside, as later pages carry them."""
    try:
        return [
            (int(line), str(text), str(reason))
            for line, text, reason in json.loads(text_of(form, LEFT) or "[]")
        ][:10_000]
    except (ValueError, TypeError):
        raise InvalidInput("Cette liste n’est plus lisible : donnez-la de nouveau.") from None


def left_as_text(left: Sequence[tuple[int, str, str]]) -> str:
    return json.dumps(list(left), ensure_ascii=False)
