"""Links that leave by letter alone: what a private link, which may have been lent, is not enough for."""

from __future__ import annotations

import hashlib
import hmac
import uuid
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from app.errors import NotSignedIn
from app.language import N_

LINK_LIFE = timedelta(days=7)


class Wish(StrEnum):
    """What the holder of an award asks for all that is held about them."""

    ARCHIVE = "a"
    ERASURE_HERE = "c"
    ERASURE_EVERYWHERE = "t"


def mailbox_token(secret: bytes, award_id: uuid.UUID, asked_at: datetime, wish: Wish) -> str:
    """The unguessable part of such a link."""
    told = f"{award_id.hex}.{int(asked_at.timestamp())}.{wish.value}"
    return f"{told}.{_mac(secret, told)}"


def read_mailbox_token(secret: bytes, token: str, *, at: datetime) -> tuple[uuid.UUID, Wish]:
    """The award and what was asked; raises NotSignedIn for a link that is not ours, or too old."""
    told, _, mac = token.rpartition(".")
    parts, expected = told.split("."), _mac(secret, told)
    if len(parts) != 3 or not hmac.compare_digest(mac.encode("utf-8", "replace"), expected.encode()):
        raise NotSignedIn(N_("Ce lien n’est pas entier. Reprenez celui de la lettre."))
    if at >= datetime.fromtimestamp(int(parts[1]), UTC) + LINK_LIFE:
        raise NotSignedIn(N_("Ce lien a plus de sept jours et n’ouvre plus rien. Redemandez-le."))
    return uuid.UUID(parts[0]), Wish(parts[2])


def _mac(secret: bytes, told: str) -> str:
    message = b"mailbox|" + told.encode("utf-8", "replace")
    return hmac.new(secret, message, hashlib.sha256).hexdigest()[:40]
