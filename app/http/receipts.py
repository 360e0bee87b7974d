"""Receipts: what became of each line that a program sent, and what it should read again."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Final

from fastapi import Response
from pydantic import BaseModel, Field

from app.domain.campus.integration import LineRefused, Receipt, UpsertOutcome
from app.domain.imports.lists.vocabulary.addresses import suggestion_for
from app.domain.imports.lists.vocabulary.names import doubt_about
from app.domain.people import is_address, normal_address
from app.errors import AppError
from app.http.problems import TITLES, type_of
from app.http.programs import Program, example
from app.http.request_scope import status_of
from app.language import filled, respelt
from app.language import gettext as _


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


class LineWarning(BaseModel):
    """What pages ask a person about; the line is taken as it was sent."""

    model_config = example(
        reason="name",
        sentence="Prénom et nom sont-ils dans le bon ordre ?",
        suggestion={"given_name": "Chloé", "family_name": "Martin"},
    )
    reason: str = Field(description="`name`, `address` or `improbable` (hours, dates).")
    sentence: str
    suggestion: dict[str, str] = Field({}, description="The values that were probably meant, by field.")


Warnings = Annotated[
    list[LineWarning], Field(description="Of a line that is taken: what a person should read again.")
]


def warnings_of(line: Any, improbable: AppError | None = None, *, is_taken: bool = True) -> list[LineWarning]:
    """`line`: any with a name and an address."""
    if not is_taken:
        return []
    given, family, address = line.given_name, line.family_name, normal_address(line.address)
    found = list[LineWarning]()
    if doubt := doubt_about(respelt(given), respelt(family)):
        meant = {"given_name": doubt.given, "family_name": doubt.family} if doubt.family else {}
        found.append(LineWarning(reason="name", sentence=_(doubt.sentence), suggestion=meant))
    if is_address(address) and (better := suggestion_for(address)):
        sentence = _("Cette adresse est-elle bien écrite ?")
        found.append(LineWarning(reason="address", sentence=sentence, suggestion={"address": better}))
    if improbable:
        sentence = filled(_(improbable.sentence), improbable.values)
        found.append(LineWarning(reason="improbable", sentence=sentence))
    return found


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
    line: int | None = Field(None, description="Counted from 1; null of a request about one row.")
    external_id: str
    outcome: UpsertOutcome
    id: uuid.UUID | None = Field(description="Null of what was refused, and of what a dry run would create.")
    changes: list[str] = Field(description="The names of what changed.")
    problem: LineProblem | None = None
    warnings: Warnings = []

    @staticmethod
    def of(receipt: Receipt, sent: Any = None, *, dry_run: bool) -> ReceiptView:
        """`sent`: where the line is about a person, its name and address."""
        is_there = not dry_run or receipt.outcome is not UpsertOutcome.CREATED
        return ReceiptView(
            line=receipt.line or None,
            external_id=receipt.external_id,
            outcome=receipt.outcome,
            id=receipt.noun_id if is_there else None,
            changes=list(receipt.changes),
            problem=LineProblem.of(receipt.fault) if receipt.fault else None,
            warnings=warnings_of(sent, is_taken=bool(sent) and not receipt.fault),
        )


class LineCounts(BaseModel):
    dry_run: bool
    created: int
    changed: int
    same: int
    refused: int


def count_lines(receipts: Iterable[Receipt], *, dry_run: bool) -> dict[str, Any]:
    """The fields of `LineCounts`."""
    outcomes = Counter(one.outcome for one in receipts)
    return {"dry_run": dry_run, **{each.value: outcomes[each] for each in UpsertOutcome}}


class ReceiptsView(LineCounts):
    model_config = example(dry_run=False, created=1, changed=0, same=0, refused=0, lines=[_RECEIPT])
    lines: list[ReceiptView]

    @staticmethod
    def of(receipts: Sequence[Receipt], people: Sequence[Any] = (), *, dry_run: bool) -> ReceiptsView:
        sent = people or [None] * len(receipts)
        lines = [ReceiptView.of(*each, dry_run=dry_run) for each in zip(receipts, sent, strict=True)]
        return ReceiptsView(**count_lines(receipts, dry_run=dry_run), lines=lines)


_OF_ONE: Final = {"application/json": {"example": _RECEIPT | {"line": None}}}
CREATED: dict[int | str, dict[str, Any]] = {
    200: {"content": _OF_ONE},
    201: {"model": ReceiptView, "description": "It is new.", "content": _OF_ONE},
}


def one_receipt(
    program: Program, receipt: Receipt, response: Response, sent: Any = None, *, dry_run: bool
) -> ReceiptView:
    is_trial = program.is_trial(dry_run)
    if receipt.outcome is UpsertOutcome.CREATED and not is_trial:
        response.status_code = 201
    return ReceiptView.of(receipt, sent, dry_run=is_trial)
