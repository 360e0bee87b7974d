"""Imports of frameworks: compared first, written in one transaction, the same again changes nothing."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.db.campus import HistoryStore
from app.db.frameworks import FrameworkStore, FullTextIndex
from app.domain.campus.audit_log import Actor
from app.domain.core import Clock, new_id
from app.domain.frameworks import (
    Competency,
    CompetencyVersion,
    Framework,
    FrameworkAssociation,
    FrameworkRelease,
    FrameworkSearchEntry,
    search_number,
)
from app.domain.frameworks.releases import (
    Difference,
    Entry,
    Link,
    Source,
    check_source,
    columns_of,
    compare,
    content_of,
    entry_of,
)
from app.domain.frameworks.text_search import terms_of
from app.errors import Conflict
from app.language import N_

CHUNK_SIZE = 2_000
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class FrameworkOwner:
    """Neither: the framework is public."""

    campus_id: uuid.UUID | None = None
    network_id: uuid.UUID | None = None


@dataclass
class _Known:
    framework: Framework | None
    items: dict[str, Competency]
    links: dict[tuple[str, str, str], FrameworkAssociation]

    def entries(self) -> dict[str, Entry]:
        codes = {item.id: item.code for item in self.items.values()}
        return {
            code: entry_of(item, codes.get(item.parent_id, "") if item.parent_id else "")
            for code, item in self.items.items()
        }

    def as_links(self) -> list[Link]:
        return [
            Link(origin, kind, target, row.identifier, row.extra)
            for (origin, kind, target), row in self.links.items()
        ]


@dataclass
class ImportPlan:
    """An import between its chunks; holds no rows, so that each chunk may be its own transaction."""

    difference: Difference
    framework_id: uuid.UUID
    ids: dict[str, uuid.UUID]
    known: frozenset[str]
    """Codes that were there before."""
    numbers: dict[uuid.UUID, int]
    ordered: list[Entry]
    done: int = 0

    @property
    def is_written(self) -> bool:
        return self.done >= len(self.ordered)


_UNFINISHED = "unfinished_import"
"""In `Framework.extra` while chunks are written: the counts of the whole release."""


def _count_all(framework: Framework, difference: Difference) -> None:
    """Counts of the release, from the first attempt: a later one only sees what remains."""
    version = difference.source.version
    if framework.extra.get(_UNFINISHED, {}).get("version") != version:
        framework.extra = framework.extra | {_UNFINISHED: {"version": version, "counts": difference.counts}}


@dataclass(frozen=True, eq=False)
class FrameworkImportService:
    frameworks: FrameworkStore
    index: FullTextIndex
    history: HistoryStore
    clock: Clock

    def preview(self, source: Source, owner: FrameworkOwner = FrameworkOwner()) -> Difference:
        return self._compare(source, self._known(source, owner), owner)

    def write(
        self,
        source: Source,
        owner: FrameworkOwner = FrameworkOwner(),
        *,
        by: Actor,
        progress: Progress = lambda _done, _all: None,
    ) -> Difference:
        """Idempotent. New versions are added; badges and their alignments are not touched."""
        plan = self.begin(source, owner)
        while not plan.is_written:
            self.write_chunk(plan)
            progress(plan.done, len(plan.ordered))
        self.finish(plan, owner, by=by)
        return plan.difference

    def begin(self, source: Source, owner: FrameworkOwner = FrameworkOwner()) -> ImportPlan:
        """What remains to be written. Each chunk may be a transaction of its own: an import that was
        interrupted continues where it stopped, and ends as if it had never stopped."""
        known = self._known(source, owner)
        difference = self._compare(source, known, owner)
        framework = known.framework
        if framework is None:
            framework = Framework(
                campus_id=owner.campus_id,
                network_id=owner.network_id,
                code=source.code,
                name=source.name[:200],
            )
        if not difference.is_empty:
            _count_all(framework, difference)
            self.frameworks.add(framework)
        ids = {code: item.id for code, item in known.items.items()}
        for change in difference.changes:
            ids.setdefault(change.code, new_id())
        return ImportPlan(
            difference,
            framework.id,
            ids,
            frozenset(known.items),
            self.frameworks.version_numbers(framework.id) if known.items else {},
            # Parents first: a row may only refer to one that is there.
            _parents_first([change.entry for change in difference.changes]),
        )

    def write_chunk(self, plan: ImportPlan) -> None:
        entries = plan.ordered[plan.done : plan.done + CHUNK_SIZE]
        self._write_items(plan, entries)
        plan.done += len(entries)

    def finish(self, plan: ImportPlan, owner: FrameworkOwner = FrameworkOwner(), *, by: Actor) -> None:
        """Metadata, associations and the release: the last transaction."""
        difference, source = plan.difference, plan.difference.source
        framework = self.frameworks.get(plan.framework_id)
        if framework is None or (difference.is_empty and _UNFINISHED not in framework.extra):
            return
        counts = dict(framework.extra.get(_UNFINISHED, {}).get("counts", {})) or difference.counts
        framework.extra = {name: value for name, value in framework.extra.items() if name != _UNFINISHED}
        for name, value in difference.metadata.items():
            setattr(framework, name, value)
        self.frameworks.add(framework)
        self._write_links(framework, self._known(source, owner), difference)
        self.frameworks.add(
            FrameworkRelease(
                framework_id=framework.id,
                number=len(self.frameworks.releases_of(framework.id)) + 1,
                version=source.version,
                published_on=source.published_on,
                imported_at=self.clock(),
                changes=counts,
            )
        )
        self.history.write(
            by,
            "import",
            "framework",
            framework.id,
            at=self.clock(),
            campus_id=owner.campus_id,
            version=source.version,
            **counts,
        )
        self.frameworks.expire()

    def _known(self, source: Source, owner: FrameworkOwner) -> _Known:
        framework = self._find(source.code, owner)
        if framework is None:
            return _Known(None, {}, {})
        items = {item.code: item for item in self.frameworks.items_of(framework.id)}
        codes = {item.id: item.code for item in items.values()}
        links = {
            (codes.get(row.origin_id, "") if row.origin_id else "", row.kind, row.target): row
            for row in self.frameworks.associations_of(framework.id)
        }
        return _Known(framework, items, links)

    def _find(self, code: str, owner: FrameworkOwner) -> Framework | None:
        if owner.campus_id is not None:
            return next(
                (
                    each
                    for each in self.frameworks.visible_to(owner.campus_id)
                    if each.campus_id == owner.campus_id and each.code == code
                ),
                None,
            )
        found = self.frameworks.find_shared(code)
        if found is not None and found.network_id != owner.network_id:
            raise Conflict(N_("Le référentiel « {code} » a un autre propriétaire."), code=code)
        return found

    def _compare(self, source: Source, known: _Known, owner: FrameworkOwner) -> Difference:
        check_source(source)
        framework, today = known.framework, self.clock().date()
        if framework is not None and _is_older(source, framework):
            raise Conflict(
                N_("La version {version} est plus ancienne que celle en place, {current}."),
                version=source.version,
                current=framework.version,
            )
        difference = compare(source, framework, known.entries(), known.as_links(), today=today)
        if owner.campus_id is not None:
            _check_used_levels(difference, known)
        return difference

    def _write_items(self, plan: ImportPlan, entries: Sequence[Entry]) -> None:
        ids, difference, at = plan.ids, plan.difference, self.clock()
        kinds = {change.code: change.kind for change in difference.changes}
        rows = [
            columns_of(entry)
            | {
                "id": ids[entry.code],
                "framework_id": plan.framework_id,
                "parent_id": ids.get(entry.parent or ""),
                "archived_at": None,
            }
            for entry in entries
        ]
        fresh = [row for row, entry in zip(rows, entries, strict=True) if entry.code not in plan.known]
        changed = [row for row, entry in zip(rows, entries, strict=True) if entry.code in plan.known]
        for row in changed:
            del row["archived_at"]
        self.frameworks.insert_many(Competency, fresh)
        self.frameworks.update_items(changed)
        self.frameworks.insert_many(
            CompetencyVersion,
            [
                {
                    "competency_id": ids[entry.code],
                    "number": plan.numbers.get(ids[entry.code], 0) + 1,
                    "written_at": at,
                    "version": difference.source.version,
                    "change": kinds[entry.code].value,
                    "content": content_of(entry),
                }
                for entry in entries
            ],
        )
        self._index(plan.framework_id, [(ids[entry.code], entry) for entry in entries], bool(changed))

    def _index(
        self, framework_id: uuid.UUID, entries: Sequence[tuple[uuid.UUID, Entry]], has_changed: bool
    ) -> None:
        if has_changed:
            self.frameworks.remove_entries(number for number, _ in entries)
        rows, vocabulary = [], set[str]()
        for number, entry in entries:
            terms = terms_of(entry.label, entry.code, entry.other_labels or (), entry.description or "")
            vocabulary |= terms.vocabulary
            rows.append(
                {
                    "number": search_number(terms.size, number),
                    "competency_id": number,
                    "framework_id": framework_id,
                    "label_terms": terms.label,
                    "other_terms": terms.other,
                    "size": terms.size,
                }
            )
        self.frameworks.insert_many(FrameworkSearchEntry, rows)
        self.index.learn(vocabulary)

    def _write_links(self, framework: Framework, known: _Known, difference: Difference) -> None:
        gone = [known.links[link.origin, link.kind, link.target].id for link in difference.gone_links]
        self.frameworks.remove_associations(gone)
        ids = {item.code: item.id for item in self.frameworks.items_of(framework.id)}
        self.frameworks.insert_many(
            FrameworkAssociation,
            [
                {
                    "id": new_id(),
                    "framework_id": framework.id,
                    "origin_id": ids.get(link.origin),
                    "kind": link.kind,
                    "target": link.target,
                    "identifier": link.identifier,
                    "extra": dict(link.extra),
                }
                for link in difference.new_links
            ],
        )


def _is_older(source: Source, framework: Framework) -> bool:
    if source.version and source.version == framework.version:
        return False
    one, other = source.published_on, framework.published_on
    versions = (source.version, framework.version)
    if all(each.isdecimal() and len(each) < 20 for each in versions):
        return int(source.version) < int(framework.version)
    return one is not None and other is not None and one < other


def _check_used_levels(difference: Difference, known: _Known) -> None:
    """Levels of a campus's competency may be added by an import, not removed: badges attest them."""
    for change in difference.changes:
        item = known.items.get(change.code)
        if item is not None and len(change.entry.levels or ()) < len(item.levels):
            raise Conflict(
                N_("« {code} » aurait moins de niveaux qu’aujourd’hui : un badge peut en attester un."),
                code=change.code,
            )


def _parents_first(entries: Sequence[Entry]) -> list[Entry]:
    by_code = {entry.code: entry for entry in entries}
    ordered: dict[str, Entry] = {}

    def add(entry: Entry) -> None:
        path = [entry]
        while (above := by_code.get(path[-1].parent or "")) is not None and above.code not in ordered:
            path.append(above)
        for each in reversed(path):
            ordered.setdefault(each.code, each)

    for entry in entries:
        add(entry)
    return list(ordered.values())
