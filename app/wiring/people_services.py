"""Services about people: how they come in, what they are told, how a badge reaches them."""

from __future__ import annotations

from functools import cached_property

from app.adapters.sealed_words import SealedWords
from app.services.directory import DirectoryService
from app.services.handing_over import HandingOver
from app.services.letters import LetterService, ReminderService
from app.services.people import PeopleService
from app.services.sessions import SessionService
from app.services.sign_in import SignInService
from app.wiring.campus_services import CampusServices


class PeopleServices(CampusServices):
    @cached_property
    def sessions(self) -> SessionService:
        return SessionService(
            self.stores.sessions,
            self.stores.people,
            self.stores.passkeys,
            self.stores.history,
            self.lent.settings.session_life,
            self.lent.settings.session_idle,
            self.clock,
        )

    @cached_property
    def sign_in(self) -> SignInService:
        return SignInService(
            self.stores.sign_in,
            self.sessions,
            self.stores.people,
            self.stores.history,
            self.lent.secret,
            self.clock,
        )

    @cached_property
    def people(self) -> PeopleService:
        return PeopleService(
            self.stores.people,
            self.stores.access,
            self.sessions,
            self.stores.campuses,
            self.stores.awards,
            self.stores.history,
            self.lent.secret,
            self.clock,
        )

    @cached_property
    def directory(self) -> DirectoryService:
        return DirectoryService(
            self.stores.directory,
            self.stores.people,
            self.stores.badges,
            SealedWords(self.lent.secret),
        )

    @cached_property
    def letters(self) -> LetterService:
        return LetterService(
            self.stores.letters,
            self.stores.awards,
            self.addresses,
            self.lent.artist(),
            self.lent.secret,
            self.lent.settings.letters_per_minute,
            self.clock,
        )

    @cached_property
    def reminders(self) -> ReminderService:
        return ReminderService(
            self.stores.reminders,
            self.stores.letters,
            self.stores.people,
            self.stores.campuses,
            self.stores.history,
            self.lent.secret,
            self.clock,
        )

    @cached_property
    def handing_over(self) -> HandingOver:
        return HandingOver(
            self.stores.awards,
            self.stores.letters,
            self.stores.claim_codes,
            self.stores.people,
            self.people,
            self.stores.history,
            self.lent.secret,
            self.clock,
        )
