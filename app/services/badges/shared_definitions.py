"""Definitions of a network: what everyone reads of them, and what its administrators share and improve."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from app.db.badges.shared_definitions import SharedDefinitionStore
from app.db.campus import HistoryStore
from app.domain.badges import BadgeVersion, Difference, Lack, Part, check_draft
from app.domain.badges.shared_definitions import (
    LONGEST_REASON,
    DefinitionAdoption,
    DefinitionProposal,
    Noun,
    ProposalState,
    SharedBadge,
    SharedBadgeVersion,
    Values,
    answer_of,
    changed_parts,
    check_reason,
    check_seen,
    check_shared,
    readable,
    with_parts,
)
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus, Network
from app.domain.core import Clock, check_as_shown
from app.domain.frameworks import Competency, Framework, check_competency, check_level
from app.domain.frameworks.releases import Entry, Source, entry_of
from app.errors import Conflict, InvalidInput, NotFound
from app.language import N_
from app.language import gettext as _
from app.services.badges.wording import Wording, badge_values, lacks_of_version, said_in
from app.services.frameworks.importing import FrameworkImportService, FrameworkOwner

_UNKNOWN = N_("Cette définition n’existe pas.")


@dataclass(frozen=True)
class DefinitionVersion:
    number: int
    values: Values
    reason: str
    published_at: datetime


@dataclass(frozen=True)
class Definition:
    """`items`: the competencies of the network that a shared badge names."""

    id: uuid.UUID
    noun: Noun
    network: Network
    versions: Sequence[DefinitionVersion]
    withdrawn_at: datetime | None
    items: Mapping[uuid.UUID, Competency]
    code: str = ""
    """Of a competency."""
    framework: Framework | None = None

    @property
    def newest(self) -> DefinitionVersion:
        return self.versions[-1]

    @property
    def title(self) -> str:
        values = self.newest.values
        return str(values[Part.NAME.value] if self.noun is Noun.BADGE else values[Part.STATEMENT.value])

    def values_at(self, number: int) -> Values | None:
        return next((each.values for each in self.versions if each.number == number), None)


@dataclass(frozen=True)
class DefinitionLine:
    """In a list. `adoption`: of the campus that reads it."""

    id: uuid.UUID
    noun: Noun
    network: Network
    title: str
    number: int
    is_withdrawn: bool
    adopters: int = 0
    code: str = ""
    adoption: DefinitionAdoption | None = None
    kind: str = ""

    @property
    def has_improvement(self) -> bool:
        return self.adoption is not None and self.adoption.number < self.number


@dataclass(frozen=True)
class ProposalPage:
    proposal: DefinitionProposal
    campus: Campus
    definition: Definition | None
    title: str
    differences: Sequence[Difference]


@dataclass(frozen=True, eq=False)
class SharedDefinitions:
    """What everyone reads, and what the administrators of a network write."""

    store: SharedDefinitionStore
    imports: FrameworkImportService
    history: HistoryStore
    clock: Clock

    # --- reading

    def definition(self, definition_id: uuid.UUID) -> Definition:
        shared = self.store.badge(definition_id)
        if shared is not None:
            versions = [
                DefinitionVersion(each.number, each.content, each.reason, each.published_at)
                for each in self.store.versions_of(shared.id)
            ]
            named = {key for each in versions for key in named_in(each.values)}
            network = self.store.networks([shared.network_id])[shared.network_id]
            items = self.imports.frameworks.items(named)
            return Definition(shared.id, Noun.BADGE, network, versions, shared.withdrawn_at, items)
        found = self.store.competency(definition_id)
        if found is None or found[1].network_id is None:
            raise NotFound(_UNKNOWN)
        item, framework = found
        network = self.store.networks([found[1].network_id])[found[1].network_id]
        versions = [
            DefinitionVersion(each.number, values_of_version(each.content), "", each.written_at)
            for each in self.store.competency_versions(item.id)
        ]
        return Definition(
            item.id, Noun.COMPETENCY, network, versions, item.archived_at, {}, item.code, framework
        )

    def in_network(self, network: Network, definition_id: uuid.UUID) -> Definition:
        found = self.definition(definition_id)
        if found.network.id != network.id:
            raise NotFound(_UNKNOWN)
        return found

    def content(self, definition_id: uuid.UUID) -> list[Difference]:
        """Each part that the newest version has; nothing comes before it."""
        found = self.definition(definition_id)
        return self.between(found, {}, found.newest.values)

    def between(self, found: Definition, before: Values, after: Values) -> list[Difference]:
        parts = changed_parts(found.noun, before, after)
        return readable(found.noun, before, after, parts, found.items)

    def lines(self, networks: Sequence[Network]) -> list[DefinitionLine]:
        """Badges first; without those that are no longer shared and that no campus adopted."""
        by_id = {each.id: each for each in networks}
        counts = self.store.count_adopters(by_id) if networks else {}
        badges = [
            DefinitionLine(
                shared.id,
                Noun.BADGE,
                by_id[shared.network_id],
                version.content[Part.NAME.value],
                version.number,
                shared.withdrawn_at is not None,
                counts.get(shared.id, 0),
                kind=version.content[Part.KIND.value],
            )
            for shared, version in self.store.badges_of(by_id)
        ]
        competencies = [
            DefinitionLine(
                item.id,
                Noun.COMPETENCY,
                by_id[framework.network_id],
                item.statement,
                number,
                item.archived_at is not None,
                counts.get(item.id, 0),
                item.code,
            )
            for item, framework, number in self.store.competencies_of(by_id)
            if framework.network_id is not None
        ]
        return [each for each in (*badges, *competencies) if each.adopters or not each.is_withdrawn]

    def about_badges(self, badge_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, tuple[uuid.UUID, Network]]:
        """The definition and the network of each badge that adopted one."""
        return self._about(self.store.of_badges(badge_ids))

    def about_competencies(self, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, tuple[uuid.UUID, Network]]:
        return self._about(self.store.of_competencies(ids))

    def _about(
        self, adoptions: Mapping[uuid.UUID, DefinitionAdoption]
    ) -> dict[uuid.UUID, tuple[uuid.UUID, Network]]:
        networks = self.store.networks(each.network_id for each in adoptions.values()) if adoptions else {}
        return {
            key: (each.definition_id, networks[each.network_id])
            for key, each in adoptions.items()
            if each.network_id in networks
        }

    def adopters(self, definition_id: uuid.UUID) -> list[tuple[DefinitionAdoption, Campus, str]]:
        """With the public page of the campus's own; empty while it is not published."""
        found = self.store.adopters(definition_id)
        published = self.store.published_badges([each.badge_id for each, _ in found if each.badge_id])
        return [
            (
                each,
                campus,
                f"/competences/{each.competency_id}"
                if each.competency_id
                else f"/badges/{each.badge_id}"
                if each.badge_id in published
                else "",
            )
            for each, campus in found
        ]

    # --- the network

    def known_competencies(self, network: Network) -> dict[str, tuple[Competency, Framework]]:
        """Those that a shared badge may attest."""
        return {
            str(item.id): (item, framework)
            for item, framework, _ in self.store.competencies_of([network.id])
            if item.archived_at is None
        }

    def share_badge(self, network: Network, wording: Wording, *, by: Actor) -> Definition:
        values = self._checked(wording, named(wording.competencies))
        return self._share(network, values, by=by)

    def _share(self, network: Network, values: Values, *, by: Actor) -> Definition:
        at = self.clock()
        shared = SharedBadge(network_id=network.id, created_at=at)
        self.store.save(shared)
        self._publish(shared, 1, values, "")
        self.history.write(by, "share", "network", network.id, at=at, definition=str(shared.id))
        return self.definition(shared.id)

    def improve_badge(
        self,
        network: Network,
        definition_id: uuid.UUID,
        wording: Wording,
        reason: str,
        *,
        seen: int,
        by: Actor,
    ) -> Definition:
        """The next version, proposed to every campus that adopted the badge. Nothing that was signed changes."""
        values = self._checked(wording, named(wording.competencies))
        return self._improve(network, definition_id, values, reason, seen=seen, by=by)

    def _improve(
        self,
        network: Network,
        definition_id: uuid.UUID,
        values: Values,
        reason: str,
        *,
        seen: int,
        by: Actor,
    ) -> Definition:
        shared = self.store.badge(definition_id)
        if shared is None:
            raise NotFound(_UNKNOWN)
        self.store.lock_badge(shared)
        found = self.in_network(network, definition_id)
        check_shared(shared.withdrawn_at)
        check_seen(seen, found.newest.number)
        if not changed_parts(Noun.BADGE, found.newest.values, values):
            return found
        self._publish(shared, found.newest.number + 1, values, check_reason(reason))
        self._note("improve", network, definition_id, by)
        return self.definition(definition_id)

    def _publish(self, shared: SharedBadge, number: int, values: Values, reason: str) -> None:
        self.store.save(
            SharedBadgeVersion(
                shared_badge_id=shared.id,
                number=number,
                content=dict(values),
                reason=reason,
                published_at=self.clock(),
            )
        )

    def lacks(self, wording: Wording) -> list[Lack]:
        """What is missing before a badge could be awarded; raises InvalidInput for what no badge may hold."""
        items = self.imports.frameworks.items(key for key, _ in wording.competencies)
        draft = BadgeVersion(
            badge_id=uuid.UUID(int=0),
            number=1,
            kind=wording.kind,
            name="",
            description="",
            criteria="",
            created_at=self.clock(),
        )
        said_in(draft, wording)
        check_draft(draft)
        for key, level in wording.competencies:
            check_level(items[key], level)
        return lacks_of_version(
            draft, [(level, len(items[key].levels)) for key, level in wording.competencies]
        )

    def _checked(self, wording: Wording, competencies: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        if lacks := self.lacks(wording):
            raise InvalidInput(lacks[0].sentence)
        return badge_values(wording, competencies)

    def withdraw(self, network: Network, definition_id: uuid.UUID, *, by: Actor) -> None:
        """No campus adopts it any more; those that did keep what they have."""
        self._set_withdrawn(network, definition_id, self.clock())
        self._note("withdraw_definition", network, definition_id, by)

    def share_again(self, network: Network, definition_id: uuid.UUID, *, by: Actor) -> None:
        self._set_withdrawn(network, definition_id, None)
        self._note("share", network, definition_id, by)

    def _set_withdrawn(self, network: Network, definition_id: uuid.UUID, at: datetime | None) -> None:
        self.in_network(network, definition_id)
        shared = self.store.badge(definition_id)
        if shared is not None:
            shared.withdrawn_at = at
            self.store.save(shared)
        elif (found := self.store.competency(definition_id)) is not None:
            found[0].archived_at = at
            self.store.save(found[0])

    def save_competency(
        self,
        network: Network,
        values: Values,
        *,
        code: str = "",
        definition_id: uuid.UUID | None = None,
        seen: int = 0,
        by: Actor,
    ) -> uuid.UUID:
        """Create one in the network's framework, or write its next version."""
        if definition_id is None:
            return self._new_item(network, code, values, by=by)
        found = self.in_network(network, definition_id)
        kept = self.store.competency(definition_id)
        if kept is None:
            raise NotFound(_UNKNOWN)
        check_shared(found.withdrawn_at)
        check_seen(seen, found.newest.number)
        entry = _entry(kept[0].code, values)
        known = replace(entry_of(kept[0], ""), parent=None)
        entry = replace(
            known,
            label=entry.label,
            description=entry.description,
            levels=entry.levels,
            rubric=entry.rubric,
            other_labels=entry.other_labels,
        )
        self._note("improve", network, definition_id, by)
        return self._write_item(kept[1], entry, by=by)

    def _new_item(self, network: Network, code: str, values: Values, *, by: Actor) -> uuid.UUID:
        framework, code = self._framework(network), code.strip()
        if self.imports.frameworks.items_by_code(framework.id, [code]):
            raise Conflict("Ce référentiel a déjà une compétence {code}.", code=code)
        item_id = self._write_item(framework, _entry(code, values), by=by)
        self._note("share", network, item_id, by)
        return item_id

    def _framework(self, network: Network) -> Framework:
        """The network's first framework; not stored before it has an item."""
        known = next(iter(self.store.frameworks_of(network.id)), None)
        name = _("Compétences communes, {name}").format(name=network.name)
        return known or Framework(network_id=network.id, code=f"reseau-{network.slug}"[:60], name=name[:200])

    def _write_item(self, framework: Framework, entry: Entry, *, by: Actor) -> uuid.UUID:
        check_competency(
            Competency(
                framework_id=framework.id,
                code=entry.code,
                statement=entry.label,
                levels=list(entry.levels or ()),
                rubric=list(entry.rubric or ()),
                description=entry.description or "",
            )
        )
        source = Source(
            framework.code,
            framework.name,
            framework.version,
            framework.published_on,
            [entry],
            is_partial=True,
        )
        self.imports.write(source, FrameworkOwner(network_id=framework.network_id), by=by)
        kept = self.imports.frameworks.find_shared(source.code)
        assert kept is not None, "it was written"
        return self.imports.frameworks.items_by_code(kept.id, [entry.code])[entry.code].id

    def _note(self, done: str, network: Network, definition_id: uuid.UUID, by: Actor) -> None:
        self.history.write(by, done, "network", network.id, at=self.clock(), definition=str(definition_id))

    # --- proposals of campuses

    def proposals(self, network: Network) -> list[tuple[DefinitionProposal, Campus, str]]:
        return [
            (proposal, campus, self._title_of(proposal))
            for proposal, campus in self.store.proposals_to(network.id)
        ]

    def _title_of(self, proposal: DefinitionProposal) -> str:
        if proposal.definition_id is not None:
            return self.definition(proposal.definition_id).title
        return str(proposal.content[Part.NAME.value])

    def proposal(self, network: Network, proposal_id: uuid.UUID) -> ProposalPage:
        found = next(
            (pair for pair in self.store.proposals_to(network.id) if pair[0].id == proposal_id), None
        )
        if found is None:
            raise NotFound("Cette proposition n’existe pas.")
        proposal, campus = found
        definition = self.definition(proposal.definition_id) if proposal.definition_id else None
        before = definition.newest.values if definition else {}
        parts = [part for part in proposal.noun.parts if part.value in proposal.content]
        items = self.imports.frameworks.items({*named_in(proposal.content), *named_in(before)})
        differences = readable(
            proposal.noun, before, {**before, **proposal.content}, changed_in(proposal, before, parts), items
        )
        return ProposalPage(proposal, campus, definition, self._title_of(proposal), differences)

    def decide(
        self,
        network: Network,
        proposal_id: uuid.UUID,
        parts: Collection[Part],
        answer: str,
        *,
        by: Actor,
        seen: str = "",
    ) -> uuid.UUID | None:
        """Take some parts of a proposal into the definition, all of them for a new badge; none refuses it.

        `seen`: the mark of the definition's version that the page compared it with.
        """
        proposal = self.store.proposal(proposal_id, lock=True)
        if proposal is None or proposal.network_id != network.id:
            raise NotFound("Cette proposition n’existe pas.")
        if proposal.state is not ProposalState.WAITING:
            raise Conflict("Le réseau a déjà répondu à cette proposition.")
        answer = " ".join(answer.split())
        if len(answer) > LONGEST_REASON or (not parts and not answer):
            raise InvalidInput("Répondez au campus en une phrase, de 300 signes au plus.")
        offered = [part for part in proposal.noun.parts if part.value in proposal.content]
        if proposal.definition_id is not None:
            newest = self.definition(proposal.definition_id).newest
            if parts:
                check_as_shown(seen, newest.number)
            offered = changed_in(proposal, newest.values, offered)
        # A badge that the network does not share yet is shared whole.
        taken = [part for part in offered if part in parts or (parts and proposal.definition_id is None)]
        written = self._take(network, proposal, taken, by=by) if taken else None
        proposal.state = ProposalState(answer_of(offered, taken).value)
        proposal.answer, proposal.decided_at = answer, self.clock()
        self.store.save(proposal)
        about = proposal.badge_id or proposal.definition_id or network.id
        self.history.write(
            by,
            "answer_proposal",
            proposal.noun.value,
            about,
            at=self.clock(),
            campus_id=proposal.campus_id,
            answer=proposal.state.value,
        )
        return written

    def _take(
        self, network: Network, proposal: DefinitionProposal, parts: Sequence[Part], *, by: Actor
    ) -> uuid.UUID:
        """Write the definition, and note that the campus knows this version."""
        content = dict(proposal.content)
        if Part.COMPETENCIES in parts:
            content[Part.COMPETENCIES.value] = [
                self._shared_item(network, each, proposal.campus_id, by=by)
                for each in content[Part.COMPETENCIES.value]
            ]
        if proposal.definition_id is None:
            found = self._share(network, content, by=by)
            adoption = self._adopted(proposal, network, found, proposal.badge_id)
        else:
            found = self.definition(proposal.definition_id)
            adoption = self.store.adoption(proposal.campus_id, found.id)
            was = found.newest.number
            values = with_parts(found.newest.values, content, parts)
            if proposal.noun is Noun.BADGE:
                found = self._improve(network, found.id, values, proposal.reason, seen=was, by=by)
            else:
                self.save_competency(network, values, definition_id=found.id, seen=was, by=by)
                found = self.definition(found.id)
            if adoption is not None and adoption.number == was:
                adoption.number = found.newest.number
        if adoption is not None:
            self.store.save(adoption)
        return found.id

    def _adopted(
        self, proposal: DefinitionProposal, network: Network, found: Definition, badge_id: uuid.UUID | None
    ) -> DefinitionAdoption | None:
        if badge_id is None or self.store.of_badge(badge_id) is not None:
            return None
        return DefinitionAdoption(
            campus_id=proposal.campus_id,
            network_id=network.id,
            badge_id=badge_id,
            shared_badge_id=found.id,
            number=found.newest.number,
            adopted_at=self.clock(),
        )

    def _shared_item(
        self, network: Network, named: Mapping[str, Any], campus_id: uuid.UUID, *, by: Actor
    ) -> dict[str, Any]:
        """A competency of a campus becomes one of the network, which that campus has adopted from then on."""
        if "entry" not in named:
            return dict(named)
        entry, own_id = named["entry"], uuid.UUID(named["entry"]["own"])
        adopted = self.store.of_competencies([own_id]).get(own_id)
        if adopted is not None and adopted.network_id == network.id:
            return {"id": str(adopted.definition_id), "level": named["level"]}
        framework = self._framework(network)
        item_id = self._new_item(network, self._free_code(framework, entry["code"]), entry, by=by)
        if adopted is None:
            self.store.save(
                DefinitionAdoption(
                    campus_id=campus_id,
                    network_id=network.id,
                    competency_id=own_id,
                    shared_competency_id=item_id,
                    number=self.definition(item_id).newest.number,
                    adopted_at=self.clock(),
                )
            )
        return {"id": str(item_id), "level": named["level"]}

    def _free_code(self, framework: Framework, code: str) -> str:
        taken = self.imports.frameworks.items_by_code(
            framework.id, [code, *(f"{code}-{number}" for number in range(2, 100))]
        )
        tried = (code if number == 1 else f"{code}-{number}" for number in range(1, 100))
        return next((each for each in tried if each not in taken), code)


def changed_in(proposal: DefinitionProposal, before: Values, parts: Collection[Part]) -> list[Part]:
    changed = changed_parts(proposal.noun, before, {**before, **proposal.content})
    return [part for part in changed if part in parts]


def named(competencies: Iterable[tuple[uuid.UUID, int | None]]) -> list[dict[str, Any]]:
    return [{"id": str(key), "level": level} for key, level in competencies]


def named_in(values: Values) -> set[uuid.UUID]:
    """The network's competencies that a badge names."""
    return {uuid.UUID(each["id"]) for each in values.get(Part.COMPETENCIES.value) or () if "id" in each}


def values_of_version(content: Mapping[str, Any]) -> dict[str, Any]:
    """Of a stored version of an item, which leaves out what is empty."""
    return {
        Part.STATEMENT.value: content.get("statement", ""),
        Part.DESCRIPTION.value: content.get("description", ""),
        Part.LEVELS.value: content.get("levels", []),
        Part.RUBRIC.value: content.get("rubric", []),
        Part.OTHER_LABELS.value: content.get("other_labels", []),
    }


def _entry(code: str, values: Values) -> Entry:
    return Entry(
        code,
        str(values[Part.STATEMENT.value]).strip(),
        description=values.get(Part.DESCRIPTION.value) or "",
        levels=tuple(values.get(Part.LEVELS.value) or ()),
        rubric=tuple(values.get(Part.RUBRIC.value) or ()),
        other_labels=tuple(values.get(Part.OTHER_LABELS.value) or ()),
    )
