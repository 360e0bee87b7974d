"""Frameworks and competencies, referenced by badges."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from app.db.awards import AwardRecord
from app.db.campus import HistoryStore
from app.db.frameworks import CompetencyStore
from app.domain.awards.skills import Attested
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.core import Clock
from app.domain.frameworks import (
    Competency,
    CompetencySynonym,
    CompetencyVersion,
    Framework,
    ListedCompetency,
    check_competency,
    check_framework,
    check_levels_kept,
    read_relations,
)
from app.domain.frameworks.releases import ChangeKind, content_of, entry_of
from app.domain.frameworks.text_search import synonym_of
from app.errors import AppError, Conflict, InvalidInput, NotFound
from app.language import N_

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
    history: HistoryStore
    relate: Callable[[Campus, Competency, Iterable[str], Actor], bool]
    clock: Clock

    def framework(
        self, campus: Campus, *, code: str, name: str, description: str = "", by: Actor
    ) -> Framework:
        """The campus's framework with that code; created if new."""
        known = self.competencies.find_framework(campus.id, code)
        if known is not None:
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
            raise Conflict(N_("Ce référentiel a déjà une compétence {code}."), code=code)
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
        before = competency.statement
        competency.statement, competency.levels = statement.strip(), levels
        if details is not None:
            competency.description = details.description.strip()
            competency.rubric = list(details.rubric[: len(levels)])
            competency.other_labels = list(details.other_labels)
        check_competency(competency)
        self._store(competency, ChangeKind.LABEL if before != competency.statement else ChangeKind.DETAIL)
        self._write(by, "amend", campus, competency)
        return competency

    def archive(self, campus: Campus, competency_id: uuid.UUID, *, by: Actor) -> None:
        """New badges cannot reference it; existing ones still do."""
        competency, _ = self.get(campus, competency_id)
        if competency.archived_at is None:
            competency.archived_at = self.clock()
            self.competencies.add(competency)
            self._write(by, "archive", campus, competency)

    def restore(self, campus: Campus, competency_id: uuid.UUID, *, by: Actor) -> None:
        competency, _ = self.get(campus, competency_id)
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
            details = Details(rubric=line.rubric or ())
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
        if (known.statement, known.levels, known.rubric) == (line.statement, levels, rubric):
            return SAME, known
        details = Details(known.description, rubric, known.other_labels)
        self.amend(campus, known.id, statement=line.statement, levels=levels, details=details, by=by)
        return CHANGED, known

    def get_framework(self, campus: Campus, framework_id: uuid.UUID) -> Framework:
        framework = self.competencies.session.get(Framework, framework_id)
        if framework is None or framework.campus_id != campus.id:
            raise NotFound(N_("Ce référentiel n’existe pas dans ce campus."))
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
            raise InvalidInput(N_("Un synonyme est un mot ou quelques mots."))
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
    hours: dict[uuid.UUID, float] = {}
    known: dict[uuid.UUID, tuple[Competency, Framework]] = {}
    for record, attested, shown in awards:
        if shown is not None:
            hours[record.award.id] = shown
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
    levels = [level for _, level in rests if level is not None]
    return Mastered(
        competency,
        framework,
        max(levels, default=None),
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
