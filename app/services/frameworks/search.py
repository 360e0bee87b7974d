"""The picker: a few letters give items of every framework that a campus sees, with path and state."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from app.db.frameworks import CompetencyStore, FrameworkStore, FullTextIndex, Match
from app.domain.core import Clock
from app.domain.frameworks import AssociationKind, Competency, CompetencyVersion, Framework, Owner
from app.domain.frameworks.text_search import (
    ROOT,
    SearchQuery,
    root_of,
    score,
    stem_of,
    terms_of,
    variants_of,
)

MOST_FOUND: Final = 20
_CANDIDATES: Final = 60
_ENOUGH: Final = 12
_WEIGHTS: Final = {
    "competency": 1.0,
    "occupation": 0.5,
    "skill": 0.45,
    "knowledge": 0.4,
    "certification": 0.1,
    "block": -0.6,
    "domain": -0.5,
}
_ENDED: Final = -2.0
_SYNONYM: Final = 7.0


@dataclass(frozen=True)
class FoundItem:
    """`path`: labels from the framework down to the item above; `successors`: what replaces an ended item."""

    item: Competency
    framework: Framework
    path: Sequence[str]
    has_ended: bool
    successors: Sequence[str]
    synonyms: Sequence[str] = ()
    score: float = 0.0


@dataclass(frozen=True)
class SearchResult:
    query: str
    items: Sequence[FoundItem]
    counts: Mapping[str, int] = field(default_factory=dict)
    """Candidates by code of the framework; campuses' own count as « campus »."""
    corrected: str = ""
    """The terms that were searched instead of misspelt ones."""


@dataclass(frozen=True, eq=False)
class FrameworkSearch:
    frameworks: FrameworkStore
    competencies: CompetencyStore
    index: FullTextIndex
    clock: Clock

    def search(
        self,
        text: str,
        campus_id: uuid.UUID | None = None,
        *,
        within: str = "",
        kinds: Iterable[str] = (),
        limit: int = MOST_FOUND,
    ) -> SearchResult:
        """`within`: the code of one framework, or « campus » for the campus's own."""
        query = SearchQuery.of(text)
        if query.is_empty:
            return SearchResult(text, ())
        visible = {each.id: each for each in self.frameworks.visible_to(campus_id)}
        searched = [number for number, each in visible.items() if not within or group_of(each) == within]
        found = self._candidates(query, searched)
        corrected = ""
        if not found:
            fixed = self._corrected(query)
            if fixed.terms != query.terms:
                found = self._candidates(fixed, searched)
                corrected = " ".join(fixed.terms) if found else ""
        if not found and len(query.terms) > 1:
            found = self._scored(
                query,
                self.index.find(query, searched, prefixes=True, labels_only=False, limit=150, every=False),
            )
        synonyms = self._synonyms(query, campus_id, found)
        return self._result(text, found, visible, set(searched), synonyms, set(kinds), limit, corrected)

    def find(self, competency_id: uuid.UUID, campus_id: uuid.UUID | None) -> FoundItem | None:
        """One item, if the campus sees its framework."""
        found = self.frameworks.get_item(competency_id)
        if found is None or found[1].id not in {each.id for each in self.frameworks.visible_to(campus_id)}:
            return None
        known = self.competencies.synonyms_of(campus_id) if campus_id else ()
        labels = [row.label for row in known if row.competency_id == competency_id]
        return self._described([(*found, 0.0, labels)])[0]

    def versions_of(self, competency_id: uuid.UUID) -> Sequence[CompetencyVersion]:
        return self.competencies.versions_of(competency_id)

    def _candidates(
        self, query: SearchQuery, frameworks: Sequence[uuid.UUID]
    ) -> dict[uuid.UUID, tuple[float, Match]]:
        found = self._scored(
            query, self.index.find(query, frameworks, prefixes=False, labels_only=True, limit=_CANDIDATES)
        )
        for labels_only in (True, False):
            if len(found) < _ENOUGH:
                more = self.index.find(
                    query, frameworks, prefixes=True, labels_only=labels_only, limit=_CANDIDATES
                )
                found = _best(found, self._scored(query, more))
        for variant in variants_of(query):
            more = self.index.find(variant, frameworks, prefixes=False, labels_only=True, limit=20)
            found = _best(found, self._scored(variant, more))
        return found

    def _scored(self, query: SearchQuery, matches: Iterable[Match]) -> dict[uuid.UUID, tuple[float, Match]]:
        return {
            match.competency_id: (score(query, match.label_terms, match.other_terms, match.size), match)
            for match in matches
        }

    def _corrected(self, query: SearchQuery) -> SearchQuery:
        slips = {
            term: self.index.similar(term)
            for term in query.terms
            if len(term) >= 4 and term.isalpha() and not self.index.is_known(term)
        }
        return query.corrected(slips)

    def _synonyms(
        self,
        query: SearchQuery,
        campus_id: uuid.UUID | None,
        found: dict[uuid.UUID, tuple[float, Match]],
    ) -> dict[uuid.UUID, list[str]]:
        """The campus's own terms; those that answer enter `found`."""
        if campus_id is None:
            return {}
        labels: dict[uuid.UUID, list[str]] = {}
        for row in self.competencies.synonyms_of(campus_id):
            labels.setdefault(row.competency_id, []).append(row.label)
            terms = terms_of(row.label, "")
            if all(_holds(terms.label.split(), term) for term in query.terms):
                points = _SYNONYM + score(query, terms.label, "", terms.size) / 10
                match = Match(row.competency_id, row.competency_id, terms.label, "", terms.size)
                if points > found.get(row.competency_id, (0.0, match))[0]:
                    found[row.competency_id] = points, match
        return labels

    def _result(
        self,
        text: str,
        found: dict[uuid.UUID, tuple[float, Match]],
        visible: Mapping[uuid.UUID, Framework],
        searched: set[uuid.UUID],
        synonyms: Mapping[uuid.UUID, list[str]],
        kinds: set[str],
        limit: int,
        corrected: str,
    ) -> SearchResult:
        best = sorted(found.items(), key=lambda each: -each[1][0])[: limit + 15]
        items = self.frameworks.items(number for number, _ in best)
        today, ranked = self.clock().date(), []
        counts: Counter[str] = Counter()
        for number, (points, match) in best:
            item = items.get(number)
            framework = visible.get(item.framework_id) if item else None
            if item is None or framework is None or framework.id not in searched:
                continue
            if item.archived_at is not None or (kinds and item.kind not in kinds):
                continue
            counts[group_of(framework)] += 1
            points += _WEIGHTS.get(item.kind, 0.0) + (1.5 if framework.owner is not Owner.PUBLIC else 0.0)
            points += _ENDED if item.has_ended(today) else 0.0
            ranked.append((points, -match.size, item, framework, synonyms.get(number, ())))
        ranked.sort(key=lambda each: (-each[0], -each[1], each[2].code))
        chosen = [(item, framework, points, known) for points, _, item, framework, known in ranked[:limit]]
        return SearchResult(text, self._described(chosen), dict(counts), corrected)

    def _described(
        self, chosen: Sequence[tuple[Competency, Framework, float, Sequence[str]]]
    ) -> list[FoundItem]:
        today = self.clock().date()
        paths = self._paths([item for item, *_ in chosen])
        ended = [item.id for item, *_ in chosen if item.ended_on is not None]
        successors: dict[uuid.UUID, list[str]] = {}
        if ended:
            for row in self.frameworks.associations_from(ended, AssociationKind.REPLACED.value):
                if row.origin_id is not None:
                    successors.setdefault(row.origin_id, []).append(row.target)
        return [
            FoundItem(
                item,
                framework,
                paths.get(item.id, ()),
                item.has_ended(today),
                successors.get(item.id, ()),
                synonyms,
                points,
            )
            for item, framework, points, synonyms in chosen
        ]

    def _paths(self, items: Sequence[Competency]) -> dict[uuid.UUID, list[str]]:
        known = {item.id: item for item in items}
        wanted = {item.parent_id for item in items if item.parent_id} - set(known)
        for _ in range(8):
            if not wanted:
                break
            above = self.frameworks.items(wanted)
            known |= above
            wanted = {item.parent_id for item in above.values() if item.parent_id} - set(known)
        paths = {}
        for item in items:
            path: list[str] = []
            parent = known.get(item.parent_id) if item.parent_id else None
            while parent is not None and len(path) < 8:
                path.insert(0, parent.statement)
                parent = known.get(parent.parent_id) if parent.parent_id else None
            paths[item.id] = path
        return paths


def group_of(framework: Framework) -> str:
    """The filter under which its items are listed."""
    return {Owner.CAMPUS: "campus", Owner.NETWORK: "network"}.get(framework.owner, framework.code)


def _best(
    one: dict[uuid.UUID, tuple[float, Match]], other: dict[uuid.UUID, tuple[float, Match]]
) -> dict[uuid.UUID, tuple[float, Match]]:
    for number, scored in other.items():
        if number not in one or scored[0] > one[number][0]:
            one[number] = scored
    return one


def _holds(terms: Sequence[str], term: str) -> bool:
    return (
        stem_of(term) in terms
        or ROOT + root_of(term) in terms
        or any(each.startswith(term) and not each.startswith(ROOT) for each in terms)
    )
