"""Import of activities: upload, read, preview, confirm, process in chunks, report."""

from __future__ import annotations

import hashlib
import uuid
import zlib
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

from app.adapters.sheets.report_files import blank_workbook
from app.db.campus import CampusStore, HistoryStore
from app.db.imports import ImportStore
from app.domain.activities import PartKind
from app.domain.activities.listed_people import ListedPerson, name_key_of
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.core import Clock, csv_for_excel, new_row
from app.domain.imports.imports import (
    CHUNK_SIZE,
    DRAFT_KEPT,
    INLINE_LIMIT,
    OF_LISTS,
    OF_VERBS,
    REFUSED_KEPT,
    ImportForm,
    ImportLine,
    ImportLineOutcome,
    ImportMapping,
    ImportRun,
    ImportState,
    Record,
    check_draft,
    check_source,
    without_contradictions,
)
from app.domain.imports.lists.model import Block, Column
from app.domain.imports.tables import HEADINGS, ImportColumn, ReadingPlan, Sheet, read_records, read_sheet
from app.domain.imports.xapi import VERBS, check_verbs, read_statements, statements_in
from app.domain.people import name_key
from app.domain.people.consents import OTHER, Namesake
from app.errors import Conflict, InvalidInput
from app.services.activities.line_faults import ALREADY_KNOWN
from app.services.activities.participants import as_known
from app.services.imports.import_matching import ImportMatching, MatchedRecord
from app.services.imports.lists import MAX_BYTES, blocks_as_text, blocks_from_text, blocks_of
from app.services.imports.writing import ImportWriting

MOST_REPORTS = 100


@dataclass(frozen=True)
class Draft:
    """An uploaded table as interpreted; nothing is written."""

    run: ImportRun
    sheet: Sheet
    plan: ReadingPlan
    matched: Sequence[MatchedRecord]
    before: ImportRun | None
    """The last import of an identical file."""
    questions: Mapping[int, Sequence[Namesake]]
    """By line: people whom the campus knows by that name at another address, or at that address."""
    answers: ImportAnswers


@dataclass(frozen=True)
class ImportAnswers:
    """Answers about doubtful lines, by line number."""

    sure: frozenset[int] = frozenset()
    taken: frozenset[int] = frozenset()
    """Lines with an accepted suggestion for the address."""
    known: Mapping[int, str] = field(default_factory=dict)
    """OTHER, SAME, or the id of the person who is meant."""

    def to_words(self) -> dict[str, Any]:
        return {
            "sure": sorted(self.sure),
            "taken": sorted(self.taken),
            "known": {str(number): answer for number, answer in self.known.items()},
        }

    @staticmethod
    def from_words(words: Mapping[str, Any]) -> ImportAnswers:
        known = {int(number): str(answer) for number, answer in words.get("known", {}).items()}
        return ImportAnswers(frozenset(words.get("sure", ())), frozenset(words.get("taken", ())), known)


SAME = "meme"
"""The answer that it is the one person known."""


@dataclass(frozen=True)
class Report:
    run: ImportRun
    counts: Mapping[ImportLineOutcome, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def answered(self) -> int:
        return self.total - self.counts.get(ImportLineOutcome.WAITING, 0)


@dataclass(frozen=True, eq=False)
class ImportService:
    imports: ImportStore
    campuses: CampusStore
    history: HistoryStore
    matching: ImportMatching
    writing: ImportWriting
    clock: Clock

    # --- a table: upload, reading plan, preview

    def drop(
        self,
        campus: Campus,
        source: str,
        given: bytes | str,
        *,
        by: Actor,
        blocks: Sequence[Block] | None = None,
    ) -> ImportRun:
        """Store the upload until confirmed, for at most a day; `blocks`: where it was parsed before."""
        name, blocks = check_source(source), blocks_of(given) if blocks is None else blocks
        sheet = read_sheet(blocks)
        data = given.encode() if isinstance(given, str) else given
        run = self.new_run(campus, ImportForm.TABLE, name, data, by)
        run.given = zlib.compress(blocks_as_text(blocks).encode())
        run.mapping = {"heading": list(sheet.heading), "plan": self._remembered(campus, name).to_words()}
        self.imports.save(run)
        return run

    def sources(self, campus: Campus) -> Sequence[str]:
        return self.imports.sources(campus.id)

    def _remembered(self, campus: Campus, source: str) -> ReadingPlan:
        found = self.imports.mapping(campus.id, source)
        return ReadingPlan.from_words(found.mapping) if found else ReadingPlan()

    def draft(self, campus: Campus, run_id: uuid.UUID, plan: ReadingPlan | None = None) -> Draft:
        """The table read with `plan`, or as this source was read before; matches every line, read-only."""
        run = self.imports.get(run_id, campus.id)
        check_draft(run)
        sheet = _sheet_of(run)
        plan = plan or ReadingPlan.from_words(run.mapping["plan"])
        answers, today = ImportAnswers.from_words(run.mapping.get("answers", {})), campus.day_of(self.clock())
        records, questions = self.with_known(
            campus,
            run.source,
            read_records(sheet, plan, today=today, sure=answers.sure, taken=answers.taken),
            answers.known,
        )
        matched = self.matching.match(campus, run.source, records)
        before = self.imports.find_same(campus.id, run.digest)
        return Draft(run, sheet, plan, matched, before, questions, answers)

    def with_known(
        self,
        campus: Campus,
        source: str,
        records: Sequence[Record],
        answers: Mapping[int, str],
        *,
        restates: bool = False,
    ) -> tuple[list[Record], dict[int, Sequence[Namesake]]]:
        """The records after the answers about known people, and the questions, one for each person; a line that
        would create a second record of a known person is refused without an answer."""
        matched = self.matching.match(campus, source, records, restates=restates)
        new = [
            one
            for one in matched
            if one.fate is ImportLineOutcome.CREATED and one.person is None and one.link is None
        ]
        lines = [one.record.person for one in new]
        named = [(line.given_name, line.family_name, line.address) for line in lines]
        namesakes = self.matching.activity_service.namesakes
        found = namesakes.known_beside(campus, None, named, at_address=True)
        rows: dict[str, list[tuple[MatchedRecord, Sequence[Namesake]]]] = {}
        for index, candidates in found.items():
            people: Sequence[Namesake] = candidates
            if new[index].activity is not None and new[index].activity.is_for_pupils:  # type: ignore[union-attr]
                people = [one for one in candidates if _has_name(one, lines[index])]
            if people:
                rows.setdefault(lines[index].line_key, []).append((new[index], people))
        settled = {record.number: record for record in records}
        questions: dict[int, Sequence[Namesake]] = {}
        for group in rows.values():
            first, people = group[0]
            questions[first.record.number] = people
            answer = next(
                (answers[one.record.number] for one, _ in group if one.record.number in answers), ""
            )
            meant = [one for one in people if answer in (SAME, str(one.person.id))]
            for one, _ in group:
                record = one.record
                if len(meant) == 1:
                    settled[record.number] = replace(record, person=as_known(record.person, meant[0]))
                elif answer != OTHER:
                    settled[record.number] = record.refused(ALREADY_KNOWN.sentence)
        return [settled[record.number] for record in records], questions

    def answer(self, campus: Campus, run_id: uuid.UUID, answers: ImportAnswers) -> None:
        run = self.imports.lock_in_campus(run_id, campus.id)
        check_draft(run)
        run.mapping = {**run.mapping, "answers": answers.to_words()}
        self.imports.save(run)

    def sheet(self, campus: Campus, run_id: uuid.UUID) -> Sheet:
        run = self.imports.get(run_id, campus.id)
        check_draft(run)
        return _sheet_of(run)

    def reread(self, campus: Campus, run_id: uuid.UUID, plan: ReadingPlan) -> None:
        """Store in the draft how its columns are to be read."""
        run = self.imports.lock_in_campus(run_id, campus.id)
        check_draft(run)
        run.mapping = {**run.mapping, "plan": plan.to_words()}
        self.imports.save(run)

    def confirm(self, campus: Campus, run_id: uuid.UUID, plan: ReadingPlan, *, by: Actor) -> ImportRun:
        """Enqueue every line, store the reading plan for the source; process a short import immediately."""
        self.campuses.lock(campus.id)
        run = self.imports.lock_in_campus(run_id, campus.id)
        check_draft(run)
        sheet = _sheet_of(run)
        answers, today = ImportAnswers.from_words(run.mapping.get("answers", {})), campus.day_of(self.clock())
        records, _ = self.with_known(
            campus,
            run.source,
            read_records(sheet, plan, today=today, sure=answers.sure, taken=answers.taken),
            answers.known,
        )
        cells = {row.number: list(row.cells) for row in sheet.rows}
        self.imports.add_lines([_waiting(run, at, one, cells[one.number]) for at, one in enumerate(records)])
        self._remember(campus, run.source, plan)
        run.state, run.given, run.asked_at = ImportState.RUNNING, b"", self.clock()
        run.mapping = {"heading": list(sheet.heading), "plan": plan.to_words()}
        self.imports.save(run)
        self.history.write(
            by, "take_over", "import", run.id, at=self.clock(), campus_id=campus.id, lines=len(records)
        )
        if len(records) <= INLINE_LIMIT:
            self.process_chunk(run.id)
        return run

    def abandon(self, campus: Campus, run_id: uuid.UUID) -> None:
        """Delete an upload before it expires after a day."""
        check_draft(self.imports.lock_in_campus(run_id, campus.id))
        self.imports.drop(run_id)

    def _remember(self, campus: Campus, source: str, plan: ReadingPlan) -> None:
        row = self.imports.mapping(campus.id, source) or ImportMapping(
            campus_id=campus.id, source=source, changed_at=self.clock()
        )
        row.mapping = plan.after(ReadingPlan.from_words(row.mapping)).to_words()
        row.changed_at = self.clock()
        self.imports.save(row)

    # --- processing

    def due(self, *, limit: int) -> Sequence[uuid.UUID]:
        return self.imports.due(limit=limit)

    def process_chunk(self, run_id: uuid.UUID) -> bool:
        """Process the next chunk atomically; returns whether more remain. Idempotent."""
        run = self.imports.find(run_id)
        if run is None:
            return False
        campus = self.campuses.lock(run.campus_id)
        run = self.imports.lock(run_id)
        if run is None or run.state is not ImportState.RUNNING:
            return False
        lines = self.imports.next_lines(run_id, CHUNK_SIZE)
        by = Actor(run.asked_by, run.actor_label)
        records = [_record_of(line) for line in lines]
        matched = self.writing.process_chunk(campus, run, records, by=by)
        self.imports.answer(run_id, [_answer(line, one) for line, one in zip(lines, matched, strict=True)])
        more = len(lines) == CHUNK_SIZE
        if not more:
            run.state, run.done_at = ImportState.DONE, self.clock()
            self.imports.save(run)
        return more

    # --- API request

    def take(
        self,
        campus: Campus,
        form: ImportForm,
        source: str,
        records: Sequence[Record],
        data: bytes,
        *,
        by: Actor,
        dry_run: bool = False,
        restates: bool = False,
        known: Mapping[int, str] | None = None,
    ) -> tuple[ImportRun, list[MatchedRecord]]:
        """All lines of a request at once. A dry run stores nothing, not even a report. `known`: the answers about
        people whom the campus knows; None where they are not asked about."""
        self.campuses.lock(campus.id)
        if known is not None:
            records, _ = self.with_known(campus, source, records, known, restates=restates)
        run = self.new_run(campus, form, check_source(source), data, by)
        log = self.writing.activity_service.logged_events.log
        with log.savepoint(keep=False) if dry_run else nullcontext():
            return run, self.settle(campus, run, records, by=by, restates=restates)

    def settle(
        self, campus: Campus, run: ImportRun, records: Sequence[Record], *, by: Actor, restates: bool = False
    ) -> list[MatchedRecord]:
        """Process and answer every line of an import in the current transaction."""
        checked = without_contradictions(records, restates=restates)
        run.state, run.given, run.done_at = ImportState.DONE, b"", self.clock()
        self.imports.save(run)
        matched = self.writing.process_chunk(campus, run, checked, by=by, restates=restates)
        self.imports.add_lines([_answered(run, at, one) for at, one in enumerate(matched)])
        self.history.write(
            by, "take_over", "import", run.id, at=self.clock(), campus_id=campus.id, lines=len(matched)
        )
        return matched

    def new_run(self, campus: Campus, form: ImportForm, source: str, data: bytes, by: Actor) -> ImportRun:
        return ImportRun(
            campus_id=campus.id,
            form=form,
            source=source,
            digest=hashlib.sha256(data).hexdigest(),
            size=len(data),
            asked_by=by.person_id,
            actor_label=by.label,
            asked_at=self.clock(),
        )

    # --- reports

    def report(self, campus: Campus, run_id: uuid.UUID) -> Report:
        run = self.imports.get(run_id, campus.id)
        return Report(run, self.imports.counts([run_id]).get(run_id, {}))

    def reports(self, campus: Campus) -> list[Report]:
        """Latest first."""
        runs = self.imports.list_confirmed(campus.id, limit=MOST_REPORTS)
        counts = self.imports.counts(run.id for run in runs)
        return [Report(run, counts.get(run.id, {})) for run in runs]

    def lines(
        self,
        campus: Campus,
        run_id: uuid.UUID,
        fates: Sequence[ImportLineOutcome] = (),
        *,
        limit: int | None = None,
    ) -> Sequence[ImportLine]:
        self.imports.get(run_id, campus.id)
        return self.imports.lines_of(run_id, fates, limit=limit)

    def forget_old(self) -> int:
        """Delete day-old drafts and month-old names in refused lines; returns how many imports changed."""
        at = self.clock()
        return self.imports.drop_drafts(before=at - DRAFT_KEPT) + self.imports.forget_refused(
            before=at - REFUSED_KEPT
        )


def _has_name(namesake: Namesake, line: ListedPerson) -> bool:
    person = namesake.person
    return name_key(person.given_name, person.family_name) == name_key_of(line)


def _waiting(run: ImportRun, position: int, record: Record, cells: list[str]) -> ImportLine:
    return new_row(
        ImportLine,
        run_id=run.id,
        position=position,
        number=record.number,
        fate=ImportLineOutcome.WAITING,
        reason=record.fault,
        reason_values=dict(record.values),
        told={} if record.fault else record.to_facts(),
        cells=cells,
    )


def _record_of(line: ImportLine) -> Record:
    if line.reason:
        return Record(line.number).refused(line.reason, **line.reason_values)
    return Record.from_facts(line.number, line.told)


def _answer(line: ImportLine, one: MatchedRecord) -> dict[str, Any]:
    refused = one.fate is ImportLineOutcome.REFUSED
    return {
        "position": line.position,
        "fate": one.fate,
        "reason": one.reason,
        "reason_values": dict(one.values),
        "told": {},
        "cells": line.cells if refused else [],
    }


def _answered(run: ImportRun, position: int, one: MatchedRecord) -> ImportLine:
    return new_row(
        ImportLine,
        run_id=run.id,
        position=position,
        number=one.record.number,
        fate=one.fate,
        reason=one.reason,
        reason_values=dict(one.values),
        told={},
        cells=one.record.cells() if one.fate is ImportLineOutcome.REFUSED else [],
    )


def _sheet_of(run: ImportRun) -> Sheet:
    return read_sheet(blocks_from_text(zlib.decompress(run.given).decode()))


@dataclass(frozen=True)
class StatementDraft:
    run: ImportRun
    matched: Sequence[MatchedRecord]
    before: ImportRun | None
    """The last import of an identical file."""
    questions: Mapping[int, Sequence[Namesake]]
    answers: ImportAnswers


@dataclass(frozen=True, eq=False)
class StatementImports:
    imports: ImportService

    def drop(
        self, campus: Campus, source: str, data: bytes, *, by: Actor, text: bytes | None = None
    ) -> ImportRun:
        """Store the upload until confirmed, for at most a day; `text`: of what was checked before."""
        run = self.imports.new_run(campus, ImportForm.XAPI, check_source(source), data, by)
        run.given = zlib.compress(self.checked(campus, data) if text is None else text)
        self.imports.imports.save(run)
        return run

    def parsed(self, campus: Campus, run_id: uuid.UUID) -> list[Record]:
        """Of an upload; before the transaction that writes, as it may take a second."""
        return self._read(campus, self.imports.imports.get(run_id, campus.id))

    def draft(self, campus: Campus, run_id: uuid.UUID, read: Sequence[Record]) -> StatementDraft:
        """Preview of each statement: written, then rolled back, since one may depend on another."""
        run = self.imports.imports.get(run_id, campus.id)
        check_draft(run)
        answers = ImportAnswers.from_words(run.mapping.get("answers", {}))
        records, questions = self._with_known(campus, run, read)
        _, lines = self.imports.take(
            campus,
            ImportForm.XAPI,
            run.source,
            records,
            zlib.decompress(run.given),
            by=Actor(run.asked_by, run.actor_label),
            dry_run=True,
            restates=True,
        )
        before = self.imports.imports.find_same(campus.id, run.digest)
        return StatementDraft(run, lines, before, questions, answers)

    def confirm(self, campus: Campus, run_id: uuid.UUID, *, by: Actor, read: Sequence[Record]) -> ImportRun:
        self.imports.campuses.lock(campus.id)
        run = self.imports.imports.lock_in_campus(run_id, campus.id)
        check_draft(run)
        records, _ = self._with_known(campus, run, read)
        run.asked_at = self.imports.clock()
        self.imports.settle(campus, run, records, by=by, restates=True)
        return run

    def _with_known(
        self, campus: Campus, run: ImportRun, read: Sequence[Record]
    ) -> tuple[list[Record], dict[int, Sequence[Namesake]]]:
        answers = ImportAnswers.from_words(run.mapping.get("answers", {}))
        return self.imports.with_known(campus, run.source, read, answers.known, restates=True)

    def checked(self, campus: Campus, data: bytes) -> bytes:
        """The text, after parsing it; raises InvalidInput for what is not a list of statements."""
        if len(data) > MAX_BYTES:
            raise InvalidInput("Cette liste dépasse 5 Mo. Découpez-la en plusieurs fichiers.")
        text = data.decode("utf-8-sig", errors="replace").encode()
        self.read(campus, statements_in(text))
        return text

    def _read(self, campus: Campus, run: ImportRun) -> list[Record]:
        return self.read(campus, statements_in(zlib.decompress(run.given)))

    def read(self, campus: Campus, statements: Any) -> list[Record]:
        return read_statements(statements, campus.time_zone, self.verbs(campus))

    def immutable(self, campus: Campus, source: str, records: Sequence[Record]) -> list[Record]:
        """Those with an identifier that is new here, or was not taken back. Raises Conflict for another content under a
        known identifier."""
        self.imports.campuses.lock(campus.id)
        keys = [self.imports.matching.key(campus, source, record.own_key) for record in records]
        links, seen = self.imports.imports.known(campus.id, set(keys)), dict[str, dict[str, Any]]()
        left = list[Record]()
        for key, record in zip(keys, records, strict=True):
            link = links.get(key)
            if not record.fault and not record.withdrawn:
                facts = record.said() | self.imports.matching.identity(campus, source, record)
                known = {name: link.said.get(name) for name in facts} if link and link.row_id else None
                if seen.setdefault(key, facts) != facts or known not in (None, facts):
                    raise Conflict(
                        "L’énoncé {id} est déjà ici avec un autre contenu : rien de cet envoi n’est enregistré.",
                        id=record.external_id,
                    )
            if record.withdrawn or not (link and link.said.get("withdrawn")):
                left.append(record)
        return left

    def verbs(self, campus: Campus) -> dict[str, PartKind]:
        """The verbs that the campus imports, and what each becomes."""
        row = self.imports.imports.mapping(campus.id, OF_VERBS)
        if row is None:
            return dict(VERBS)
        return {verb: PartKind(part) for verb, part in row.mapping.get("verbs", {}).items()}

    def choose_verbs(self, campus: Campus, verbs: Mapping[str, PartKind], *, by: Actor) -> None:
        """Statements already imported stay as they are."""
        check_verbs(verbs)
        at = self.imports.clock()
        row = self.imports.imports.mapping(campus.id, OF_VERBS) or ImportMapping(
            campus_id=campus.id, source=OF_VERBS, changed_at=at
        )
        row.mapping, row.changed_at = {"verbs": {verb: part.value for verb, part in verbs.items()}}, at
        self.imports.imports.save(row)
        self.imports.history.write(by, "choose_verbs", "campus", campus.id, at=at, campus_id=campus.id)


_EXAMPLE = (
    "P-2025-001;Robotique pour tous;Atelier;03/10/2025;03/10/2025;3;Le Creusot;LE BŒUF;Anne-Gaëlle;"
    "anne-gaelle.leboeuf@exemple.fr;Apprenant;2,5;A réglé les capteurs de son équipe.;ROB-1",
    "P-2025-002;Robotique pour tous;Atelier;03/10/2025;03/10/2025;3;Le Creusot;MARTIN;Zoé;;Ressource;3;"
    "A animé le banc d’essai.;ROB-1",
)
_CHOICES = {
    ImportColumn.KIND: ("Atelier", "Événement", "Projet", "Formation", "Immersion"),
    ImportColumn.PART: ("Apprenant", "Ressource"),
}
_DAYS = (ImportColumn.STARTS_ON, ImportColumn.ENDS_ON)
_PLACES = {column: place for place, column in enumerate(HEADINGS)}


def csv_template() -> bytes:
    """Only the header: an example line would be imported by people who forget to delete it."""
    return csv_for_excel(tuple(HEADINGS.values()), [])


def workbook_template() -> bytes:
    return blank_workbook(
        "Activités",
        tuple(HEADINGS.values()),
        example=[line.split(";") for line in _EXAMPLE],
        example_name="Exemple",
        choices={_PLACES[column]: words for column, words in _CHOICES.items()},
        days=[_PLACES[column] for column in _DAYS],
    )


@dataclass(frozen=True, eq=False)
class ListMappings:
    """Column mappings chosen by people, for the next list of the same shape."""

    imports: ImportStore
    clock: Clock

    def columns_for(self, campus: Campus, shape: str) -> list[Column]:
        row = self.imports.mapping(campus.id, OF_LISTS + shape) if shape else None
        known = {column.value: column for column in Column}
        return [known[value] for value in row.mapping.get("columns", ()) if value in known] if row else []

    def remember(self, campus: Campus, shape: str, columns: Sequence[Column]) -> None:
        source = OF_LISTS + shape
        row = self.imports.mapping(campus.id, source) or ImportMapping(
            campus_id=campus.id, source=source, changed_at=self.clock()
        )
        row.mapping = {"columns": [column.value for column in columns]}
        row.changed_at = self.clock()
        self.imports.save(row)

    def forget(self, campus: Campus, shape: str) -> None:
        self.imports.forget_mapping(campus.id, OF_LISTS + shape)
