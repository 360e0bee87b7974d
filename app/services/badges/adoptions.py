"""A campus adopts definitions of its networks, decides on their improvements, and proposes in return."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from app.db.badges import BadgeStore
from app.db.badges.shared_definitions import SharedDefinitionStore
from app.db.campus import CampusStore, HistoryStore
from app.domain.badges import BadgeCompetency, BadgeVersion, Difference, Part
from app.domain.badges.shared_definitions import (
    DefinitionAdoption,
    DefinitionProposal,
    Noun,
    Values,
    answer_of,
    changed_parts,
    check_reason,
    check_seen,
    check_shared,
    competency_values,
    improved_parts,
    readable,
    with_parts,
)
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus, Network
from app.domain.core import Clock, check_as_shown
from app.domain.frameworks import Competency
from app.errors import AppError, Conflict, InvalidInput, NotFound, faults_of_fields
from app.language import N_
from app.services.badges import BadgeService
from app.services.badges.shared_definitions import Definition, DefinitionLine, SharedDefinitions, named_in
from app.services.badges.wording import badge_values, wording_in, wording_of, wording_with
from app.services.frameworks import CompetencyService, Details

_UNKNOWN = N_("Cette définition n’existe pas.")


@dataclass(frozen=True)
class AdoptedPage:
    """A definition beside what the campus made of it.

    `waiting`: what the network improved since the campus last decided; `gaps`: all other differences.
    """

    definition: Definition
    adoption: DefinitionAdoption | None
    own_title: str
    waiting: Sequence[Difference]
    gaps: Sequence[Difference]
    proposal: DefinitionProposal | None
    """Of this campus, which the network has not answered."""
    candidates: Sequence[tuple[uuid.UUID, str]]
    """The campus's own, which may adopt it as they are."""
    answered: Sequence[DefinitionProposal] = ()

    @property
    def compared(self) -> list[object]:
        """What the campus decides on: the differences, and whether another person has decided."""
        return [self.adoption.number if self.adoption else 0, *self.waiting, *self.gaps]

    @property
    def has_improvement(self) -> bool:
        return self.adoption is not None and self.adoption.number < self.definition.newest.number


@dataclass(frozen=True, eq=False)
class Adoptions:
    """A campus adopts definitions of its networks, decides on their improvements, and proposes its own."""

    store: SharedDefinitionStore
    shared: SharedDefinitions
    campuses: CampusStore
    badge_store: BadgeStore
    badges: BadgeService
    competencies: CompetencyService
    history: HistoryStore
    clock: Clock

    def lines(self, campus: Campus) -> list[DefinitionLine]:
        adoptions = {each.definition_id: each for each in self.store.adoptions_of(campus.id)}
        networks = {each.id: each for each in self.campuses.networks_of(campus.id)}
        networks |= self.store.networks(each.network_id for each in adoptions.values())
        return [
            replace(line, adoption=adoptions.get(line.id))
            for line in self.shared.lines(list(networks.values()))
            if not line.is_withdrawn or line.id in adoptions
        ]

    def proposals(self, campus: Campus) -> Sequence[DefinitionProposal]:
        return self.store.proposals_of(campus.id)

    def page(self, campus: Campus, definition_id: uuid.UUID) -> AdoptedPage:
        found = self._open_to(campus, definition_id)
        adoption = self.store.adoption(campus.id, definition_id)
        if adoption is None:
            return AdoptedPage(found, None, "", [], [], None, self._candidates(campus, found.noun))
        own, title = self._own(adoption)
        differing = changed_parts(found.noun, own, found.newest.values)
        waiting = (
            improved_parts(found.noun, found.values_at(adoption.number), found.newest.values, own)
            if adoption.number < found.newest.number
            else []
        )
        gaps = [part for part in differing if part not in waiting]
        items = {**found.items, **self.shared.imports.frameworks.items(named_in(own))}
        return AdoptedPage(
            found,
            adoption,
            title,
            readable(found.noun, own, found.newest.values, waiting, items),
            readable(found.noun, own, found.newest.values, gaps, items),
            self.store.waiting_proposal(campus.id, definition_id=definition_id),
            [],
            [
                each
                for each in self.store.proposals_of(campus.id)
                if each.definition_id == definition_id and each.decided_at is not None
            ],
        )

    def _open_to(self, campus: Campus, definition_id: uuid.UUID) -> Definition:
        """A definition of one of the campus's networks, or one that it adopted."""
        found = self.shared.definition(definition_id)
        is_member = any(each.id == found.network.id for each in self.campuses.networks_of(campus.id))
        if not is_member and self.store.adoption(campus.id, definition_id) is None:
            raise NotFound(_UNKNOWN)
        return found

    def _candidates(self, campus: Campus, noun: Noun) -> list[tuple[uuid.UUID, str]]:
        if noun is Noun.COMPETENCY:
            listed = [item for item, _ in self.competencies.list_of(campus) if item.archived_at is None]
            taken = set(self.store.of_competencies([item.id for item in listed]))
            return [(item.id, f"{item.code} – {item.statement}") for item in listed if item.id not in taken]
        return self.unshared_badges(campus)

    def unshared_badges(self, campus: Campus) -> list[tuple[uuid.UUID, str]]:
        """Badges in use that adopted no definition."""
        pairs = [pair for pair in self.badges.list_newest(campus) if pair[0].archived_at is None]
        taken = set(self.store.of_badges([badge.id for badge, _ in pairs]))
        return [
            (badge.id, version.name)
            for badge, version in pairs
            if badge.id not in taken and not badge.is_sample
        ]

    # --- adopting

    def adopt(
        self, campus: Campus, definition_id: uuid.UUID, own_id: uuid.UUID | None = None, *, by: Actor
    ) -> DefinitionAdoption:
        """As a new draft of the campus's own, or for what it has already (`own_id`)."""
        found = self._open_to(campus, definition_id)
        check_shared(found.withdrawn_at)
        if self.store.adoption(campus.id, definition_id) is not None:
            raise Conflict("Votre campus a déjà adopté cette définition.")
        if found.noun is Noun.COMPETENCY:
            return self._adopt_competency(campus, found, own_id, by=by)
        if own_id is None:
            values = found.newest.values
            wording = wording_with(
                wording_in(values),
                values,
                [Part.COMPETENCIES],
                self._taken_over(campus, values, by=by),
            )
            badge_id = self.badges.create(campus, wording, draft=True, by=by).badge.id
        else:
            badge_id = self.badges.manuscript(campus, own_id).page.badge.id
            if self.store.of_badge(badge_id) is not None:
                raise Conflict("Ce badge a déjà adopté une définition.")
        return self._adopted(campus, found, badge_id, None if own_id else found.newest.number, by=by)

    def _adopted(
        self, campus: Campus, found: Definition, own_id: uuid.UUID, number: int | None, *, by: Actor
    ) -> DefinitionAdoption:
        is_badge = found.noun is Noun.BADGE
        adoption = DefinitionAdoption(
            campus_id=campus.id,
            network_id=found.network.id,
            badge_id=own_id if is_badge else None,
            shared_badge_id=found.id if is_badge else None,
            competency_id=None if is_badge else own_id,
            shared_competency_id=None if is_badge else found.id,
            number=number or 0,
            adopted_at=self.clock(),
        )
        self.store.save(adoption)
        self._note("adopt", campus, adoption, by, version=found.newest.number)
        return adoption

    def _adopt_competency(
        self, campus: Campus, found: Definition, own_id: uuid.UUID | None, *, by: Actor
    ) -> DefinitionAdoption:
        assert found.framework is not None, "of a competency"
        values = found.newest.values
        if own_id is None:
            framework = self.competencies.framework(
                campus, code=found.framework.code, name=found.framework.name, by=by
            )
            own = self.competencies.competencies.find_by_code(framework.id, found.code)
            if own is None:
                own = self.competencies.create(
                    campus,
                    framework,
                    code=found.code,
                    statement=values[Part.STATEMENT.value],
                    levels=list(values[Part.LEVELS.value]),
                    details=_details(values),
                    by=by,
                )
        else:
            own, _ = self.competencies.get(campus, own_id)
        if own.id in self.store.of_competencies([own.id]):
            raise Conflict("Cette compétence a déjà adopté une définition.")
        is_same = not changed_parts(Noun.COMPETENCY, competency_values(own), values)
        return self._adopted(campus, found, own.id, found.newest.number if is_same else 0, by=by)

    def _taken_over(self, campus: Campus, values: Values, *, by: Actor) -> list[tuple[uuid.UUID, int | None]]:
        """The campus's own competencies for those that a badge names, adopted where they are missing."""
        taken: list[tuple[uuid.UUID, int | None]] = []
        for each in values.get(Part.COMPETENCIES.value) or ():
            source = self.shared.definition(uuid.UUID(each["id"]))
            adoption = self.store.adoption(campus.id, source.id) or self._adopt_competency(
                campus, source, None, by=by
            )
            assert adoption.competency_id is not None, "the table's constraint"
            taken.append((adoption.competency_id, each["level"]))
        return taken

    def leave(self, campus: Campus, definition_id: uuid.UUID, *, by: Actor) -> None:
        """The badge or competency stays as it is; no improvement is proposed any more."""
        adoption = self._adoption(campus, definition_id)
        self._note("leave_definition", campus, adoption, by)
        self.store.remove(adoption)

    def _adoption(self, campus: Campus, definition_id: uuid.UUID) -> DefinitionAdoption:
        adoption = self.store.adoption(campus.id, definition_id, lock=True)
        if adoption is None:
            raise NotFound("Votre campus n’a pas adopté cette définition.")
        return adoption

    # --- improvements

    def decide(
        self,
        campus: Campus,
        definition_id: uuid.UUID,
        parts: Collection[Part],
        *,
        seen: int,
        shown_as: str = "",
        by: Actor,
    ) -> DefinitionAdoption:
        """Take some parts of the newest version, or none. What was signed stays as it was signed.

        `shown_as` is the mark of what the page showed; empty from programs.
        """
        adoption, shown = self._adoption(campus, definition_id), self.page(campus, definition_id)
        found = shown.definition
        check_seen(seen, found.newest.number)
        check_as_shown(shown_as, *shown.compared)
        offered = {each.part for each in (*shown.waiting, *shown.gaps)}
        taken = [part for part in found.noun.parts if part in parts and part in offered]
        if taken and found.noun is Noun.BADGE:
            self._take_badge(campus, adoption, found, taken, by=by)
        elif taken:
            self._take_competency(campus, adoption, found, taken, by=by)
        if shown.has_improvement:
            adoption.answer = answer_of([each.part for each in shown.waiting], taken)
            adoption.number, adoption.decided_at = found.newest.number, self.clock()
            self.store.save(adoption)
        self._note("decide_improvement", campus, adoption, by, version=found.newest.number, parts=len(taken))
        return adoption

    def _take_badge(
        self,
        campus: Campus,
        adoption: DefinitionAdoption,
        found: Definition,
        parts: Sequence[Part],
        *,
        by: Actor,
    ) -> None:
        """A published badge gets its next version, a draft is rewritten."""
        assert adoption.badge_id is not None, "of a badge"
        values = found.newest.values
        before = self.badges.manuscript(campus, adoption.badge_id).page
        competencies = self._taken_over(campus, values, by=by) if Part.COMPETENCIES in parts else []
        wording = wording_with(
            wording_of(before.version, [link for link, _, _ in before.competencies]),
            values,
            parts,
            competencies,
        )
        if not wording.kind.is_assessed:
            wording = replace(wording, competencies=[])
        self.badges.rewrite(
            campus,
            adoption.badge_id,
            wording,
            repeat=before.badge.repeat,
            accepts_requests=before.badge.accepts_requests,
            by=by,
        )
        if not before.version.is_draft and self.badges.manuscript(campus, adoption.badge_id).may_open:
            self.badges.open(campus, adoption.badge_id, by=by)

    def _take_competency(
        self,
        campus: Campus,
        adoption: DefinitionAdoption,
        found: Definition,
        parts: Sequence[Part],
        *,
        by: Actor,
    ) -> None:
        assert adoption.competency_id is not None, "of a competency"
        own, _ = self.competencies.get(campus, adoption.competency_id)
        values = with_parts(competency_values(own), found.newest.values, parts)
        self.competencies.amend(
            campus,
            own.id,
            statement=values[Part.STATEMENT.value],
            levels=list(values[Part.LEVELS.value]),
            details=_details(values),
            by=by,
        )

    def _own(self, adoption: DefinitionAdoption) -> tuple[Values, str]:
        """What the campus has, in the terms of a definition, and its title."""
        if adoption.competency_id is not None:
            own, _ = self.competencies.competencies.get_many([adoption.competency_id])[adoption.competency_id]
            return competency_values(own), own.statement
        assert adoption.badge_id is not None, "the table's constraint"
        version = self.badge_store.newest_version(adoption.badge_id)
        return self._badge_values(version, adoption.network_id), version.name

    def _badge_values(self, version: BadgeVersion, network_id: uuid.UUID) -> dict[str, Any]:
        attested = self.badges.competencies_of(version)
        adopted = self.store.of_competencies([item.id for _, item, _ in attested])
        names = [self._named(link, item, adopted.get(item.id), network_id) for link, item, _ in attested]
        return badge_values(wording_of(version, [link for link, _, _ in attested]), names)

    def _named(
        self,
        link: BadgeCompetency,
        item: Competency,
        adoption: DefinitionAdoption | None,
        network_id: uuid.UUID,
    ) -> dict[str, Any]:
        """By the network's definition where the campus adopted it; else in full."""
        if adoption is not None and adoption.network_id == network_id:
            return {"id": str(adoption.definition_id), "level": link.level}
        entry = {"code": item.code, **competency_values(item), "own": str(item.id)}
        return {"entry": entry, "level": link.level}

    # --- proposals

    def faults_of_proposal(
        self, campus: Campus, definition_id: uuid.UUID, parts: Collection[Part], reason: str
    ) -> dict[str, AppError]:
        """By parameter."""
        shown = self.page(campus, definition_id)
        return faults_of_fields(
            {"parts": lambda: _offered(shown, parts), "reason": lambda: check_reason(reason)}
        )

    def propose(
        self, campus: Campus, definition_id: uuid.UUID, parts: Collection[Part], reason: str, *, by: Actor
    ) -> DefinitionProposal:
        """Some of the campus's own parts, as an improvement of the definition."""
        adoption, shown = self._adoption(campus, definition_id), self.page(campus, definition_id)
        check_shared(shown.definition.withdrawn_at)
        if shown.proposal is not None:
            raise Conflict("Le réseau n’a pas encore répondu à votre proposition précédente.")
        offered, (own, _) = _offered(shown, parts), self._own(adoption)
        proposal = DefinitionProposal(
            campus_id=campus.id,
            network_id=shown.definition.network.id,
            badge_id=adoption.badge_id,
            shared_badge_id=adoption.shared_badge_id,
            shared_competency_id=adoption.shared_competency_id,
            content={part.value: own[part.value] for part in offered},
            reason=check_reason(reason),
            proposed_at=self.clock(),
        )
        self.store.save(proposal)
        self._note("propose", campus, adoption, by)
        return proposal

    def faults_of_badge_proposal(self, campus: Campus, network_slug: str, reason: str) -> dict[str, AppError]:
        """By parameter."""
        return faults_of_fields(
            {
                "network_slug": lambda: self._network(campus, network_slug),
                "reason": lambda: check_reason(reason),
            }
        )

    def _network(self, campus: Campus, slug: str) -> Network:
        for each in self.campuses.networks_of(campus.id):
            if each.slug == slug:
                return each
        raise InvalidInput("Votre campus n’est pas de ce réseau.")

    def propose_badge(
        self, campus: Campus, network_slug: str, badge_id: uuid.UUID, reason: str, *, by: Actor
    ) -> DefinitionProposal:
        """One of the campus's own badges, for the network to share with all its campuses."""
        network = self._network(campus, network_slug)
        page = self.badges.manuscript(campus, badge_id).page
        if self.store.of_badge(badge_id) is not None:
            raise Conflict("Ce badge a déjà adopté une définition.")
        if page.version.is_draft:
            raise Conflict("Publiez d’abord ce badge : le réseau partage des badges finis.")
        if self.store.waiting_proposal(campus.id, badge_id=badge_id) is not None:
            raise Conflict("Le réseau n’a pas encore répondu à votre proposition précédente.")
        proposal = DefinitionProposal(
            campus_id=campus.id,
            network_id=network.id,
            badge_id=badge_id,
            content=self._badge_values(page.version, network.id),
            reason=check_reason(reason),
            proposed_at=self.clock(),
        )
        self.store.save(proposal)
        self.history.write(by, "propose", "badge", badge_id, at=self.clock(), campus_id=campus.id)
        return proposal

    def _note(self, done: str, campus: Campus, adoption: DefinitionAdoption, by: Actor, **facts: Any) -> None:
        about = (
            (Noun.BADGE, adoption.badge_id)
            if adoption.badge_id
            else (Noun.COMPETENCY, adoption.competency_id)
        )
        noun, own_id = about
        assert own_id is not None, "the table's constraint"
        self.history.write(by, done, noun.value, own_id, at=self.clock(), campus_id=campus.id, **facts)


def _offered(shown: AdoptedPage, parts: Collection[Part]) -> list[Part]:
    """Those of the parts in which the campus differs."""
    differing = {each.part for each in (*shown.waiting, *shown.gaps)}
    offered = [part for part in shown.definition.noun.parts if part in parts and part in differing]
    if not offered:
        raise InvalidInput("Cochez ce que vous proposez au réseau.")
    return offered


def _details(values: Values) -> Details:
    return Details(values[Part.DESCRIPTION.value], values[Part.RUBRIC.value], values[Part.OTHER_LABELS.value])
