"""The yearly report: its draft, its contradictions, and signed editions that can be recomputed."""

from __future__ import annotations

import base64
import re
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import orjson
from sqlalchemy import Text
from sqlmodel import Field, SQLModel, UniqueConstraint

from app.domain.activities import ActivityKind
from app.domain.core import foreign_key, json_column, new_id, primary_foreign_key, utc_datetime
from app.domain.reports.facts import Audience, Declared, DeclaredFigure, OrganisationType, check_people
from app.domain.reports.indicators import BY_ID, Figure, HiddenRows, Unit, of_kind, people_of
from app.domain.reports.ledger import (
    INFORMED,
    MOBILISED,
    ActivityRow,
    Ledger,
    Period,
    establishments_of,
    organisations_of,
)
from app.errors import AppError, Conflict, InvalidInput, faults_of_fields
from app.language import N_
from sceau_credentials.keys import VerificationKey

# --- The plan of annex B: 51 indicators over six axes, 37 counted and 14 written

K = ActivityKind
AXES: Final = {
    "1": N_("Anticiper les besoins"),
    "2": N_("Adapter les formations"),
    "3": N_("Promouvoir les métiers"),
    "4": N_("Ouvrir à l’international"),
    "5": N_("Faire connaître le campus"),
    "6": N_("Gouverner"),
}


@dataclass(frozen=True)
class Line:
    """`count` is None for a text. The ledger it counts holds the activities of its axis."""

    number: str
    name: str
    unit: Unit = Unit.COUNT
    count: Callable[[Ledger], Figure] | None = None

    @property
    def axis(self) -> str:
        return self.number.partition(".")[0]


def _actions(*kinds: ActivityKind) -> Callable[[Ledger], Figure]:
    return lambda ledger: Figure(len(of_kind(ledger.rows, kinds) if kinds else ledger.rows))


def _people(*kinds: ActivityKind) -> Callable[[Ledger], Figure]:
    return lambda ledger: Figure(people_of(of_kind(ledger.rows, kinds) if kinds else ledger.rows))


def _of_kinds(indicator: str, kinds: Collection[ActivityKind]) -> Callable[[Ledger], Figure]:
    return lambda ledger: BY_ID[indicator].count(ledger.only(lambda row: row.kind in kinds))


def _partners(ledger: Ledger) -> Figure:
    return Figure(len(organisations_of(ledger.rows)))


def _federations(ledger: Ledger) -> Figure:
    rows = ledger.rows
    return Figure(
        len({one.key for row in rows for one in row.organisations if one.type is OrganisationType.FEDERATION})
    )


def _types(ledger: Ledger) -> Figure:
    return Figure(len({one.type for row in ledger.rows for one in row.organisations}))


def _teachers(ledger: Ledger) -> Figure:
    counts = (count for row in of_kind(ledger.rows, [K.MOBILITY]) for count in row.audiences)
    return Figure(sum(count.people for count in counts if count.audience is Audience.TEACHERS))


def _asked(ledger: Ledger) -> Figure:
    return Figure(sum(row.survey.asked for row in ledger.rows if row.survey))


_MEETINGS = (K.MEETING, K.COUNCIL, K.INTERVIEW)
_TAKING_PART = (K.WORKSHOP, K.COURSE, K.PROJECT, K.IMMERSION, K.MOBILITY)
_satisfaction = BY_ID["satisfaction"].count

PLAN: Final[tuple[Line, ...]] = (
    Line("1.1", N_("Rencontres avec les entreprises"), count=_actions(K.INTERVIEW, K.MEETING)),
    Line(
        "1.2",
        N_("Départements des rencontres"),
        count=lambda ledger: Figure(len({row.departement for row in ledger.rows if row.departement})),
    ),
    Line("1.3", N_("Problématiques des entreprises")),
    Line("1.4", N_("Besoins en compétences")),
    Line("1.5", N_("Besoins complémentaires")),
    Line("1.6", N_("Mutations des métiers")),
    Line("1.7", N_("Réunions tenues"), count=_actions(K.MEETING)),
    Line("1.8", N_("Validation des besoins")),
    Line("1.9", N_("Satisfaction"), Unit.PERCENT, _satisfaction),
    Line("2.1", N_("Acteurs rencontrés"), count=_partners),
    Line("2.2", N_("Types d’acteurs"), count=_types),
    Line("2.3", N_("Diplômes concernés"), count=lambda ledger: Figure(len(ledger.distinct.diplomas))),
    Line("2.4", N_("Atouts, faiblesses, opportunités, menaces")),
    Line("2.5", N_("Pistes d’évolution")),
    Line("2.6", N_("Expérimentations"), count=_actions(K.PROJECT)),
    Line(
        "2.7",
        N_("Secteurs concernés"),
        count=lambda ledger: Figure(len({row.sector for row in ledger.rows if row.sector})),
    ),
    Line("2.8", N_("Modalités innovantes")),
    Line("2.9", N_("Satisfaction"), Unit.PERCENT, _satisfaction),
    Line("3.1", N_("Promotion existante des métiers")),
    Line("3.2", N_("Actions mises en place"), count=_actions()),
    Line("3.3", N_("Personnes informées"), Unit.PEOPLE, _people(K.EVENT, K.COMMUNICATION)),
    Line("3.4", N_("Personnes impliquées"), Unit.PEOPLE, _people(*_TAKING_PART)),
    Line("3.5", N_("Réunions"), count=_actions(K.MEETING)),
    Line("3.6", N_("Participants"), Unit.PEOPLE, _people()),
    Line("3.7", N_("Satisfaction des partenaires"), Unit.PERCENT, _of_kinds("satisfaction", _MEETINGS)),
    Line(
        "3.8",
        N_("Satisfaction des participants"),
        Unit.PERCENT,
        _of_kinds("satisfaction", [kind for kind in K if kind not in _MEETINGS]),
    ),
    Line(
        "3.9",
        N_("Entreprises informées"),
        count=lambda ledger: Figure(len(organisations_of(ledger.rows, INFORMED))),
    ),
    Line(
        "3.10",
        N_("Entreprises mobilisées"),
        count=lambda ledger: Figure(len(organisations_of(ledger.rows, MOBILISED))),
    ),
    Line("4.1", N_("Personnes interrogées"), Unit.PEOPLE, _asked),
    Line("4.2", N_("Livrables")),
    Line("4.3", N_("Partenaires du groupe"), count=_partners),
    Line("4.4", N_("Enjeux")),
    Line("4.5", N_("Actions"), count=_actions()),
    Line("4.6", N_("Établissements"), count=lambda ledger: Figure(len(establishments_of(ledger.rows)))),
    Line("4.7", N_("Enseignants en mobilité"), Unit.PEOPLE, _teachers),
    Line("5.1", N_("Actions"), count=_actions()),
    Line("5.2", N_("Personnes rencontrées ou informées"), Unit.PEOPLE, _people()),
    Line("5.3", N_("Problématiques")),
    Line("5.4", N_("Satisfaction"), Unit.PERCENT, _satisfaction),
    Line("5.5", N_("Réseaux et fédérations"), count=_federations),
    Line(
        "5.6",
        N_("Actions menées avec des partenaires"),
        count=lambda ledger: Figure(sum(1 for row in ledger.rows if row.organisations)),
    ),
    Line("5.7", N_("Plan de communication")),
    Line("5.8", N_("Actions de communication"), count=_actions(K.COMMUNICATION)),
    Line("5.9", N_("Événements"), count=_actions(K.EVENT)),
    Line("6.1", N_("Conseils"), count=_actions(K.COUNCIL)),
    Line("6.2", N_("Rencontres avec la présidence"), count=_actions(K.INTERVIEW)),
    Line("6.3", N_("Présence aux conseils"), Unit.PERCENT, BY_ID["presence"].count),
    Line("6.4", N_("Mission")),
    Line("6.5", N_("Satisfaction"), Unit.PERCENT, _satisfaction),
    Line("6.6", N_("Nombre d’indicateurs"), count=lambda _: Figure(sum(1 for line in PLAN if line.count))),
    Line("6.7", N_("Note annuelle"), count=lambda _: Figure(1)),
)
TEXTS: Final = tuple(line.number for line in PLAN if line.count is None)


def public_lines(lines: Mapping[str, Figure], ledger: Ledger, hidden: HiddenRows) -> dict[str, Figure]:
    """Without lines of people that count some hidden activities and not all (the shown ones subtracted would tell),
    or one that nothing else hides."""
    inside, alone = fill(ledger, hidden.ids), fill(ledger, hidden.alone)
    everyone = people_of(row for row in ledger.rows if row.id in hidden.ids)
    people = {line.number for line in PLAN if line.unit is Unit.PEOPLE}
    return {
        key: Figure(None)
        if key in people and (inside[key].value not in (0, everyone) or alone[key].value)
        else figure
        for key, figure in lines.items()
    }


def fill(ledger: Ledger, only: Collection[uuid.UUID] | None = None) -> dict[str, Figure]:
    """The figure of each counted line. Without any objective in the period, every axis counts all activities.

    `only`: what these activities add to it.
    """
    has_objectives = any(row.objectives for row in ledger.rows)
    ledgers = {axis: ledger.of_axis(axis) if has_objectives else ledger for axis in AXES}
    if only is not None:
        ledgers = {axis: each.only(lambda row: row.id in only) for axis, each in ledgers.items()}
    return {line.number: line.count(ledgers[line.axis]) for line in PLAN if line.count}


# --- editions

LONGEST_TEXT: Final = 8_000
LONGEST_QUOTE: Final = 400
MOST_QUOTES: Final = 12
MOST_CHOSEN_PICTURES: Final = 6
LONGEST_CREDIT: Final = 120
LONGEST_REASON: Final = 300
TYPE: Final = "sceau-report+jwt"
DEFINITIONS: Final = 1
"""Raised when the meaning of an indicator changes."""


class ReportDraft(SQLModel, table=True):
    """`texts`: by line, `{"text", "reviewed", "carried"}`; `quotes`: sentences chosen for the report."""

    __tablename__ = "report_draft"
    __table_args__ = (UniqueConstraint("campus_id", "period", name="one_draft_per_period"),)
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    campus_id: uuid.UUID = Field(sa_column=foreign_key("campus", index=False))
    period: str = Field(max_length=21)
    texts: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    quotes: list[str] = Field(default_factory=list, sa_column=json_column())
    pictures: list[dict[str, str]] = Field(default_factory=list, sa_column=json_column())
    """`{"id", "credit"}` of pictures of the gallery."""
    updated_at: datetime = Field(sa_column=utc_datetime())


class ReportEdition(SQLModel, table=True):
    """A frozen report. `token` is the compact JWS of its document, signed with the campus's key."""

    __tablename__ = "report_edition"
    __table_args__ = (UniqueConstraint("campus_id", "period", "number", name="one_edition_per_number"),)
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    campus_id: uuid.UUID = Field(sa_column=foreign_key("campus", index=False))
    period: str = Field(max_length=21)
    number: int
    token: str = Field(sa_type=Text)
    signed_at: datetime = Field(sa_column=utc_datetime())


class ReportPicture(SQLModel, table=True):
    """A picture of signed versions, by its SHA-256, which they name. Stays when the gallery changes."""

    __tablename__ = "report_picture"
    campus_id: uuid.UUID = Field(sa_column=primary_foreign_key("campus"))
    digest: str = Field(primary_key=True, max_length=64)
    content: bytes


@dataclass(frozen=True)
class ChosenPicture:
    """A picture of the gallery in a draft. `credit`: who took it or holds the rights."""

    id: uuid.UUID
    credit: str


@dataclass(frozen=True)
class DraftText:
    """`carried`: the period it was taken over from, empty if written here."""

    text: str = ""
    reviewed: bool = False
    carried: str = ""


def texts_of(draft: ReportDraft | None) -> dict[str, DraftText]:
    stored = draft.texts if draft else {}
    return {number: DraftText(**stored.get(number, {})) for number in TEXTS}


def faults_of_report(
    texts: Mapping[str, str], quotes: Sequence[str], chosen: Sequence[ChosenPicture]
) -> dict[str, AppError]:
    """By the number of a text, the id of a picture, `quotes` and `pictures`."""
    faults: dict[str, AppError] = {
        number: InvalidInput("Un texte du rapport tient en 8 000 signes.")
        for number, text in texts.items()
        if len(text) > LONGEST_TEXT
    }
    if len(chosen) > MOST_CHOSEN_PICTURES:
        faults["pictures"] = InvalidInput("Un rapport a six images au plus.")
    for each in chosen:
        if not each.credit:
            faults[str(each.id)] = InvalidInput(
                "Pour chaque image choisie, écrivez qui l’a prise ou en a les droits."
            )
        elif len(each.credit) > LONGEST_CREDIT:
            faults[str(each.id)] = InvalidInput(
                "C’est trop long : {most} signes au plus.", most=LONGEST_CREDIT
            )
    if len(quotes) > MOST_QUOTES or any(len(each) > LONGEST_QUOTE for each in quotes):
        faults["quotes"] = InvalidInput("Un rapport a douze paroles au plus, de 400 signes chacune.")
    return faults


@dataclass(frozen=True)
class Claim:
    """One figure of a contradiction."""

    value: str
    source: str


@dataclass(frozen=True)
class Contradiction:
    """Different figures for one fact of an activity; `settled` is the value that holds, empty if open.

    `counts`: what the report counts meanwhile.
    """

    activity_id: uuid.UUID
    title: str
    about: Declared
    claims: tuple[Claim, ...]
    counts: str
    settled: str = ""
    reason: str = ""


CAMPUS: Final = N_("Noté dans l’activité")
AUDIENCE_SUM: Final = N_("Somme des publics")
COUNTED: Final = N_("Compté dans le journal")
SETTLED: Final = N_("Tranché pour le rapport")
BEFORE: Final = N_("Noté avant d’être tranché")


def contradictions(
    rows: Iterable[ActivityRow], declared: Mapping[uuid.UUID, Sequence[DeclaredFigure]]
) -> list[Contradiction]:
    """Open ones first. A settled value that is no longer what the report counts is open again."""
    found = []
    for row in rows:
        figures = declared.get(row.id, ())
        # What the campus noted twice differs in its size alone.
        for about in Declared if figures else (Declared.SIZE,):
            others = [each for each in figures if each.about is about]
            counts = counted(row, about)
            settled = next((each for each in others if each.is_settled and each.value == counts), None)
            claims = [
                *_own(row, about),
                *(Claim(each.value, each.source) for each in others if not each.is_settled),
            ]
            if len({claim.value for claim in claims}) > 1:
                found.append(
                    Contradiction(
                        row.id, row.title, about, tuple(claims), counts, settled.value if settled else "",
                        settled.reason if settled else "",
                    )
                )  # fmt: skip
    return sorted(found, key=lambda each: bool(each.settled))


def counted(row: ActivityRow, about: Declared) -> str:
    """What the report counts for the activity."""
    match about:
        case Declared.SIZE:
            return str(row.people)
        case Declared.ESTABLISHMENTS:
            return str(len(row.establishments))
        case Declared.ORGANISATIONS:
            return str(len(row.organisations))
        case Declared.FIRST_DAY:
            return row.starts_on.isoformat()


def read_value(about: Declared, typed: str) -> str:
    """A number in digits, or a day as `2026-03-09`, from either way of writing it."""
    plain = re.sub(r"\s", "", typed)
    if about is not Declared.FIRST_DAY:
        if not (plain.isascii() and plain.isdecimal() and len(plain) < 8):
            raise InvalidInput("Écrivez un nombre en chiffres, comme 24.")
        if about is Declared.SIZE:
            check_people(int(plain))
        return str(int(plain))
    try:
        day = re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})", plain)
        found = date(int(day[3]), int(day[2]), int(day[1])) if day else date.fromisoformat(plain)
    except ValueError as error:
        raise InvalidInput("Écrivez une date, comme 09/03/2026.") from error
    return found.isoformat()


def chosen_value(about: Declared, typed: str) -> str:
    if not typed.strip():
        raise InvalidInput("Choisissez le chiffre à retenir.")
    return read_value(about, typed)


def checked_reason(typed: str) -> str:
    """Why a value holds; may be empty."""
    if len(typed) > LONGEST_REASON:
        raise InvalidInput("La raison tient en {most} signes.", most=LONGEST_REASON)
    return typed.strip()


def faults_of_declared(about: Declared, value: str, source: str) -> dict[str, AppError]:
    return faults_of_fields(
        {"value": lambda: read_value(about, value), "source": lambda: checked_source(source)}
    )


def faults_of_settled(about: Declared, value: str, reason: str) -> dict[str, AppError]:
    return faults_of_fields(
        {"value": lambda: chosen_value(about, value), "reason": lambda: checked_reason(reason)}
    )


def checked_source(typed: str) -> str:
    source = " ".join(typed.split())
    if not source or len(source) > 200:
        raise InvalidInput("Écrivez le document où ce chiffre se trouve, en 200 signes au plus.")
    return source


def check_counted(row: ActivityRow, about: Declared, value: str) -> None:
    """A signed figure is the one that is counted: any other is refused."""
    if (counts := counted(row, about)) != value:
        raise Conflict(
            "Le rapport compte {counted}. Corrigez d’abord l’activité, puis gardez ce chiffre.",
            counted=counts,
        )


def _own(row: ActivityRow, about: Declared) -> list[Claim]:
    match about:
        case Declared.SIZE:
            known = sum(count.people for count in row.audiences)
            claims = [Claim(str(row.size), CAMPUS)] if row.size else []
            if known and row.size and known > row.size:
                claims.append(Claim(str(known), AUDIENCE_SUM))
            if row.size and row.named > row.size:
                claims.append(Claim(str(row.named), COUNTED))
            return claims
        case Declared.ESTABLISHMENTS:
            return [Claim(str(len(row.establishments)), CAMPUS)] if row.establishments else []
        case Declared.ORGANISATIONS:
            return [Claim(str(len(row.organisations)), CAMPUS)] if row.organisations else []
        case Declared.FIRST_DAY:
            return [Claim(row.starts_on.isoformat(), CAMPUS)]


def is_over(period: Period, today: date) -> bool:
    return today > period.last


def check_over(period: Period, today: date) -> None:
    if not is_over(period, today):
        raise Conflict("La période n’est pas finie.")


def check_publishable(open_contradictions: int, unread: int) -> None:
    if open_contradictions:
        raise Conflict("Tranchez d’abord les contradictions : un rapport signé n’en garde aucune ouverte.")
    if unread:
        raise Conflict("Relisez d’abord les textes : cochez « J’ai relu ce texte » sous chacun.")


# --- the signed document


def signing_input(document: Mapping[str, Any], algorithm: str, key_id: str) -> str:
    """Header and payload of a compact JWS; the payload has sorted keys."""
    header = orjson.dumps({"alg": algorithm, "kid": key_id, "typ": TYPE})
    return f"{_b64(header)}.{_b64(orjson.dumps(document, option=orjson.OPT_SORT_KEYS))}"


def joined(signed: str, signature: bytes) -> str:
    return f"{signed}.{_b64(signature)}"


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _raw(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def document_of(token: str) -> dict[str, Any]:
    """The document of an edition, not verified."""
    found = orjson.loads(_raw(token.split(".")[1]))
    assert isinstance(found, dict)
    return found


def verified(token: str, keys: Mapping[str, VerificationKey]) -> dict[str, Any]:
    """The document, if one of the campus's keys signed it; raises InvalidInput otherwise."""
    try:
        head, body, signature = token.strip().split(".")
        header = orjson.loads(_raw(head))
        key = keys.get(str(header.get("kid")))
        if header.get("typ") != TYPE or key is None or header.get("alg") != key.algorithm.value:
            raise ValueError("not a report of this campus")
        if not key.verify(_raw(signature), f"{head}.{body}".encode()):
            raise ValueError("signature mismatch")
        return document_of(token)
    except (ValueError, AttributeError, IndexError) as error:
        raise InvalidInput("La signature de ce rapport n’est pas celle du campus.") from error


def differences(signed: Mapping[str, Any], now: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """Names, signed values and values counted again, where they differ."""
    found = []
    for part in ("figures", "lines"):
        before = {each["id"]: each for each in signed[part]}
        after = {each["id"]: each for each in now[part]}
        for key, each in before.items():
            if "value" in each and each["value"] != after.get(key, {}).get("value"):
                found.append((f"{key} {each['name']}", each["value"], after.get(key, {}).get("value")))
    return found
