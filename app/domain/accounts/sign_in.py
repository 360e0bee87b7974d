"""What one signs in with: links that work once, passwords, and challenges that wait for one answer."""

from __future__ import annotations

import base64
import hashlib
import hmac
import uuid
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlmodel import Field, SQLModel

from app.domain.core.columns import moment, new_id, part_of, points_to, word_of, words
from app.errors import Conflict, NotSignedIn
from app.language import N_

SIGN_IN_LINK_LIFE = timedelta(minutes=10)
CHALLENGE_LIFE = timedelta(minutes=5)
ADDRESS_LINK_LIFE = timedelta(hours=24)
MOST_CODES_TRIED = 5
_CODE_SIGNS = 8


class SignInLink(SQLModel, table=True):
    """`browser_digest` names the browser that asked; a link that an operator made is good in any.

    `address`: where the letter went; whoever opens the link has proved that it is theirs.
    """

    __tablename__ = "sign_in_link"
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    person_id: uuid.UUID = Field(sa_column=points_to("person"))
    secret_digest: str = Field(unique=True, max_length=64)
    browser_digest: str = Field(default="", max_length=64, index=True)
    codes_tried: int = Field(default=0)
    address: str = Field(default="", max_length=254)
    expires_at: datetime = Field(sa_column=moment())
    used_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))


class Password(SQLModel, table=True):
    __tablename__ = "password"
    person_id: uuid.UUID = Field(sa_column=part_of("person"))
    hash: str = Field(max_length=300)
    set_at: datetime = Field(sa_column=moment())


class Asked(StrEnum):
    """What a challenge was made for; one made for another thing answers nothing."""

    PASSKEY_SIGN_IN = "passkey_sign_in"
    PASSKEY_ENROL = "passkey_enrol"
    OIDC = "oidc"
    ADDRESS = "address"


class Challenge(SQLModel, table=True):
    """A question that waits for one answer, from the browser or the person it was put to; taken away when answered."""

    __tablename__ = "challenge"
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    asked: Asked = Field(sa_column=word_of(Asked, name="challenge_asked"))
    secret_digest: str = Field(unique=True, max_length=64)
    person_id: uuid.UUID | None = Field(default=None, sa_column=points_to("person", nullable=True))
    browser_digest: str = Field(default="", max_length=64)
    facts: dict[str, Any] = Field(default_factory=dict, sa_column=words())
    expires_at: datetime = Field(sa_column=moment(index=True))


class OtherBrowser(Conflict):
    """The link is good, but in the browser that asked for it."""


def use_link(link: SignInLink, *, browser_digest: str, at: datetime) -> None:
    """Use it up in the browser that asked; in another one it stays as it is."""
    check_link_lives(link, at=at)
    if link.browser_digest and not hmac.compare_digest(link.browser_digest, browser_digest):
        raise OtherBrowser(
            N_(
                "Ce lien a été demandé dans un autre navigateur. Il n’ouvre de session que là où il a été demandé."
            )
        )
    link.used_at = at


def check_link_lives(link: SignInLink, *, at: datetime) -> None:
    if link.used_at is not None:
        raise NotSignedIn(N_("Ce lien a déjà servi. Demandez-en un nouveau."))
    if at >= link.expires_at:
        raise NotSignedIn(N_("Ce lien a expiré. Demandez-en un nouveau."))


def code_of(link: SignInLink, key: bytes) -> str:
    """What the letter's browser shows, to be typed in the browser that asked: `ABCD-EFGH`, 40 bits."""
    message = b"code of link|" + link.secret_digest.encode()
    code = base64.b32encode(hmac.digest(key, message, hashlib.sha256)).decode()[:_CODE_SIGNS]
    return f"{code[:4]}-{code[4:]}"


def is_code(typed: str, link: SignInLink, key: bytes) -> bool:
    """Whether that is the link's code, however it was spaced; no link stands more than a few tries."""
    if link.codes_tried > MOST_CODES_TRIED:
        return False
    plain = "".join(sign for sign in typed.upper() if sign.isalnum())
    return hmac.compare_digest(plain.encode(), code_of(link, key).replace("-", "").encode())


def answer_challenge(
    challenge: Challenge | None,
    *,
    asked: Asked,
    at: datetime,
    browser_digest: str = "",
    person_id: uuid.UUID | None = None,
) -> Challenge:
    """The challenge, if it was put to this browser or this person, for this purpose, a few minutes ago."""
    good = (
        challenge is not None
        and challenge.asked is asked
        and at < challenge.expires_at
        and hmac.compare_digest(challenge.browser_digest, browser_digest)
        and (challenge.person_id is None or challenge.person_id == person_id)
    )
    if challenge is None or not good:
        raise NotSignedIn(N_("Cette étape a expiré ou a déjà servi. Recommencez."))
    return challenge
