"""Course platforms (LTI 1.3): registrations, linked accounts, and launches."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from sqlalchemy import Text
from sqlmodel import Column, Field, Index, SQLModel, UniqueConstraint

from app.domain.core import enum_column, foreign_key, index_where, json_column, new_id, utc_datetime
from app.errors import Conflict, InvalidInput, NotSignedIn, Unavailable
from app.language import N_

LOGIN_LIFE: Final = timedelta(minutes=10)
LAUNCH_LIFE: Final = timedelta(hours=2)
OLD_KEY_SHOWN: Final = timedelta(days=30)
"""How long a replaced key stays in the published set: platforms keep the set for a while."""
LONGEST_ID: Final = 255
"""Of subjects, deployments and contexts, as LTI 1.3 has it."""
MOST_ROWS: Final = 5_000
"""Of one list: members of a course, or results of one item."""
MOST_LINE_ITEMS: Final = 200
_LONGEST_URL: Final = 2_000
_ROLE: Final = "http://purl.imsglobal.org/vocab/lis/v2/membership#"
_TEACHING: Final = frozenset({"Instructor", "ContentDeveloper", "Administrator"})
"""No `Mentor`: platforms name so the parents who observe a pupil's course."""
_OTHER_NAMES: Final = re.compile(r"[^\x21-\x7e]")


class LtiPlatform(SQLModel, table=True):
    """A course platform as a campus registered it. Its addresses never change: another platform is another row,
    without linked accounts.

    `token_at`: when it last gave us an access token, good until `token_until`; no token is stored.
    `trouble`: why the last request got nothing.
    """

    __tablename__ = "lti_platform"
    __table_args__ = (
        index_where(
            "lti_platform_in_use", "campus_id", "issuer", "client_id", where="removed_at IS NULL", unique=True
        ),
    )
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    campus_id: uuid.UUID = Field(sa_column=foreign_key("campus"))
    label: str = Field(max_length=120)
    issuer: str = Field(max_length=400)
    client_id: str = Field(max_length=200)
    deployments: list[str] = Field(sa_column=json_column())
    keys_url: str = Field(max_length=400)
    token_url: str = Field(max_length=400)
    authorization_url: str = Field(max_length=400)
    created_at: datetime = Field(sa_column=utc_datetime())
    removed_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    token_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    token_until: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    trouble: str = Field(default="", max_length=60)
    trouble_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))

    @property
    def registration(self) -> LtiRegistration:
        return LtiRegistration(
            self.label,
            self.issuer,
            self.client_id,
            tuple(self.deployments),
            self.keys_url,
            self.token_url,
            self.authorization_url,
        )


class LtiKey(SQLModel, table=True):
    """An RSA key with which a campus signs requests to platforms; the newest one signs."""

    __tablename__ = "lti_key"
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    campus_id: uuid.UUID = Field(sa_column=foreign_key("campus"))
    sealed: bytes
    kek_id: str = Field(max_length=16)
    public_jwk: dict[str, Any] = Field(sa_column=json_column())
    created_at: datetime = Field(sa_column=utc_datetime())


class LtiCourse(SQLModel, table=True):
    """A course of a platform, as its last launch describes it, and the activity that its people belong to."""

    __tablename__ = "lti_course"
    __table_args__ = (UniqueConstraint("platform_id", "deployment", "context", name="lti_course_once"),)
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    campus_id: uuid.UUID = Field(sa_column=foreign_key("campus"))
    platform_id: uuid.UUID = Field(sa_column=foreign_key("lti_platform"))
    deployment: str = Field(max_length=LONGEST_ID)
    context: str = Field(max_length=LONGEST_ID)
    title: str = Field(default="", max_length=200)
    memberships_url: str = Field(default="", max_length=_LONGEST_URL)
    line_items_url: str = Field(default="", max_length=_LONGEST_URL)
    activity_id: uuid.UUID | None = Field(default=None, sa_column=foreign_key("activity", nullable=True))
    seen_at: datetime = Field(sa_column=utc_datetime())
    roster_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))


class LtiAccount(SQLModel, table=True):
    """A user of a platform who linked their account here by signing in; an address alone links no account."""

    __tablename__ = "lti_account"
    __table_args__ = (UniqueConstraint("platform_id", "subject", name="lti_account_once"),)
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    campus_id: uuid.UUID = Field(sa_column=foreign_key("campus"))
    platform_id: uuid.UUID = Field(sa_column=foreign_key("lti_platform"))
    subject: str = Field(max_length=LONGEST_ID)
    person_id: uuid.UUID = Field(sa_column=foreign_key("person"))
    linked_at: datetime = Field(sa_column=utc_datetime())


class LaunchKind(StrEnum):
    RESOURCE = "resource"
    DEEP_LINKING = "deep_linking"


class LtiLaunch(SQLModel, table=True):
    """A browser that came from a platform: its secret opens the course's pages of this campus, and nothing else.

    Without a linked account it identifies no person. `secret_digest` is of the cookie.
    """

    __tablename__ = "lti_launch"
    __table_args__ = (Index("lti_launch_by_end", "campus_id", "expires_at"),)
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    campus_id: uuid.UUID = Field(sa_column=foreign_key("campus", index=False))
    platform_id: uuid.UUID = Field(sa_column=foreign_key("lti_platform"))
    secret_digest: str = Field(unique=True, max_length=64)
    kind: LaunchKind = Field(sa_column=enum_column(LaunchKind, name="lti_launch_kind"))
    subject: str = Field(max_length=LONGEST_ID)
    teaches: bool
    course_id: uuid.UUID | None = Field(default=None, sa_column=foreign_key("lti_course", nullable=True))
    deployment: str = Field(max_length=LONGEST_ID)
    badge_id: uuid.UUID | None = None
    """Of the link in the course that was opened."""
    return_url: str = Field(default="", max_length=_LONGEST_URL)
    return_data: str = Field(default="", sa_column=Column(Text(), nullable=False))
    expires_at: datetime = Field(sa_column=utc_datetime())


_URLS: Final = ("issuer", "keys_url", "token_url", "authorization_url")


@dataclass(frozen=True)
class LtiRegistration:
    """What identifies a platform, and where it answers."""

    label: str
    issuer: str
    client_id: str
    deployments: Sequence[str]
    keys_url: str
    token_url: str
    authorization_url: str

    def check(self, *, allows_local: bool) -> None:
        for fault in self.faults(allows_local=allows_local).values():
            raise fault

    def faults(self, *, allows_local: bool) -> dict[str, InvalidInput]:
        """What no platform has, by field; addresses are read again by the guarded client."""
        return dict(self._faults(allows_local=allows_local))

    def _faults(self, *, allows_local: bool) -> Iterator[tuple[str, InvalidInput]]:
        """Of two of one field, the last counts."""
        if not self.label.strip():
            yield "label", InvalidInput("Écrivez un nom pour la plateforme.")
        if not self.client_id.strip():
            yield "client_id", InvalidInput("Écrivez l’identifiant de client que la plateforme vous donne.")
        if _OTHER_NAMES.search(self.client_id):
            yield "client_id", InvalidInput("L’identifiant de client est un mot sans espace ni accent.")
        for name in _URLS:
            if not is_platform_url(url := getattr(self, name), allows_local=allows_local):
                if url:
                    sentence = N_("« {url} » n’est pas une adresse qui commence par https://.")
                else:
                    sentence = N_("Écrivez une adresse qui commence par https://.")
                yield name, InvalidInput(sentence, url=url[:100])
        if not self.deployments or any(_OTHER_NAMES.search(each) for each in self.deployments):
            sentence = N_("Écrivez au moins un identifiant de déploiement, par exemple 1.")
            yield "deployments", InvalidInput(sentence)
        for name, most in {"label": 120, "client_id": 200, **dict.fromkeys(_URLS, 400)}.items():
            if len(getattr(self, name)) > most:
                yield name, InvalidInput("C’est trop long : {most} signes au plus.", most=most)
        if any(len(each) > LONGEST_ID for each in self.deployments):
            yield "deployments", InvalidInput("C’est trop long : {most} signes au plus.", most=LONGEST_ID)


@dataclass(frozen=True)
class LtiLogin:
    """A login that waits for its launch, in the browser that began it."""

    platform_id: uuid.UUID
    state: str
    nonce: str


@dataclass(frozen=True)
class DeepLinkSettings:
    return_url: str
    data: str
    takes_links: bool


@dataclass(frozen=True)
class Launch:
    """The checked content of an ID token; without a name and without an address, which prove nothing here."""

    kind: LaunchKind
    subject: str
    deployment: str
    roles: Sequence[str]
    context: str = ""
    title: str = ""
    memberships_url: str = ""
    line_items_url: str = ""
    badge_id: uuid.UUID | None = None
    deep_link: DeepLinkSettings | None = None

    @property
    def teaches(self) -> bool:
        return teaches(self.roles)


def teaches(roles: Sequence[str]) -> bool:
    """Roles in the course; a role in the school does not count."""
    return any(role_name(each) in _TEACHING for each in roles)


def learns(roles: Sequence[str]) -> bool:
    return any(role_name(each) in ("Learner", "Student") for each in roles)


def role_name(role: str) -> str:
    """`Instructor` of `http://purl.imsglobal.org/vocab/lis/v2/membership#Instructor` or of its short form;
    empty for roles that are not of a course."""
    return role.removeprefix(_ROLE) if role.startswith(_ROLE) or ":" not in role else ""


@dataclass(frozen=True)
class Member:
    """One line of the roster of a course."""

    subject: str
    roles: Sequence[str]
    is_active: bool
    given_name: str
    family_name: str
    name: str
    address: str


@dataclass(frozen=True)
class LineItem:
    """Something that is graded in a course."""

    url: str
    label: str
    maximum: float


@dataclass(frozen=True)
class LtiResult:
    subject: str
    score: float
    maximum: float


@dataclass(frozen=True)
class ToolKey:
    key_id: str
    pem: str = ""


@dataclass
class RequestBudget:
    """What one visit may take from a platform, over all pages of all lists: seconds and bytes."""

    monotonic: Callable[[], float]
    seconds: float = 20.0
    size: int = 10 * 1024 * 1024

    def __post_init__(self) -> None:
        self._ends = self.monotonic() + self.seconds

    def spend(self, size: int) -> None:
        self.size -= size

    @property
    def is_spent(self) -> bool:
        return self.size < 0 or self.monotonic() >= self._ends


@dataclass(frozen=True)
class GrantedToken:
    secret: str
    until: datetime
    budget: RequestBudget = field(compare=False)


def is_platform_url(url: str, *, allows_local: bool) -> bool:
    """`allows_local`: for development, plain http on this machine too."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if _OTHER_NAMES.search(url) or "\\" in url or not host or "@" in parts.netloc:
        return False
    return parts.scheme == "https" or (
        allows_local and parts.scheme == "http" and host in ("localhost", "127.0.0.1")
    )


class LaunchRefused(NotSignedIn):
    """`about` is for the log: the claim that is wrong, never its value."""

    def __init__(self, about: str) -> None:
        super().__init__(
            N_(
                "Ce lien ne vient pas d’un cours inscrit ici, ou il a déjà servi. Ouvrez de nouveau l’activité depuis le cours."
            )
        )
        self.about = about


class PlatformDown(Unavailable):
    def __init__(self, label: str, why: str) -> None:
        super().__init__(
            N_("« {label} » ne répond pas en ce moment. Réessayez dans quelques minutes."), label=label
        )
        self.why = why


class PlatformRefused(Conflict):
    def __init__(self, label: str, why: str) -> None:
        super().__init__(
            N_(
                "« {label} » a refusé de répondre. Vérifiez dans la plateforme que l’outil peut lire la liste et les notes."
            ),
            label=label,
        )
        self.why = why


class LtiRequests(Protocol):
    """What is asked of a platform, through the guarded client."""

    def read_launch(
        self, registration: LtiRegistration, id_token: str, nonce: str, *, at: datetime
    ) -> Launch: ...

    def token(self, registration: LtiRegistration, key: ToolKey, *, at: datetime) -> GrantedToken: ...

    def members(self, registration: LtiRegistration, token: GrantedToken, url: str) -> list[Member]: ...

    def line_items(self, registration: LtiRegistration, token: GrantedToken, url: str) -> list[LineItem]: ...

    def results(
        self, registration: LtiRegistration, token: GrantedToken, item: LineItem
    ) -> list[LtiResult]: ...


def member_id(platform_id: uuid.UUID, subject: str) -> str:
    """The identifier of a participant, of this platform alone: `lti:` and a number of the platform stand before
    its own. A subject that an identifier cannot hold is replaced by its digest."""
    fits = len(subject) <= 150 and subject.isprintable() and subject == subject.strip()
    own = subject if fits else "sha256-" + hashlib.sha256(subject.encode()).hexdigest()
    return f"lti:{platform_id.hex[:12]}:{own}"


_LONGEST_RESULTS: Final = 1_000


def written_results(heading: str, found: Sequence[tuple[LineItem, LtiResult]]) -> str:
    """« Résultats (Moodle) : Quiz 15/20 ; Projet 8/10 », as it enters the participation and its log line.
    Results that no longer fit are left out whole."""
    text = ""
    for item, result in found:
        label = item.label.replace(";", ",")
        part = f"{label} {_number(result.score)}/{_number(result.maximum)}"
        longer = f"{text} ; {part}" if text else f"{heading}{part}"
        if len(longer) > _LONGEST_RESULTS:
            break
        text = longer
    return text


def _number(value: float) -> str:
    """With a comma, without zeros at the end."""
    return f"{value:.2f}".rstrip("0").rstrip(".").replace(".", ",")


def results_of(
    heading: str, results: Mapping[str, Sequence[LtiResult]], items: Sequence[LineItem]
) -> dict[str, str]:
    """By subject: their results, in the order of the items. `results`: by the address of an item."""
    found: dict[str, list[tuple[LineItem, LtiResult]]] = {}
    for item in items:
        for result in results.get(item.url, ()):
            found.setdefault(result.subject, []).append((item, result))
    return {subject: written_results(heading, each) for subject, each in found.items()}
