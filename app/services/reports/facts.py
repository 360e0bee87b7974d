"""Read, write and complete the facts of activities that reports need."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from app.db.activities import ActivityStore
from app.db.activities.plans import ActivityPlanStore
from app.db.campus import HistoryStore
from app.db.reports.facts import ReportFactsStore
from app.domain.activities import Activity, check_leads
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.core import Clock
from app.domain.reports.facts import (
    ReportFacts,
    ReportObjective,
    cells_of,
    check_facts,
    objectives_in,
    with_cells,
)
from app.errors import InvalidInput
from app.language import N_


@dataclass(frozen=True)
class FactsOfActivity:
    """`like`: the earlier activity from which `facts` were proposed, None if they are recorded."""

    activity: Activity
    facts: ReportFacts
    leads: bool
    like: Activity | None = None


@dataclass(frozen=True)
class ReportFactsService:
    store: ReportFactsStore
    activities: ActivityStore
    plans: ActivityPlanStore
    history: HistoryStore
    clock: Clock

    def of(self, campus: Campus, activity_id: uuid.UUID) -> FactsOfActivity:
        activity = self.activities.get_in_campus(activity_id, campus.id)
        return FactsOfActivity(activity, self._facts(campus, activity), self._leads(campus, activity))

    def proposed(self, campus: Campus, activity_id: uuid.UUID) -> FactsOfActivity:
        """As `of`; objective, sector and département of a similar activity where none are recorded."""
        found = self.of(campus, activity_id)
        facts = found.facts
        if facts.departement or facts.sector or facts.objectives or not found.leads:
            return found
        like = self.store.like(campus.id, found.activity)
        if like is None:
            return found
        earlier = self._facts(campus, like)
        filled = replace(
            facts,
            departement=earlier.departement if like.place == found.activity.place else "",
            sector=earlier.sector,
            objectives=earlier.objectives,
        )
        return replace(found, facts=filled, like=None if filled == facts else like)

    def leaders(self, activity_ids: Collection[uuid.UUID], *, beside: Campus) -> dict[uuid.UUID, str]:
        """Short names of the campuses that lead these activities, where that is another one."""
        leads = {each: self.activities.campuses_of(each)[0] for each in activity_ids}
        return {each: lead.short_name for each, lead in leads.items() if lead.id != beside.id}

    def cells_of_many(
        self, campus: Campus, activities: Collection[Activity]
    ) -> dict[uuid.UUID, dict[str, str]]:
        found = self.store.of_many(activities, campus.id) if activities else {}
        return {activity_id: cells_of(facts) for activity_id, facts in found.items()}

    def of_many(self, campus: Campus, activities: Collection[Activity]) -> dict[uuid.UUID, ReportFacts]:
        return self.store.of_many(activities, campus.id)

    def write(self, campus: Campus, activity_id: uuid.UUID, facts: ReportFacts, *, by: Actor) -> bool:
        """Returns whether anything changed. A campus that does not lead writes its objectives alone."""
        activity = self.activities.get_in_campus(activity_id, campus.id)
        before = self._facts(campus, activity)
        # Counts collected by the survey itself may exceed the people present; only changed ones are checked.
        check_facts(replace(facts, survey=None) if facts.survey == before.survey else facts)
        if facts == before:
            return False
        if replace(facts, objectives=()) != replace(before, objectives=()):
            place = self.plans.place_of(activity.id, campus.id)
            if place is not None:
                check_leads(place)
            self.store.write(activity, facts, at=self.clock())
        if facts.objectives != before.objectives:
            self.store.write_objectives(activity.id, campus.id, self._objective_ids(campus, facts.objectives))
        changed = _changed(before, facts)
        self.history.write(
            by, "amend", "activity", activity.id, at=self.clock(), campus_id=campus.id, what=changed
        )
        return True

    def correct(self, campus: Campus, activity_id: uuid.UUID, cells: Mapping[str, str], *, by: Actor) -> bool:
        """Write the facts of these cells and leave the others."""
        facts = self._facts(campus, self.activities.get_in_campus(activity_id, campus.id))
        return self.write(campus, activity_id, with_cells(facts, cells), by=by)

    def to_complete(
        self,
        campus: Campus,
        days: tuple[date, date],
        *,
        incomplete: bool = True,
        start: int = 0,
        limit: int = 20,
    ) -> list[FactsOfActivity]:
        """One more than the limit if there is a next page."""
        found = self.store.activities_in(campus.id, days, incomplete=incomplete, start=start, limit=limit + 1)
        facts = self.store.of_many(found, campus.id)
        return [FactsOfActivity(each, facts[each.id], self._leads(campus, each)) for each in found]

    def objectives(self, campus: Campus) -> Sequence[ReportObjective]:
        return self.store.objectives_of(campus.id)

    def write_objectives(self, campus: Campus, typed: str, *, by: Actor) -> None:
        """One objective per line, « 2.3 Promouvoir les métiers »; those left out are removed."""
        wanted = objectives_in(typed)
        known = {each.code: each for each in self.store.objectives_of(campus.id)}
        self.store.delete_objectives([each.id for code, each in known.items() if code not in wanted])
        changed = []
        for code, title in wanted.items():
            row = known.get(code) or ReportObjective(campus_id=campus.id, code=code, title="")
            if row.title != title:
                row.title = title
                changed.append(row)
        self.store.save_objectives(changed)
        self.history.write(by, "objectives", "report", campus.id, at=self.clock(), campus_id=campus.id)

    def _objective_ids(self, campus: Campus, codes: Sequence[str]) -> list[uuid.UUID]:
        known = {each.code: each.id for each in self.store.objectives_of(campus.id)}
        for code in codes:
            if code not in known:
                raise InvalidInput(
                    N_("L’objectif {word} n’est pas dans la feuille de route du campus."), word=code
                )
        return [known[code] for code in codes]

    def _facts(self, campus: Campus, activity: Activity) -> ReportFacts:
        return self.store.of_many([activity], campus.id)[activity.id]

    def _leads(self, campus: Campus, activity: Activity) -> bool:
        place = self.plans.place_of(activity.id, campus.id)
        return place is not None and place.position == 0


def _changed(before: ReportFacts, now: ReportFacts) -> str:
    earlier, cells = cells_of(before), cells_of(now)
    return ",".join(name for name, cell in cells.items() if earlier[name] != cell)
