"""Where the signed bytes of awards are: in their rows, or in an object store once they are old."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from sqlmodel import Field, SQLModel

from app.domain.awards import NewerDocument, SignedDocument
from app.domain.core import foreign_key, utc_datetime
from app.errors import Unavailable
from app.language import N_
from sceau_credentials.values import parse_json_object

LARGEST_OBJECT: Final = 4 * 1024 * 1024
"""Bytes. A larger document stays in its row."""
LEASE: Final = timedelta(minutes=15)
"""How long a move has for its batch; then its objects are removed, or another move continues."""


class BytesUnavailable(Unavailable):
    """Signed bytes that are not in their row could not be read; this is no statement about the badge.

    `cause` is for the operator.
    """

    def __init__(self, cause: str = "") -> None:
        super().__init__(
            N_(
                "Ce badge est temporairement indisponible. Réessayez dans quelques minutes. Rien n’est dit de sa valeur."
            )
        )
        self.cause = cause


class StoreSilent(BytesUnavailable):
    """The object store does not answer, or refuses us."""


class ObjectLost(BytesUnavailable):
    """The store answers, and has no such object."""


class ObjectDiffers(BytesUnavailable):
    """The object is not the one that was signed; it is never served."""


class SignedBytes(Protocol):
    """The port: reads what is not in its row."""

    def read(self, campus_id: uuid.UUID, digest: str) -> bytes:
        """The bytes with this SHA-256; raises BytesUnavailable."""
        ...


class InDatabase:
    """All signed bytes are in their rows."""

    def read(self, campus_id: uuid.UUID, digest: str) -> bytes:  # noqa: ARG002
        raise StoreSilent("SCEAU_OBJECT_STORE")


class ObjectStore(SignedBytes, Protocol):
    """Rows, and an object store for old bytes. An object is named by its campus and its SHA-256."""

    def fetch(self, campus_id: uuid.UUID, digest: str) -> bytes:
        """As `read`, from the store itself: no copy in memory is used."""
        ...

    def write(self, campus_id: uuid.UUID, digest: str, body: bytes) -> None:
        """Idempotent. Raises StoreSilent."""
        ...

    def remove(self, campus_id: uuid.UUID, digest: str) -> None:
        """Idempotent, for an object that does not exist too. Raises StoreSilent."""
        ...

    def names(self) -> Iterator[tuple[uuid.UUID, str]]:
        """Campus and digest of every object. Raises StoreSilent."""
        ...

    def try_out(self) -> None:
        """Writes, reads and removes an object of no campus; raises BytesUnavailable."""
        ...

    @property
    def place(self) -> str:
        """Address of the bucket with the prefix, without secrets."""
        ...


def checked(body: bytes, digest: str) -> bytes:
    if hashlib.sha256(body).hexdigest() != digest:
        raise ObjectDiffers(digest)
    return body


@dataclass(frozen=True)
class StoredDocument:
    """One edition of a signed credential, wherever its bytes are."""

    row: SignedDocument | NewerDocument
    campus_id: uuid.UUID
    elsewhere: SignedBytes

    @property
    def edition(self) -> int:
        return self.row.edition if isinstance(self.row, NewerDocument) else 1

    @property
    def embedded(self) -> bytes:
        held = self.row.embedded
        return held if held is not None else self.elsewhere.read(self.campus_id, self.embedded_digest)

    @property
    def issuer_name(self) -> str:
        """What the campus was called: it may have another name today."""
        issuer: Any = parse_json_object(self.embedded)["issuer"]
        return str(issuer["name"])

    @property
    def token(self) -> str:
        held = self.row.token
        return held if held is not None else self.elsewhere.read(self.campus_id, self.token_digest).decode()

    @property
    def embedded_digest(self) -> str:
        return self.row.embedded_digest

    @property
    def token_digest(self) -> str:
        return self.row.token_digest

    @property
    def signed_at(self) -> datetime:
        return self.row.signed_at


class ObjectRemoval(SQLModel, table=True):
    """The objects of one document, to be removed once due, unless its row relies on them by then.

    Written before an upload, so that no interrupted move leaves objects behind; and by a trigger when a
    document is deleted.
    """

    __tablename__ = "object_removal"
    award_id: uuid.UUID = Field(primary_key=True)
    """Without foreign key: it outlives an erased award."""
    edition: int = Field(primary_key=True)
    campus_id: uuid.UUID = Field(sa_column=foreign_key("campus"))
    embedded_digest: str = Field(max_length=64)
    token_digest: str = Field(max_length=64)
    due_at: datetime = Field(sa_column=utc_datetime())
    mover: uuid.UUID | None = None
    """The move under way."""
    leased_until: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    claimed_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    """When the removal began; from then on no move may rely on the objects."""
