"""Sets of modules: written by a campus, followed by person, the badge of the whole proposed and never given alone."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.db.badges import BadgeStore, ModuleStore
from app.db.campus import CampusStore, HistoryStore
from app.db.frameworks import CompetencyStore
from app.domain.badges import Badge, BadgeVersion
from app.domain.badges.shared_definitions import (
    MOST_MODULES,
    Completion,
    ModuleCompetency,
    ModuleSet,
    TrainingModule,
    check_module,
    check_set,
    completions,
)
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.core import Clock, new_id
from app.domain.frameworks import Competency, Framework, check_level
from app.domain.people import Person
from app.errors import Conflict, InvalidInput, NotFound

Badges = Mapping[uuid.UUID, tuple[Badge, BadgeVersion]]


@dataclass(frozen=True)
class ModuleText:
    """What the form of a module has; `competencies` with their levels."""

    title: str
    contents: str = ""
    audience: str = ""
    hours: float | None = None
    badge_id: uuid.UUID | None = None
    competencies: Mapping[uuid.UUID, int | None] | None = None
    """None: those of its badge."""


@dataclass(frozen=True)
class Grid:
    """Modules × competencies."""

    found: ModuleSet
    modules: Sequence[TrainingModule]
    competencies: Sequence[tuple[Competency, Framework]]
    """Each one that a module attests, by code."""
    levels: Mapping[tuple[uuid.UUID, uuid.UUID], int | None]
    """By module and competency."""
    badges: Badges

    @property
    def whole(self) -> tuple[Badge, BadgeVersion] | None:
        return self.badges.get(self.found.badge_id) if self.found.badge_id else None

    def badge_of(self, module: TrainingModule) -> tuple[Badge, BadgeVersion] | None:
        return self.badges.get(module.badge_id) if module.badge_id else None

    def level(self, module: TrainingModule, competency: Competency) -> str | None:
        """Its name; empty for a competency without levels; None where the module does not attest it."""
        key = module.id, competency.id
        if key not in self.levels:
            return None
        rank = self.levels[key]
        return competency.levels[rank - 1] if rank and rank <= len(competency.levels) else ""

    @property
    def hours(self) -> float | None:
        known = [module.hours for module in self.modules if module.hours]
        return sum(known) if known else None


@dataclass(frozen=True)
class Attestation:
    """The modules that one person has attested."""

    grid: Grid
    person: Person
    completion: Completion
    hours: Mapping[uuid.UUID, float]
    """By module: as recorded for this person, else as planned."""

    @property
    def modules(self) -> list[TrainingModule]:
        return [each for each in self.grid.modules if each.id in self.completion.done]


@dataclass(frozen=True)
class ModuleService:
    store: ModuleStore
    campuses: CampusStore
    badges: BadgeStore
    competencies: CompetencyStore
    history: HistoryStore
    clock: Clock

    def list_of(self, campus: Campus) -> Sequence[ModuleSet]:
        return [each for each in self.store.sets_of(campus.id) if each.archived_at is None]

    def archived_of(self, campus: Campus) -> Sequence[ModuleSet]:
        return [each for each in self.store.sets_of(campus.id) if each.archived_at is not None]

    def get(self, campus: Campus, set_id: uuid.UUID, *, archived: bool = False) -> ModuleSet:
        found = self.store.get_set(set_id)
        if found is None or found.campus_id != campus.id or (found.archived_at and not archived):
            raise NotFound("Cet ensemble de modules n’existe pas ici.")
        return found

    def get_module(self, found: ModuleSet, module_id: uuid.UUID, *, removed: bool = False) -> TrainingModule:
        module = self.store.get_module(module_id)
        if module is None or module.set_id != found.id or (module.removed_at and not removed):
            raise NotFound("Ce module n’existe pas ici.")
        return module

    def choices(self, campus: Campus, present: uuid.UUID | None = None) -> list[tuple[Badge, BadgeVersion]]:
        """Badges that a set or a module may lead to; the present one stays, archived or not."""
        listed = self.badges.list_current(campus.id)
        return [pair for pair in listed if pair[0].archived_at is None or pair[0].id == present]

    def create(
        self,
        campus: Campus,
        *,
        title: str,
        description: str = "",
        badge_id: uuid.UUID | None = None,
        by: Actor,
        once: uuid.UUID | None = None,
    ) -> ModuleSet:
        """Idempotent by `once`."""
        if once is not None:
            self.campuses.lock(campus.id)
            made = self.store.get_set(once)
            if made is not None and made.campus_id == campus.id:
                return made
        found = ModuleSet(
            id=once or new_id(),
            campus_id=campus.id,
            title=title.strip(),
            description=description.strip(),
            badge_id=self._badge(campus, badge_id),
            created_at=self.clock(),
        )
        check_set(found)
        self.store.add(found)
        self._write(by, "create", campus, found)
        return found

    def amend(
        self,
        campus: Campus,
        set_id: uuid.UUID,
        *,
        title: str,
        description: str,
        badge_id: uuid.UUID | None,
        by: Actor,
    ) -> ModuleSet:
        found = self.get(campus, set_id)
        found.title, found.description = title.strip(), description.strip()
        found.badge_id = self._badge(campus, badge_id, found.badge_id)
        check_set(found)
        self.store.add(found)
        self._write(by, "amend", campus, found)
        return found

    def archive(self, campus: Campus, set_id: uuid.UUID, *, by: Actor) -> None:
        """Badges and attestations stay with their holders."""
        self.store.hold_row(self.get(campus, set_id))
        found = self.get(campus, set_id)
        found.archived_at = self.clock()
        self.store.add(found)
        self._write(by, "archive", campus, found)

    def restore(self, campus: Campus, set_id: uuid.UUID, *, by: Actor) -> None:
        """Idempotent."""
        found = self.get(campus, set_id, archived=True)
        if found.archived_at is None:
            return
        found.archived_at = None
        self.store.add(found)
        self._write(by, "restore", campus, found)

    def add_module(
        self,
        campus: Campus,
        set_id: uuid.UUID,
        text: ModuleText,
        *,
        by: Actor,
        once: uuid.UUID | None = None,
    ) -> TrainingModule:
        """Idempotent by `once`."""
        self.campuses.lock(campus.id)
        found = self.get(campus, set_id)
        modules = [*self.store.modules_of(found.id), *self.store.removed_from(found.id)]
        if made := next((each for each in modules if each.id == once), None):
            return made
        self._check_space(found)
        position = max((each.position for each in modules), default=0) + 1
        module = TrainingModule(id=once or new_id(), set_id=found.id, position=position, title="")
        self._write_module(campus, module, text)
        self._write(by, "amend", campus, found)
        return module

    def amend_module(
        self, campus: Campus, set_id: uuid.UUID, module_id: uuid.UUID, text: ModuleText, *, by: Actor
    ) -> TrainingModule:
        found = self.get(campus, set_id)
        module = self.get_module(found, module_id)
        self._write_module(campus, module, text)
        self._write(by, "amend", campus, found)
        return module

    def remove_module(self, campus: Campus, set_id: uuid.UUID, module_id: uuid.UUID, *, by: Actor) -> None:
        found = self.get(campus, set_id)
        module = self.get_module(found, module_id)
        module.removed_at = self.clock()
        self.store.add(module)
        self._write(by, "amend", campus, found)

    def restore_module(self, campus: Campus, set_id: uuid.UUID, module_id: uuid.UUID, *, by: Actor) -> None:
        """Idempotent; at its position among the others."""
        self.campuses.lock(campus.id)
        found = self.get(campus, set_id)
        module = self.get_module(found, module_id, removed=True)
        if module.removed_at is None:
            return
        self._check_space(found)
        module.removed_at = None
        self.store.add(module)
        self._write(by, "amend", campus, found)

    def _check_space(self, found: ModuleSet) -> None:
        if len(self.store.modules_of(found.id)) >= MOST_MODULES:
            raise Conflict("Vingt modules au plus dans un ensemble.")

    def _write_module(self, campus: Campus, module: TrainingModule, text: ModuleText) -> None:
        module.title, module.contents = text.title.strip(), text.contents.strip()
        module.audience, module.hours = text.audience.strip(), text.hours
        module.badge_id = self._badge(campus, text.badge_id, module.badge_id)
        check_module(module)
        rows = []
        for competency_id, level in self.attested_by(text).items():
            competency, _framework = self.competencies.get_in_campus(competency_id, campus.id)
            check_level(competency, level)
            rows.append(ModuleCompetency(module_id=module.id, competency_id=competency_id, level=level))
        self.store.add(module)
        self.store.replace_attested(module.id, rows)

    def attested_by(self, text: ModuleText) -> Mapping[uuid.UUID, int | None]:
        """The levels of competencies that it names, else those of its badge."""
        if text.competencies is not None or text.badge_id is None:
            return text.competencies or {}
        version = self.badges.current_version(text.badge_id)
        return {link.competency_id: link.level for link in self.badges.competencies_of(version.id)}

    def _badge(
        self, campus: Campus, badge_id: uuid.UUID | None, present: uuid.UUID | None = None
    ) -> uuid.UUID | None:
        if badge_id is None:
            return None
        if badge_id not in {badge.id for badge, _ in self.choices(campus, present)}:
            raise InvalidInput("Ce badge n’est pas en service dans ce campus.")
        return badge_id

    def _write(self, by: Actor, done: str, campus: Campus, found: ModuleSet) -> None:
        self.history.write(by, done, "module_set", found.id, at=self.clock(), campus_id=campus.id)

    # --- grid, people, attestation

    def grid(self, campus: Campus, set_id: uuid.UUID) -> Grid:
        return self._grid(campus, self.get(campus, set_id))

    def _grid(self, campus: Campus, found: ModuleSet) -> Grid:
        modules = self.store.modules_of(found.id)
        rows = self.store.attested_by(each.id for each in modules)
        known = self.competencies.get_many({row.competency_id for row in rows})
        pairs = sorted(known.values(), key=lambda pair: (pair[1].code, pair[0].code))
        levels = {(row.module_id, row.competency_id): row.level for row in rows}
        badges = {badge.id: (badge, version) for badge, version in self.badges.list_current(campus.id)}
        return Grid(found, modules, pairs, levels, badges)

    def followed(self, grid: Grid) -> list[tuple[Person, Completion]]:
        """People with at least one module, those to whom the whole may be proposed first, then by name."""
        at, whole = self.clock(), grid.found.badge_id
        suspended = self.store.suspended_among(whole, at) if whole else ()
        found = completions(grid.modules, self.store.held(self._badge_ids(grid), at), whole, suspended)
        people = self.store.people(each.person_id for each in found)
        listed = [(people[each.person_id], each) for each in found if each.person_id in people]
        return sorted(
            listed,
            key=lambda pair: (
                not pair[1].is_proposed,
                pair[0].family_name.casefold(),
                pair[0].given_name.casefold(),
            ),
        )

    def proposed(self, grid: Grid, chosen: Sequence[uuid.UUID]) -> list[uuid.UUID]:
        """Those of `chosen` who have every module and not yet the badge of the whole."""
        ready = {person.id for person, each in self.followed(grid) if each.is_proposed}
        return [each for each in chosen if each in ready]

    def attestation(self, campus: Campus, set_id: uuid.UUID, person_id: uuid.UUID) -> Attestation:
        return self._attested(self.grid(campus, set_id), person_id)

    def own_attestations(self, person_id: uuid.UUID) -> list[tuple[Campus, Attestation]]:
        """The sets of every campus of which the person has a module."""
        found = self.store.sets_begun_by(person_id, self.clock())
        return [(campus, self._attested(self._grid(campus, begun), person_id)) for begun, campus in found]

    def own_attestation(self, set_id: uuid.UUID, person_id: uuid.UUID) -> tuple[Campus, Attestation]:
        found = self.store.sets_begun_by(person_id, self.clock())
        begun = next((pair for pair in found if pair[0].id == set_id), None)
        if begun is None:
            raise NotFound("Vous n’avez encore aucun module de cet ensemble.")
        return begun[1], self._attested(self._grid(begun[1], begun[0]), person_id)

    def has_begun(self, person_id: uuid.UUID) -> bool:
        return bool(self.store.sets_begun_by(person_id, self.clock()))

    def _attested(self, grid: Grid, person_id: uuid.UUID) -> Attestation:
        badge_ids = self._badge_ids(grid)
        found = completions(
            grid.modules, self.store.held(badge_ids, self.clock(), person_id), grid.found.badge_id
        )
        person = self.store.people([person_id]).get(person_id)
        if not found or person is None:
            raise NotFound("Cette personne n’a encore aucun module de cet ensemble.")
        recorded = self.store.hours_of(badge_ids, person_id, self.clock())
        hours = {
            module.id: value
            for module in grid.modules
            if (value := recorded.get(module.badge_id) if module.badge_id else None)
            or (value := module.hours)
        }
        return Attestation(grid, person, found[0], hours)

    @staticmethod
    def _badge_ids(grid: Grid) -> list[uuid.UUID]:
        ids = [module.badge_id for module in grid.modules if module.badge_id]
        return [*ids, grid.found.badge_id] if grid.found.badge_id else ids
