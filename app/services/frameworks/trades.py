"""From a competency to trades and back: what a campus relates, and what its badges lead towards."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from app.db.campus import CampusStore, HistoryStore
from app.db.frameworks import CompetencyStore, FrameworkStore
from app.db.publishing.catalogue import CatalogueStore
from app.db.trust import RecognitionStore
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.core import Clock
from app.domain.frameworks import (
    CERTIFICATIONS,
    AssociationKind,
    Competency,
    Framework,
    FrameworkAssociation,
    PublicAlignment,
    PublicFramework,
    read_relations,
)
from app.domain.publishing.catalogue import CatalogueEntry
from app.errors import Conflict, NotFound
from app.services.frameworks.importing import FrameworkCatalogue, Standing

_TRADE = re.compile(r"[A-N]\d{4}")
_TO_TRADE = f"{PublicFramework.ROME.value}:"


@dataclass(frozen=True)
class Related:
    """An entry of a public register that a campus, or a badge, relates to a competency."""

    standing: Standing
    domain: str = ""
    by_badge: str = ""
    """The badge with the alignment that relates it; empty if the campus did."""

    @property
    def alignment(self) -> PublicAlignment:
        return self.standing.alignment


@dataclass(frozen=True)
class Relations:
    trades: Sequence[Related]
    skills: Sequence[Related]
    certifications: Sequence[Related]


@dataclass(frozen=True)
class Leading:
    """A competency that leads towards a trade, with the badges that attest it and their levels."""

    campus: Campus
    competency: Competency
    framework: Framework
    badges: Sequence[tuple[CatalogueEntry, int | None]]


@dataclass(frozen=True)
class Trade:
    standing: Standing
    domain: str
    other_labels: Sequence[str]
    leading: Sequence[Leading]
    badges: Sequence[CatalogueEntry]
    """Badges that relate themselves to the trade."""
    campuses: Mapping[uuid.UUID, Campus]

    @property
    def missing(self) -> list[Leading]:
        """Competencies that no badge attests."""
        return [each for each in self.leading if not each.badges]


@dataclass(frozen=True)
class BookletTrade:
    related: Related
    competencies: Sequence[Competency]


@dataclass(frozen=True)
class Booklet:
    """A campus's competencies of one framework × the trades they serve."""

    campus: Campus
    framework: Framework
    frameworks: Sequence[Framework]
    """All of the campus that relate a trade."""
    competencies: Sequence[Competency]
    trades: Sequence[BookletTrade] = field(default_factory=list)
    badges: Mapping[uuid.UUID, Sequence[tuple[CatalogueEntry, int | None]]] = field(default_factory=dict)
    certifications: Mapping[uuid.UUID, Sequence[Related]] = field(default_factory=dict)

    def serves(self, competency: Competency, trade: BookletTrade) -> bool:
        return any(each.id == competency.id for each in trade.competencies)


@dataclass(frozen=True)
class TradeService:
    frameworks: FrameworkStore
    competencies: CompetencyStore
    catalogue: CatalogueStore
    campuses: CampusStore
    networks: RecognitionStore
    registers: FrameworkCatalogue
    history: HistoryStore
    clock: Clock

    # --- what a campus relates

    def relate(self, campus: Campus, competency: Competency, lines: Iterable[str], *, by: Actor) -> bool:
        """Replace the relations of a competency; those that stay keep version and label of their day."""
        wanted = {f"{register.value}:{code}": (register, code) for register, code in read_relations(lines)}
        before = {row.target: row for row in self._rows([competency.id])}
        gone = [row.id for target, row in before.items() if target not in wanted]
        fresh = [each for target, each in wanted.items() if target not in before]
        if not gone and not fresh:
            return False
        self.frameworks.remove_associations(gone)
        for target, alignment in zip(
            [f"{register.value}:{code}" for register, code in fresh], self._dated(fresh), strict=True
        ):
            self.frameworks.add(
                FrameworkAssociation(
                    framework_id=competency.framework_id,
                    origin_id=competency.id,
                    kind=AssociationKind.RELATED.value,
                    target=target,
                    extra={"alignment": alignment.kept()},
                )
            )
        self.frameworks.expire()
        self.history.write(by, "relate", "competency", competency.id, at=self.clock(), campus_id=campus.id)
        return True

    def lines_of(self, competency_id: uuid.UUID) -> list[str]:
        """As `relate` reads them, with labels."""
        return [
            f"{each.code} {each.name}" if each.name != each.code else each.code
            for row in self._rows([competency_id])
            if (each := _alignment(row))
        ]

    def codes_of(self, competency_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, list[str]]:
        found: dict[uuid.UUID, list[str]] = {}
        for row in self._rows(competency_ids):
            if row.origin_id is not None:
                found.setdefault(row.origin_id, []).append(row.target.partition(":")[2])
        return found

    def leads_to_trades(self, competency_ids: Iterable[uuid.UUID]) -> bool:
        """Whether the booklet has something to show."""
        return any(row.target.startswith(_TO_TRADE) for row in self._rows(competency_ids))

    def _rows(self, ids: Iterable[uuid.UUID]) -> list[FrameworkAssociation]:
        rows = self.frameworks.associations_from(ids, AssociationKind.RELATED.value)
        return [row for row in rows if _alignment(row)]

    def _dated(self, wanted: Sequence[tuple[PublicFramework, str]]) -> list[PublicAlignment]:
        bare = [PublicAlignment(register, code, code) for register, code in wanted]
        named = [
            PublicAlignment(each.alignment.framework, each.alignment.code, each.item.statement)
            if each.item
            else each.alignment
            for each in self.registers.standings(bare)
        ]
        return self.registers.stamped(named)

    # --- pages

    def relations_of(self, competency_id: uuid.UUID) -> Relations:
        """Those of the campus, then those of the badges that attest it."""
        found: dict[tuple[PublicFramework, str], tuple[PublicAlignment, str]] = {}
        for row in self._rows([competency_id]):
            if (alignment := _alignment(row)) is not None:
                found[alignment.framework, alignment.code] = (alignment, "")
        for entry, _level in self.catalogue.badges_attesting(competency_id):
            for alignment in self._alignments_of(entry):
                found.setdefault((alignment.framework, alignment.code), (alignment, entry.title))
        related = self._related(list(found.values()))
        return Relations(
            [each for each in related if each.alignment.framework is PublicFramework.ROME],
            [each for each in related if each.alignment.framework is PublicFramework.ESCO],
            [each for each in related if each.alignment.framework in CERTIFICATIONS],
        )

    def trades(self) -> list[tuple[str, list[tuple[Standing, int]]]]:
        """Every trade that a competency in service relates to, by domain, with how many competencies."""
        counts: dict[str, set[uuid.UUID]] = {}
        for row, competency, _framework in self.frameworks.related_to_register(PublicFramework.ROME.value):
            if competency.archived_at is None:
                counts.setdefault(row.target.partition(":")[2], set()).add(competency.id)
        bare = [PublicAlignment(PublicFramework.ROME, code, code) for code in sorted(counts)]
        standings = self.registers.standings(bare)
        domains = self._domains(standings)
        grouped: dict[str, list[tuple[Standing, int]]] = {}
        for each in standings:
            domain = domains.get(each.item.id, "") if each.item else ""
            grouped.setdefault(domain, []).append((each, len(counts[each.alignment.code])))
        return sorted(grouped.items())

    def trade(self, code: str, *, campus: str = "", network: str = "") -> Trade:
        """`campus`, `network`: slugs; only what these have."""
        if not _TRADE.fullmatch(code):
            raise NotFound("Ce métier n’existe pas ici.")
        [standing] = self.registers.standings([PublicAlignment(PublicFramework.ROME, code, code)])
        allowed = self._allowed(campus, network)
        leading = []
        for _row, competency, framework in self.frameworks.related_to(f"{PublicFramework.ROME.value}:{code}"):
            owner = allowed.get(framework.campus_id) if framework.campus_id else None
            if owner is not None and competency.archived_at is None:
                attesting = self.catalogue.badges_attesting(competency.id)
                leading.append(Leading(owner, competency, framework, attesting))
        badges = [each for each in self.catalogue.badges_aligned_to(code) if each.campus_id in allowed]
        if standing.item is None and not leading and not badges:
            raise NotFound("Ce métier n’existe pas ici.")
        domains = self._domains([standing])
        return Trade(
            standing,
            domains.get(standing.item.id, "") if standing.item else "",
            standing.item.other_labels if standing.item else (),
            sorted(
                leading, key=lambda each: (each.campus.short_name, each.framework.code, each.competency.code)
            ),
            badges,
            allowed,
        )

    def _allowed(self, campus: str, network: str) -> dict[uuid.UUID, Campus]:
        everywhere = {each.id: each for each in self.campuses.list_all() if each.suspended_at is None}
        if campus:
            return {number: each for number, each in everywhere.items() if each.slug == campus}
        if network:
            chosen = self.networks.network(network)
            members = self.frameworks.members_of(chosen.id)
            issuers = {each.issuer for each in self.networks.entries_of(chosen.id)}
            return {
                number: each
                for number, each in everywhere.items()
                if number in members or each.did in issuers
            }
        return everywhere

    def booklet(self, campus: Campus, code: str = "") -> Booklet:
        """Of the framework `code`, else of the one that relates most trades."""
        listed = [pair for pair in self.competencies.list_of(campus.id) if pair[0].archived_at is None]
        related = self._rows(each.id for each, _ in listed)
        rows = [row for row in related if row.target.startswith(_TO_TRADE)]
        frameworks = {framework.id: framework for _, framework in listed}
        counts: dict[uuid.UUID, int] = {}
        for row in rows:
            counts[row.framework_id] = counts.get(row.framework_id, 0) + 1
        usable = sorted(
            (frameworks[number] for number in counts), key=lambda each: (-counts[each.id], each.code)
        )
        framework = (
            next((each for each in usable if each.code == code), None) if code else next(iter(usable), None)
        )
        if framework is None:
            raise (
                Conflict("Ce livret est vide : reliez d’abord des compétences du campus à des métiers.")
                if not code
                else NotFound("Ce référentiel n’est relié à aucun métier.")
            )
        competencies = [each for each, owner in listed if owner.id == framework.id]
        return Booklet(
            campus,
            framework,
            usable,
            competencies,
            self._booklet_trades(competencies, [row for row in rows if row.framework_id == framework.id]),
            {each.id: self.catalogue.badges_attesting(each.id) for each in competencies},
            self._certifications([row for row in related if row.framework_id == framework.id]),
        )

    def _certifications(self, rows: Sequence[FrameworkAssociation]) -> dict[uuid.UUID, list[Related]]:
        pairs = [
            (row.origin_id, alignment)
            for row in rows
            if row.origin_id and (alignment := _alignment(row)) and alignment.framework in CERTIFICATIONS
        ]
        found: dict[uuid.UUID, list[Related]] = {}
        shown = self._related([(alignment, "") for _, alignment in pairs])
        for (competency_id, _), each in zip(pairs, shown, strict=True):
            found.setdefault(competency_id, []).append(each)
        return found

    def _booklet_trades(
        self, competencies: Sequence[Competency], rows: Sequence[FrameworkAssociation]
    ) -> list[BookletTrade]:
        by_id = {each.id: each for each in competencies}
        served: dict[str, tuple[PublicAlignment, list[Competency]]] = {}
        for row in rows:
            alignment = _alignment(row)
            if alignment is not None and row.origin_id in by_id:
                served.setdefault(row.target, (alignment, []))[1].append(by_id[row.origin_id])
        related = self._related([(alignment, "") for alignment, _ in served.values()])
        found = [
            BookletTrade(each, sorted(some, key=lambda one: one.code))
            for each, (_, some) in zip(related, served.values(), strict=True)
        ]
        return sorted(found, key=lambda each: (each.related.domain, each.related.alignment.code))

    def _related(self, found: Sequence[tuple[PublicAlignment, str]]) -> list[Related]:
        standings = self.registers.standings(alignment for alignment, _ in found)
        domains = self._domains(standings)
        return [
            Related(standing, domains.get(standing.item.id, "") if standing.item else "", badge)
            for standing, (_, badge) in zip(standings, found, strict=True)
        ]

    def _domains(self, standings: Iterable[Standing]) -> dict[uuid.UUID, str]:
        """The label above each item."""
        items = [each.item for each in standings if each.item is not None]
        above = self.frameworks.items({each.parent_id for each in items if each.parent_id})
        return {
            each.id: above[each.parent_id].statement
            for each in items
            if each.parent_id and each.parent_id in above
        }

    def _alignments_of(self, entry: CatalogueEntry) -> list[PublicAlignment]:
        return [PublicAlignment.read(each) for each in self.catalogue.alignments_of(entry)]


def _alignment(row: FrameworkAssociation) -> PublicAlignment | None:
    """None for an association that an imported package brought."""
    register, _, code = row.target.partition(":")
    if register not in set(PublicFramework):
        return None
    kept = row.extra.get("alignment")
    return PublicAlignment.read(kept) if kept else PublicAlignment(PublicFramework(register), code, code)
