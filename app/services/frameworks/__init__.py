"""Frameworks and competencies, referenced by badges."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from app.db.awards import AwardRecord
from app.db.campus import HistoryStore
from app.db.frameworks import CompetencyStore, FrameworkStore, FullTextIndex, Match
from app.db.publishing.catalogue import CatalogueStore
from app.domain.awards.skills import Attested
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.campus.signed_terms import day_in_france
from app.domain.core import Clock
from app.domain.frameworks import (
    AssociationKind,
    Competency,
    CompetencySynonym,
    CompetencyVersion,
    Framework,
    ListedCompetency,
    Owner,
    check_competency,
    check_framework,
    check_levels_kept,
    read_relations,
)
from app.domain.frameworks.releases import ChangeKind, content_of, entry_of
from app.domain.frameworks.text_search import (
    LIGHT_SHARE,
    SearchQuery,
    first_letters,
    holds,
    is_light,
    nearest,
    score,
    synonym_of,
    terms_of,
    variants_of,
)
from app.errors import AppError, Conflict, InvalidInput, NotFound

ADDED, CHANGED, SAME = "added", "changed", "same"


@dataclass(frozen=True)
class Details:
    """What a competency may have besides; `rubric` describes each level, in their order."""

    description: str = ""
    rubric: Sequence[str] = ()
    other_labels: Sequence[str] = ()


@dataclass
class TakenIn:
    """Result of importing a list of competencies."""

    outcomes: Counter[str] = field(default_factory=Counter)
    refused: list[tuple[ListedCompetency, AppError]] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class CompetencyService:
    competencies: CompetencyStore
    catalogue: CatalogueStore
    history: HistoryStore
    relate: Callable[[Campus, Competency, Iterable[str], Actor], bool]
    redraw: Callable[[Campus, Competency], None]
    clock: Clock

    def framework(
        self, campus: Campus, *, code: str, name: str, description: str = "", by: Actor
    ) -> Framework:
        """The campus's framework with that code; created if new."""
        if known := self.competencies.find_framework(campus.id, code):
            return known
        framework = Framework(campus_id=campus.id, code=code, name=name, description=description)
        check_framework(framework)
        self.competencies.add(framework)
        self.history.write(by, "create", "framework", framework.id, at=self.clock(), campus_id=campus.id)
        return framework

    def create(
        self,
        campus: Campus,
        framework: Framework,
        *,
        code: str,
        statement: str,
        levels: list[str],
        details: Details | None = None,
        by: Actor,
    ) -> Competency:
        more = details or Details()
        competency = Competency(
            framework_id=framework.id,
            code=code,
            statement=statement,
            levels=levels,
            description=more.description.strip(),
            rubric=list(more.rubric[: len(levels)]),
            other_labels=list(more.other_labels),
        )
        check_competency(competency)
        if self.competencies.find_by_code(framework.id, code):
            raise Conflict("Ce référentiel a déjà une compétence {code}.", code=code)
        self._store(competency, ChangeKind.NEW)
        self.history.write(by, "create", "competency", competency.id, at=self.clock(), campus_id=campus.id)
        return competency

    def list_of(self, campus: Campus) -> list[tuple[Competency, Framework]]:
        return self.competencies.list_of(campus.id)

    def get(self, campus: Campus, competency_id: uuid.UUID) -> tuple[Competency, Framework]:
        return self.competencies.get_in_campus(competency_id, campus.id)

    def amend(
        self,
        campus: Campus,
        competency_id: uuid.UUID,
        *,
        statement: str,
        levels: list[str],
        details: Details | None = None,
        by: Actor,
    ) -> Competency:
        """Change the text of a competency; signed credentials keep the old text."""
        competency, _ = self.get(campus, competency_id)
        check_levels_kept(
            competency, levels, highest_used=self.competencies.highest_level_used(competency.id)
        )
        before, scale = competency.statement, len(competency.levels)
        competency.statement, competency.levels = statement.strip(), levels
        if details is not None:
            competency.description = details.description.strip()
            competency.rubric = list(details.rubric[: len(levels)])
            competency.other_labels = list(details.other_labels)
        check_competency(competency)
        self._store(competency, ChangeKind.LABEL if before != competency.statement else ChangeKind.DETAIL)
        self._write(by, "amend", campus, competency)
        if len(levels) != scale:
            self.redraw(campus, competency)
        return competency

    def archive(self, campus: Campus, competency_id: uuid.UUID, *, by: Actor) -> None:
        """New badges cannot reference it; existing ones still do."""
        competency, _ = self.get(campus, competency_id)
        self.competencies.hold_row(competency)
        if competency.archived_at is None:
            competency.archived_at = self.clock()
            self.competencies.add(competency)
            self.catalogue.drop(competency.id)
            self._write(by, "archive", campus, competency)

    def restore(self, campus: Campus, competency_id: uuid.UUID, *, by: Actor) -> None:
        competency, _ = self.get(campus, competency_id)
        self.competencies.hold_row(competency)
        if competency.archived_at is not None:
            competency.archived_at = None
            self.competencies.add(competency)
            self._write(by, "restore", campus, competency)

    def take_in(self, campus: Campus, lines: Sequence[ListedCompetency], *, by: Actor) -> TakenIn:
        """Check each line separately: stores the valid ones, reports a reason for the others. Idempotent."""
        taken = TakenIn()
        for line in lines:
            try:
                outcome, competency = self._take_in(campus, line, by)
                if line.trades is not None and self.relate(campus, competency, line.trades, by):
                    outcome = CHANGED if outcome == SAME else outcome
                taken.outcomes[outcome] += 1
            except (InvalidInput, Conflict) as error:
                taken.refused.append((line, error))
        return taken

    def _take_in(self, campus: Campus, line: ListedCompetency, by: Actor) -> tuple[str, Competency]:
        typed = Competency(
            framework_id=campus.id,
            code=line.code,
            statement=line.statement,
            levels=list(line.levels or ()),
            rubric=list(line.rubric or ()),
        )
        check_competency(typed)
        read_relations(line.trades or ())
        framework = self.framework(
            campus,
            code=line.framework or "campus",
            name=line.framework_name or line.framework or campus.name,
            by=by,
        )
        known = self.competencies.find_by_code(framework.id, line.code)
        levels = list(line.levels if line.levels is not None else known.levels if known else framework.levels)
        if known is None:
            details = Details(line.description or "", line.rubric or (), line.others or ())
            added = self.create(
                campus,
                framework,
                code=line.code,
                statement=line.statement,
                levels=levels,
                details=details,
                by=by,
            )
            return ADDED, added
        rubric = list(known.rubric if line.rubric is None else line.rubric[: len(levels)])
        # A cell has no line breaks.
        is_same = line.description in (None, " ".join(known.description.split()))
        description = known.description if is_same else line.description or ""
        others = known.other_labels if line.others is None else list(line.others)
        before = (known.statement, known.levels, known.rubric, known.description, known.other_labels)
        if before == (line.statement, levels, rubric, description, others):
            return SAME, known
        details = Details(description, rubric, others)
        self.amend(campus, known.id, statement=line.statement, levels=levels, details=details, by=by)
        return CHANGED, known

    def get_framework(self, campus: Campus, framework_id: uuid.UUID) -> Framework:
        framework = self.competencies.session.get(Framework, framework_id)
        if framework is None or framework.campus_id != campus.id:
            raise NotFound("Ce référentiel n’existe pas dans ce campus.")
        return framework

    def amend_framework(
        self,
        campus: Campus,
        framework_id: uuid.UUID,
        *,
        name: str,
        description: str,
        levels: Sequence[str],
        by: Actor,
    ) -> Framework:
        """`levels` is the scale that new competencies begin with; existing ones keep theirs."""
        framework = self.get_framework(campus, framework_id)
        wanted = (name.strip(), description.strip(), list(levels))
        check_framework(
            Framework(code=framework.code, name=wanted[0], description=wanted[1], levels=wanted[2])
        )
        if (framework.name, framework.description, framework.levels) != wanted:
            framework.name, framework.description, framework.levels = wanted
            self.competencies.add(framework)
            self.history.write(by, "amend", "framework", framework.id, at=self.clock(), campus_id=campus.id)
        return framework

    def add_synonym(self, campus: Campus, competency_id: uuid.UUID, label: str, *, by: Actor) -> None:
        """Idempotent. The item may be of any framework that the campus sees."""
        label = synonym_of(label)
        if not label:
            raise InvalidInput("Un synonyme est un mot ou quelques mots.")
        if any(
            row.competency_id == competency_id and row.label == label
            for row in self.competencies.synonyms_of(campus.id)
        ):
            return
        row = CompetencySynonym(campus_id=campus.id, competency_id=competency_id, label=label)
        self.competencies.add(row)
        self.history.write(
            by, "synonym", "competency", competency_id, at=self.clock(), campus_id=campus.id, label=label
        )

    def remove_synonym(self, campus: Campus, competency_id: uuid.UUID, label: str, *, by: Actor) -> None:
        for row in self.competencies.synonyms_of(campus.id):
            if row.competency_id == competency_id and row.label == label:
                self.competencies.remove(row)
                self.history.write(
                    by, "no_synonym", "competency", competency_id, at=self.clock(), campus_id=campus.id
                )

    def _store(self, competency: Competency, change: ChangeKind) -> None:
        """With a new version, and in the search index."""
        self.competencies.add(competency)
        self.competencies.index(competency)
        self.competencies.add_version(
            CompetencyVersion(
                competency_id=competency.id,
                number=0,
                written_at=self.clock(),
                change=change.value,
                content=content_of(entry_of(competency, "")),
            )
        )

    def _write(self, by: Actor, done: str, campus: Campus, competency: Competency) -> None:
        self.history.write(by, done, "competency", competency.id, at=self.clock(), campus_id=campus.id)


@dataclass(frozen=True)
class Mastered:
    """`level`: the highest that any badge attests, None if none attests a level.

    `hours` counts an activity once, however many badges depend on it; None if no hours were recorded.
    """

    competency: Competency
    framework: Framework
    level: int | None
    records: Sequence[AwardRecord]
    hours: float | None


def overview_of(awards: Iterable[tuple[AwardRecord, Attested, float | None]]) -> list[Mastered]:
    """In order of first appearance; per award, the hours that its holder discloses."""
    found: dict[uuid.UUID, list[tuple[AwardRecord, int | None]]] = {}
    known: dict[uuid.UUID, tuple[Competency, Framework]] = {}
    awards = list(awards)
    hours = {record.award.id: shown for record, _attested, shown in awards if shown is not None}
    for record, attested, _shown in awards:
        for link, competency, framework in attested:
            known[competency.id] = competency, framework
            found.setdefault(competency.id, []).append((record, link.level))
    return [_mastered(*known[key], rests, hours) for key, rests in found.items()]


def _mastered(
    competency: Competency,
    framework: Framework,
    rests: Sequence[tuple[AwardRecord, int | None]],
    hours: Mapping[uuid.UUID, float],
) -> Mastered:
    return Mastered(
        competency,
        framework,
        max((level for _, level in rests if level is not None), default=None),
        [record for record, _ in rests],
        _hours([record for record, _ in rests], hours),
    )


def _hours(records: Sequence[AwardRecord], hours: Mapping[uuid.UUID, float]) -> float | None:
    noted = {
        record.award.activity_id or record.award.id: hours[record.award.id]
        for record in records
        if record.award.id in hours
    }
    return sum(noted.values()) if noted else None


# --- The picker: a few letters give items of every framework that a campus sees, with path and state

MOST_FOUND: Final = 20
_CANDIDATES: Final = 60
_ENOUGH: Final = 12
_IN_ITS_WORDS: Final = 5.4
"""What a label with the very term scores; one with another of its family scores less."""
_MOST_OF_A_TERM: Final = 150
_FEW: Final = 5
_PARTLY: Final = 0.5
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
        if len(found) < _FEW and len(query.terms) > 1:
            found = self._partly(query, searched) | found
        synonyms = self._synonyms(query, campus_id, found)
        return self._result(text, found, visible, set(searched), synonyms, limit, corrected)

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
            if len(found) < _ENOUGH or max(points for points, _ in found.values()) < _IN_ITS_WORDS:
                more = self.index.find(
                    query, frameworks, prefixes=True, labels_only=labels_only, limit=_CANDIDATES
                )
                found = _best(found, self._scored(query, more))
        variants = variants_of(query)
        several = self.index.find_each(variants, frameworks, prefixes=False, labels_only=True, limits=[20] * len(variants))  # fmt: skip
        for variant, more in zip(variants, several, strict=True):
            found = _best(found, self._scored(variant, more))
        return found

    def _partly(
        self, query: SearchQuery, frameworks: Sequence[uuid.UUID]
    ) -> dict[uuid.UUID, tuple[float, Match]]:
        """Items with some of the terms: « stress » counts more than « gestion », which hundreds of labels have."""
        terms = list(dict.fromkeys(query.terms))
        rests = [tuple(each for each in query.terms if each != term) for term in terms if len(terms) > 2]
        parts = self.index.find_each(
            [SearchQuery(each) for each in [*((term,) for term in terms), *rests]],
            frameworks,
            prefixes=True,
            labels_only=False,
            limits=[_MOST_OF_A_TERM] * len(terms) + [_CANDIDATES] * len(rests),
        )
        shares = {
            term: (LIGHT_SHARE if is_light(term) else 1) / (1 + len(matches)) ** 0.5
            for term, matches in zip(terms, parts, strict=False)
        }
        return self._scored(query, (match for matches in parts for match in matches), shares)

    def _scored(
        self, query: SearchQuery, matches: Iterable[Match], shares: Mapping[str, float] | None = None
    ) -> dict[uuid.UUID, tuple[float, Match]]:
        """With `shares`, for items that lack some terms: these score less than those with every one."""
        factor = _PARTLY if shares else 1.0
        return {
            each.competency_id: (
                factor * score(query, each.label_terms, each.other_terms, each.size, shares),
                each,
            )
            for each in matches
        }

    def _corrected(self, query: SearchQuery) -> SearchQuery:
        doubtful = [term for term in query.terms if len(term) >= 4 and term.isalpha()]
        known = self.index.known(doubtful)
        return query.corrected({term: self._similar(term) for term in doubtful if term not in known})

    def _similar(self, term: str) -> Sequence[str]:
        """Terms that may be meant: with its first letter, else with one that sounds alike."""
        for letter in first_letters(term):
            known = self.index.similar(term, letter)
            if nearest(term, known) != term:
                return known
        return ()

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
            if all(holds(terms.label.split(), term) for term in query.terms):
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
        limit: int,
        corrected: str,
    ) -> SearchResult:
        best = sorted(found.items(), key=lambda each: -each[1][0])[: limit + 15]
        items = self.frameworks.items(number for number, _ in best)
        today, ranked = day_in_france(self.clock()), []
        counts: Counter[str] = Counter()
        for number, (points, match) in best:
            item = items.get(number)
            framework = visible.get(item.framework_id) if item else None
            if item is None or framework is None or framework.id not in searched or item.archived_at:
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
                item.has_ended(day_in_france(self.clock())),
                successors.get(item.id, ()),
                synonyms,
                points,
            )
            for item, framework, points, synonyms in chosen
        ]

    def _paths(self, items: Sequence[Competency]) -> dict[uuid.UUID, list[str]]:
        known = {item.id: (item.statement, item.parent_id) for item in items}
        known |= self.frameworks.places_above({item.parent_id for item in items if item.parent_id})
        paths = {}
        for item in items:
            path: list[str] = []
            parent = known.get(item.parent_id) if item.parent_id else None
            while parent is not None and len(path) < 8:
                path.insert(0, parent[0])
                parent = known.get(parent[1]) if parent[1] else None
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
