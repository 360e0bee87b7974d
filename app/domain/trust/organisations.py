"""Partner organisations that speak here without an account: known by the domain of an address that was proved."""

from __future__ import annotations

import hashlib
import re
import uuid
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from sqlmodel import Field, Index, SQLModel, UniqueConstraint, text

from app.domain.core.columns import moment, new_id, part_of, points_to, words
from app.domain.core.signed_text import check_signed_name, name_as_signed
from app.errors import InvalidInput
from app.language import N_

LONGEST_NAME: Final = 120
LONGEST_SITE: Final = 200
LIST_SIZE: Final = 131_072
_IN_SERVICE = text("retired_at IS NULL")

PUBLIC_PROVIDERS: Final = frozenset(
    [
        "aim.com",
        "aliceadsl.fr",
        "aol.com",
        "bbox.fr",
        "caramail.com",
        "club-internet.fr",
        "cegetel.net",
        "disroot.org",
        "duck.com",
        "ecomail.fr",
        "email.com",
        "fastmail.com",
        "fastmail.fm",
        "free.fr",
        "gmail.com",
        "gmx.com",
        "gmx.de",
        "gmx.fr",
        "gmx.net",
        "googlemail.com",
        "hotmail.be",
        "hotmail.co.uk",
        "hotmail.com",
        "hotmail.fr",
        "hushmail.com",
        "icloud.com",
        "infomaniak.com",
        "laposte.net",
        "lavabit.com",
        "libero.it",
        "live.be",
        "live.com",
        "live.fr",
        "lycos.com",
        "mac.com",
        "mail.com",
        "mail.ru",
        "mailbox.org",
        "mailo.com",
        "me.com",
        "msn.com",
        "murena.io",
        "netcourrier.com",
        "neuf.fr",
        "noos.fr",
        "numericable.fr",
        "online.fr",
        "orange.fr",
        "outlook.com",
        "outlook.fr",
        "pm.me",
        "posteo.de",
        "posteo.net",
        "proton.me",
        "protonmail.ch",
        "protonmail.com",
        "qq.com",
        "rocketmail.com",
        "sfr.fr",
        "skynet.be",
        "sympatico.ca",
        "t-online.de",
        "tele2.fr",
        "tuta.com",
        "tuta.io",
        "tutamail.com",
        "tutanota.com",
        "vivaldi.net",
        "voila.fr",
        "wanadoo.fr",
        "web.de",
        "yahoo.ca",
        "yahoo.co.uk",
        "yahoo.com",
        "yahoo.fr",
        "yandex.com",
        "yandex.ru",
        "ymail.com",
        "yopmail.com",
        "zaclys.net",
        "zoho.com",
    ]
)
"""Anybody may have an address there: it says nothing of an organisation."""
_SITE_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+(:\d{1,5})?", re.IGNORECASE)


class Organisation(SQLModel, table=True):
    """One hosted issuer for each proved domain; `mailbox` tells apart those who share a public mail provider.

    `name` and `site` are what was last said by whoever reads mail there.
    """

    __tablename__ = "organisation"
    __table_args__ = (UniqueConstraint("domain", "mailbox", name="one_organisation_of_a_domain"),)
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    domain: str = Field(max_length=253)
    mailbox: str = Field(default="", max_length=64)
    did: str = Field(unique=True, max_length=300)
    name: str = Field(max_length=LONGEST_NAME)
    site: str = Field(default="", max_length=LONGEST_SITE)
    created_at: datetime = Field(sa_column=moment())

    @property
    def is_personal(self) -> bool:
        """Known by one person's own address, which ties nothing to an organisation."""
        return bool(self.mailbox)


class OrganisationKey(SQLModel, table=True):
    """`sealed` opens only with the key-encryption key named beside it; the public part stays published for ever."""

    __tablename__ = "organisation_key"
    __table_args__ = (
        Index(
            "one_organisation_key",
            "organisation_id",
            unique=True,
            postgresql_where=_IN_SERVICE,
            sqlite_where=_IN_SERVICE,
        ),
    )
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    organisation_id: uuid.UUID = Field(sa_column=points_to("organisation", index=False))
    method_id: str = Field(unique=True, max_length=400)
    public_jwk: dict[str, Any] = Field(sa_column=words())
    sealed: bytes
    kek_id: str = Field(max_length=60)
    kek_version: int = Field(default=1)
    created_at: datetime = Field(sa_column=moment())
    retired_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    revoked_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))


class EndorsementPlace(SQLModel, table=True):
    """The place of one endorsement in its organisation's status list: never reused, and `raised_at` never goes back.

    It outlives the endorsement, so that a copy of an erased one can be seen to count no more.
    """

    __tablename__ = "endorsement_place"
    __table_args__ = (UniqueConstraint("endorsement_id", name="one_place_per_endorsement"),)
    organisation_id: uuid.UUID = Field(sa_column=part_of("organisation"))
    position: int = Field(primary_key=True)
    endorsement_id: uuid.UUID
    raised_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))


def domain_of(address: str) -> str:
    return address.rpartition("@")[2].lower()


def is_public_provider(domain: str) -> bool:
    return domain in PUBLIC_PROVIDERS


def mailbox_of(address: str) -> str:
    """What tells one person at a public provider from another, without saying who; empty for a domain of one's own."""
    if not is_public_provider(domain_of(address)):
        return ""
    return hashlib.sha256(f"mailbox of an organisation|{address.lower()}".encode()).hexdigest()


def is_of(organisation: Organisation, address: str) -> bool:
    """Whether whoever reads mail at `address` speaks for the organisation."""
    return (organisation.domain, organisation.mailbox) == (domain_of(address), mailbox_of(address))


def checked_name(name: str) -> str:
    name = " ".join(name.split())
    if len(name) < 2:
        raise InvalidInput(N_("Donnez le nom de l’organisation."))
    if len(name) > LONGEST_NAME:
        raise InvalidInput(N_("Le nom de l’organisation tient en {most} signes."), most=LONGEST_NAME)
    check_signed_name(name)
    return name_as_signed(name)


def checked_site(typed: str) -> str:
    """The address of a site in full; « atelier.fr » is meant for https. Empty stays empty."""
    typed = typed.strip()
    if not typed:
        return ""
    site = typed if "://" in typed else f"https://{typed}"
    try:
        parts = urlsplit(site)
    except ValueError:
        raise _no_site() from None
    is_plain = parts.scheme in ("http", "https") and _SITE_HOST.fullmatch(parts.netloc)
    if (
        not is_plain
        or not site.isascii()
        or not site.isprintable()
        or " " in site
        or len(site) > LONGEST_SITE
    ):
        raise _no_site()
    return site


def _no_site() -> InvalidInput:
    return InvalidInput(
        N_("L’adresse du site ne se lit pas : par exemple « www.exemple.fr ». Ou laissez vide.")
    )
