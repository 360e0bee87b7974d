"""The address a campus writes from: proved by a code, and known to mail servers by a DNS record."""

from __future__ import annotations

import base64
import hashlib
import hmac
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol

from sqlmodel import Field, SQLModel

from app.domain.core import primary_foreign_key, utc_datetime
from app.domain.people import is_address, normal_address
from app.errors import InvalidInput

SENDER_CODE_LIFE = timedelta(hours=24)
_CODE_SIGNS = 8
_MOST_LABELS = 4
_PROVIDERS: Final = frozenset(
    [
        "bbox.fr",
        "free.fr",
        "gmail.com",
        "gmx.fr",
        "googlemail.com",
        "hotmail.com",
        "hotmail.fr",
        "icloud.com",
        "laposte.net",
        "live.fr",
        "me.com",
        "neuf.fr",
        "numericable.fr",
        "orange.fr",
        "outlook.com",
        "outlook.fr",
        "proton.me",
        "protonmail.com",
        "sfr.fr",
        "wanadoo.fr",
        "yahoo.com",
        "yahoo.fr",
    ]
)
"""Their customers cannot publish a record."""


class CampusSender(SQLModel, table=True):
    """`in_use_since`: e-mails of the campus leave from `address`; otherwise from the service's."""

    __tablename__ = "campus_sender"
    campus_id: uuid.UUID = Field(sa_column=primary_foreign_key("campus"))
    address: str = Field(max_length=254)
    asked_at: datetime = Field(sa_column=utc_datetime())
    verified_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    in_use_since: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]


def read_sender(typed: str) -> str:
    address = normal_address(typed)
    if not is_address(address):
        raise InvalidInput("Cette adresse n’est pas complète. Exemple : badges@etablissement.fr")
    if address.rpartition("@")[2] in _PROVIDERS:
        raise InvalidInput(
            "Prenez une adresse du domaine de votre établissement : chez ce fournisseur, rien ne se publie."
        )
    return address


def sender_code(secret: bytes, sender: CampusSender) -> str:
    """`ABCD-EFGH`, sent to the address: 40 bits, for this campus and this request."""
    asked = f"{sender.campus_id}|{sender.address}|{sender.asked_at.isoformat()}"
    proof = hmac.digest(secret, b"code of sender|" + asked.encode(), hashlib.sha256)
    code = base64.b32encode(proof).decode()[:_CODE_SIGNS]
    return f"{code[:4]}-{code[4:]}"


def check_sender_code(typed: str, secret: bytes, sender: CampusSender, *, at: datetime) -> None:
    plain = "".join(sign for sign in typed.upper() if sign.isalnum())
    good = hmac.compare_digest(plain.encode(), sender_code(secret, sender).replace("-", "").encode())
    if not good or at >= sender.asked_at + SENDER_CODE_LIFE:
        raise InvalidInput("Ce code n’est pas le bon, ou il a expiré. Demandez-en un autre.")


class RecordState(StrEnum):
    FOUND = "found"
    MISSING = "missing"
    OTHER = "other"
    """There is a record, with other content."""
    UNKNOWN = "unknown"
    """The DNS does not answer."""


@dataclass(frozen=True)
class DnsRecord:
    name: str
    value: str
    state: RecordState


@dataclass(frozen=True)
class MailIdentity:
    """`address`: the service's own sender. `dkim`: the record of the key that signs; empty where none does."""

    address: str
    selector: str = ""
    dkim: str = ""

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]

    @property
    def signs(self) -> bool:
        return bool(self.dkim)


class MailRecords(Protocol):
    def texts(self, name: str) -> Sequence[str] | None:
        """The TXT records of a name, through its aliases; None where the DNS does not answer."""


def dkim_record(identity: MailIdentity, domain: str, records: MailRecords) -> DnsRecord:
    """What `domain` publishes (RFC 6376), and whether it does."""
    name = f"{identity.selector}._domainkey.{domain}"
    found = records.texts(name)
    if found is None:
        state = RecordState.UNKNOWN
    elif any(_tags(each).get("p") == _tags(identity.dkim)["p"] for each in found):
        state = RecordState.FOUND
    else:
        state = RecordState.OTHER if found else RecordState.MISSING
    return DnsRecord(name, identity.dkim, state)


def dmarc_policy(domain: str, records: MailRecords) -> str | None:
    """`none`, `quarantine`, `reject` (RFC 7489), of the domain or of one above it; empty if there is none, None
    where the DNS does not answer. Of a long name, only the last labels are asked."""
    labels = domain.split(".")
    last = range(max(0, len(labels) - _MOST_LABELS), len(labels) - 1)
    for start in dict.fromkeys([0, *last] if last else ()):
        found = records.texts("_dmarc." + ".".join(labels[start:]))
        if found is None:
            return None
        for each in found:
            tags = _tags(each)
            if tags.get("v", "").casefold() == "dmarc1":
                policy = (tags.get("sp") if start else None) or tags.get("p", "none")
                return policy.casefold() if policy.casefold() in ("quarantine", "reject") else "none"
    return ""


def _tags(record: str) -> dict[str, str]:
    """`name=value` pairs; spaces inside values mean nothing (RFC 6376, section 3.2)."""
    pairs = (part.partition("=") for part in record.split(";"))
    return {name.strip(): "".join(value.split()) for name, _, value in pairs if name.strip()}
