"""Award permissions per badge: open to every trainer of the campus, or to named ones."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from app.db.badges import BadgeStore, OpeningStore
from app.db.campus import CampusStore, HistoryStore, TeamStore
from app.domain.badges import Badge, BadgeVersion, check_opened, is_opened
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.core import Clock, check_as_shown
from app.domain.people import Person, Role
from app.errors import InvalidInput, NotFound


@dataclass(frozen=True)
class BadgeOpenings:
    badge: Badge
    version: BadgeVersion
    trainers: Sequence[tuple[Person, bool]]
    """Every trainer of the campus, and whether the badge is open to them by name."""

    @property
    def opened(self) -> list[object]:
        named = sorted(person.id for person, opened in self.trainers if opened)
        return [self.badge.for_every_trainer, *named]

    def is_set_to(self, everybody: bool, people: Collection[uuid.UUID]) -> bool:
        named = {person.id for person, opened in self.trainers if opened}
        return self.badge.for_every_trainer is everybody and (everybody or named == set(people))


def opened_by_name(badges: Sequence[tuple[Badge, BadgeVersion, bool]]) -> list[uuid.UUID]:
    """As `OpeningService.of_trainer` gives them."""
    return sorted(badge.id for badge, _, opened in badges if opened and not badge.for_every_trainer)


@dataclass(frozen=True, eq=False)
class OpeningService:
    openings: OpeningStore
    badges: BadgeStore
    team: TeamStore
    campuses: CampusStore
    history: HistoryStore
    clock: Clock

    def of_badge(self, campus: Campus, badge_id: uuid.UUID) -> BadgeOpenings:
        badge = self.badges.get_of(campus.id, badge_id)
        opened = self.openings.of_badge(badge.id)
        trainers = [(person, person.id in opened) for person in self._trainers(campus)]
        return BadgeOpenings(badge, self.badges.newest_version(badge.id), trainers)

    def of_trainer(self, campus: Campus, person_id: uuid.UUID) -> list[tuple[Badge, BadgeVersion, bool]]:
        """Every active badge, and whether it is open to that person by name."""
        opened = self.openings.of_person(campus.id, person_id)
        return [
            (badge, version, badge.id in opened)
            for badge, version in self.badges.list_newest(campus.id)
            if badge.archived_at is None
        ]

    def set_for_badge(
        self,
        campus: Campus,
        badge_id: uuid.UUID,
        *,
        everybody: bool,
        people: Collection[uuid.UUID] = (),
        by: Actor,
        seen: str = "",
    ) -> None:
        """Open to every trainer, or exactly to `people`; if to all, the named list is still stored.

        `seen`: the mark of what the page showed.
        """
        self.campuses.lock(campus.id)
        badge = self.badges.get_of(campus.id, badge_id)
        trainers = {person.id for person in self._trainers(campus)}
        known = self.of_badge(campus, badge_id)
        if not known.is_set_to(everybody, people):
            check_as_shown(seen, *known.opened)
        if not everybody and not trainers & set(people):
            raise InvalidInput(
                "Choisissez au moins une personne, sinon seule l’administration attribue ce badge."
            )
        if badge.for_every_trainer is not everybody:
            badge.for_every_trainer = everybody
            self.badges.add(badge)
            self._note("open_to_all" if everybody else "open_to_some", badge, by)
        if not everybody:
            opened = self.openings.of_badge(badge.id)
            for person_id in sorted(trainers):
                self._set(badge, person_id, wanted=person_id in people, is_open=person_id in opened, by=by)

    def set_for_trainer(
        self,
        campus: Campus,
        person_id: uuid.UUID,
        badges: Collection[uuid.UUID],
        *,
        by: Actor,
        seen: str = "",
    ) -> None:
        """Among badges opened by name, open exactly these. `seen`: the mark of those that the page showed."""
        self.campuses.lock(campus.id)
        if person_id not in {person.id for person in self._trainers(campus)}:
            raise NotFound("Cette personne ne forme pas pour ce campus.")
        shown = self.of_trainer(campus, person_id)
        if set(badges) != set(opened_by_name(shown)):
            check_as_shown(seen, *opened_by_name(shown))
        for badge, _, is_open in shown:
            if not badge.for_every_trainer:
                self._set(badge, person_id, wanted=badge.id in badges, is_open=is_open, by=by)

    def check(self, badge: Badge, person_id: uuid.UUID, roles: Collection[Role]) -> None:
        """Raises NotOpened unless that person, with these roles in the badge's campus, may award it."""
        check_opened(badge, roles, by_name=person_id in self.openings.of_badge(badge.id))

    def is_open(self, badge: Badge, person_id: uuid.UUID, roles: Collection[Role]) -> bool:
        return is_opened(badge, roles, by_name=person_id in self.openings.of_badge(badge.id))

    def awardable(
        self, campus: Campus, person_id: uuid.UUID, roles: Collection[Role]
    ) -> list[tuple[Badge, BadgeVersion]]:
        """The badges that this person may award."""
        opened = self.openings.of_person(campus.id, person_id)
        return [
            (badge, version)
            for badge, version in self.badges.list_current(campus.id)
            if badge.archived_at is None and is_opened(badge, roles, by_name=badge.id in opened)
        ]

    def _set(self, badge: Badge, person_id: uuid.UUID, *, wanted: bool, is_open: bool, by: Actor) -> None:
        if wanted is is_open:
            return
        if wanted:
            self.openings.open(badge.id, person_id, at=self.clock())
        else:
            self.openings.shut(badge.id, person_id)
        self._note("open_to" if wanted else "shut_to", badge, by, person=str(person_id))

    def _note(self, action: str, badge: Badge, by: Actor, **facts: object) -> None:
        self.history.write(by, action, "badge", badge.id, at=self.clock(), campus_id=badge.campus_id, **facts)

    def _trainers(self, campus: Campus) -> list[Person]:
        return [
            person
            for membership, person in self.team.members(campus.id, at=self.clock())
            if membership.role is Role.TRAINER
        ]
