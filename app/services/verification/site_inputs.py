"""Digests of what the pages of a static export depend on: a page with an unchanged digest need not be made again.

They are keyed with the secret of the service: what a folder keeps of a page does not let anyone guess its content.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from hashlib import blake2b
from importlib.metadata import distributions
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from app.db.awards import AwardStore
from app.db.campus import CampusStore
from app.db.publishing import StatusStore
from app.db.publishing.site_inputs import AwardRows, SiteInputStore
from app.domain.awards import Award
from app.domain.campus.campus import Campus
from app.domain.core import Clock
from app.domain.learners.portfolios import Portfolio
from app.domain.trust.organisations import Endorsement
from app.language import known_locales
from app.services.publishing.status import StatusService
from app.services.trust.labels import LabelService
from app.services.verification.issuer_standing import IssuerStandings

_AT_A_TIME: Final = 500
_PACKAGES: Final = ("app", "sceau_credentials")


@cache
def program_digest() -> str:
    """Of every file of this program, and of the versions of what it uses: another one may write other pages."""
    digest = blake2b(digest_size=16)
    for package in _PACKAGES:
        root = Path(str(files(package)))
        for path in sorted(root.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(f"{path.relative_to(root)}\0".encode() + path.read_bytes())
    versions = sorted(f"{each.name} {each.version}" for each in distributions())
    digest.update("\n".join(versions).encode())
    return digest.hexdigest()


class SiteInputs:
    """Within one transaction; what pages share is read once."""

    def __init__(
        self,
        store: SiteInputStore,
        awards: AwardStore,
        campuses: CampusStore,
        statuses: StatusStore,
        status: StatusService,
        labels: LabelService,
        standings: IssuerStandings,
        secret: bytes,
        clock: Clock,
    ) -> None:
        self.store = store
        self.awards = awards
        self.campuses = campuses
        self.statuses = statuses
        self.status = status
        self.labels = labels
        self.standings = standings
        self.clock = clock
        self._key = blake2b(b"sceau/site-inputs/v1" + secret, digest_size=32).digest()
        self._campuses: dict[uuid.UUID, str] = {}
        self._badges: dict[uuid.UUID, str] = {}
        self._activities: dict[uuid.UUID, str] = {}
        self._organisations: dict[uuid.UUID, str] = {}
        self._awards: dict[uuid.UUID, str] = {}

    def of_open_awards(self, campus: Campus) -> Iterator[tuple[uuid.UUID, str]]:
        """Every award with a public page, and the digest of its inputs."""
        after = uuid.UUID(int=0)
        while page := self.awards.open_ids(campus.id, after=after, limit=_AT_A_TIME):
            found = self.of_awards(page)
            yield from ((each, found[each]) for each in page)
            after = page[-1]

    def of_awards(self, award_ids: Sequence[uuid.UUID]) -> Mapping[uuid.UUID, str]:
        """Of these that exist, of any campus."""
        self._fill(self._awards, award_ids, self._digests_of_awards)
        return {each: self._awards[each] for each in award_ids if each in self._awards}

    def of_endorsements(self, endorsements: Sequence[Endorsement]) -> Mapping[uuid.UUID, str]:
        """A recommendation signed elsewhere has none: its signer's documents are read each time."""
        found: dict[uuid.UUID, str] = {}
        for start in range(0, len(endorsements), _AT_A_TIME):
            part = [each for each in endorsements[start : start + _AT_A_TIME] if not each.foreign_issuer]
            rows = self.store.endorsements_among([each.id for each in part])
            awards = self.of_awards([each.award_id for each in part if each.award_id])
            organisations = self._of_organisations({each.organisation_id for each in part})
            badges = self._of_badges_with({each.version_id for each in part if each.version_id})
            for each in part:
                subject = awards.get(each.award_id) if each.award_id else badges.get(each.version_id)
                own = organisations[each.organisation_id]
                shared = self.of_campus(each.campus_id)
                found[each.id] = self._digest(rows[each.id], subject, own, shared)
        return found

    def of_organisation(self, organisation_id: uuid.UUID, campus: Campus, said: Iterable[str]) -> str:
        """`said`: the digests of its recommendations that the campus exports; empty if one has none."""
        digests = sorted(said)
        if not all(digests):
            return ""
        own = self._of_organisations({organisation_id})[organisation_id]
        return self._digest(own, self.of_campus(campus.id), digests)

    def of_portfolio(self, portfolio: Portfolio, shown: Sequence[Award]) -> str:
        """`shown`: its badges with a public page, of any campus."""
        rows = self.store.of_portfolios({portfolio.id: portfolio.person_id})[portfolio.id]
        digests = self.of_awards([each.id for each in shown])
        return self._digest(portfolio.model_dump(), rows, [digests[each.id] for each in shown])

    def of_fixed(self, *named: object) -> str:
        """Of a file that never changes once it exists."""
        return self._digest("fixed", *named)

    def of_campus(self, campus_id: uuid.UUID) -> str:
        """What every page about the campus may show."""
        if campus_id not in self._campuses:
            campus, at = self.campuses.get_by_id(campus_id), self.clock()
            self._campuses[campus_id] = self._digest(
                program_digest(),
                self.labels.addresses.base_url,
                known_locales(),
                self.store.of_campus(campus_id),
                [self._of_label(each) for each in self.labels.of_issuer(campus.did)],
                [self._of_list(each, at) for each in self.standings.lists()],
                [self._newer_list(each) for each in self.statuses.ids_of(campus_id)],
            )
        return self._campuses[campus_id]

    @staticmethod
    def _of_label(checked: Any) -> tuple[object, ...]:
        answer = checked.answer
        found = (answer.outcome, answer.reason) if answer else None
        return checked.label.id, checked.campus_name, checked.state, checked.is_suspended, found

    @staticmethod
    def _of_list(listed: Any, at: datetime) -> tuple[object, ...]:
        """An edition that is signed again with the same entries changes nothing."""
        end = None if listed.is_current(at) else listed.valid_until
        return listed.url, listed.issuer, listed.name, listed.entries, end

    def _newer_list(self, list_id: uuid.UUID) -> object:
        """After a restore, statuses are those of a newer list than the database has."""
        published, row = self.status.published(list_id), self.statuses.find(list_id)
        is_newer = row is None or row.sequence != published.sequence
        return list_id, published.sequence if is_newer else None

    def _digests_of_awards(self, award_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, str]:
        found, at = self.store.of_awards(award_ids), self.clock()
        badges = self._of_badges({each.badge_id for each in found.values()})
        activities = self._of_activities({each.activity_id for each in found.values() if each.activity_id})
        organisations = self._of_organisations(
            {number for each in found.values() for number in each.organisations}
        )
        return {
            award_id: self._digest(
                each.award,
                each.rows,
                self._standing(each, at),
                badges[each.badge_id],
                activities.get(each.activity_id) if each.activity_id else None,
                [organisations[number] for number in sorted(each.organisations)],
                self.of_campus(each.campus_id),
            )
            for award_id, each in found.items()
        }

    @staticmethod
    def _standing(rows: AwardRows, at: datetime) -> tuple[bool, ...]:
        """On which side of each of its dates it is now."""
        return tuple(each is not None and each <= at for each in rows.dates)

    def _of_badges(self, badge_ids: Iterable[uuid.UUID]) -> Mapping[uuid.UUID, str]:
        self._fill(self._badges, [*badge_ids], lambda ids: self._each(self.store.of_badges(ids)))
        return self._badges

    def _of_badges_with(self, version_ids: Iterable[uuid.UUID]) -> Mapping[uuid.UUID | None, str]:
        badges = self.store.badges_with([*version_ids])
        digests = self._of_badges(set(badges.values()))
        return {version_id: digests[badge_id] for version_id, badge_id in badges.items()}

    def _of_activities(self, activity_ids: Iterable[uuid.UUID]) -> Mapping[uuid.UUID, str]:
        self._fill(self._activities, [*activity_ids], lambda ids: self._each(self.store.of_activities(ids)))
        return self._activities

    def _of_organisations(self, organisation_ids: Iterable[uuid.UUID]) -> Mapping[uuid.UUID, str]:
        wanted = [*organisation_ids]
        self._fill(self._organisations, wanted, lambda ids: self._each(self.store.of_organisations(ids)))
        return self._organisations

    @staticmethod
    def _fill(
        known: dict[uuid.UUID, str],
        wanted: Sequence[uuid.UUID],
        read: Callable[[Sequence[uuid.UUID]], dict[uuid.UUID, str]],
    ) -> None:
        if missing := [each for each in wanted if each not in known]:
            known.update(read(missing))

    def _each(self, rows: Mapping[uuid.UUID, Sequence[object]]) -> dict[uuid.UUID, str]:
        return {number: self._digest(each) for number, each in rows.items()}

    def _digest(self, *parts: object) -> str:
        return blake2b(repr(parts).encode(), digest_size=16, key=self._key).hexdigest()
