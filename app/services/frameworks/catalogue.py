"""Which frameworks there are, and where badges' alignments stand in their newest releases."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from app.db.badges import BadgeStore
from app.db.campus import CampusStore
from app.db.frameworks import FrameworkStore
from app.db.trust import RecognitionStore
from app.domain.badges import Badge, BadgeVersion
from app.domain.campus.campus import Campus
from app.domain.core import Clock
from app.domain.frameworks import AssociationKind, Competency, Framework, PublicAlignment
from app.domain.frameworks.case import CaseWriter
from app.domain.frameworks.releases import item_at
from app.domain.frameworks.text_search import SAME_MEANING, similarity
from app.domain.publishing import Addresses
from app.errors import NotFound
from app.language import N_
from app.services.frameworks.importing import FrameworkOwner


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
            raise NotFound(N_("Ce référentiel n’existe pas."))
        return self._writer(framework)

    def published_item(self, competency_id: uuid.UUID) -> tuple[CaseWriter, Competency]:
        found = self.frameworks.get_item(competency_id)
        if found is None:
            raise NotFound(N_("Cette compétence n’existe pas."))
        return self.published(found[1].id), found[0]

    def published_version(self, competency_id: uuid.UUID, number: int) -> tuple[CaseWriter, Competency]:
        writer, item = self.published_item(competency_id)
        version = self.frameworks.find_version(competency_id, number)
        if version is None:
            raise NotFound(N_("Cette version de la compétence n’existe pas."))
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
        raise NotFound(N_("Ce référentiel n’existe pas."))

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
        today, result = self.clock().date(), []
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
        today = self.clock().date()
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
