"""What changed in a campus, for programs that keep a copy."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from app.api.programs import Reader
from app.api.shapes import example
from app.domain.campus.campus import Campus
from app.domain.campus.integration import Change, ChangedKind, WhatHappened
from app.domain.campus.webhooks import api_path

router = APIRouter(prefix="/campuses/{slug}/changes", tags=["changes"])

_CHANGE = {
    "kind": "award",
    "id": "b3f3b1de-7f0a-4f0c-8f37-1f4c1b7f7f62",
    "change": "created",
    "at": "2026-11-25T11:00:00Z",
    "url": "/api/v1/campuses/itip/awards/b3f3b1de-7f0a-4f0c-8f37-1f4c1b7f7f62",
}


class ChangeView(BaseModel):
    model_config = example(**_CHANGE)
    kind: ChangedKind
    id: uuid.UUID | None = Field(description="Null of an erased person.")
    digest: str | None = Field(
        None,
        description="Of an erased person, whose number is not kept: the first 32 hexadecimal digits of the SHA-256 of"
        " the id. Compare it with those of your copy.",
    )
    change: WhatHappened = Field(description="Since you last read to the end.")
    at: datetime
    url: str | None = Field(description="Where its present state is; null where it was removed.")

    @staticmethod
    def of(change: Change, what: WhatHappened, campus: Campus) -> ChangeView:
        return ChangeView(
            kind=change.kind,
            id=None if change.is_erased else change.noun_id,
            digest=change.noun_id.hex if change.is_erased else None,
            change=what,
            at=change.at,
            url=None if change.removed else api_path(campus.slug, change.kind, change.noun_id),
        )


class ChangesPage(BaseModel):
    model_config = example(items=[_CHANGE], next="q83vEgAAAAAAAAABAAAAAAAAAAE", more=False)
    items: list[ChangeView]
    next: str = Field(description="To ask with next time, also where nothing is left to read now.")
    more: bool = Field(description="Whether there are further changes already.")


@router.get("", summary="What was created, changed or removed since a cursor")
def list_changes(
    program: Reader,
    request: Request,
    response: Response,
    after: Annotated[str | None, Query(max_length=60, description="`next` of the page before.")] = None,
    kind: Annotated[list[ChangedKind], Query(description="Only these kinds; may be repeated.")] = [],  # noqa: B006
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> ChangesPage:
    """Without a cursor, everything that exists. Each row appears once, with its newest change, in the order of these
    changes: what changes again meanwhile comes later, and nothing is ever skipped, however many write at the same time.

    410 after a restored backup: read again from the beginning.
    """
    page = program.services.feed.page(program.campus, after, kinds=kind, limit=limit)
    if page.more:
        query = request.url.include_query_params(after=page.cursor).query
        response.headers["Link"] = f'<{request.url.path}?{query}>; rel="next"'
    return ChangesPage(
        items=[ChangeView.of(change, what, program.campus) for change, what in page.changes],
        next=page.cursor,
        more=page.more,
    )
