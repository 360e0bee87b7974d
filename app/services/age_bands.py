"""What a campus says of somebody's age band, whichever way it says it; pages that need a parent's yes from then on are shut."""

from __future__ import annotations

import uuid

from app.db.awards import AwardStore
from app.db.consents import ConsentStore
from app.db.guardians import GuardianStore
from app.db.history import HistoryStore
from app.db.portfolios import PortfolioStore
from app.domain.awards import Award, Visibility
from app.domain.clock import Clock
from app.domain.guardians import ParentNeeded, check_may_show_further
from app.domain.history import Actor
from app.domain.people import Person, note_age_band


class AgeBands:
    def __init__(
        self,
        guardians: GuardianStore,
        awards: AwardStore,
        portfolios: PortfolioStore,
        consents: ConsentStore,
        history: HistoryStore,
        clock: Clock,
    ) -> None:
        self.guardians = guardians
        self.awards = awards
        self.portfolios = portfolios
        self.consents = consents
        self.history = history
        self.clock = clock

    def note(
        self, person: Person, under_15: bool | None, *, by: Actor, campus_id: uuid.UUID | None = None
    ) -> None:
        """Silence changes nothing."""
        at = self.clock()
        if not note_age_band(person, under_15, on=at.date()):
            return
        self.history.write(by, "age_band", "person", person.id, at=at, campus_id=campus_id, under_15=under_15)
        for award in self.guardians.open_awards_of(person.id) if under_15 else ():
            agreement = self.guardians.newest_about(award.id)
            if agreement is None or not agreement.agreed:
                self.shut(award, by)
        self.shut_portfolio(person)

    def shut(self, award: Award, by: Actor) -> None:
        if award.visibility is Visibility.OPEN:
            award.visibility = Visibility.CLOSED
            self.awards.save(award)
            self.history.write(by, "close", "award", award.id, at=self.clock(), campus_id=award.campus_id)

    def shut_portfolio(self, person: Person) -> None:
        """Nothing is left that a parent agreed to show in it."""
        portfolio = self.portfolios.find_of(person.id)
        if portfolio is None or not portfolio.is_open:
            return
        try:
            check_may_show_further(person, self.consents.of_person(person.id))
        except ParentNeeded:
            portfolio.is_open = False
            self.portfolios.add(portfolio)
