"""The yearly report: its draft, its contradictions, and signed editions that can be recomputed."""

from __future__ import annotations

import base64
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import orjson
from sqlalchemy import Text
from sqlmodel import Field, SQLModel, UniqueConstraint

from app.domain.core import foreign_key, json_column, new_id, primary_foreign_key, utc_datetime
from app.domain.reports.facts import Declared, DeclaredFigure
from app.domain.reports.ledger import ActivityRow, Period
from app.domain.reports.plan import TEXTS
from app.errors import Conflict, InvalidInput
from app.language import N_
from sceau_credentials.keys import VerificationKey

LONGEST_TEXT: Final = 8_000
LONGEST_QUOTE: Final = 400
MOST_QUOTES: Final = 12
MOST_CHOSEN_PICTURES: Final = 6
LONGEST_CREDIT: Final = 120
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


def check_pictures(chosen: Sequence[ChosenPicture]) -> None:
    if len(chosen) > MOST_CHOSEN_PICTURES:
        raise InvalidInput(N_("Un rapport a six images au plus."))
    if any(not each.credit for each in chosen):
        raise InvalidInput(N_("Pour chaque image choisie, écrivez qui l’a prise ou en a les droits."))
    if any(len(each.credit) > LONGEST_CREDIT for each in chosen):
        raise InvalidInput(N_("C’est trop long : {most} signes au plus."), most=LONGEST_CREDIT)


@dataclass(frozen=True)
class DraftText:
    """`carried`: the period it was taken over from, empty if written here."""

    text: str = ""
    reviewed: bool = False
    carried: str = ""


def texts_of(draft: ReportDraft | None) -> dict[str, DraftText]:
    stored = draft.texts if draft else {}
    return {number: DraftText(**stored.get(number, {})) for number in TEXTS}


def check_texts(texts: Mapping[str, DraftText], quotes: Sequence[str]) -> None:
    if any(len(each.text) > LONGEST_TEXT for each in texts.values()):
        raise InvalidInput(N_("Un texte du rapport tient en 8 000 signes."))
    if len(quotes) > MOST_QUOTES or any(len(each) > LONGEST_QUOTE for each in quotes):
        raise InvalidInput(N_("Un rapport a douze paroles au plus, de 400 signes chacune."))


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
        for about in Declared:
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
            raise InvalidInput(N_("Écrivez un nombre en chiffres, comme 24."))
        return str(int(plain))
    try:
        day = re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})", plain)
        found = date(int(day[3]), int(day[2]), int(day[1])) if day else date.fromisoformat(plain)
    except ValueError as error:
        raise InvalidInput(N_("Écrivez une date, comme 09/03/2026.")) from error
    return found.isoformat()


def check_counted(row: ActivityRow, about: Declared, value: str) -> None:
    """A signed figure is the one that is counted: any other is refused."""
    if (counts := counted(row, about)) != value:
        raise Conflict(
            N_("Le rapport compte {counted}. Corrigez d’abord l’activité, puis gardez ce chiffre."),
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
        raise Conflict(N_("La période n’est pas finie."))


def check_publishable(open_contradictions: int, unread: int) -> None:
    if open_contradictions:
        raise Conflict(
            N_("Tranchez d’abord les contradictions : un rapport signé n’en garde aucune ouverte.")
        )
    if unread:
        raise Conflict(N_("Relisez d’abord les textes : cochez « J’ai relu ce texte » sous chacun."))


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
        raise InvalidInput(N_("La signature de ce rapport n’est pas celle du campus.")) from error


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
