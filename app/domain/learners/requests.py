"""Badge requests: a learner asks, one or two reviewers decide; permissions and deadlines."""

from __future__ import annotations

import hashlib
import hmac
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from urllib.parse import urlsplit

from sqlmodel import Field, Index, SQLModel

from app.domain.badges import Badge, BadgeKind, BadgeVersion, check_given, check_open
from app.domain.campus.campus import Campus, check_works
from app.domain.core import enum_column, foreign_key, json_column, new_id, utc_datetime
from app.domain.people import is_address, is_own_address, normal_address
from app.errors import Conflict, InvalidInput, NotAllowed, NotFound

SHORTEST_NARRATIVE, LONGEST_NARRATIVE = 20, 4000
SHORTEST_REASON, LONGEST_REASON = 5, 1000
LONGEST_LINK, MOST_LINKS = 500, 5
UNCONFIRMED_LIFE = timedelta(days=7)
"""An address unconfirmed by then was mistyped, or belongs to another person."""
LATE_AFTER = timedelta(days=3)
"""Reviewers are reminded of requests that have waited this long,"""
BETWEEN_REVIEW_REMINDERS = timedelta(days=7)
"""and at most this often."""


class RequestState(StrEnum):
    UNCONFIRMED = "unconfirmed"
    """The address is not yet confirmed by its owner."""
    WAITING = "waiting"
    SECOND = "second"
    """One reviewer agreed; another must too."""
    MORE = "more"
    """Reviewers asked for more; it is the person's turn."""
    ACCEPTED = "accepted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"

    @property
    def is_over(self) -> bool:
        return self in (RequestState.ACCEPTED, RequestState.REFUSED, RequestState.WITHDRAWN)

    @property
    def waits_for_reviewers(self) -> bool:
        return self in (RequestState.WAITING, RequestState.SECOND)


OPEN_STATES = (RequestState.WAITING, RequestState.SECOND)
"""Those that wait for reviewers."""


class Step(StrEnum):
    ASKED = "asked"
    ADDED = "added"
    AGREED = "agreed"
    ASKED_MORE = "asked_more"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class BadgeRequest(SQLModel, table=True):
    """`entries` are the ids of the person's own participations that the request rests on.

    `evidence` is the reviewers' proposed evidence text; `waiting_since` is when it became their turn.
    """

    __tablename__ = "badge_request"
    __table_args__ = (
        Index("requests_of_campus", "campus_id", "state", "waiting_since"),
        Index("requests_of_person", "person_id", "badge_id"),
    )
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    campus_id: uuid.UUID = Field(sa_column=foreign_key("campus", index=False))
    badge_id: uuid.UUID = Field(sa_column=foreign_key("badge"))
    person_id: uuid.UUID | None = Field(
        default=None, sa_column=foreign_key("person", nullable=True, index=False)
    )
    given_name: str = Field(default="", max_length=120)
    family_name: str = Field(max_length=120)
    address: str = Field(max_length=254)
    language: str = Field(default="fr", max_length=8)
    narrative: str = Field(max_length=LONGEST_NARRATIVE)
    links: list[str] = Field(default_factory=list, sa_column=json_column())
    entries: list[str] = Field(default_factory=list, sa_column=json_column())
    state: RequestState = Field(
        default=RequestState.UNCONFIRMED, sa_column=enum_column(RequestState, name="request_state")
    )
    created_at: datetime = Field(sa_column=utc_datetime())
    waiting_since: datetime = Field(sa_column=utc_datetime())
    first_reviewer_id: uuid.UUID | None = Field(
        default=None, sa_column=foreign_key("person", nullable=True, index=False)
    )
    agreed_content: str = Field(default="", max_length=16, sa_column_kwargs={"server_default": ""})
    """What the first reviewer agreed to give, badge and evidence; empty before."""
    evidence: str = Field(default="", max_length=4000)
    decided_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    award_id: uuid.UUID | None = Field(default=None, sa_column=foreign_key("award", nullable=True))
    link_generation: int = Field(default=0, sa_column_kwargs={"server_default": "0"})

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}".strip()


class RequestStep(SQLModel, table=True):
    """An event of a request; never changed. `person_id` is the reviewer, None for the requester."""

    __tablename__ = "request_step"
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    request_id: uuid.UUID = Field(sa_column=foreign_key("badge_request"))
    position: int
    step: Step = Field(sa_column=enum_column(Step, name="request_step_kind"))
    person_id: uuid.UUID | None = Field(
        default=None, sa_column=foreign_key("person", nullable=True, index=False)
    )
    text: str = Field(default="", max_length=LONGEST_NARRATIVE)
    at: datetime = Field(sa_column=utc_datetime())


class RequestSort(StrEnum):
    WAITING = "attente"
    PERSON = "personne"
    BADGE = "badge"
    CREATED = "demandee"
    DECIDED = "decidee"


@dataclass(frozen=True)
class RequestFilter:
    """`created`: from the first, before the second. `reader_id`: only what this person may still decide."""

    states: tuple[RequestState, ...] = OPEN_STATES
    badge_id: uuid.UUID | None = None
    created: tuple[datetime | None, datetime | None] = (None, None)
    waiting_before: datetime | None = None
    reader_id: uuid.UUID | None = None


class ListedRequest(NamedTuple):
    id: uuid.UUID
    request: BadgeRequest
    badge: Badge
    version: BadgeVersion


def request_proof(secret: bytes, request_id: uuid.UUID, generation: int) -> str:
    """The unguessable part of the link by which the person follows their request."""
    message = b"request|" + request_id.bytes + (f"|{generation}".encode() if generation else b"")
    return hmac.new(secret, message, hashlib.sha256).hexdigest()[:40]


def reviewers_needed(version: BadgeVersion) -> int:
    """Competency badges require two independent reviewers."""
    return 2 if version.kind is BadgeKind.COMPETENCY else 1


# --- by the person


def check_accepts(badge: Badge, version: BadgeVersion, campus: Campus) -> None:
    """Raises at a suspended campus, where no reviewer works, and if the badge does not accept requests."""
    check_works(campus)
    check_open(badge)
    check_given(version)
    if not badge.accepts_requests:
        raise NotFound("Ce badge ne se demande pas : le campus le donne lui-même.")


def check_narrative(narrative: str) -> None:
    if len(narrative.strip()) < SHORTEST_NARRATIVE:
        raise InvalidInput("Racontez ce que vous avez fait : au moins une phrase.")
    check_narrative_length(narrative)


def check_narrative_length(narrative: str) -> None:
    if len(narrative) > LONGEST_NARRATIVE:
        raise InvalidInput("Le récit tient en {most} signes.", most=LONGEST_NARRATIVE)


def checked_address(typed: str) -> str:
    """In its normal form."""
    address = normal_address(typed)
    if not is_address(address):
        raise InvalidInput("Cette adresse n’est pas complète. Exemple : prenom.nom@lycee.fr")
    return address


def links_added(text: str, known: Collection[str]) -> list[str]:
    """Those that are new, one per line; `known` are already in the request."""
    new = [link for link in read_links(text) if link not in known]
    if len(known) + len(new) > MOST_LINKS:
        raise InvalidInput("Une demande tient {most} liens.", most=MOST_LINKS)
    return new


def lines_of(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def read_links(text: str) -> list[str]:
    """One URL per line; raises InvalidInput for invalid ones."""
    links = lines_of(text)
    if len(links) > MOST_LINKS:
        raise InvalidInput("Une demande tient {most} liens.", most=MOST_LINKS)
    for link in links:
        check_link(link)
    return links


def check_link(link: str) -> None:
    try:
        parts = urlsplit(link)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        good = False
    if not good or len(link) > LONGEST_LINK or any(sign.isspace() or not sign.isprintable() for sign in link):
        raise InvalidInput("Un lien commence par https:// et tient sur une ligne. Vérifiez-le.")


def confirm(request: BadgeRequest, person_id: uuid.UUID, *, at: datetime) -> None:
    """The address is confirmed as the person's: reviewers may read the request."""
    if request.state is not RequestState.UNCONFIRMED:
        return
    request.person_id = person_id
    request.state = RequestState.WAITING
    request.waiting_since = at


def check_may_add(request: BadgeRequest) -> None:
    if request.state is RequestState.SECOND:
        raise Conflict("Votre demande est presque décidée : on n’y ajoute plus rien.")
    if request.state not in (RequestState.WAITING, RequestState.MORE):
        raise _over(request)


def add(request: BadgeRequest, *, at: datetime) -> None:
    """The person adds to their request; this answers reviewers who asked for more."""
    check_may_add(request)
    if request.state is RequestState.MORE:
        request.state = RequestState.WAITING
        request.waiting_since = at


def withdraw(request: BadgeRequest, *, at: datetime) -> None:
    """Idempotent."""
    if request.state is RequestState.WITHDRAWN:
        return
    if request.state.is_over:
        raise _over(request)
    _end(request, RequestState.WITHDRAWN, at)


# --- by reviewers


def is_own(request: BadgeRequest, reviewer_id: uuid.UUID, addresses: Collection[str]) -> bool:
    """Also true under another name at one of their addresses."""
    return reviewer_id == request.person_id or is_own_address(request.address, addresses)


def check_may_review(request: BadgeRequest, reviewer_id: uuid.UUID, addresses: Collection[str]) -> None:
    if is_own(request, reviewer_id, addresses):
        raise NotAllowed("C’est votre propre demande : une autre personne l’examine.")
    if request.state is RequestState.MORE:
        raise Conflict("La personne a été invitée à compléter sa demande : attendez sa réponse.")
    if not request.state.waits_for_reviewers:
        raise _over(request)


def agreed_before(request: BadgeRequest, content: str) -> uuid.UUID | None:
    """The reviewer who agreed to award this content; an agreement to give something else does not count."""
    return request.first_reviewer_id if request.agreed_content in ("", content) else None


def agree(
    request: BadgeRequest,
    reviewer_id: uuid.UUID,
    addresses: Collection[str],
    *,
    needed: int,
    content: str,
    at: datetime,
) -> bool:
    """Records one reviewer's agreement to award `content`; returns whether that suffices."""
    check_may_review(request, reviewer_id, addresses)
    first = agreed_before(request, content)
    if first == reviewer_id:
        raise Conflict("Vous avez déjà donné votre accord : une autre personne doit donner le sien.")
    if needed > 1 and first is None:
        request.first_reviewer_id = reviewer_id
        request.agreed_content = content
        request.state = RequestState.SECOND
        request.waiting_since = at
        return False
    _end(request, RequestState.ACCEPTED, at)
    return True


def ask_more(
    request: BadgeRequest, reviewer_id: uuid.UUID, addresses: Collection[str], *, at: datetime
) -> None:
    """Discards earlier agreements, so that reviewers decide again with the answer."""
    check_may_review(request, reviewer_id, addresses)
    request.state = RequestState.MORE
    request.waiting_since = at
    request.first_reviewer_id = None


def refuse(
    request: BadgeRequest, reviewer_id: uuid.UUID, addresses: Collection[str], *, at: datetime
) -> None:
    check_may_review(request, reviewer_id, addresses)
    _end(request, RequestState.REFUSED, at)


def check_reason(reason: str) -> None:
    if len(reason.strip()) < SHORTEST_REASON:
        raise InvalidInput("Dites pourquoi, en une phrase : la personne la lira.")
    if len(reason) > LONGEST_REASON:
        raise InvalidInput("La raison tient en {most} signes.", most=LONGEST_REASON)


def proposed_evidence(request: BadgeRequest, pieces: Sequence[str]) -> str:
    """Proposed evidence text: the person's own text, and the attached items by name."""
    listed = "\n".join(f"– {piece}" for piece in (*request.links, *pieces))
    return f"{request.narrative.strip()}\n\n{listed}".strip()[:4000]


def _end(request: BadgeRequest, state: RequestState, at: datetime) -> None:
    request.state = state
    request.decided_at = at


def _over(request: BadgeRequest) -> Conflict:
    if request.state is RequestState.UNCONFIRMED:
        return Conflict("L’adresse de cette demande n’est pas encore confirmée.")
    return Conflict("Cette demande est close : elle ne change plus.")
