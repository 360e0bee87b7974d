"""Badges and confirmations that a person gave to themselves: taken back as soon as two records are known to be one person's."""

from __future__ import annotations

import uuid

from app.db.accounts.own_addresses import OwnAddressStore
from app.db.awards.awards import AwardStore
from app.db.campus.campus import CampusStore
from app.db.people.people import PeopleStore
from app.domain.awards.awards import AwardState, revoke
from app.domain.campus.history import Actor
from app.domain.core.clock import Clock
from app.domain.people.people import Membership, Role
from app.language import N_, speaking
from app.language import gettext as _
from app.services.accounts.memberships import Memberships
from app.services.awards.withdrawals import WithdrawalService
from app.services.learners.contributions import ContributionService

RULE = Actor(label="rule on self-awards")
REASON = N_(
    "Ce badge a été attribué ou examiné par la personne qui l’a reçu, ou par une seule personne sous deux adresses."
)
CONFIRMED_BY_ITS_PERSON = N_("Confirmée par la personne elle-même, sous une autre adresse.")


class SelfAwards:
    """The result is the same in every order of award, confirmation of an address and merge."""

    def __init__(
        self,
        own: OwnAddressStore,
        people: PeopleStore,
        awards: AwardStore,
        campuses: CampusStore,
        withdrawals: WithdrawalService,
        memberships: Memberships,
        contributions: ContributionService,
        clock: Clock,
    ) -> None:
        self.own = own
        self.people = people
        self.awards = awards
        self.campuses = campuses
        self.withdrawals = withdrawals
        self.memberships = memberships
        self.contributions = contributions
        self.clock = clock

    def end_those_of(self, person_id: uuid.UUID) -> None:
        """After a merge or a confirmed address. The campus may give the badge again, by another person. Idempotent."""
        with self.own.reach.across_campuses():
            same = self.own.same_person(person_id)
            if len(same) > 1:
                self._withdraw(same)
                self._reopen_contributions(same)
                self._end_protection(same)

    def _withdraw(self, same: set[uuid.UUID]) -> None:
        found = self.awards.given_within(same)
        for campus_id in sorted({award.campus_id for award in found}):
            campus, at = self.campuses.lock(campus_id), self.clock()
            wanted = [award.id for award in found if award.campus_id == campus_id]
            locked = self.awards.lock_all(wanted, campus_id)
            standing = [award for award in locked.values() if award.state is AwardState.ISSUED]
            with speaking(campus.language):
                reason = _(REASON)
            for award in standing:
                revoke(award, reason, at=at)
            self.withdrawals.keep(campus, standing, at=at, by=RULE)

    def _reopen_contributions(self, same: set[uuid.UUID]) -> None:
        for contribution in self.contributions.confirmed_within(same):
            campus = self.campuses.get_by_id(contribution.campus_id)
            with speaking(campus.language):
                self.contributions.reopen(campus, contribution.id, _(CONFIRMED_BY_ITS_PERSON), by=RULE)

    def _end_protection(self, same: set[uuid.UUID]) -> None:
        """Who administers a campus under one record does not protect its data under another."""
        roles: dict[uuid.UUID, list[Membership]] = {}
        for record in same:
            for membership, campus in self.people.memberships_of(record):
                roles.setdefault(campus.id, []).append(membership)
        for campus_id, found in roles.items():
            administers = {each.person_id for each in found if each.role is Role.CAMPUS_ADMIN}
            for each in found:
                if each.role is Role.DPO and administers - {each.person_id}:
                    campus = self.campuses.get_by_id(campus_id)
                    self.memberships.take_back(campus, self.people.get(each.person_id), Role.DPO, by=RULE)
