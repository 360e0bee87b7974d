"""Sign an award anew in place of an earlier edition: same identifier, same address, same place in the status list.

Open Badges 3.0 tells two editions of one badge by `id` and `issuer.id`, and the newer one by `validFrom`
(A-033, A-034); `awardedDate` stays. The earlier one is not revoked: what it says of the deed stays true.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from app.credentials.errors import CredentialError
from app.credentials.issuing import Batch
from app.credentials.json_text import JsonObject, JsonValue, parse_json_object
from app.credentials.timestamps import format_timestamp
from app.db.activities import ActivityStore
from app.db.awards import AwardRecord, AwardStore
from app.db.campus import CampusStore
from app.db.history import HistoryStore
from app.domain.addresses import Addresses
from app.domain.award_evidence import Disclosed, Shown, least_shown
from app.domain.awards import Award, NewerDocument, Visibility, reissue
from app.domain.campus import Campus
from app.domain.clock import Clock
from app.domain.guardians import needs_guardian_for
from app.domain.history import Actor
from app.domain.log_facts import ASSESSMENT, PARTICIPATION
from app.domain.open_badges import with_disclosed
from app.domain.recovery import AWARDS, EVIDENCE, NEWER
from app.domain.signed_text import name_as_signed
from app.errors import NotAllowed
from app.language import N_
from app.services.award_documents import said_to_the_trainer
from app.services.award_grounds import AwardGrounds
from app.services.signing import Signing


class ReissueService:
    def __init__(
        self,
        awards: AwardStore,
        campuses: CampusStore,
        activities: ActivityStore,
        grounds: AwardGrounds,
        signing: Signing,
        history: HistoryStore,
        addresses: Addresses,
        clock: Clock,
    ) -> None:
        self.awards = awards
        self.campuses = campuses
        self.activities = activities
        self.grounds = grounds
        self.signing = signing
        self.history = history
        self.addresses = addresses
        self.clock = clock

    def choose_name(self, award: Award, with_name: bool, *, name: str, by: Actor) -> bool:
        """The holder's choice for one badge they have; whether it had to be signed anew."""
        campus = self.campuses.get_by_id(award.campus_id)
        if with_name and not campus.names_in_credentials:
            raise NotAllowed(N_("Ce campus n’écrit aucun nom dans ses badges."))
        wanted = name if with_name else None
        if not with_name:
            # A badge without a name confirms none by an address either, until its holder switches that on.
            self.awards.lock(award.id).answers_checks = False
        if award.holder_name == wanted:
            return False
        record = self.awards.get_record(award.id)
        if with_name and needs_guardian_for(record.person, record.activity):
            raise NotAllowed(
                N_(
                    "Avant 15 ans, aucun nom n’est écrit dans un badge : il n’y en a pas besoin pour le vérifier."
                )
            )
        self._reissue(campus, self.awards.lock(award.id), wanted, why="name_choice", by=by)
        return True

    def write_name(self, awards: Sequence[Award], name: str, *, by: Actor) -> list[Award]:
        """Those of these badges, all of which say a name of their holder, that were signed anew to say this one."""
        changed = [award for award in awards if award.holder_name != name]
        for award in changed:
            self._reissue(self.campuses.get_by_id(award.campus_id), award, name, why="name", by=by)
        return changed

    def align(self, award_id: uuid.UUID, *, by: Actor) -> bool:
        """Sign an award anew unless its documents contain exactly what its holder shows. Idempotent."""
        record = self.awards.get_record(award_id)
        award = self.awards.lock(award_id)
        if self.is_aligned(record):
            return False
        if self.has_expired(award):
            award.visibility = Visibility.CLOSED
            self.awards.save(award)
            self.history.write(by, "close", "award", award.id, at=self.clock(), campus_id=award.campus_id)
            return True
        wanted = self.document_as(record, self.disclosed_of(record))
        name = None if needs_guardian_for(record.person, record.activity) else award.holder_name
        self._reissue(record.campus, award, name, why="disclosure", by=by, content=wanted)
        return True

    def has_expired(self, award: Award) -> bool:
        """What is over cannot be signed again: where its documents contain too much, its page is closed."""
        return award.valid_until is not None and award.valid_until <= self.clock() + timedelta(minutes=1)

    def is_aligned(self, record: AwardRecord) -> bool:
        """Whether the newest documents contain exactly what the holder shows."""
        before = parse_json_object(self.awards.document_of(record.award.id).embedded)
        wanted = self.document_as(record, self.disclosed_of(record), before=before)
        named = record.award.holder_name is not None
        if named and needs_guardian_for(record.person, record.activity):
            return False
        return all(wanted.get(part) == before.get(part) for part in _DISCLOSED_PARTS)

    def document_as(
        self, record: AwardRecord, disclosed: Disclosed, *, before: JsonObject | None = None
    ) -> JsonObject:
        """What the newest document of an award would contain with this much disclosed; for previews as well."""
        if before is None:
            before = parse_json_object(self.awards.document_of(record.award.id).embedded)
        return with_disclosed(
            before,
            record.award,
            version=record.version,
            campus=record.campus,
            activity=record.activity,
            addresses=self.addresses,
            disclosed=disclosed,
        )

    def disclosed_of(self, record: AwardRecord, chosen: Mapping[int, Shown] | None = None) -> Disclosed:
        """What the holder's choice for each line of the log, or `chosen` instead, means for the signed documents."""
        evidence, award = self.grounds.evidence, record.award
        row, bounds = evidence.find(award.id), evidence.bounds_of(award.id)
        if row is None:
            return Disclosed.uniform(bounds.default)
        shown = dict(evidence.shown(row))
        shown |= {number: bounds.apply(each) for number, each in (chosen or {}).items() if number in shown}
        payloads = evidence.payloads(row)
        parts = {each.noun_id: shown[each.number] for each in payloads if each.noun == PARTICIPATION}
        activities = self.activities.activities_of(parts)
        return Disclosed(
            activity=_least(
                level
                for one, level in parts.items()
                if one in activities and activities[one].id == award.activity_id
            ),
            grounds=_least(parts.values()),
            assessment=_least(shown[each.number] for each in payloads if each.noun == ASSESSMENT),
        )

    def _reissue(
        self,
        campus: Campus,
        award: Award,
        name: str | None,
        *,
        why: str,
        by: Actor,
        content: JsonObject | None = None,
    ) -> None:
        """`content`: what the document contains, where more than the name changes."""
        before = content or parse_json_object(self.awards.document_of(award.id).embedded)
        reissue(award, name, at=self.clock(), also_revoked=content is not None)
        assert award.reissued_at is not None, "it was reissued just now"
        document = _with_name(before, name, valid_from=format_timestamp(award.reissued_at))
        grounded = self.grounds.decide_again(campus, award, document)
        signers = self.signing.signers_of(campus)
        batch = Batch(signer=signers.embedded, jwt_signer=signers.jwt, at=award.reissued_at)
        try:
            signed = batch.issue(grounded.document if grounded else document)
        except CredentialError as error:
            raise said_to_the_trainer(error) from error
        newer = NewerDocument(
            award_id=award.id,
            edition=award.edition,
            embedded=signed.embedded,
            token=signed.token,
            embedded_digest=hashlib.sha256(signed.embedded).hexdigest(),
            token_digest=hashlib.sha256(signed.token.encode()).hexdigest(),
            signed_at=award.reissued_at,
        )
        self.awards.add_newer(award, newer)
        notes = self.grounds.deeds.log.notes
        notes.add_rows(campus, AWARDS, [award])
        notes.add_rows(campus, NEWER, [newer])
        if grounded:
            self.grounds.store.replace(grounded.row)
            notes.add_rows(campus, EVIDENCE, [grounded.row])
        self.history.write(
            by,
            "reissue",
            "award",
            award.id,
            at=self.clock(),
            campus_id=campus.id,
            edition=award.edition,
            why=why,
        )


def _least(levels: Iterable[Shown]) -> Shown:
    """Lines that are gone show nothing."""
    found = list(levels)
    return least_shown(*found) if found else Shown.EXISTENCE


_DISCLOSED_PARTS = ("credentialSubject", "evidence")


def _with_name(document: JsonObject, name: str | None, *, valid_from: str) -> JsonObject:
    """All that the earlier edition says, but for its proof, its evidence's digest and the name."""
    kept = {key: value for key, value in document.items() if key not in ("proof", "relatedResource")}
    subject = kept["credentialSubject"]
    assert isinstance(subject, dict), "we signed one subject"
    others: list[JsonValue] = [
        each
        for each in _listed(subject.get("identifier"))
        if not (isinstance(each, dict) and each.get("identityType") == "name")
    ]
    if name is not None:
        others.append(
            {
                "type": "IdentityObject",
                "hashed": False,
                "identityHash": name_as_signed(name),
                "identityType": "name",
            }
        )
    said = {key: value for key, value in subject.items() if key != "identifier"}
    return {
        **kept,
        "validFrom": valid_from,
        "credentialSubject": {**said, "identifier": others} if others else said,
    }


def _listed(value: JsonValue) -> list[JsonValue]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
