"""Shared by requests and answers: what is refused, pages of a list, receipts of many lines."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Depends, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError

from app.domain.campus.integration import LONGEST_EXTERNAL_ID, LineRefused, Receipt, UpsertOutcome
from app.errors import AppError, InvalidInput
from app.http.problems import TITLES, type_of
from app.http.request_scope import status_of
from app.language import N_, filled
from app.language import gettext as _

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
    raw = int(moment.timestamp()).to_bytes(8, "big", signed=True) + row_id.bytes
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def place_of(cursor: str) -> tuple[datetime, uuid.UUID]:
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        return datetime.fromtimestamp(int.from_bytes(raw[:8], "big", signed=True), UTC), uuid.UUID(
            bytes=raw[8:]
        )
    except (ValueError, OverflowError, OSError) as error:
        raise InvalidInput(_NOT_OURS) from error


_NOT_OURS = N_("Ce curseur de page n’est pas le nôtre : repartez de la première page.")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Item = TypeVar("Item")
Row = TypeVar("Row")


class Page(BaseModel, Generic[Item]):
    """Of any list: `next` is the cursor of the next page, which `after` takes; null on the last."""

    items: list[Item]
    next: str | None = Field(None, description="The cursor of the next page; null on the last.")


class Paging:
    """The same two parameters and the same answer for every list; the header `Link` has the next page's URL too."""

    def __init__(
        self,
        request: Request,
        response: Response,
        after: Annotated[str | None, Query(max_length=60, description="`next` of the page before.")] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> None:
        self.request, self.response = request, response
        self.place = place_of(after) if after else None
        self.limit = limit

    def cut(
        self, rows: Sequence[Row], place: Callable[[Row], tuple[datetime, uuid.UUID]]
    ) -> tuple[Sequence[Row], str | None]:
        """The rows of the page, of which one more shows that there is a next one, and its cursor."""
        if len(rows) <= self.limit:
            return rows, None
        shown = rows[: self.limit]
        cursor = cursor_of(*place(shown[-1]))
        query = self.request.url.include_query_params(after=cursor).query
        self.response.headers["Link"] = f'<{self.request.url.path}?{query}>; rel="next"'
        return shown, cursor

    def slice(
        self, rows: Sequence[Row], row_id: Callable[[Row], uuid.UUID]
    ) -> tuple[Sequence[Row], str | None]:
        """The same for a list that was read whole."""
        if self.place is not None:
            ids = [row_id(row) for row in rows]
            if self.place[1] not in ids:
                raise InvalidInput(_NOT_OURS)
            rows = rows[ids.index(self.place[1]) + 1 :]
        return self.cut(rows, lambda row: (_EPOCH, row_id(row)))


Paged = Annotated[Paging, Depends()]
UpdatedSince = Annotated[
    AwareDatetime | None, Query(description="Created or changed at that moment or later.")
]
DryRun = Annotated[
    bool, Query(description="Answer what would become of each line, and write nothing: not even a report.")
]
ExternalIdText = Annotated[
    str,
    Field(
        max_length=LONGEST_EXTERNAL_ID,
        description="The identifier in the campus's own system: unique among people, among activities and among"
        " awards.",
    ),
]


ACCEPT_LANGUAGE: dict[str, Any] = {
    "name": "Accept-Language",
    "in": "header",
    "required": False,
    "schema": {"type": "string"},
    "description": "The language of sentences: French, unless English or Spanish is asked for.",
    "example": "en",
}


class LineProblem(BaseModel):
    """Why a line was refused, as a problem document (RFC 9457)."""

    type: str = type_of(422)
    title: str
    status: int = 422
    detail: str
    kind: str = Field("InvalidInput", description="A stable name of this kind of failure.")

    @staticmethod
    def of(error: AppError) -> LineProblem:
        status = status_of(error)
        return LineProblem(
            type=type_of(status),
            title=_(TITLES[status]),
            status=status,
            detail=filled(_(error.sentence), error.values),
            kind=error.kind if isinstance(error, LineRefused) else type(error).__name__,
        )


_RECEIPT = {
    "line": 1,
    "external_id": "P-2026-001",
    "outcome": "created",
    "id": "5a7d5cf2-2c0f-4f0e-8f39-4b0b7a0f6f11",
    "changes": [],
    "problem": None,
}


class ReceiptView(BaseModel):
    model_config = example(**_RECEIPT)
    line: int = Field(description="Counted from 1.")
    external_id: str
    outcome: UpsertOutcome
    id: uuid.UUID | None = Field(description="Null of what was refused, and of what a dry run would create.")
    changes: list[str] = Field(description="The names of what changed.")
    problem: LineProblem | None = None

    @staticmethod
    def of(receipt: Receipt, *, dry_run: bool) -> ReceiptView:
        is_there = not dry_run or receipt.outcome is not UpsertOutcome.CREATED
        return ReceiptView(
            line=receipt.line,
            external_id=receipt.external_id,
            outcome=receipt.outcome,
            id=receipt.noun_id if is_there else None,
            changes=list(receipt.changes),
            problem=LineProblem.of(receipt.fault) if receipt.fault else None,
        )


class ReceiptsView(BaseModel):
    model_config = example(dry_run=False, created=1, changed=0, same=0, refused=0, lines=[_RECEIPT])
    dry_run: bool
    created: int
    changed: int
    same: int
    refused: int
    lines: list[ReceiptView]

    @staticmethod
    def of(receipts: Sequence[Receipt], *, dry_run: bool) -> ReceiptsView:
        counts = {each: sum(one.outcome is each for one in receipts) for each in UpsertOutcome}
        return ReceiptsView(
            dry_run=dry_run,
            created=counts[UpsertOutcome.CREATED],
            changed=counts[UpsertOutcome.CHANGED],
            same=counts[UpsertOutcome.SAME],
            refused=counts[UpsertOutcome.REFUSED],
            lines=[ReceiptView.of(each, dry_run=dry_run) for each in receipts],
        )
