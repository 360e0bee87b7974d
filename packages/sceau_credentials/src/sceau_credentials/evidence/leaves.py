"""The entries of the activity log as they stand in the tree: a kind, a minute and a commitment, nobody's data."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from sceau_credentials.errors import MalformedInput
from sceau_credentials.keys import decode_base64url, encode_base64url
from sceau_credentials.transparency_log.tree import leaf_hash
from sceau_credentials.values.json_text import JsonObject
from sceau_credentials.values.timestamps import format_timestamp

VERSION: Final = 1
_KIND = re.compile(r"[a-z]{1,32}")
# Without 24:00, which some versions of Python read as the next day.
_MINUTE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9]Z")


@dataclass(frozen=True, slots=True)
class Leaf:
    """`at` is cut down to the minute; `commitment` has 32 bytes (see commitments.py)."""

    kind: str
    at: datetime
    commitment: bytes

    def to_bytes(self) -> bytes:
        """The entry of the log: its canonical JSON, which an entry bundle serves and the tree hashes."""
        # Every member is of a form that JSON writes in one way only, so that this is RFC 8785 already.
        return (
            f'{{"at":"{self._minute()}","commitment":"{encode_base64url(self.commitment)}",'
            f'"kind":"{self.kind}","v":{VERSION}}}'
        ).encode()

    def hash(self) -> bytes:
        return leaf_hash(self.to_bytes())

    def to_document(self) -> JsonObject:
        return {
            "at": self._minute(),
            "commitment": encode_base64url(self.commitment),
            "kind": self.kind,
            "v": VERSION,
        }

    @classmethod
    def from_document(cls, document: Any) -> Leaf:
        """Read an entry; what is not exactly one is a MalformedInput."""
        if not isinstance(document, dict) or document.keys() != {"at", "commitment", "kind", "v"}:
            raise MalformedInput("malformed_leaf")
        at, kind, commitment = document["at"], document["kind"], document["commitment"]
        if (
            document["v"] != VERSION
            or isinstance(document["v"], bool)
            or not (isinstance(at, str) and _MINUTE.fullmatch(at))
            or not (isinstance(kind, str) and _KIND.fullmatch(kind))
            or not (isinstance(commitment, str) and len(commitment) == 43)
        ):
            raise MalformedInput("malformed_leaf")
        try:
            moment = datetime.fromisoformat(at)
        except ValueError:
            raise MalformedInput("malformed_leaf", "/at") from None
        return cls(kind, moment, decode_base64url(commitment))

    def _minute(self) -> str:
        return _written_minute(self.at)


@lru_cache(maxsize=256)
def _written_minute(at: datetime) -> str:
    """Kept: the leaves of a bulk award are of few minutes."""
    return f"{format_timestamp(at)[:16]}Z"
