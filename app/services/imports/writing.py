"""Writes an import's activities, participations and corrections, through the regular services."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.db.imports import ImportStore
from app.domain.activities import Activity, ActivityKind, Participation, PartKind
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.imports.imports import Imported, ImportLineOutcome, ImportRun, Record
from app.domain.reports.facts import CELLS
from app.language import N_
from app.services.activities.activities import ActivityService
from app.services.activities.plans import ActivityPlans
from app.services.imports.import_matching import ImportMatching, MatchedRecord
from app.services.reports.surveys import ReportFactsService

CORRECTED = N_("Corrigé par la source de l’import.")
TAKEN_BACK = N_("Retiré par la source de l’import.")
OTHER_PERSON = N_("La source de l’import nomme maintenant une autre personne.")


@dataclass(frozen=True, eq=False)
class ImportWriting:
    imports: ImportStore
    matching: ImportMatching
    activity_service: ActivityService
    plans: ActivityPlans
    report_facts: ReportFactsService

    def process_chunk(
        self, campus: Campus, run: ImportRun, records: Sequence[Record], *, by: Actor, restates: bool = False
    ) -> list[MatchedRecord]:
        """Match these lines and write the valid ones in this transaction; outcomes in the given order."""
        done: dict[int, MatchedRecord] = {}
        for wave in _waves(records) if restates else [list(enumerate(records))]:
            matched = self.matching.match(
                campus, run.source, [record for _, record in wave], restates=restates
            )
            self._write(campus, run, matched, by)
            done.update({place: one for (place, _), one in zip(wave, matched, strict=True)})
        return [done[place] for place in range(len(records))]

    def _write(self, campus: Campus, run: ImportRun, matched: Sequence[MatchedRecord], by: Actor) -> None:
        for group in _by_activity(matched).values():
            activity = self._activity(campus, run, group, by)
            self.activity_service.activities.lock(activity.id)
            links = self._record(campus, run, activity, group, by)
            links += self._amend(campus, run, activity, group, by)
            links += [
                self._link(campus, run, one, one.participation)
                for one in group
                if one.fate is ImportLineOutcome.SAME
            ]
            self.imports.save(*links)
        self._take_back(campus, matched, by)

    # --- writing activities

    def _activity(
        self, campus: Campus, run: ImportRun, group: Sequence[MatchedRecord], by: Actor
    ) -> Activity:
        """The activity of these lines, created or corrected from the first of them."""
        activity_record = group[0].record.activity
        activity = group[0].activity or self._created(campus, group[0].record, by)
        facts = {name: value for one in reversed(group) for name, value in one.activity_news.items()}
        cells = dict(activity_record.report) if group[0].activity is None else {}
        cells |= {name: facts.pop(name) for name in CELLS if name in facts}
        if facts:
            self.plans.correct(campus, activity.id, facts, by=by)
        if cells:
            self.report_facts.correct(campus, activity.id, cells, by=by)
        key, at = (
            self.matching.key(campus, run.source, activity_record.own_key),
            self.activity_service.clock(),
        )
        link = self.imports.known(campus.id, [key]).get(key) or Imported(
            campus_id=campus.id, key=key, source=run.source, run_id=run.id, row_id=activity.id, at=at
        )
        if link.said != (said := {**link.said, **activity_record.said()}):
            link.said, link.at, link.run_id = said, at, run.id
        self.imports.save(link)
        return activity

    def _created(self, campus: Campus, record: Record, by: Actor) -> Activity:
        activity_record = record.activity
        assert activity_record.starts_on is not None, "a line without a date was refused"
        activity = Activity(
            kind=activity_record.kind or ActivityKind.WORKSHOP,
            title=activity_record.title,
            starts_on=activity_record.starts_on,
            ends_on=activity_record.ends_on or activity_record.starts_on,
            place=activity_record.place,
            hours=activity_record.hours,
            start_time=activity_record.start_time,
            end_time=activity_record.end_time,
            created_at=self.activity_service.clock(),
        )
        return self.activity_service.create(activity, [campus], by=by)

    # --- writing participations

    def _record(
        self, campus: Campus, run: ImportRun, activity: Activity, group: Sequence[MatchedRecord], by: Actor
    ) -> list[Imported]:
        new = [one for one in group if one.fate is ImportLineOutcome.CREATED or one.is_somebody_else]
        for one in new:
            if one.is_somebody_else:
                assert one.participation is not None
                self._absent(campus, one.participation, by, OTHER_PERSON)
        meant = {one.record.person.line_key: one.person.id for one in new if one.person is not None}
        lines = [one.record.person for one in new]
        kept = self.activity_service.keep(activity, lines, campus_id=campus.id, by=by, meant=meant)
        if new:
            self.activity_service.history.write(
                by,
                "record",
                "activity",
                activity.id,
                at=self.activity_service.clock(),
                campus_id=campus.id,
                people=len(new),
            )
        return [self._link(campus, run, one, kept[one.record.person.line_key][0]) for one in new]

    def _amend(
        self, campus: Campus, run: ImportRun, activity: Activity, group: Sequence[MatchedRecord], by: Actor
    ) -> list[Imported]:
        changed = [one for one in group if one.fate is ImportLineOutcome.CHANGED and not one.is_somebody_else]
        touched, links = [], []
        for one in changed:
            assert one.participation is not None
            if _is_touched(one.participation, one):
                touched.append(one.participation)
            if one.new_address and one.person is not None:
                self.activity_service.given_addresses.give(
                    one.person,
                    one.record.person.address,
                    campus_id=campus.id,
                    by_name=one.link is None,
                )
            links.append(self._link(campus, run, one, one.participation))
        self.activity_service.amend_all(activity, touched, by=by, reason=CORRECTED)
        return links

    def _take_back(self, campus: Campus, matched: Iterable[MatchedRecord], by: Actor) -> None:
        """Restore the source's last values under another identifier; if none, mark the person absent."""
        for one in matched:
            if one.fate is not ImportLineOutcome.CHANGED or not one.record.withdrawn:
                continue
            link, participation = one.link, one.participation
            assert link is not None
            assert participation is not None
            link.said = {**link.said, "withdrawn": True}
            self.imports.save(link)
            standing = self.imports.standing_for(campus.id, link.source, [participation.id])
            left = [each for each in standing[participation.id] if not each.said.get("withdrawn")]
            if left:
                self._say_again(campus, participation, left, by)
            else:
                self._absent(campus, participation, by, TAKEN_BACK)

    def _say_again(
        self, campus: Campus, participation: Participation, left: Sequence[Imported], by: Actor
    ) -> None:
        said = {name: value for each in left for name, value in each.said.items()}
        self.activity_service.amend(
            campus,
            participation.activity_id,
            participation.id,
            part=PartKind(said.get("part", PartKind.LEARNER)),
            hours=said.get("hours"),
            contribution=said.get("contribution", ""),
            by=by,
            reason=TAKEN_BACK,
        )

    def _absent(self, campus: Campus, participation: Participation, by: Actor, reason: str) -> None:
        self.activity_service.set_present(
            campus, participation.activity_id, participation.id, present=False, by=by, reason=reason
        )

    def _link(
        self, campus: Campus, run: ImportRun, one: MatchedRecord, participation: Participation | None
    ) -> Imported:
        """What the identifier now refers to, and the source's values under it."""
        assert participation is not None
        key, at = self.matching.key(campus, run.source, one.record.own_key), self.activity_service.clock()
        link = one.link or Imported(campus_id=campus.id, key=key, source=run.source, run_id=run.id, at=at)
        said = {**one.record.said(), **self.matching.identity(campus, run.source, one.record)}
        if link.said != said or link.row_id != participation.id:
            link.said, link.row_id, link.run_id, link.at = said, participation.id, run.id, at
        return link


def _is_touched(participation: Participation, one: MatchedRecord) -> bool:
    """Write the changed values; returns whether anything changed."""
    is_back = "present" in one.values.get("what", ()) and not participation.is_present
    participation.is_present = participation.is_present or is_back
    for name, value in one.news.items():
        setattr(participation, name, PartKind(value) if name == "part" else value)
    return is_back or bool(one.news)


def _by_activity(matched: Iterable[MatchedRecord]) -> dict[tuple[str, ...], list[MatchedRecord]]:
    """By activity, in the given order, the lines that write something or have an identifier to store."""
    groups: dict[tuple[str, ...], list[MatchedRecord]] = {}
    for one in matched:
        if one.fate is ImportLineOutcome.REFUSED or one.record.withdrawn or one.record.fault:
            continue
        groups.setdefault(one.record.activity.own_key, []).append(one)
    return groups


def _waves(records: Sequence[Record]) -> list[list[tuple[int, Record]]]:
    """The records with their positions, split so that no wave contains a person twice in one activity."""
    waves: list[list[tuple[int, Record]]] = [[]]
    seen: set[tuple[str, ...]] = set()
    for place, record in enumerate(records):
        key = (*record.activity.own_key, record.person.line_key)
        if record.withdrawn or key in seen:
            waves.append([])
            seen = set()
        seen.add(key)
        waves[-1].append((place, record))
    return waves
