"""Shared by request shapes: unknown fields and unstorable characters are refused."""

from __future__ import annotations

import base64
import uuid
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, field_validator
from pydantic_core import PydanticCustomError

from app.errors import InvalidInput
from app.language import N_

# A credential may contain no other control character (RDFC-1.0 implementations differ on them), a database no
# NUL.
_WRITABLE = {"\t", "\n", "\r"}


class Shape(BaseModel):
    """A request body: an unknown field is an error, never a silent assignment (T03)."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    @field_validator("*")
    @classmethod
    def _without_control_characters(cls, value: Any) -> Any:
        for text in value if isinstance(value, list) else (value,):
            if isinstance(text, str) and any(_is_control(sign) for sign in text):
                raise PydanticCustomError("control_character", "control character")
        return value


def _is_control(sign: str) -> bool:
    return (ord(sign) < 32 and sign not in _WRITABLE) or 127 <= ord(sign) < 160


def example(**facts: Any) -> ConfigDict:
    """Configuration of a shape or view with an example."""
    return ConfigDict(json_schema_extra={"example": facts})


def cursor_of(moment: datetime, row_id: uuid.UUID) -> str:
    """The end of a page, as an opaque cursor for the next request."""
    raw = int(moment.timestamp()).to_bytes(8, "big") + row_id.bytes
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def place_of(cursor: str) -> tuple[datetime, uuid.UUID]:
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        return datetime.fromtimestamp(int.from_bytes(raw[:8], "big"), UTC), uuid.UUID(bytes=raw[8:])
    except (ValueError, OverflowError, OSError) as error:
        raise InvalidInput(
            N_("Ce curseur de page n’est pas le nôtre : repartez de la première page.")
        ) from error
