"""What the addresses of somebody are told when one of them, or another way into the account, changes."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Sequence

from app.db.accounts.own_addresses import OwnAddressStore
from app.db.messages.letters import LetterStore
from app.domain.accounts.account_changes import ALSO_UNPROVED, WAYS_IN, Changed
from app.domain.core.clock import Clock
from app.domain.core.columns import new_id
from app.domain.messages.letters import Occasion, letter_to
from app.domain.people.people import Person


class AccountNotices:
    """Whoever reads an address of the person learns that something changed, and can say that it was not them."""

    def __init__(self, own: OwnAddressStore, letters: LetterStore, clock: Clock) -> None:
        self.own = own
        self.letters = letters
        self.clock = clock

    def tell(
        self,
        person: Person,
        changed: Changed,
        *,
        named: Iterable[str] = (),
        also: Sequence[str] = (),
        but: Collection[str] = (),
        campus_id: uuid.UUID | None = None,
    ) -> None:
        """`campus_id`: which campus did it, if one did. `named`: what the person calls the ways in that came or went; an address stands there masked."""
        names = list(named)
        known = self.own.list_of(person.id)
        proved = [row.address for row in known if row.verified_at is not None]
        # Before the first proof all that is known is what campuses wrote down: that is where the person may read.
        everywhere = changed is Changed.FIRST_ADDRESS or (changed in ALSO_UNPROVED and not proved)
        told = [row.address for row in known] if everywhere else proved
        occasion = Occasion.WAY_IN_CHANGED if changed in WAYS_IN else Occasion.ADDRESS_CHANGED
        self.letters.promise_new(
            [
                letter_to(
                    address,
                    occasion,
                    person.id,
                    once=f"{changed}.{new_id()}",
                    named=names,
                    person_id=person.id,
                    campus_id=campus_id,
                    at=self.clock(),
                )
                for address in dict.fromkeys((*told, *also))
                if address not in but
            ]
        )
