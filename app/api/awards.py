"""Awards of a campus, for programs: award one or many, list, read, revoke."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

from fastapi import Header, Query, Request, Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from app.api.activities import ParticipantLine, known_people
from app.api.people import ExternalIdShape
from app.container import Process, Services
from app.domain.activities.listed_people import ListedPerson
from app.domain.awards import AwardState, LineOutcome, Visibility, in_words
from app.domain.awards.batches import BatchLine, BatchState, key_of_program
from app.domain.campus.integration import NamedKind
from app.http.negotiation import preferred
from app.http.problems import documented, fault_at
from app.http.programs import (
    AwardGiver,
    AwardNamer,
    AwardRevoker,
    DryRun,
    ExternalIdText,
    Moment,
    Page,
    Paged,
    Program,
    Reader,
    Shape,
    UpdatedSince,
    Writing,
    example,
    version_1,
)
from app.http.receipts import Warnings, warnings_of
from app.http.request_scope import process_of
from app.language import gettext as _
from app.services.awards.award_context import CheckedLine, Preview
from app.services.awards.awards import AwardRecord, AwardRequest, BatchResult

router = version_1("/campuses/{slug}/awards", route_class=Writing, tags=["awards"])

IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=128,
        pattern=r"^[\x21-\x7e]+$",
        description="The same key with the same body gives the same answer, and awards nothing twice.",
    ),
]


_BADGE = "5f7b0d4e-6e0b-4f3e-9c53-0d7c0e2f0b11"
_ACTIVITY = "8f0d2f8e-3a63-4a8e-8a3f-52f0a4d7b0de"
_AWARD = "b3f3b1de-7f0a-4f0c-8f37-1f4c1b7f7f62"
_ADDRESS = f"https://badges.exemple.fr/attributions/{_AWARD}"
_WHO = {
    "given_name": "Anne-Gaëlle",
    "family_name": "Le Bœuf",
    "address": "anne-gaelle.leboeuf@exemple.fr",
}


class RecipientLine(ParticipantLine):
    model_config = example(external_id="E-2026-0412", award_external_id="A-2026-0007", **_WHO)
    award_external_id: ExternalIdText = Field(
        "",
        description="Of the award that is made: again with the same identifier, it is the award already made.",
    )


class AwardsRequest(Shape):
    """A badge for people: those listed here, those recorded in the activity, or both."""

    model_config = example(
        badge=_BADGE,
        activity=_ACTIVITY,
        people=[_WHO],
        evidence="Chaque robot a suivi la ligne jusqu’au bout.",
    )
    badge: uuid.UUID
    activity: uuid.UUID | None = None
    people: list[RecipientLine] = Field([], max_length=10_000)
    everybody: bool = Field(False, description="All who are recorded in the activity.")
    participations: list[uuid.UUID] = Field([], max_length=10_000)
    persons: list[uuid.UUID] = Field(
        [],
        max_length=10_000,
        description="Without an activity: people of the campus's log, as `progress` names them.",
    )
    evidence: str = Field("", max_length=4000)

    def check_recipients(self) -> None:
        """An answer without a line would be taken for success."""
        of_activity = bool(self.everybody or self.participations)
        if not (of_activity or self.people or self.persons):
            raise fault_at("people", "no_recipient")
        if of_activity and self.activity is None:
            raise fault_at("activity", "missing")
        if self.persons and self.activity is not None:
            raise fault_at("persons", "without_activity")

    def request(self, key: str | None, lines: Sequence[ListedPerson]) -> AwardRequest:
        return AwardRequest(
            badge_id=self.badge,
            activity_id=self.activity,
            everybody=self.everybody,
            participation_ids=tuple(self.participations),
            person_ids=tuple(self.persons),
            lines=tuple(lines),
            evidence=self.evidence,
            idempotency_key=key_of_program(key) if key else None,
        )


class Delivery(StrEnum):
    """Delivery state of a badge."""

    PRIVATE_LINK = "private_link"
    ACCOUNT = "account"


class LineView(BaseModel):
    position: int = Field(description="Counted from 0.")
    outcome: LineOutcome
    message: str
    given_name: str
    family_name: str
    address: str = Field(description="Empty without `person:read` for people chosen among those known.")
    external_id: str = Field("", description="The `award_external_id` of the line.")
    person: uuid.UUID | None = Field(None, description="Of an award, and of people chosen among those known.")
    participation: uuid.UUID | None = Field(None, description="Of people chosen in the activity.")
    award: uuid.UUID | None
    award_address: str | None
    private_link: str | None = Field(
        description="For the learner alone: it opens this award. Only for people who have no account and no role."
    )
    delivery: Delivery | None = Field(
        None,
        description="Of a new award. `private_link`: hand `private_link` over, or let the message do so. "
        "`account`: the person signs in and finds the badge there; there is no link to hand over.",
    )
    warnings: Warnings = []

    @staticmethod
    def foreseen(position: int, checked: CheckedLine, *, sees: bool) -> LineView:
        """`sees`: addresses also of people whom the program chose among those known."""
        reason, values = checked.eligibility.sentence, checked.eligibility.values
        is_ready = checked.eligibility.outcome is LineOutcome.READY
        return LineView(
            position=position,
            outcome=checked.eligibility.outcome,
            message=_(reason).format(**in_words(values)) if reason else "",
            given_name=checked.line.given_name,
            family_name=checked.line.family_name,
            address=checked.line.address if sees or checked.line.line else "",
            external_id=checked.line.award_external_id,
            person=checked.person.id if checked.person and (checked.held or not checked.line.line) else None,
            participation=checked.participation.id
            if checked.participation and not checked.line.line
            else None,
            award=checked.held.id if checked.held else None,
            award_address=None,
            private_link=None,
            warnings=warnings_of(checked.line, is_taken=is_ready and bool(checked.line.line)),
        )

    @staticmethod
    def of(line: BatchLine, links: Mapping[uuid.UUID, str], services: Services, *, sees: bool) -> LineView:
        is_new = line.outcome is LineOutcome.AWARDED and line.award_id is not None
        link = links.get(line.award_id) if is_new and line.award_id else None
        return LineView(
            position=line.position,
            outcome=line.outcome,
            message=_(line.reason).format(**in_words(line.reason_values)) if line.reason else "",
            given_name=line.given_name,
            family_name=line.family_name,
            address=line.address if sees or line.told.get("line") else "",
            external_id=str(line.told.get("award_external_id", "")),
            person=line.person_id if line.award_id or not line.told.get("line") else None,
            participation=line.participation_id,
            award=line.award_id,
            award_address=services.addresses.award(line.award_id) if line.award_id else None,
            private_link=services.addresses.private_link(link) if link else None,
            delivery=(Delivery.PRIVATE_LINK if link else Delivery.ACCOUNT) if is_new else None,
            warnings=warnings_of(line, is_taken=is_new and bool(line.told.get("line"))),
        )


class AwardBatchView(BaseModel):
    model_config = example(
        dry_run=False,
        ready=0,
        id="6d0f6d56-1f0b-4b0e-9b38-0a5d8c2f4e11",
        badge=_BADGE,
        version=1,
        awarded=1,
        already_held=0,
        refused=0,
        lines=[
            {
                **_WHO,
                "position": 0,
                "outcome": "awarded",
                "message": "",
                "award": _AWARD,
                "award_address": _ADDRESS,
                "private_link": f"https://badges.exemple.fr/recevoir/{_AWARD}.0a1b2c…",
                "delivery": "private_link",
            }
        ],
    )
    dry_run: bool = False
    id: uuid.UUID | None = Field(description="Null of a dry run.")
    badge: uuid.UUID
    version: int
    ready: int = Field(0, description="Of a dry run: how many would be awarded.")
    awarded: int
    already_held: int
    refused: int
    lines: list[LineView]
    unknown: list[uuid.UUID] = Field(
        [],
        description="Those of `participations` and `persons` that have no line: not known here, or no more.",
    )

    def beside(self, body: AwardsRequest) -> AwardBatchView:
        there = {line.participation for line in self.lines} | {line.person for line in self.lines}
        self.unknown = [one for one in [*body.participations, *body.persons] if one not in there]
        return self

    @staticmethod
    def foreseen(preview: Preview, *, sees: bool) -> AwardBatchView:
        held = preview.with_outcome(LineOutcome.ALREADY_HELD)
        return AwardBatchView(
            dry_run=True,
            id=None,
            badge=preview.badge.id,
            version=preview.version.number,
            ready=len(preview.ready),
            awarded=0,
            already_held=len(held),
            refused=len(preview.lines) - len(preview.ready) - len(held),
            lines=[LineView.foreseen(place, line, sees=sees) for place, line in enumerate(preview.lines)],
        )

    @staticmethod
    def of(result: BatchResult, services: Services, *, sees: bool) -> AwardBatchView:
        links = services.people.links_to_hand([line.award_id for line in result.lines if line.award_id])
        return AwardBatchView(
            id=result.batch.id,
            badge=result.badge.id,
            version=result.version.number,
            awarded=len(result.with_outcome(LineOutcome.AWARDED)),
            already_held=len(result.with_outcome(LineOutcome.ALREADY_HELD)),
            refused=len(result.refused),
            lines=[LineView.of(line, links, services, sees=sees) for line in result.lines],
        )


_GIVEN = {
    "id": _AWARD,
    "external_ids": ["A-2026-0007"],
    "person_address": "anne-gaelle.leboeuf@exemple.fr",
    "address": _ADDRESS,
    "badge": _BADGE,
    "badge_name": "Robotique pour tous",
    "version": 1,
    "activity": _ACTIVITY,
    "person": "5a7d5cf2-2c0f-4f0e-8f39-4b0b7a0f6f11",
    "given_name": "Anne-Gaëlle",
    "family_name": "Le Bœuf",
    "state": "revoked",
    "visibility": "closed",
    "awarded_at": "2026-11-25T11:00:00Z",
    "valid_until": "2029-11-23T22:59:59Z",
    "revoked_at": "2026-11-25T14:30:00Z",
    "revoked_reason": "Attribué par erreur.",
    "suspended_at": None,
    "suspended_until": None,
    "suspended_reason": "",
}


class AwardView(BaseModel):
    model_config = example(**_GIVEN)
    id: uuid.UUID
    external_ids: list[str]
    address: str
    badge: uuid.UUID
    badge_name: str
    version: int
    activity: uuid.UUID | None
    person: uuid.UUID
    given_name: str
    family_name: str
    person_address: str | None = Field(description="Null without the scope `person:read`.")
    state: AwardState
    visibility: Visibility
    awarded_at: datetime
    valid_until: datetime | None
    revoked_at: datetime | None
    revoked_reason: str
    undone_at: datetime | None = Field(
        None, description="Of an award that was undone before it was handed over: nobody ever heard of it."
    )
    suspended_at: datetime | None = None
    suspended_until: datetime | None = Field(
        None, description="The award becomes valid again at this time; no request is needed."
    )
    suspended_reason: str = ""

    @staticmethod
    def of(
        record: AwardRecord,
        services: Services,
        *,
        external_ids: Sequence[str],
        person_address: str | None,
    ) -> AwardView:
        award = record.award
        return AwardView(
            id=award.id,
            external_ids=list(external_ids),
            person_address=person_address,
            address=services.addresses.award(award.id),
            badge=award.badge_id,
            badge_name=record.version.name,
            version=record.version.number,
            activity=award.activity_id,
            person=award.person_id,
            given_name=record.person.given_name,
            family_name=record.person.family_name,
            state=award.state,
            visibility=award.visibility,
            awarded_at=award.awarded_at,
            valid_until=award.valid_until,
            revoked_at=award.revoked_at,
            revoked_reason=award.revoked_reason,
            undone_at=award.undone_at,
            suspended_at=award.suspended_at,
            suspended_until=award.suspended_until,
            suspended_reason=award.suspended_reason,
        )


class AwardPage(Page[AwardView]):
    model_config = example(items=[_GIVEN], next="AAAAAGel0zCz87Heiv9PDI83H0wbf39i")


def _views(program: Program, records: Sequence[AwardRecord]) -> list[AwardView]:
    services, sees = program.services, program.sees_addresses
    names = services.external_ids.names_of(
        program.campus, NamedKind.AWARD, [record.award.id for record in records]
    )
    addresses = (
        services.program_lists.addresses_of(program.campus, {record.person.id for record in records})
        if sees
        else {}
    )
    return [
        AwardView.of(
            record,
            services,
            external_ids=names.get(record.award.id, ()),
            person_address=addresses.get(record.person.id, "") if sees else None,
        )
        for record in records
    ]


def _view(program: Program, record: AwardRecord) -> AwardView:
    return _views(program, [record])[0]


_SIGNED_FORMS: Final = {
    "application/vc": "json",
    "application/vc+jwt": "jwt",
    "application/ld+json": "json",
    "application/json": "json",
}


_SIGNED_AS_JSON: Final = {
    "schema": {"type": "object"},
    "example": {"id": _ADDRESS, "type": ["VerifiableCredential", "OpenBadgeCredential"]},
}
_SIGNED_CONTENT: Final = {
    each: _SIGNED_AS_JSON if form == "json" else {"schema": {"type": "string"}}
    for each, form in _SIGNED_FORMS.items()
}


class RevocationRequest(Shape):
    model_config = example(reason="Attribué par erreur.")
    reason: str = Field(min_length=5, max_length=500)


class SuspensionRequest(Shape):
    model_config = example(reason="Vérification en cours.", until="2027-01-15T00:00:00Z")
    reason: str = Field(min_length=5, max_length=500)
    until: Moment


@router.post("", summary="Give a badge to one or many people")
def award_badge(
    body: AwardsRequest,
    giver: AwardGiver,
    request: Request,
    idempotency_key: IdempotencyKey = None,
    dry_run: DryRun = False,
) -> AwardBatchView:
    """Each line is checked and answered independently: valid lines are awarded, each other line has its
    reason.

    A long list is processed in chunks, so that other requests are not blocked. If the response is lost, the
    rest is awarded all the same, and the same idempotency key retrieves the response.
    """
    body.check_recipients()
    with giver.transaction() as program:
        if body.activity is not None:
            program.services.join_organisers(program.campus.id, body.activity)
        lines = _recipients(program, body)
        asked = body.request(idempotency_key, lines)
        if dry_run:
            preview = program.services.awards.preview(program.campus, asked, by=program.actor)
            return AwardBatchView.foreseen(preview, sees=program.sees_addresses).beside(body)
        batch = program.services.awards.give(program.campus, asked, by=program.actor, is_awaited=True)
        if batch.state is not BatchState.RUNNING:
            result = program.services.award_batches.result(program.campus, batch.id)
            return AwardBatchView.of(result, program.services, sees=program.sees_addresses).beside(body)
    while _carries_on(process_of(request), batch.id):
        pass
    with giver.transaction(reading=True) as program:
        result = program.services.award_batches.result(program.campus, batch.id)
        return AwardBatchView.of(result, program.services, sees=program.sees_addresses).beside(body)


def _recipients(program: Program, body: AwardsRequest) -> list[ListedPerson]:
    """The lines with whom their identifiers name, and the identifier of the award to make."""
    external_ids = program.services.external_ids
    external_ids.check_lines([each.award_external_id for each in body.people])
    named = external_ids.named(program.campus, NamedKind.PERSON, [each.external_id for each in body.people])
    lines = known_people(program, body.activity, body.people, named)
    return [
        replace(line, award_external_id=each.award_external_id)
        for line, each in zip(lines, body.people, strict=True)
    ]


def _carries_on(process: Process, batch_id: uuid.UUID) -> bool:
    with process.unit_of_work() as services:
        return services.bulk_awards.process_chunk(batch_id, is_awaited=True).more


@router.get("", summary="The awards of a campus, latest first, page by page")
def list_awards(
    program: Reader,
    paging: Paged,
    badge: uuid.UUID | None = None,
    activity: uuid.UUID | None = None,
    person: uuid.UUID | None = None,
    state: AwardState | None = None,
    external_id: Annotated[str, Query(max_length=200)] = "",
    updated_since: UpdatedSince = None,
) -> AwardPage:
    """Each page contains the cursor of the next one, so that new awards shift nothing. Parameters that do not
    exist are refused."""
    named = program.services.external_ids.find(program.campus, NamedKind.AWARD, external_id)
    if external_id and named is None:
        return AwardPage(items=[])
    records = program.services.awards.list_in(
        program.campus,
        before=paging.place,
        award_id=named,
        badge_id=badge,
        activity_id=activity,
        person_id=person,
        state=state,
        updated_since=updated_since,
        limit=paging.limit + 1,
    )
    shown, cursor = paging.cut(records, lambda record: (record.award.awarded_at, record.award.id))
    return AwardPage(items=_views(program, shown), next=cursor)


@router.get("/{award_id}", summary="One award")
def get_award(award_id: uuid.UUID, program: Reader) -> AwardView:
    return _view(program, program.services.awards.get(program.campus, award_id))


@router.put("/{award_id}/external-id", summary="Give an award the campus's own identifier; safe to repeat")
def name_award(award_id: uuid.UUID, body: ExternalIdShape, program: AwardNamer) -> AwardView:
    """It replaces those given before. 409 where it names another award."""
    record = program.services.awards.get(program.campus, award_id)
    program.services.external_ids.replace(program.campus, NamedKind.AWARD, body.external_id, award_id)
    return _view(program, record)


@router.get(
    "/{award_id}/credential",
    summary="The signed credential, also of an award whose page its holder keeps closed",
    response_class=Response,
    responses={200: {"description": "As it was signed.", "content": _SIGNED_CONTENT}, **documented(406)},
)
def get_credential(award_id: uuid.UUID, program: Reader, request: Request) -> Response:
    """For the campus that issued it: what the holder shows to others is their own choice, and unchanged by
    this."""
    record = program.services.awards.get(program.campus, award_id)
    media_type = preferred(request.headers.get("accept", ""), tuple(_SIGNED_FORMS))
    if media_type is None:
        raise HTTPException(406)
    document = program.services.publication.award_file(record, _SIGNED_FORMS[media_type])
    return Response(document.body, media_type=media_type, headers={"Cache-Control": "no-store"})


@router.post("/{award_id}/revocation", summary="Withdraw an award, for good")
def revoke_award(award_id: uuid.UUID, body: RevocationRequest, program: AwardRevoker) -> AwardView:
    """The public status list is updated in the same transaction."""
    record = program.services.awards.revoke(program.campus, award_id, body.reason, by=program.actor)
    return _view(program, record)


@router.post("/{award_id}/suspension", summary="Suspend an award for a time")
def suspend_award(award_id: uuid.UUID, body: SuspensionRequest, program: AwardRevoker) -> AwardView:
    """The public status lists are updated in the same transaction, and again within a minute of its end.

    The badge at its address is signed again; 409 for an award that is withdrawn, expired or suspended already.
    """
    record = program.services.suspensions.suspend(
        program.campus, award_id, body.reason, until=body.until, by=program.actor
    )
    return _view(program, record)


@router.delete("/{award_id}/suspension", summary="Lift a suspension before its end")
def lift_suspension(award_id: uuid.UUID, program: AwardNamer) -> AwardView:
    """With the right to award: the badge counts again. 409 for an award that is not suspended."""
    return _view(program, program.services.suspensions.lift(program.campus, award_id, by=program.actor))
