"""Networks and campuses: issuers, their labels and colours."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, fields
from datetime import date, datetime
from enum import StrEnum
from math import cos, isfinite, radians, sin
from typing import Any, Final, NamedTuple, Protocol
from zoneinfo import ZoneInfo

from sqlalchemy import false
from sqlmodel import CheckConstraint, Field, Index, SQLModel, text

from app.domain.campus.places import DEPARTMENTS
from app.domain.campus.signed_terms import LabelCategory as LabelCategory
from app.domain.campus.signed_terms import LabelState as LabelState
from app.domain.core import (
    check_signed_name,
    enum_column,
    foreign_key,
    json_column,
    new_id,
    primary_foreign_key,
    utc_datetime,
)
from app.domain.people import is_address, normal_address
from app.errors import Conflict, InvalidInput, NotAllowed
from app.language import N_
from sceau_credentials.keys import Algorithm

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")

_CAMPUS = re.compile(
    r"\s*(?:le\s+)?campus\b(?:\s+des\s+m[ée]tiers\s+et\s+des\s+qualifications\b)?(?:\s+d[’']excellence\b)?[\s:,–-]*(?=\S)",
    re.IGNORECASE,
)

LONGEST_NAME, LONGEST_SHORT_NAME = 200, 20


class Network(SQLModel, table=True):
    """A group of campuses: a region that labels them, or an inter-campus pole."""

    __tablename__ = "network"
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    slug: str = Field(unique=True, max_length=60)
    name: str = Field(max_length=200)
    description: str = Field(default="", max_length=2000)


class Campus(SQLModel, table=True):
    """The issuer. Its `slug` is part of its DID, so it is never changed nor given to another campus."""

    __tablename__ = "campus"
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    slug: str = Field(unique=True, max_length=60)
    did: str = Field(unique=True, max_length=300)
    short_name: str = Field(max_length=LONGEST_SHORT_NAME)
    name: str = Field(max_length=LONGEST_NAME)
    sector: str = Field(default="", max_length=200)
    carrier: str = Field(default="", max_length=200)
    site: str = Field(default="", max_length=200)
    department: str = Field(default="", max_length=8, sa_column_kwargs={"server_default": ""})
    """Its official code, for regional pages; empty if not given."""
    description: str = Field(default="", max_length=2000)
    contact_email: str = Field(default="", max_length=254)
    linkedin_id: str = Field(default="", max_length=20)
    """The number of its LinkedIn page, used in links that pre-fill LinkedIn's form."""
    time_zone: str = Field(default="Europe/Paris", max_length=60)
    hue: float = Field(default=210.0, ge=0, lt=360)
    liveliness: float = Field(default=0.08, ge=0, le=0.14)
    names_in_credentials: bool = Field(default=True)
    selective_disclosure: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    """Learners may show a part of a badge (ecdsa-sd-2023); its key is made when this is switched on."""
    language: str = Field(default="fr", max_length=8)
    sends_reminders: bool = Field(default=True)
    created_at: datetime = Field(sa_column=utc_datetime())
    suspended_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))

    def day_of(self, at: datetime) -> date:
        """In its time zone."""
        return at.astimezone(ZoneInfo(self.time_zone)).date()


class CampusPicture(SQLModel, table=True):
    """A picture of the campus's gallery, decoded and encoded again; `alternative` is its text."""

    __tablename__ = "campus_picture"
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    campus_id: uuid.UUID = Field(sa_column=foreign_key("campus"))
    alternative: str = Field(max_length=200)
    content: bytes
    width: int
    height: int
    added_at: datetime = Field(sa_column=utc_datetime())


MOST_PICTURES: Final = 8


def checked_alternative(written: str) -> str:
    text_of_picture = " ".join(written.split())
    if not text_of_picture:
        raise InvalidInput("Dites en quelques mots ce que l’on voit.")
    if len(text_of_picture) > 200:
        raise InvalidInput("C’est trop long : {most} signes au plus.", most=200)
    return text_of_picture


class NetworkMember(SQLModel, table=True):
    __tablename__ = "network_member"
    network_id: uuid.UUID = Field(sa_column=primary_foreign_key("network"))
    campus_id: uuid.UUID = Field(sa_column=primary_foreign_key("campus"))


class Label(SQLModel, table=True):
    """A quality label that a network gives a campus, with a category and dates; signed, it is a credential.

    `issuer` is the issuer identifier of the campus's badges, on this service or any other.
    """

    __tablename__ = "label"
    __table_args__ = (
        CheckConstraint(
            "ends_on IS NULL OR starts_on IS NULL OR ends_on >= starts_on", name="label_dates_in_order"
        ),
        Index("one_label_at_a_place", "network_id", "position", unique=True),
    )
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    issuer: str = Field(max_length=600, index=True)
    network_id: uuid.UUID = Field(sa_column=foreign_key("network"))
    category: LabelCategory = Field(sa_column=enum_column(LabelCategory, name="label_category"))
    starts_on: date | None = None
    ends_on: date | None = None
    note: str = Field(default="", max_length=300)
    embedded: bytes = Field(default=b"")
    """The label as signed by the network; empty if it was only recorded."""
    signed_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    position: int | None = None
    """Its permanent index in the network's status list; None before it was first signed with one."""
    withdrawn_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))


def is_slug(text: str) -> bool:
    return len(text) <= 60 and bool(_SLUG.fullmatch(text))


def check_slug(slug: str) -> None:
    """A slug is used in a DID and in URLs: lower-case letters, digits and single hyphens (L-001)."""
    if not is_slug(slug):
        raise InvalidInput(
            "« {slug} » ne peut pas servir d’adresse : lettres minuscules, chiffres et tirets seulement.",
            slug=slug,
        )


def check_campus_name(name: str) -> None:
    if not name.strip():
        raise InvalidInput("Le campus a un nom.")
    _check_length(name, LONGEST_NAME)
    _check_name(name)


def check_short_name(short_name: str) -> None:
    if not short_name.strip():
        raise InvalidInput("Le campus a un nom court, par exemple « ITIP ».")
    _check_length(short_name, LONGEST_SHORT_NAME)
    _check_name(short_name)


def _check_length(text: str, most: int) -> None:
    if len(text) > most:
        raise InvalidInput("C’est trop long : {most} signes au plus.", most=most)


def _check_name(name: str) -> None:
    check_signed_name(name)
    if begins := _CAMPUS.match(name):
        raise InvalidInput(
            "« Campus » est déjà écrit devant le nom : gardez « {rest} ».", rest=name[begins.end() :].strip()
        )


def check_network_name(name: str) -> None:
    if not name.strip() or len(name) > LONGEST_NAME:
        raise InvalidInput("Le réseau a un nom, de 200 signes au plus.")
    check_signed_name(name)


def check_works(campus: Campus) -> None:
    """A suspended campus accepts no work by people or programs; its signatures stay valid."""
    if campus.suspended_at is not None:
        raise NotAllowed(
            "Ce campus est suspendu : personne n’y travaille pour l’instant. Ses badges se vérifient toujours. Écrivez à la personne qui exploite ce service."
        )


def check_label_dates(label: Label) -> None:
    if label.starts_on and label.ends_on and label.ends_on < label.starts_on:
        raise InvalidInput("Le label finirait le {end}, avant d’avoir commencé.", end=label.ends_on)


def label_state(label: Label, *, on: date) -> LabelState:
    """Whether the label is valid on that day; a label without dates is valid until changed."""
    if label.withdrawn_at is not None:
        return LabelState.WITHDRAWN
    if label.starts_on and on < label.starts_on:
        return LabelState.FUTURE
    if label.ends_on and on > label.ends_on:
        return LabelState.EXPIRED
    return LabelState.CURRENT


MOST_LIVELY: Final = 0.14
"""The greatest OKLCH chroma a campus may choose."""

_GAMUT_TOLERANCE: Final = 1e-4
_CHROMA_STEPS: Final = 18


class _Tone(NamedTuple):
    """The fixed part of a colour: its OKLCH lightness, and the share of the campus's chroma."""

    lightness: float
    share: float


class _Tones(NamedTuple):
    accent: _Tone
    accent_deep: _Tone
    accent_line: _Tone
    accent_tint: _Tone
    accent_soft: _Tone


_LIGHT: Final = _Tones(
    accent=_Tone(0.43, 1.0),
    accent_deep=_Tone(0.33, 0.9),
    accent_line=_Tone(0.74, 0.62),
    accent_tint=_Tone(0.955, 0.2),
    accent_soft=_Tone(0.85, 0.5),
)
_DARK: Final = _Tones(
    accent=_Tone(0.82, 0.72),
    accent_deep=_Tone(0.9, 0.45),
    accent_line=_Tone(0.52, 0.7),
    accent_tint=_Tone(0.285, 0.32),
    accent_soft=_Tone(0.85, 0.5),
)


@dataclass(frozen=True, slots=True)
class CampusColours:
    """The colours of one campus as `#rrggbb`, for light or dark pages.

    `accent` is for text, `accent_deep` for hover states and the enamel of a badge, `accent_line` for
    decoration, `accent_tint` for backgrounds, `accent_soft` for text on the enamel.
    """

    accent: str
    accent_deep: str
    accent_line: str
    accent_tint: str
    accent_soft: str

    @classmethod
    def of(cls, hue: float, liveliness: float, *, dark: bool = False) -> CampusColours:
        """Hue in degrees, modulo 360; liveliness is clamped to 0 … `MOST_LIVELY`."""
        if not (isfinite(hue) and isfinite(liveliness)):
            raise ValueError("a hue and a liveliness are finite numbers")
        chroma = min(max(liveliness, 0.0), MOST_LIVELY)
        tones = _DARK if dark else _LIGHT
        return cls(*(oklch(tone.lightness, chroma * tone.share, hue % 360) for tone in tones))


def oklch(lightness: float, chroma: float, hue: float) -> str:
    """`#rrggbb` of an OKLCH colour; the chroma is reduced until it fits sRGB."""
    if not _in_gamut(_linear_srgb(lightness, chroma, hue)):
        chroma = _greatest_chroma(lightness, chroma, hue)
    channels = (round(_gamma(value) * 255) for value in _linear_srgb(lightness, chroma, hue))
    return "#" + "".join(f"{channel:02x}" for channel in channels)


def contrast(one: str, other: str) -> float:
    """The WCAG 2.2 contrast ratio of two `#rrggbb` colours, from 1 to 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _greatest_chroma(lightness: float, chroma: float, hue: float) -> float:
    shown, refused = 0.0, chroma
    for _ in range(_CHROMA_STEPS):
        middle = (shown + refused) / 2
        if _in_gamut(_linear_srgb(lightness, middle, hue)):
            shown = middle
        else:
            refused = middle
    return shown


def _linear_srgb(lightness: float, chroma: float, hue: float) -> tuple[float, float, float]:
    """OKLab's published matrices (Björn Ottosson, 2020), from cylindrical coordinates to linear sRGB."""
    a, b = chroma * cos(radians(hue)), chroma * sin(radians(hue))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )


def _in_gamut(channels: tuple[float, float, float]) -> bool:
    return all(-_GAMUT_TOLERANCE <= value <= 1 + _GAMUT_TOLERANCE for value in channels)


def _gamma(linear: float) -> float:
    value = min(1.0, max(0.0, linear))
    return 12.92 * value if value <= 0.0031308 else 1.055 * float(value ** (1 / 2.4)) - 0.055


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)


ZONES: Final = (
    "Europe/Paris",
    "America/Guadeloupe",
    "America/Martinique",
    "America/Cayenne",
    "America/Miquelon",
    "Indian/Reunion",
    "Indian/Mayotte",
    "Pacific/Noumea",
    "Pacific/Tahiti",
)
_LONGEST: Final = {
    "name": 200,
    "short_name": 20,
    "sector": 200,
    "carrier": 200,
    "site": 200,
    "description": 2000,
    "contact_email": 254,
}


@dataclass(frozen=True)
class CampusSettings:
    """Fields have the names of the campus columns."""

    name: str
    short_name: str
    sector: str
    carrier: str
    site: str
    department: str
    description: str
    contact_email: str
    linkedin_id: str
    language: str
    time_zone: str
    hue: float
    liveliness: float
    names_in_credentials: bool
    selective_disclosure: bool

    @staticmethod
    def of(campus: Campus) -> CampusSettings:
        return CampusSettings(
            **{each.name: getattr(campus, each.name) for each in fields(CampusSettings)}
        )  # fmt: skip


def faults_of(
    settings: CampusSettings, before: Campus, *, languages: tuple[str, ...]
) -> dict[str, InvalidInput]:
    """The faults of each setting, by its name; empty if all are valid."""
    found: dict[str, InvalidInput] = {}
    for name, most in _LONGEST.items():
        if len(getattr(settings, name)) > most:
            found[name] = InvalidInput("C’est trop long : {most} signes au plus.", most=most)
    for name in ("name", "short_name"):
        if getattr(settings, name) != getattr(before, name):
            try:
                _check_name(getattr(settings, name))
            except InvalidInput as error:
                found[name] = error
    if not settings.name:
        found["name"] = InvalidInput("Le campus a un nom.")
    if not settings.short_name:
        found["short_name"] = InvalidInput("Le campus a un nom court, par exemple « ITIP ».")
    if settings.contact_email and not is_address(normal_address(settings.contact_email)):
        found["contact_email"] = InvalidInput(
            "Cette adresse n’est pas complète. Exemple : prenom.nom@lycee.fr"
        )
    if settings.department and settings.department not in DEPARTMENTS:
        found["department"] = InvalidInput("Choisissez le département dans la liste.")
    if settings.linkedin_id and not re.fullmatch(r"[0-9]{1,20}", settings.linkedin_id):
        found["linkedin_id"] = InvalidInput(
            "C’est un nombre, par exemple 1234567. Il est dans l’adresse d’administration de votre page."
        )
    if settings.language not in languages:
        found["language"] = InvalidInput("Ce service ne parle pas encore cette langue.")
    if settings.time_zone not in (*ZONES, before.time_zone):
        found["time_zone"] = InvalidInput("Choisissez l’heure dans la liste.")
    if not 0 <= settings.liveliness <= MOST_LIVELY:
        found["liveliness"] = InvalidInput("Choisissez la vivacité dans la liste.")
    if not 0 <= settings.hue < 360:
        found["hue"] = InvalidInput("Choisissez la couleur dans la liste.")
    return found


def take_over(campus: Campus, settings: CampusSettings) -> list[str]:
    """Copy the settings to the campus; returns the names of those that changed."""
    changed = []
    for each in fields(settings):
        value = getattr(settings, each.name)
        if getattr(campus, each.name) != value:
            setattr(campus, each.name, value)
            changed.append(each.name)
    return changed


class KeyState(StrEnum):
    PENDING = "pending"
    ACTIVE = "active"
    VERIFY_ONLY = "verify_only"
    REVOKED = "revoked"
    """Possibly stolen since `revoked_at`: its signatures count only if the log contained them before."""


class KeyPurpose(StrEnum):
    """One key, one purpose: a log key never signs a credential."""

    CREDENTIAL = "credential"
    ACTIVITY_LOG = "activity_log"
    DISCLOSURE = "disclosure"
    """Of badges that a learner shows in part."""

    @property
    def algorithm(self) -> Algorithm:
        return Algorithm.ES256 if self is KeyPurpose.DISCLOSURE else Algorithm.EDDSA

    @property
    def is_published(self) -> bool:
        """Whether it stands in the campus's DID document."""
        return self is not KeyPurpose.ACTIVITY_LOG


HSM_SCHEME: Final = "pkcs11:"


def is_in_hsm(kek_id: str) -> bool:
    """Whether a stored key is the reference of a key in a token, so that no KEK seals it."""
    return kek_id.startswith(HSM_SCHEME)


_MOVES = {
    KeyState.PENDING: {KeyState.ACTIVE, KeyState.REVOKED},
    KeyState.ACTIVE: {KeyState.VERIFY_ONLY, KeyState.REVOKED},
    KeyState.VERIFY_ONLY: {KeyState.REVOKED},
    KeyState.REVOKED: set[KeyState](),
}
_ONE_ACTIVE = text("state = 'active'")


class SealedKey(SQLModel, table=True):
    """`sealed` opens only with the key-encryption key named beside it, which is never in this database; of a key
    in a token it is the reference, and `kek_id` names the token."""

    __tablename__ = "signing_key"
    __table_args__ = (
        Index(
            "one_active_key",
            "campus_id",
            "purpose",
            "algorithm",
            unique=True,
            postgresql_where=_ONE_ACTIVE,
            sqlite_where=_ONE_ACTIVE,
        ),
    )
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    campus_id: uuid.UUID = Field(sa_column=foreign_key("campus"))
    purpose: KeyPurpose = Field(
        default=KeyPurpose.CREDENTIAL, sa_column=enum_column(KeyPurpose, name="key_purpose")
    )
    algorithm: str = Field(max_length=10)
    method_id: str = Field(unique=True, max_length=400)
    public_jwk: dict[str, Any] = Field(sa_column=json_column())
    sealed: bytes
    kek_id: str = Field(max_length=60)
    kek_version: int = Field(default=1)
    state: KeyState = Field(sa_column=enum_column(KeyState, name="key_state"))
    created_at: datetime = Field(sa_column=utc_datetime())
    activated_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    retired_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    revoked_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))


class EndingKey(Protocol):
    """A key of a network or of an organisation: in service until `retired_at`, stolen since `revoked_at`."""

    created_at: datetime
    retired_at: datetime | None
    revoked_at: datetime | None


class KeyMoveRefused(Conflict): ...


def move_key(key: SealedKey, state: KeyState, *, at: datetime) -> None:
    """Change the state of a key; the public part always stays published (I08)."""
    if state not in _MOVES[key.state]:
        raise KeyMoveRefused(
            N_("Une clé « {before} » ne peut pas devenir « {after} »."),
            before=key.state.value,
            after=state.value,
        )
    key.state = state
    match state:
        case KeyState.ACTIVE:
            key.activated_at = at
        case KeyState.VERIFY_ONLY:
            key.retired_at = at
        case KeyState.REVOKED:
            key.revoked_at = at


def may_be_retired(key: SealedKey) -> bool:
    return key.state is not KeyState.REVOKED


def check_retirement(
    key: EndingKey | SealedKey, reason: str, since: datetime | None, *, at: datetime
) -> None:
    """`since` is when the key may have been stolen; None for an ordinary rotation."""
    check_retirement_reason(reason)
    check_stolen_since(key, since, at=at)


def check_retirement_reason(reason: str) -> None:
    if len(reason.strip()) < 5:
        raise InvalidInput("Dites en une phrase pourquoi la clé est retirée : l’historique la garde.")
    if len(reason) > 500:
        raise InvalidInput("Le motif tient en 500 signes.")


def check_stolen_since(key: EndingKey | SealedKey, since: datetime | None, *, at: datetime) -> None:
    if since is not None and since > at:
        raise InvalidInput("Le moment de la compromission est à venir : donnez celui dont vous êtes sûr.")
    if since is not None and since < key.created_at:
        raise InvalidInput("La clé n’existait pas encore à ce moment-là : donnez un moment d’après.")


def end_key(key: EndingKey, *, since: datetime | None, at: datetime) -> None:
    """Ends a network's or an organisation's key; a retired one may still be revoked, which is final."""
    if key.revoked_at is not None or (since is None and key.retired_at is not None):
        raise KeyMoveRefused(N_("Cette clé est déjà retirée, et elle ne revient pas."))
    key.retired_at, key.revoked_at = key.retired_at or at, since
