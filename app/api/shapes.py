"""What the shapes of requests share: nothing unknown gets in, and a campus is named by its slug."""

from __future__ import annotations

import base64
import uuid
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, ConfigDict

from app.errors import InvalidInput
from app.language import N_


class Shape(BaseModel):
    """A request body: a field nobody asked for is an error, never a silent assignment (T03)."""

    model_config = ConfigDict(extra="forbid")


Slug = Annotated[str, Path(description="The campus, by its short address.", examples=["itip"], max_length=60)]


def cursor_of(moment: datetime, row_id: uuid.UUID) -> str:
    """Where a page ended, as an opaque word for the next request."""
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
