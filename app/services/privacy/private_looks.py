"""What people of a campus looked at of somebody's own: noted after the page was answered, and told to that person."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from app.db.privacy.private_looks import PrivateLookStore
from app.domain.campus.campus import Campus
from app.domain.core.clock import Clock
from app.domain.people.people import Person
from app.domain.privacy.private_looks import KEPT_FOR, Looked, PrivateLook

_MOST_TOLD = 100


class PrivateLooks:
    def __init__(self, looks: PrivateLookStore, clock: Clock) -> None:
        self.looks = looks
        self.clock = clock

    def note(
        self, campus_id: uuid.UUID, person_id: uuid.UUID, viewer_id: uuid.UUID, looked_at: Looked
    ) -> None:
        """Nothing where somebody looks at what is their own."""
        if viewer_id != person_id:
            self.looks.note(campus_id, person_id, viewer_id, looked_at, self.clock().date())

    def of(self, person: Person, campus: Campus) -> Sequence[tuple[PrivateLook, Person | None]]:
        return self.looks.of(campus.id, person.id, limit=_MOST_TOLD)

    def forget_old(self) -> None:
        self.looks.forget_before((self.clock() - KEPT_FOR).date())
