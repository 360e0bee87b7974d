"""What a campus says of somebody's age band, whichever way it says it; pages that need a parent's yes from then on are shut."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping

from app.db.awards.awards import AwardStore
from app.db.campus.history import HistoryStore
from app.db.learners.portfolios import PortfolioStore
from app.db.people.guardians import GuardianStore
from app.db.privacy.consents import ConsentStore
from app.domain.activities.activities import Activity
from app.domain.awards.awards import Award, Visibility
from app.domain.awards.evidence import Shown, least_shown
from app.domain.campus.history import Actor
from app.domain.core.clock import Clock
from app.domain.people.guardians import ParentNeeded, check_may_show_further, needs_guardian_for
from app.domain.people.people import AgeGroup, Person, note_age_band, note_age_group, suppose_pupil
from app.services.activity_log.evidence_documents import EvidenceDocuments
from app.services.awards.reissuing import ReissueService
from app.tenancy.scope import Reach


class AgeBands:
    def __init__(
        self,
        guardians: GuardianStore,
        awards: AwardStore,
        evidence: EvidenceDocuments,
        reissuing: ReissueService,
        portfolios: PortfolioStore,
        consents: ConsentStore,
        history: HistoryStore,
        reach: Reach,
        clock: Clock,
    ) -> None:
        """`reach`: what is shown of a person is closed at every campus, whichever gave their age."""
        self.reach = reach
        self.guardians = guardians
        self.awards = awards
        self.evidence = evidence
        self.reissuing = reissuing
        self.portfolios = portfolios
        self.consents = consents
        self.history = history
        self.clock = clock

    def note(
        self, person: Person, under_15: bool | None, *, by: Actor, campus_id: uuid.UUID | None = None
    ) -> None:
        """None changes nothing."""
        if under_15 is None:
            return
        with self.reach.across_campuses():
            before = self._shown_by(person)
            if note_age_band(person, under_15, on=self.clock().date()):
                self._changed(person, before, by=by, campus_id=campus_id)

    def set_group(
        self, person: Person, group: AgeGroup, *, by: Actor, campus_id: uuid.UUID | None = None
    ) -> None:
        """Of the person, for the awards of every campus: what is public of a minor does not depend on who noted it."""
        with self.reach.across_campuses():
            before = self._shown_by(person)
            if note_age_group(person, group, on=self.clock().date()):
                self._changed(person, before, by=by, campus_id=campus_id)

    def suppose_pupils(self, people: Iterable[Person], *, by: Actor, campus_id: uuid.UUID) -> None:
        """Participants of an activity for pupils whose age group is not known count as minors in all that they receive
        for such activities; what they received for others stays as it is."""
        for person in people:
            if suppose_pupil(person):
                self._write(person, by=by, campus_id=campus_id)

    def protect_awards_of(self, activity: Activity, *, by: Actor) -> None:
        """Of an activity that is for pupils from now on: close what needs a guardian's yes, narrow what is signed."""
        with self.reach.across_campuses():
            for award, person in self.awards.open_of_activity(activity.id):
                if needs_guardian_for(person, activity) and not self._has_agreement(award):
                    self.shut(award, by)
            self.awards.mark_to_align(self.clock(), activity_id=activity.id)

    def _has_agreement(self, award: Award) -> bool:
        agreement = self.guardians.newest_about(award.id)
        return agreement is not None and agreement.agreed is True

    def _changed(
        self,
        person: Person,
        before: Mapping[uuid.UUID, Mapping[int, Shown]],
        *,
        by: Actor,
        campus_id: uuid.UUID | None,
    ) -> None:
        """Close what now needs a consent that is missing; show of no badge more than before, and sign it to match."""
        self._write(person, by=by, campus_id=campus_id)
        for award in self.guardians.open_awards_of(person.id) if person.needs_guardian else ():
            if not self._has_agreement(award):
                self.shut(award, by)
        self.shut_portfolio(person)
        for award_id, shown in before.items():
            self._keep_shown(award_id, shown, by)

    def _write(self, person: Person, *, by: Actor, campus_id: uuid.UUID | None) -> None:
        assert person.age_group is not None, "it was set just now"
        self.history.write(
            by,
            "age_band",
            "person",
            person.id,
            at=self.clock(),
            campus_id=campus_id,
            under_15=person.needs_guardian,
            group=person.age_group.value,
        )

    def _shown_by(self, person: Person) -> dict[uuid.UUID, Mapping[int, Shown]]:
        """Of each award of the person, what is shown of its lines."""
        rows = {each: self.evidence.find(each) for each in self.portfolios.awards_of(person.id)}
        return {each: self.evidence.shown(row) if row else {} for each, row in rows.items()}

    def _keep_shown(self, award_id: uuid.UUID, before: Mapping[int, Shown], by: Actor) -> None:
        row = self.evidence.find(award_id)
        now = self.evidence.shown(row) if row else {}
        for number, shown in now.items():
            level = least_shown(shown, before[number])
            self.evidence.store.choose(award_id, number, level, at=self.clock())
        award = self.awards.lock(award_id)
        award.disclosures += 1
        self.awards.save(award)
        self.reissuing.align(award_id, by=by)

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
