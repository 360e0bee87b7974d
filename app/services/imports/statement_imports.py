"""xAPI statements dropped as a file on the page: the same reading as a program's, shown before anything is written."""

from __future__ import annotations

import json
import uuid
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.domain.activities.participant_lists import check_size
from app.domain.campus.campus import Campus
from app.domain.campus.history import Actor
from app.domain.imports.imports import MOST_AT_THE_API, ImportForm, ImportRun, check_draft, check_source
from app.domain.imports.records import Record
from app.domain.imports.xapi import read_statements
from app.errors import InvalidInput
from app.language import N_
from app.services.imports.imports import ImportService
from app.services.imports.verdicts import Judged

_UNREADABLE = N_("Ce fichier ne se lit pas : un tableau JSON d’énoncés xAPI est attendu.")
# What the reader of JSON recurses into, long before Python's own limit.
_DEEPEST = 60


@dataclass(frozen=True)
class StatementDraft:
    run: ImportRun
    lines: Sequence[Judged]
    before: ImportRun | None
    """The last import of the very same file."""


class StatementImports:
    def __init__(self, imports: ImportService) -> None:
        self.imports = imports

    def drop(self, campus: Campus, source: str, data: bytes, *, by: Actor) -> ImportRun:
        """Keep what was dropped until somebody confirms it, a day at most."""
        check_size(data)
        run = self.imports.new_run(campus, ImportForm.XAPI, check_source(source), data, by)
        run.given = zlib.compress(data.decode("utf-8-sig", errors="replace").encode())
        self._read(campus, run)
        self.imports.imports.save(run)
        return run

    def draft(self, campus: Campus, run_id: uuid.UUID) -> StatementDraft:
        """What each statement would become: written and undone, since one may rest on another."""
        run = self.imports.imports.get(run_id, campus.id)
        check_draft(run)
        _, lines = self.imports.take(
            campus,
            ImportForm.XAPI,
            run.source,
            self._read(campus, run),
            zlib.decompress(run.given),
            by=Actor(run.asked_by, run.actor_label),
            dry_run=True,
            restates=True,
        )
        return StatementDraft(run, lines, self.imports.imports.find_same(campus.id, run.digest))

    def confirm(self, campus: Campus, run_id: uuid.UUID, *, by: Actor) -> ImportRun:
        self.imports.campuses.lock(campus.id)
        self.imports.imports.get(run_id, campus.id)
        run = self.imports.imports.lock(run_id)
        assert run is not None, "it was there a moment ago"
        check_draft(run)
        records = self._read(campus, run)
        run.asked_at = self.imports.clock()
        self.imports.settle(campus, run, records, by=by, restates=True)
        return run

    @staticmethod
    def _read(campus: Campus, run: ImportRun) -> list[Record]:
        return read_statements(statements_in(zlib.decompress(run.given)), campus.time_zone)


def statements_in(data: bytes) -> list[Any]:
    """One statement, a list of them, or what a store of statements answers: `{"statements": [...]}`."""
    if _depth(data) > _DEEPEST:
        raise InvalidInput(_UNREADABLE)
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        raise InvalidInput(_UNREADABLE) from None
    if isinstance(found, dict):
        found = found["statements"] if isinstance(found.get("statements"), list) else [found]
    if not isinstance(found, list) or not found:
        raise InvalidInput(_UNREADABLE)
    if len(found) > MOST_AT_THE_API:
        raise InvalidInput(N_("Ce fichier dépasse 1 000 énoncés. Découpez-le en plusieurs fichiers."))
    return found


def _depth(data: bytes) -> int:
    """How deep brackets go, those within words counted too."""
    deepest = depth = 0
    for each in data:
        if each in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif each in b"]}":
            depth -= 1
    return deepest
