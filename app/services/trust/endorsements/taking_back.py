"""Endorsements taken back: by the organisation for good, hidden by the holder, set aside by the campus."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence

from app.db.campus.history import HistoryStore
from app.db.messages.letters import LetterStore
from app.db.trust.endorsements import EndorsementStore
from app.db.trust.organisations import OrganisationStore
from app.domain.accounts.access import digest_of
from app.domain.campus.campus import Campus
from app.domain.campus.history import Actor
from app.domain.core.clock import Clock
from app.domain.messages.letters import Occasion, letter_to
from app.domain.people.people import normal_address
from app.domain.trust.endorsements import Endorsement, checked_reason, number_in, organisation_in
from app.domain.trust.organisations import Organisation, is_of
from app.errors import NotFound
from app.language import N_
from app.services.trust.endorsements.signing import AN_ORGANISATION, WITHDRAW


class EndorsementsTakenBack:
    def __init__(
        self,
        endorsements: EndorsementStore,
        organisations: OrganisationStore,
        letters: LetterStore,
        history: HistoryStore,
        secret: bytes,
        clock: Clock,
    ) -> None:
        self.endorsements = endorsements
        self.organisations = organisations
        self.letters = letters
        self.history = history
        self.secret = secret
        self.clock = clock

    # --- by the organisation

    def named_by(self, token: str) -> Endorsement:
        """The endorsement that a letter's link takes back."""
        return self.endorsements.get(number_in(self.secret, WITHDRAW, token))

    def withdraw(self, token: str) -> Endorsement:
        return self._withdraw(self.named_by(token))

    def ask_desk(self, organisation_id: uuid.UUID, typed: str) -> bool:
        """A letter with all that the organisation said; only where its mail is read, and nobody is told which."""
        organisation, address, at = (
            self.organisations.get(organisation_id),
            normal_address(typed),
            self.clock(),
        )
        if not is_of(organisation, address):
            return False
        once = f"{digest_of(address)[:16]}.{int(at.timestamp())}"
        self.letters.promise_many(
            [letter_to(address, Occasion.ENDORSEMENT_DESK, organisation.id, once=once, at=at)]
        )
        return True

    def desk(self, token: str) -> tuple[Organisation, Sequence[Endorsement]]:
        organisation = self.organisations.get(organisation_in(self.secret, token, at=self.clock()))
        return organisation, self.endorsements.of_organisation(organisation.id)

    def withdraw_at_desk(self, token: str, endorsement_id: uuid.UUID) -> Endorsement:
        organisation, _ = self.desk(token)
        endorsement = self.endorsements.get(endorsement_id)
        if endorsement.organisation_id != organisation.id:
            raise NotFound(N_("Il n’y a pas de recommandation à cette adresse."))
        return self._withdraw(endorsement)

    def _withdraw(self, endorsement: Endorsement) -> Endorsement:
        """For good: its bit rises, and neither the words nor the address stay here."""
        if endorsement.withdrawn_at is None:
            endorsement.withdrawn_at = self.clock()
            endorsement.written = endorsement.token = endorsement.comment = endorsement.address = ""
            self.organisations.raise_places([endorsement.id], at=endorsement.withdrawn_at)
            self._note(endorsement, "withdraw", AN_ORGANISATION)
        return endorsement

    # --- by those it is shown beside

    def hide(self, award_id: uuid.UUID, endorsement_id: uuid.UUID, *, hidden: bool, by: Actor) -> None:
        """By the holder of the award it is about."""
        endorsement = self.endorsements.get(endorsement_id)
        if endorsement.award_id != award_id:
            raise NotFound(N_("Il n’y a pas de recommandation à cette adresse."))
        if (endorsement.hidden_at is not None) is not hidden:
            endorsement.hidden_at = self.clock() if hidden else None
            self._note(endorsement, "hide" if hidden else "show", by)

    def set_aside(self, campus: Campus, endorsement_id: uuid.UUID, *, reason: str | None, by: Actor) -> None:
        """By the campus, which says why; without a reason it is shown again."""
        endorsement = self.endorsements.get(endorsement_id)
        if endorsement.campus_id != campus.id:
            raise NotFound(N_("Il n’y a pas de recommandation à cette adresse."))
        if reason is None:
            endorsement.set_aside_at, endorsement.set_aside_reason = None, ""
            self._note(endorsement, "take_up", by)
            return
        endorsement.set_aside_reason = checked_reason(reason)
        endorsement.set_aside_at = self.clock()
        self._note(endorsement, "set_aside", by, reason=endorsement.set_aside_reason)

    # --- with an erasure

    def raise_for(self, award_ids: Collection[uuid.UUID]) -> None:
        """Before the endorsements of these awards go with their holder: a copy of one counts no more."""
        self.organisations.raise_places(self.endorsements.ids_of_awards(award_ids), at=self.clock())

    def _note(self, endorsement: Endorsement, deed: str, by: Actor, **facts: str) -> None:
        endorsement.changes += 1
        self.endorsements.save(endorsement)
        self.history.write(
            by,
            deed,
            "endorsement",
            endorsement.id,
            at=self.clock(),
            campus_id=endorsement.campus_id,
            **facts,
        )
