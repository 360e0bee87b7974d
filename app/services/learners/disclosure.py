"""A learner shows a part of a badge without a wallet: derived on demand from the stored badge, never stored."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from app.db.awards import AwardRecord
from app.db.campus import HistoryStore
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.core import Clock, whole_second
from app.domain.learners.disclosure import (
    DisclosableMembers,
    disclosable_in,
    mandatory_in,
    presented,
    selected_in,
)
from app.domain.learners.wallets import check_may_show_part
from app.errors import NotFound
from app.language import N_
from app.services.awards.awards import AwardService
from app.services.publishing import PublicationService
from app.services.publishing.status import Signing
from sceau_credentials.proofs.data_integrity import verify_proofs
from sceau_credentials.proofs.selective_disclosure import add_base_proof, derive_proof, select_members
from sceau_credentials.values import JsonObject, dump_json, parse_json_object

_SHOW_PART: Final = "show_part"
_NOUN: Final = "presentation"


@dataclass(frozen=True)
class PartPreview:
    """`whole` is the badge as its page shows it, `part` what a reader of the presentation gets; without proofs."""

    disclosable: Sequence[DisclosableMembers]
    whole: JsonObject
    part: JsonObject


@dataclass(frozen=True, eq=False)
class SelectiveDisclosure:
    awards: AwardService
    publication: PublicationService
    signing: Signing
    history: HistoryStore
    clock: Clock

    def is_offered(self, campus: Campus) -> bool:
        return campus.selective_disclosure

    def preview(self, record: AwardRecord, names: Collection[str]) -> PartPreview:
        document, kind = self._document(record, at=self.clock()), record.version.kind
        pointers = [*mandatory_in(document, kind), *selected_in(document, kind, names)]
        return PartPreview(disclosable_in(document, kind), document, select_members(document, pointers))

    def shown_before(self, award_id: uuid.UUID) -> list[tuple[datetime, list[str]]]:
        """When the holder made a presentation and what it showed, by name; the latest first."""
        entries = [entry for entry, _ in self.history.list_of(_NOUN, award_id) if entry.action == _SHOW_PART]
        entries.sort(key=lambda entry: entry.at, reverse=True)
        return [(entry.at, list(entry.facts.get("shown", []))) for entry in entries]

    def present(self, record: AwardRecord, names: Collection[str], *, by: Actor) -> bytes:
        """The derived credential, in JSON; the base proof it is derived from is forgotten at once."""
        at, campus = self.clock(), record.campus
        if not self.is_offered(campus):
            raise NotFound(N_("Ce campus ne propose pas de montrer une partie d’un badge."))
        check_may_show_part(record.award, at=at)
        self.awards.check_may_show(record, by=by)
        document, kind = self._document(record, at=at), record.version.kind
        signer = self.signing.disclosure_signer(campus)
        base = add_base_proof(document, mandatory_in(document, kind), signer=signer, created=whole_second(at))
        derived = derive_proof(base, selected_in(document, kind, names))
        accepted = verify_proofs(derived, key_for=lambda _method: signer.key.public, at=at).accepted
        assert accepted is not None, "our own verifier accepts what we derive"
        shown = [each.name for each in disclosable_in(document, kind) if each.name in names]
        # Of no campus: only the holder reads it.
        self.history.write(by, _SHOW_PART, _NOUN, record.award.id, at=at, shown=shown)
        return dump_json(derived)

    def _document(self, record: AwardRecord, *, at: datetime) -> JsonObject:
        """From the newest signed edition: what the holder no longer discloses is not in it."""
        stored = parse_json_object(self.publication.award_file(record, "json").body)
        return presented(stored, at=whole_second(at))
