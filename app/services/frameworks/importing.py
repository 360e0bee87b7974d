"""Imports of frameworks: compared first, written in one transaction, the same again changes nothing."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from app.db.badges import BadgeStore
from app.db.campus import CampusStore, HistoryStore
from app.db.frameworks import FrameworkStore, FullTextIndex
from app.db.trust import RecognitionStore
from app.domain.badges import Badge, BadgeVersion
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.campus.signed_terms import day_in_france
from app.domain.core import Clock, new_id
from app.domain.frameworks import (
    AssociationKind,
    Competency,
    CompetencyVersion,
    Framework,
    FrameworkAssociation,
    FrameworkRelease,
    FrameworkSearchEntry,
    PublicAlignment,
    search_number,
)
from app.domain.frameworks.case import CaseWriter
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
    item_at,
)
from app.domain.frameworks.text_search import SAME_MEANING, similarity, terms_of
from app.domain.publishing import Addresses
from app.errors import Conflict, NotFound

CHUNK_SIZE = 2_000


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
    ) -> Difference:
        """Idempotent. New versions are added; badges and their alignments are not touched."""
        plan = self.begin(source, owner)
        while not plan.is_written:
            self.write_chunk(plan)
        self.finish(plan, owner, by=by)
        return plan.difference

    def write_part(self, sources: Sequence[Source], owner: FrameworkOwner, *, by: Actor, chunks: int) -> bool:
        """The next chunks, once every source is found without fault; True after the last of them."""
        for plan in [self.begin(each, owner) for each in sources]:
            while not plan.is_written and chunks:
                self.write_chunk(plan)
                chunks -= 1
            if not plan.is_written:
                return False
            self.finish(plan, owner, by=by)
        return True

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
            raise Conflict("Le référentiel « {code} » a un autre propriétaire.", code=code)
        return found

    def _compare(self, source: Source, known: _Known, owner: FrameworkOwner) -> Difference:
        check_source(source, known.items)
        framework, today = known.framework, day_in_france(self.clock())
        if framework is not None and _is_older(source, framework):
            raise Conflict(
                "La version {version} est plus ancienne que celle en place, {current}.",
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
                "« {code} » aurait moins de niveaux qu’aujourd’hui : un badge peut en attester un.",
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


# --- Which frameworks there are, and where badges' alignments stand in their newest releases


@dataclass(frozen=True)
class Standing:
    """An alignment beside the newest release of its framework."""

    alignment: PublicAlignment
    framework: Framework | None = None
    """None while that framework was not imported."""
    item: Competency | None = None
    """None if the release does not have the code."""
    successors: Sequence[tuple[str, str]] = ()
    """Codes and labels."""
    ended_on: date | None = None
    """Only if that day has come."""

    @property
    def label_now(self) -> str:
        """The newest label where it is another one."""
        if self.item is None or _same_label(self.item.statement, self.alignment.name):
            return ""
        return self.item.statement

    @property
    def has_other_meaning(self) -> bool:
        return bool(self.label_now) and similarity(self.alignment.name, self.label_now) < SAME_MEANING

    @property
    def is_unknown(self) -> bool:
        return self.framework is not None and self.item is None

    @property
    def is_affected(self) -> bool:
        return bool(self.label_now or self.ended_on)


@dataclass(frozen=True)
class AffectedBadge:
    badge: Badge
    version: BadgeVersion
    standings: Sequence[Standing]


@dataclass(frozen=True, eq=False)
class FrameworkCatalogue:
    frameworks: FrameworkStore
    campuses: CampusStore
    networks: RecognitionStore
    badges: BadgeStore
    addresses: Addresses
    clock: Clock

    def owner(self, campus: str, network: str) -> FrameworkOwner:
        """By their slugs; empty ones mean that the framework is public."""
        if campus:
            return FrameworkOwner(campus_id=self.campuses.get(campus).id)
        return FrameworkOwner(network_id=self.networks.network(network).id if network else None)

    def overview(self) -> list[tuple[Framework, int]]:
        sizes = self.frameworks.sizes()
        return [(each, sizes.get(each.id, 0)) for each in self.frameworks.list_all()]

    def published(self, framework_id: uuid.UUID) -> CaseWriter:
        """A framework of a campus, for everybody; raises NotFound for any other."""
        framework = self.frameworks.get(framework_id)
        if framework is None or framework.campus_id is None:
            raise NotFound("Ce référentiel n’existe pas.")
        return self._writer(framework)

    def published_item(self, competency_id: uuid.UUID) -> tuple[CaseWriter, Competency]:
        found = self.frameworks.get_item(competency_id)
        if found is None:
            raise NotFound("Cette compétence n’existe pas.")
        return self.published(found[1].id), found[0]

    def published_version(self, competency_id: uuid.UUID, number: int) -> tuple[CaseWriter, Competency]:
        writer, item = self.published_item(competency_id)
        version = self.frameworks.find_version(competency_id, number)
        if version is None:
            raise NotFound("Cette version de la compétence n’existe pas.")
        return writer, item_at(item, version)

    def publisher_of(self, association_id: uuid.UUID, competency_id: uuid.UUID) -> CaseWriter | None:
        """The framework of a stored association, else of an item; None if it is no campus's."""
        row = self.frameworks.get_association(association_id)
        found = self.frameworks.get_item(competency_id) if row is None else None
        framework_id = row.framework_id if row else found[1].id if found else None
        framework = self.frameworks.get(framework_id) if framework_id else None
        return self._writer(framework) if framework is not None and framework.campus_id else None

    def published_frameworks(self) -> list[CaseWriter]:
        """Of every campus, without their items."""
        campuses = {each.id: each for each in self.campuses.list_all()}
        return [
            CaseWriter(self.addresses.base_url, campuses[each.campus_id].name, each, ())
            for each in self.frameworks.list_all()
            if each.campus_id in campuses
        ]

    def writer(self, code: str, owner: FrameworkOwner) -> CaseWriter:
        """For a command; any owner's framework, by its code."""
        for each in self.frameworks.list_all():
            if (each.code, each.campus_id, each.network_id) == (code, owner.campus_id, owner.network_id):
                return self._writer(each)
        raise NotFound("Ce référentiel n’existe pas.")

    def _writer(self, framework: Framework) -> CaseWriter:
        campus = self.campuses.get_by_id(framework.campus_id) if framework.campus_id else None
        releases = self.frameworks.releases_of(framework.id)
        changed = [campus.created_at] if campus else []
        changed += [each.imported_at for each in releases]
        newest = self.frameworks.changed_at(framework.id)
        return CaseWriter(
            self.addresses.base_url,
            campus.name if campus else framework.publisher or framework.name,
            framework,
            self.frameworks.items_of(framework.id),
            self.frameworks.associations_of(framework.id),
            max([*changed, *([newest] if newest else [])], default=self.clock()),
        )

    def public_item(self, register: str, code: str) -> Competency | None:
        public = {each.code: each for each in self.frameworks.visible_to(None)}
        if register not in public:
            return None
        return self.frameworks.items_by_code(public[register].id, [code]).get(code)

    def visible_to(self, campus: Campus) -> Sequence[Framework]:
        return self.frameworks.visible_to(campus.id)

    def standings(self, alignments: Iterable[PublicAlignment]) -> list[Standing]:
        """In the given order."""
        wanted = list(alignments)
        public = {each.code: each for each in self.frameworks.visible_to(None)} if wanted else {}
        items: dict[str, Mapping[str, Competency]] = {}
        for code in {each.framework.value for each in wanted} & set(public):
            codes = [each.code for each in wanted if each.framework.value == code]
            items[code] = self.frameworks.items_by_code(public[code].id, codes)
        successors = self._successors(
            [item for found in items.values() for item in found.values() if item.ended_on is not None]
        )
        today, result = day_in_france(self.clock()), []
        for each in wanted:
            item = items.get(each.framework.value, {}).get(each.code)
            result.append(
                Standing(
                    each,
                    public.get(each.framework.value),
                    item,
                    successors.get(item.id, ()) if item else (),
                    item.ended_on if item and item.has_ended(today) else None,
                )
            )
        return result

    def stamped(self, alignments: Sequence[PublicAlignment]) -> list[PublicAlignment]:
        """With the version of their day, where it is not there and the framework has the code."""
        if all(each.version for each in alignments):
            return list(alignments)
        today = day_in_france(self.clock())
        return [
            each.alignment.of_release(each.framework.version, each.framework.published_on)
            if each.framework and each.item and not each.alignment.version and _is_out(each.framework, today)
            else each.alignment
            for each in self.standings(alignments)
        ]

    def affected_badges(self, campus: Campus) -> list[AffectedBadge]:
        """Badges in service of which an alignment has another label now, or has ended."""
        listed = [
            (badge, version, [PublicAlignment.read(each) for each in version.alignments])
            for badge, version in self.badges.list_newest(campus.id)
            if version.alignments and badge.archived_at is None
        ]
        every = iter(self.standings(each for _, _, alignments in listed for each in alignments))
        found = []
        for badge, version, alignments in listed:
            affected = [each for each in (next(every) for _ in alignments) if each.is_affected]
            if affected:
                found.append(AffectedBadge(badge, version, affected))
        return found

    def _successors(self, ended: Sequence[Competency]) -> dict[uuid.UUID, list[tuple[str, str]]]:
        if not ended:
            return {}
        frameworks = {item.id: item.framework_id for item in ended}
        found: dict[uuid.UUID, list[tuple[str, str]]] = {}
        rows = self.frameworks.associations_from(list(frameworks), AssociationKind.REPLACED.value)
        for row in rows:
            if row.origin_id is not None:
                named = self.frameworks.items_by_code(frameworks[row.origin_id], [row.target])
                label = named[row.target].statement if row.target in named else ""
                found.setdefault(row.origin_id, []).append((row.target, label))
        return found


def _is_out(framework: Framework, today: date) -> bool:
    """Whether this release was there on that day."""
    return framework.published_on is None or framework.published_on <= today


def _same_label(one: str, other: str) -> bool:
    return " ".join(one.split()).replace("'", "’") == " ".join(other.split()).replace("'", "’")
