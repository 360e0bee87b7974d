"""Forms kept while their senders prove who they are."""

from __future__ import annotations

import secrets
import uuid

from app.adapters.secrets.sealed_forms import SealedForms
from app.db.accounts.sign_in import SignInStore
from app.db.people.people import PeopleStore
from app.domain.accounts.access import digest_of
from app.domain.accounts.set_aside import LIFE, MOST_FOR_ONE, SetAside, WaitingForm
from app.domain.core.clock import Clock


class SetAsideService:
    def __init__(self, store: SignInStore, people: PeopleStore, seal: SealedForms, clock: Clock) -> None:
        self.store = store
        self.people = people
        self.seal = seal
        self.clock = clock

    def keep(self, form: WaitingForm, person_id: uuid.UUID) -> str:
        """The token that finds it again, for that person alone; raises NotFound for whoever is not here any more."""
        self.people.get(person_id)
        token, at = secrets.token_urlsafe(32), self.clock()
        self.store.sweep(at)
        self.store.make_room_for_form(person_id, but=MOST_FOR_ONE - 1)
        self.store.add(
            SetAside(
                person_id=person_id,
                secret_digest=digest_of(token),
                sealed=self.seal.seal(form, token=token),
                expires_at=at + LIFE,
            )
        )
        return token

    def find(self, token: str, person_id: uuid.UUID) -> WaitingForm | None:
        kept = self.store.find_form(token)
        if kept is None or kept.person_id != person_id or self.clock() >= kept.expires_at:
            return None
        return self.seal.open(kept.sealed, token=token)

    def take(self, token: str, person_id: uuid.UUID) -> WaitingForm | None:
        """The same, kept no longer."""
        found = self.find(token, person_id)
        if found is not None:
            self.store.drop_form(token)
        return found
