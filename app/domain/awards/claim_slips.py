"""Short claim codes for one award: read aloud, typed on a phone, valid for one claim within some weeks."""

from __future__ import annotations

import hashlib
import hmac
import uuid
from datetime import datetime, timedelta

from sqlmodel import Field, SQLModel

from app.domain.core import ALPHABET, primary_foreign_key, utc_datetime
from app.errors import InvalidInput
from app.language import N_

CODE_LIFE = timedelta(days=60)
LENGTH = 8
_MEANT = str.maketrans({"O": "0", "I": "1", "L": "1"})
_BETWEEN = " -–—._/\u00a0\u202f"


class ClaimCode(SQLModel, table=True):
    """An issued code. Only its keyed digest is stored, so that reading this table reveals no code."""

    __tablename__ = "claim_code"
    award_id: uuid.UUID = Field(sa_column=primary_foreign_key("award"))
    digest: str = Field(unique=True, max_length=64)
    expires_at: datetime = Field(sa_column=utc_datetime())


def code_of(secret: bytes, award_id: uuid.UUID, generation: int, turn: int = 0) -> str:
    """Seven unguessable characters and a check character; `turn` gives another code."""
    told = b"claim-code|" + award_id.bytes + generation.to_bytes(4, "big") + turn.to_bytes(4, "big")
    number = int.from_bytes(hmac.digest(secret, told, hashlib.sha256)[:5], "big") >> 5
    signs = "".join(ALPHABET[(number >> 5 * place) & 31] for place in range(LENGTH - 1))
    return signs + _check_sign(signs)


def code_digest(secret: bytes, code: str) -> str:
    return hmac.new(secret, b"claim-code-digest|" + code.encode(), hashlib.sha256).hexdigest()


def shown_code(code: str) -> str:
    """7KQ2-M4XD"""
    return f"{code[:4]}-{code[4:]}"


def read_code(typed: str) -> str:
    """The code that was typed, normalised; raises InvalidInput if it cannot be one."""
    signs = "".join(sign for sign in typed.upper() if sign not in _BETWEEN).translate(_MEANT)
    if len(signs) != LENGTH:
        raise InvalidInput(
            N_("Le code a {length} signes, par exemple 7KQ2-M4XD. Vérifiez qu’il est entier."), length=LENGTH
        )
    if any(sign not in ALPHABET for sign in signs) or _check_sign(signs[:-1]) != signs[-1]:
        raise InvalidInput(N_("Il y a une faute de frappe dans ce code. Relisez-le signe par signe."))
    return signs


def _check_sign(signs: str) -> str:
    """Luhn over 32 characters: detects every single wrong character, and nearly all swaps of neighbours."""
    total = 0
    for place, sign in enumerate(reversed(signs)):
        value = ALPHABET.index(sign) * (2 if place % 2 == 0 else 1)
        total += value // 32 + value % 32
    return ALPHABET[-total % 32]
