"""Which frameworks there are, and where badges' alignments stand in their newest releases."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from app.db.badges import BadgeStore
from app.db.campus.campus import CampusStore
from app.db.frameworks import FrameworkStore
from app.db.trust import RecognitionStore
from app.domain.badges.badges import Badge, BadgeVersion
from app.domain.campus.campus import Campus
from app.domain.core import Clock
from app.domain.frameworks import AssociationKind, Competency, Framework, PublicAlignment
from app.domain.frameworks.text_search import SAME_MEANING, similarity
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


class FrameworkCatalogue:
    def __init__(
        self,
        frameworks: FrameworkStore,
        campuses: CampusStore,
        networks: RecognitionStore,
        badges: BadgeStore,
        clock: Clock,
    ) -> None:
        self.frameworks = frameworks
        self.campuses = campuses
        self.networks = networks
        self.badges = badges
        self.clock = clock

    def owner(self, campus: str, network: str) -> FrameworkOwner:
        """By their slugs; empty ones mean that the framework is public."""
        if campus:
            return FrameworkOwner(campus_id=self.campuses.get(campus).id)
        return FrameworkOwner(network_id=self.networks.network(network).id if network else None)

    def overview(self) -> list[tuple[Framework, int]]:
        sizes = self.frameworks.sizes()
        return [(each, sizes.get(each.id, 0)) for each in self.frameworks.list_all()]

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
        return [
            each.alignment
            if each.alignment.version or each.framework is None or each.item is None
            else each.alignment.of_release(each.framework.version, each.framework.published_on)
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


def _same_label(one: str, other: str) -> bool:
    return " ".join(one.split()).replace("'", "’") == " ".join(other.split()).replace("'", "’")
