"""Sign what was decided and keep it: bytes, places in the status list, history and promised letters, in one deed."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from app.db.awards.awards import AwardStore
from app.db.campus.history import HistoryStore
from app.db.messages.letters import LetterStore
from app.domain.activity_log.recovery import AWARDS, DOCUMENTS, EVIDENCE, PEOPLE, SLOTS
from app.domain.awards.awards import Award
from app.domain.awards.batches import AwardBatch, leave_from
from app.domain.awards.open_badges import BadgeDocuments, profile_of
from app.domain.badges.badges import BadgeVersion
from app.domain.campus.campus import Campus
from app.domain.core.clock import Clock
from app.domain.core.columns import neighbouring_ids, whole_second
from app.domain.messages.letters import letter_about
from app.domain.people.people import is_address
from app.domain.publishing.addresses import Addresses
from app.errors import InvalidInput
from app.language import N_
from app.services.activity_log.logged_deeds import LoggedDeeds
from app.services.awards.issuing.cases import Case, JudgedLine, award_of, disclosed_at_first
from app.services.awards.issuing.documents import document_to_sign, prepared_documents, signed_documents
from app.services.awards.issuing.grounds import AwardGrounds, Grounded
from app.services.badges.badges import BadgeService
from app.services.publishing.signing import Signing
from app.services.publishing.status import Places, StatusService
from sceau_credentials.issuing import Batch, Prepared
from sceau_credentials.model import Achievement
from sceau_credentials.values.json_text import JsonObject, parse_json

UNSIGNED = N_("Un texte empêchait de signer le badge.")
"""What the log says of an award that was decided and could not be signed."""


SIGNED_AT_ONCE: Final = 256
"""Lines: twice what `Batch` signs side by side, and few enough that PostgreSQL is kept at work."""


@dataclass(frozen=True)
class Unfit:
    """A line whose texts cannot be signed, and the sentence that says why."""

    trouble: InvalidInput


Kept = uuid.UUID | Unfit
"""The award of a line, or why there is none."""


@dataclass(frozen=True)
class Decided:
    """Awards that are written and wait for their signatures."""

    kept: list[Kept]
    """In the order of the lines."""
    batch: Batch
    awards: list[Award]
    prepared: list[Prepared]
    """Of each award what will be signed."""
    campus: Campus


class AwardKeeping:
    def __init__(
        self,
        awards: AwardStore,
        letters: LetterStore,
        history: HistoryStore,
        badge_service: BadgeService,
        status: StatusService,
        deeds: LoggedDeeds,
        grounds: AwardGrounds,
        signing: Signing,
        addresses: Addresses,
        clock: Clock,
    ) -> None:
        self.awards = awards
        self.letters = letters
        self.history = history
        self.badge_service = badge_service
        self.status = status
        self.deeds = deeds
        self.grounds = grounds
        self.signing = signing
        self.addresses = addresses
        self.clock = clock

    def decide(
        self, case: Case, promise: AwardBatch, ready: Sequence[JudgedLine], *, is_last: bool = True
    ) -> Decided:
        """Everything is written but the signed bytes, which have to follow in the same transaction. A line that cannot be
        signed takes nothing from the others."""
        at = self.deeds.log.now(case.campus)
        batch = self.batch_of(case, at)
        if not ready:
            return Decided([], batch, [], [], case.campus)
        self.badge_service.freeze(case.campus, case.badge, case.version)
        ids = neighbouring_ids(len(ready))
        places = self.status.reserve(case.campus, ids, at=at)
        awards = [
            _award_of(case, promise, line, at, award_id) for award_id, line in zip(ids, ready, strict=True)
        ]
        troubles: dict[uuid.UUID, InvalidInput] = {}
        documents = self._documents(case, awards, ready, places, troubles)
        grounded = self.grounds.decide(
            case, [award for award in awards if award.id in documents], documents, ready, batch.signing_key
        )
        prepared = self._prepared(case, awards, grounded, batch, troubles)
        fit = [award for award in awards if award.id in prepared]
        self._write(case, promise, fit, places, at)
        evidence = [grounded[award.id].row for award in fit]
        self.grounds.keep(evidence)
        notes = self.deeds.log.notes
        notes.add_rows(case.campus, PEOPLE, [line.person for line in ready])
        notes.add_rows(case.campus, AWARDS, fit)
        notes.add_rows(case.campus, SLOTS, places.only([award.id for award in fit]).rows())
        notes.add_rows(case.campus, EVIDENCE, evidence)
        kept: list[Kept] = [
            Unfit(troubles[award_id]) if award_id in troubles else award_id for award_id in ids
        ]
        if promise.tells:
            not_before = leave_from(promise, at=at, is_last=is_last)
            self._promise_letters(awards, ready, kept, at, not_before)
        return Decided(kept, batch, fit, [prepared[award.id] for award in fit], case.campus)

    def sign(self, decided: Decided) -> None:
        """A part after the other: PostgreSQL takes in what was written, and signed bytes while the next are signed."""
        for start in range(0, len(decided.awards), SIGNED_AT_ONCE):
            some = slice(start, start + SIGNED_AT_ONCE)
            documents = signed_documents(decided.awards[some], decided.prepared[some], decided.batch)
            self.awards.add_documents(documents)
            self.deeds.log.notes.add_rows(decided.campus, DOCUMENTS, documents)

    def _documents(
        self,
        case: Case,
        awards: Sequence[Award],
        ready: Sequence[JudgedLine],
        places: Places,
        troubles: dict[uuid.UUID, InvalidInput],
    ) -> dict[uuid.UUID, JsonObject]:
        """What each credential will say; of a line that cannot be written, why."""
        written, words = {}, self.words_of(case)
        for award, line in zip(awards, ready, strict=True):
            disclosed = disclosed_at_first(line.person, case.activity)
            try:
                written[award.id] = document_to_sign(award, words, places, disclosed)
            except InvalidInput as trouble:
                troubles[award.id] = trouble
        return written

    def _prepared(
        self,
        case: Case,
        awards: Sequence[Award],
        grounded: Mapping[uuid.UUID, Grounded],
        batch: Batch,
        troubles: dict[uuid.UUID, InvalidInput],
    ) -> dict[uuid.UUID, Prepared]:
        """What will be signed; the log takes back what it said of an award whose texts cannot be."""
        decided = [award for award in awards if award.id in grounded]
        found = prepared_documents([grounded[award.id].document for award in decided], batch)
        prepared: dict[uuid.UUID, Prepared] = {}
        for award, each in zip(decided, found, strict=True):
            if isinstance(each, InvalidInput):
                troubles[award.id] = each
            else:
                prepared[award.id] = each
        self.deeds.withdrawn(case.campus, [award for award in decided if award.id in troubles], UNSIGNED)
        return prepared

    def _write(
        self, case: Case, promise: AwardBatch, awards: Sequence[Award], places: Places, at: datetime
    ) -> None:
        ids = [award.id for award in awards]
        self.awards.add_all(awards)
        self.status.keep(places.only(ids))
        facts = {"version": str(case.version.id), "batch": str(promise.id)}
        self.history.write_all(case.by, "award", "award", ids, at=at, campus_id=case.campus.id, **facts)

    def _promise_letters(
        self,
        awards: Sequence[Award],
        ready: Sequence[JudgedLine],
        kept: Sequence[Kept],
        at: datetime,
        not_before: datetime,
    ) -> None:
        addresses = {
            award_id: line.line.address
            for award_id, line in zip(kept, ready, strict=True)
            if is_address(line.line.address)
        }
        self.letters.promise_new(
            [
                letter_about(award, addresses[award.id], at=at, not_before=not_before, letter_id=letter_id)
                for award, letter_id in zip(awards, neighbouring_ids(len(awards)), strict=True)
                if award.id in addresses
            ]
        )

    def words_of(self, case: Case) -> BadgeDocuments:
        return BadgeDocuments(
            achievement=_achievement_in(case.version),
            issuer=profile_of(case.campus, self.addresses),
            campus=case.campus,
            version=case.version,
            activity=case.activity,
            addresses=self.addresses,
        )

    def batch_of(self, case: Case, at: datetime) -> Batch:
        signers = self.signing.signers_of(case.campus)
        return Batch(signer=signers.embedded, jwt_signer=signers.jwt, at=whole_second(at))


def _award_of(case: Case, promise: AwardBatch, line: JudgedLine, at: datetime, award_id: uuid.UUID) -> Award:
    assert line.person is not None, "a line that is ready has its person"
    return award_of(
        case,
        line.person,
        line.participation,
        at=at,
        award_id=award_id,
        batch_id=promise.id,
        rests_on=line.rests_on,
    )


def _achievement_in(version: BadgeVersion) -> Achievement:
    """The achievement exactly as the frozen definition says it."""
    definition = parse_json(version.definition)
    assert isinstance(definition, dict)
    return Achievement.from_document(
        {name: value for name, value in definition.items() if name != "@context"}
    )
