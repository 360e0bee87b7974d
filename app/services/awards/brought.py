"""What the list of a bulk award brought with it, and its removal when the award is undone."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass

from app.db.activities import ActivityStore
from app.db.awards.batches import BatchStore
from app.domain.awards.batches import AwardBatch
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.language import N_
from app.services.activity_log.activity_log import LoggedEvents
from app.tenancy.scope import TenantScope

REMOVED_AT_ONCE = 10
"""Participations removed in one transaction, which holds the campus: each person is a whole erasure."""
REMOVED_INLINE = 5
"""The same, where a person waits for the answer."""
REMOVED = N_("Inscrite par une attribution annulée.")
"""Reason logged for a participation that only an undone award brought."""


@dataclass(frozen=True)
class Brought:
    """`people` have no trace besides this list; `participations` include theirs."""

    people: int = 0
    participations: int = 0


@dataclass(frozen=True, eq=False)
class BroughtByLists:
    """A person with any other trace (another activity, another badge, an account, a role) always stays.

    `forget` erases a person without other traces; False where there were any. `tenant_scope`: another
    campus may know the person.
    """

    batches: BatchStore
    activities: ActivityStore
    logged_events: LoggedEvents
    forget: Callable[[Campus, uuid.UUID, uuid.UUID, str, Actor], bool]
    tenant_scope: TenantScope

    def count(self, batch: AwardBatch) -> Brought:
        if batch.activity_id is None:
            return Brought()
        with self.tenant_scope.across_campuses():
            return Brought(*self.batches.count_brought(batch))

    def remove_some(
        self, campus: Campus, batch: AwardBatch, *, by: Actor, limit: int = REMOVED_AT_ONCE
    ) -> bool:
        """Removes the next ones; returns whether more remain."""
        activity = self.activities.find(batch.activity_id) if batch.activity_id else None
        if activity is None:
            return False
        found = self.batches.brought(batch, limit=limit)
        for participation in found:
            participation.is_present = False
        self.logged_events.log_participation(activity, found, REMOVED)
        people, batch_id = 0, batch.id
        with self.tenant_scope.across_campuses():
            alone = self.batches.brought_alone(batch, [each.person_id for each in found])
            for person_id, participation in [(each.person_id, each) for each in found]:
                self.batches.remove_participation(participation)
                people += person_id in alone and self.forget(campus, person_id, batch_id, REMOVED, by)
        # Erasing a person expires every row of the session.
        batch.removed_participations += len(found)
        batch.removed_people += people
        return len(found) == limit
