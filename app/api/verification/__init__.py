"""Check any credential: raw, baked in a picture, or behind a link to this service."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field, ValidationError, field_validator
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from app.api.trust import EndorsementTextView, IssuerStandingView, said_of
from app.domain.core import Snapshot, csv_for_excel
from app.errors import InvalidInput
from app.http.programs import ACCEPT_LANGUAGE, Shape, example, version_1
from app.http.request_scope import current_snapshot, limited, public, visit
from app.language import N_
from app.services.verification import verdicts
from app.services.verification.answers import Answer
from app.services.verification.batches import MOST_ITEMS

router = version_1(tags=["verification"], problems=(400, 413, 422))

_NO_FILE = N_("Il manque le fichier à vérifier : joignez-le sous le nom « file ».")
_NO_LIST = N_("Il faut une liste « items » de un à cent textes, ou des fichiers.")
_MOST_BYTES = 5 * 1024 * 1024


_AWARD = "https://badges.exemple.fr/attributions/b3f3b1de-7f0a-4f0c-8f37-1f4c1b7f7f62"


class _Presented(Shape):
    @field_validator("*")
    @classmethod
    def _without_control_characters(cls, value: Any) -> Any:
        """A signed text stands as it was signed, and one odd line does not refuse the others."""
        return value


class LinkRequest(_Presented):
    model_config = example(url=_AWARD)
    url: str = Field(
        min_length=1,
        max_length=2000,
        description="Of a badge (its page, file or short address), an endorsement, a label, a trust list, a status list, "
        "a DID document or a key set; or a did:web.",
    )


class CheckView(BaseModel):
    id: str
    outcome: str
    reason: str
    message: str


class RemarkView(BaseModel):
    code: str
    message: str


class EndorsementView(BaseModel):
    """Another party's signed statement inside the badge; it does not change the verdict."""

    about: str = Field(description="The id of what it endorses: the badge, its definition or a profile.")
    issuer: str | None = Field(description="Who endorses; believe it only where the outcome is passed.")
    comment: str
    outcome: str
    reason: str


class WitnessView(BaseModel):
    name: str
    seen_at: datetime


class EvidenceView(BaseModel):
    """What the campus's activity log proves about an award of this service."""

    outcome: str
    reason: str
    message: str
    decided_at: datetime | None
    witnesses: list[WitnessView] | None = Field(
        description="Who else saw the award in the log, and when first; absent where that could not be read."
    )
    witnessed: list[str] = Field(description="The same in sentences.")

    @staticmethod
    def of(answer: Answer) -> EvidenceView | None:
        found = answer.evidence
        if found is None:
            return None
        seen = found.witnesses
        return EvidenceView(
            outcome=found.outcome.value,
            reason=found.reason,
            message=verdicts.evidence_messages(found, answer.report, answer.correction).sentence.text(),
            decided_at=found.decided_at,
            witnesses=None
            if seen is None
            else [WitnessView(name=each.name, seen_at=each.at) for each in seen],
            witnessed=[each.text() for each in verdicts.witness_messages(found, answer.report)],
        )


class OtherView(BaseModel):
    """An endorsement or label, a trust list, a status list, or a document or set of keys."""

    kind: Literal["endorsement", "trust_list", "status_list", "key_document", "key_set"]
    issuer: str = Field(description="Who signed it; of keys, the DID or site that must publish them.")
    outcome: Literal["passed", "failed", "unknown", "skipped"]
    reason: str
    about: str
    comment: str
    issuer_name: str = Field(
        description="As the issuer calls itself in what it signed; empty unless the document is good."
    )


class DifferenceView(BaseModel):
    about: Literal["title", "awarded", "valid_until"]
    written: str = Field(description="As it stands on the document; empty where it does not.")
    signed: str | None = Field(description="What the badge says; of days in ISO 8601, null for no end.")
    message: str


class LeadView(BaseModel):
    """A file that was not verified itself, and how it leads to the badge that the checks are about.

    Present for every file with a badge except byte-identical files made by this service: only the badge is
    signed.
    """

    kind: Literal["code", "link", "attached", "picture"] = Field(
        description="A code or a link in it, a badge attached to a page, or one that a picture holds."
    )
    address: str
    badge_verdict: Literal["valid", "invalid", "undetermined"] = Field(
        description="Of the badge alone; the verdict of the answer is about what was sent."
    )
    holder: str = Field(description="The name on the badge, to be compared with the one on the document.")
    name: Literal["same", "different", "unread"] = Field(
        description="Whether the text of the document names the same person, where all of it can be read. `same` proves "
        "nothing: a file may be made to draw other letters than its text states."
    )
    written: str = Field(description="Whom the document names, where that is known to be somebody else.")
    differences: list[DifferenceView] = Field(
        description="Of a page laid out as our certificates are: what else it states differently than the badge."
    )

    @staticmethod
    def of(answer: Answer) -> LeadView | None:
        lead, report = answer.lead, answer.report
        if lead is None or report is None:
            return None
        return LeadView(
            kind=lead.kind.value,
            address=lead.address,
            badge_verdict=report.verdict.value,
            holder=verdicts.claims_of(report.document).holder if report.document else "",
            name=lead.name.value,
            written=lead.written,
            differences=[
                DifferenceView(
                    about=each.about.value,
                    written=each.written,
                    signed=str(each.signed) if each.signed is not None else None,
                    message=verdicts.difference_message(each).text(),
                )
                for each in lead.differences
            ],
        )


class ReportView(BaseModel):
    """The result of each check; an answer is `valid` only when all of them passed."""

    model_config = example(
        verdict="valid",
        signature="holds",
        headline="Badge authentique",
        message="Le campus Industrie Technologique Innovante et Performante a bien attribué ce badge.",
        checks=[
            {
                "id": "proof",
                "outcome": "passed",
                "reason": "ok",
                "message": "Rien n’a changé dans ce badge depuis sa signature.",
            }
        ],
        problems=[],
        warnings=[],
        endorsements=[],
        recommendations=[],
        evidence={
            "outcome": "proved",
            "reason": "",
            "message": "Ce badge repose sur une participation (3 h), le 24 novembre 2026, inscrite au journal du "
            "campus avant l’attribution et inchangée depuis.",
            "decided_at": "2026-11-24T12:00:00Z",
            "witnesses": [{"name": "Campus AGT", "seen_at": "2026-11-24T13:00:00Z"}],
            "witnessed": ["Vu aussi par : Campus AGT, le 24 novembre 2026."],
        },
        at="2026-11-25T11:00:00Z",
        container="png",
        form="data_integrity",
        issuer="did:web:badges.exemple.fr:campus:itip",
        issuer_name="Industrie Technologique Innovante et Performante",
        issuer_standing={
            "kind": "recognised",
            "message": "Reconnu par « Réseau BFC », sous le nom « Industrie Technologique ».",
            "network": "Réseau BFC",
            "list_url": "https://badges.exemple.fr/reseau/bfc/campus-reconnus.json",
            "known_as": "Industrie Technologique",
            "says": "Industrie Technologique Innovante et Performante",
            "labels": [],
            "lookalike": None,
        },
        verification_method="did:web:badges.exemple.fr:campus:itip#Q2Z…",
        document={"id": _AWARD, "type": ["VerifiableCredential", "OpenBadgeCredential"]},
        presented={"id": _AWARD, "type": ["VerifiableCredential", "OpenBadgeCredential"]},
    )
    verdict: Literal["valid", "invalid", "undetermined"]
    signature: Literal["holds", "holds_not_conformant", "false", "not_checkable", "not_yet_checked"] = Field(
        description="Apart from the verdict: `false` only where a signature was checked and does not hold."
    )
    headline: str
    message: str
    checks: list[CheckView]
    problems: list[dict[str, Any]] = Field(
        description="What stands against it, as RFC 9457 problem details with the types of the W3C specifications."
    )
    warnings: list[RemarkView] = Field(
        description="What changes no verdict and should be known all the same."
    )
    endorsements: list[EndorsementView]
    recommendations: list[EndorsementTextView] = Field(
        description="What organisations say beside an award of this service; it changes nothing about the verdict."
    )
    evidence: EvidenceView | None = Field(
        description="Of an award of this service: what its campus's log proves. It changes nothing about the verdict."
    )
    at: datetime | None
    leads_to: LeadView | None = Field(
        default=None,
        description="Where what was sent is not the badge itself. Then the verdict is undetermined at best; of a picture "
        "that holds the badge it is that of the badge, and says nothing of what the picture shows.",
    )
    other: OtherView | None = Field(
        default=None, description="What was sent is no badge but another document that is known here."
    )
    packed_at: datetime | None = Field(
        default=None,
        description="Of a package whose documents had to be used: when they were gathered, by its own account.",
    )
    replaced_at: datetime | None = Field(
        default=None,
        description="Of an earlier edition of an award of this service: when the newest was signed. That is at the same "
        "address, the `id` of the document.",
    )
    renewed_until: datetime | None = Field(
        default=None,
        description="Of an earlier edition of a badge renewed since: until when the badge is good.",
    )
    container: str | None
    form: str | None
    issuer: str | None
    issuer_name: str | None = Field(
        description="The campus as the badge names it, when the issuer is one of this service's."
    )
    issuer_standing: IssuerStandingView | None = Field(
        description="What registers of networks say of the issuer; absent where none is kept or followed here."
    )
    verification_method: str | None
    document: dict[str, Any] | None = Field(
        description="What was signed by a key of the issuer, and only that; absent when no signature held."
    )
    presented: dict[str, Any] | None = Field(
        description="What was read, whether or not anybody signed it. Never show it as verified."
    )

    @staticmethod
    def of(answer: Answer, said: Sequence[EndorsementTextView] = ()) -> ReportView:
        headline = verdicts.headline(answer)
        report = answer.report
        return ReportView(
            verdict=answer.verdict.value,
            signature=report.signature.value if report else "not_checkable",
            headline=headline.title(),
            message=headline.text(),
            checks=[
                CheckView(
                    id=check.id.value,
                    outcome=check.outcome.value,
                    reason=check.reason,
                    message=verdicts.sentence(check).text(),
                )
                for check in (report.checks if report else ())
            ],
            problems=list(report.problems()) if report else [],
            warnings=[
                RemarkView(code=remark.code.value, message=each.text())
                for remark, each in zip(report.remarks, verdicts.remarks(report), strict=True)
            ]
            if report
            else [],
            endorsements=[
                EndorsementView(
                    about=each.about,
                    issuer=each.issuer,
                    comment=each.comment,
                    outcome=each.outcome.value,
                    reason=each.reason,
                )
                for each in (report.endorsements if report else ())
            ],
            recommendations=list(said),
            evidence=EvidenceView.of(answer),
            at=report.at if report else None,
            leads_to=LeadView.of(answer),
            other=OtherView(**vars(answer.other)) if answer.other else None,
            packed_at=answer.packed_at,
            replaced_at=answer.replaced_at,
            renewed_until=answer.renewed_until,
            container=report.container if report else None,
            form=report.form if report else None,
            issuer=report.issuer if report else None,
            issuer_name=verdicts.issuer_named(report, answer.campus) if answer.campus else None,
            issuer_standing=IssuerStandingView.of(answer.standing) if answer.standing else None,
            verification_method=report.verification_method if report else None,
            document=report.document if report else None,
            presented=report.presented if report else None,
        )


_BODY = {
    "parameters": [ACCEPT_LANGUAGE],
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "anyOf": [
                        {"type": "object", "description": "An Open Badge credential."},
                        LinkRequest.model_json_schema(),
                    ]
                },
                "example": {"url": _AWARD},
            },
            "text/plain": {"schema": {"type": "string", "description": "A compact JWS."}},
            "image/png": {"schema": {"type": "string", "format": "binary"}},
            "image/svg+xml": {"schema": {"type": "string", "format": "binary"}},
            "application/pdf": {"schema": {"type": "string", "format": "binary"}},
            "application/zip": {
                "schema": {"type": "string", "format": "binary", "description": "A verification package."}
            },
            "multipart/form-data": {
                "schema": {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}}
            },
        },
    },
}


_ANY_ORIGIN: Final = {"Access-Control-Allow-Origin": "*"}


@public
async def allow_verifying_from_anywhere() -> Response:
    """A page that sends JSON must send a CORS preflight first."""
    headers = {
        **_ANY_ORIGIN,
        "Access-Control-Allow-Methods": "POST",
        "Access-Control-Allow-Headers": "Accept, Accept-Language, Content-Type",
        "Access-Control-Max-Age": "86400",
    }
    return Response(status_code=204, headers=headers)


@router.post(
    "/verify",
    summary="Verify a credential: is it genuine, and still valid?",
    openapi_extra=_BODY,
    dependencies=[limited("verify by program")],
)
@public
async def verify_credential(request: Request, response: Response) -> ReportView:
    """Needs no account, and nothing of the credential is stored. Pages of any origin may ask."""
    response.headers.update(_ANY_ORIGIN)
    presented = await _presented(request)
    return await run_in_threadpool(_answer, request, presented, await current_snapshot(request))


class BatchRequest(_Presented):
    model_config = example(items=[_AWARD, "K7QM-29XF-4R8T"])
    items: list[str] = Field(
        min_length=1, max_length=MOST_ITEMS, description="Addresses, short codes, tokens, or lines of a CV."
    )


class ItemView(BaseModel):
    """`report` is absent if nothing could be verified."""

    given: str
    report: ReportView | None = None
    near: list[str] = Field(description="Of an unknown short code: those one slip away whose pages are open.")


class VerifiedBatchView(BaseModel):
    model_config = example(results=[{"given": "K7QM-29XF-4R8S", "report": None, "near": ["K7QM-29XF-4R8T"]}])
    results: list[ItemView]


_SEVERAL = {
    "parameters": [ACCEPT_LANGUAGE],
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": BatchRequest.model_json_schema(),
                "example": {"items": [_AWARD, "K7QM-29XF-4R8T"]},
            },
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "file": {"type": "array", "items": {"type": "string", "format": "binary"}}
                    },
                }
            },
        },
    },
}


@router.post(
    "/verify/batch",
    summary="Several credentials in one request",
    response_model=VerifiedBatchView,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
    openapi_extra=_SEVERAL,
    dependencies=[limited("verify several")],
)
@public
async def verify_several(request: Request, response: Response) -> VerifiedBatchView | Response:
    """Each item has an independent result; a table for `Accept: text/csv`. Nothing is stored."""
    files, lines = await _several_presented(request)
    answered = await run_in_threadpool(
        _answer_several, request, files, lines, await current_snapshot(request)
    )
    if "text/csv" in request.headers.get("accept", ""):
        table = csv_for_excel(_COLUMNS, map(_row, answered))
        return Response(table, media_type="text/csv; charset=utf-8", headers=_ANY_ORIGIN)
    response.headers.update(_ANY_ORIGIN)
    return VerifiedBatchView(results=answered)


async def _several_presented(request: Request) -> tuple[list[tuple[str, bytes]], list[str]]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        form = await request.form(max_files=MOST_ITEMS, max_fields=5)
        files = [value for _, value in form.multi_items() if isinstance(value, UploadFile)]
        if not files:
            raise InvalidInput(_NO_FILE)
        return [(each.filename or "", await each.read()) for each in files], []
    try:
        # Half a character, as of a text cut for a table, stands for itself only.
        sent = json.dumps(json.loads(await request.body()), ensure_ascii=False).encode(errors="replace")
        return [], BatchRequest.model_validate_json(sent).items
    except (ValueError, RecursionError) as error:
        raise InvalidInput(_NO_LIST) from error


def _answer_several(
    request: Request, files: Sequence[tuple[str, bytes]], lines: Sequence[str], snapshot: Snapshot
) -> list[ItemView]:
    with visit(request, reading=True, snapshot=snapshot) as services:
        batch = services.batch_verification
        items = [item for name, body in files for item in batch.file(name, body)]
        items += [item for line in lines for item in batch.line(line)]
        return [
            ItemView(
                given=item.given,
                report=ReportView.of(item.answer) if item.answer else None,
                near=[each.code for each in item.near],
            )
            for item in items
        ]


_COLUMNS = ("given", "verdict", "headline", "holder", "badge", "issuer", "message", "near")


def _row(item: ItemView) -> tuple[str, ...]:
    report = item.report
    if report is None:
        return (item.given, "", "", "", "", "", "", " ".join(item.near))
    claims = verdicts.claims_of(report.document) if report.document else None
    holder, title, issuer = (claims.holder, claims.title, claims.issuer_name) if claims else ("", "", "")
    return (item.given, report.verdict, report.headline, holder, title, issuer, report.message, "")


def _answer(request: Request, presented: bytes | str, snapshot: Snapshot) -> ReportView:
    with visit(request, reading=True, snapshot=snapshot) as services:
        ask = services.verification
        answer = ask.verify_document(presented) if isinstance(presented, bytes) else ask.verify(presented)
        answer = ask.with_evidence(answer)
        beside = services.endorsements.about_award(answer.record) if answer.record else ()
        return ReportView.of(answer, said_of(services, beside))


async def _presented(request: Request) -> bytes | str:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return await _uploaded(request)
    body = await request.body()
    if len(body) > _MOST_BYTES:
        raise HTTPException(413)
    return _link_in(body) or body


async def _uploaded(request: Request) -> bytes:
    form = await request.form(max_files=1, max_fields=5)
    files = [value for value in form.values() if isinstance(value, UploadFile)]
    if not files:
        raise InvalidInput(_NO_FILE)
    body = await files[0].read()
    if len(body) > _MOST_BYTES:
        raise HTTPException(413)
    return body


def _link_in(body: bytes) -> str | None:
    """The link of a body that is exactly `{"url": …}`; a credential always has more fields."""
    if len(body) > 4000:
        return None
    try:
        return LinkRequest.model_validate_json(body).url
    except ValidationError:
        return None


preflights = APIRouter(include_in_schema=False)
for _path in ("/verify", "/verify/batch"):
    preflights.add_api_route(f"/api/v1{_path}", allow_verifying_from_anywhere, methods=["OPTIONS"])
