"""Badges: written, drawn, opened, revised, and frozen when first given."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

from app.adapters.badge_pictures import BadgeArtist
from app.db.badges.badges import BadgeStore
from app.db.campus.history import HistoryStore
from app.db.frameworks.competencies import CompetencyStore
from app.domain.awards.open_badges import achievement_of
from app.domain.badges.badges import (
    Badge,
    BadgeCompetency,
    BadgeVersion,
    Kind,
    Repeat,
    check_draft,
    check_may_change,
    check_version,
    free_slug,
    next_number,
)
from app.domain.campus.campus import Campus, check_slug
from app.domain.campus.history import Actor
from app.domain.core.clock import Clock
from app.domain.frameworks.competencies import Competency, Framework, check_level
from app.domain.publishing.addresses import Addresses
from app.errors import Conflict, InvalidInput, NotFound
from app.language import N_, speaking
from app.services.activity_log.logged_deeds import LoggedDeeds
from app.services.badges.pictures import Attested, picture_order, picture_words
from app.services.badges.wordings import (
    BadgePage,
    Manuscript,
    Wording,
    as_kept,
    lacks_in,
    said_in,
    state_of,
    wording_of,
)
from sceau_credentials.values.json_text import dump_json
from sceau_credentials.values.vocabulary import CONTEXT_OB_3_0_3, CONTEXT_V2

__all__ = ["BadgePage", "BadgeService", "Manuscript", "Wording", "WrittenMeanwhile"]


class WrittenMeanwhile(Conflict):
    """Two people, or two windows, write the same badge."""


class BadgeService:
    def __init__(
        self,
        badges: BadgeStore,
        competencies: CompetencyStore,
        history: HistoryStore,
        artist: BadgeArtist,
        deeds: LoggedDeeds,
        addresses: Addresses,
        clock: Clock,
    ) -> None:
        self.badges = badges
        self.competencies = competencies
        self.history = history
        self.artist = artist
        self.deeds = deeds
        self.addresses = addresses
        self.clock = clock

    def create(
        self,
        campus: Campus,
        wording: Wording,
        *,
        slug: str = "",
        repeat: Repeat = Repeat.ONCE,
        accepts_requests: bool = False,
        draft: bool = False,
        by: Actor,
    ) -> BadgePage:
        """A badge to give at once, unless it begins as a `draft`; without a `slug` its name makes one."""
        slug = slug or free_slug(wording.name, lambda tried: self.badges.find(campus.id, tried) is not None)
        check_slug(slug)
        if self.badges.find(campus.id, slug):
            raise Conflict(N_("Ce campus a déjà un badge à l’adresse « {slug} »."), slug=slug)
        at = self.clock()
        badge = Badge(
            campus_id=campus.id, slug=slug, repeat=repeat, accepts_requests=accepts_requests, created_at=at
        )
        self.badges.add(badge)
        self._write(campus, self._new_version(badge, 1, wording.kind, draft=draft), wording)
        self.history.write(by, "create", "badge", badge.id, at=at, campus_id=campus.id)
        return self.page(campus, badge.id)

    def revise(self, campus: Campus, badge_id: uuid.UUID, wording: Wording, *, by: Actor) -> BadgePage:
        """A next version, given from now on; those given under an earlier one keep what they were given for."""
        badge = self._get(campus, badge_id)
        self._next(campus, badge, wording, draft=False, by=by)
        return self.page(campus, badge.id)

    def rewrite(
        self,
        campus: Campus,
        badge_id: uuid.UUID,
        wording: Wording,
        *,
        repeat: Repeat,
        accepts_requests: bool,
        by: Actor,
        seen: str = "",
    ) -> BadgePage:
        """The newest version written anew, or a draft of the next one when somebody holds it already.

        `seen` is the state that `by` started from; what somebody else wrote since then is not lost by accident.
        """
        badge = self._get(campus, badge_id)
        version = self.badges.newest_version(badge.id)
        said = wording_of(version, self.badges.competencies_of(version.id))
        differs = (as_kept(wording), repeat, accepts_requests) != (said, badge.repeat, badge.accepts_requests)
        if not differs:
            return self.manuscript(campus, badge.id).page
        if seen and seen != state_of(badge, said):
            raise WrittenMeanwhile(N_("Quelqu’un a enregistré ce badge pendant que vous l’écriviez."))
        badge.repeat, badge.accepts_requests = repeat, accepts_requests
        self.badges.add(badge)
        if version.frozen_at is not None:
            if as_kept(wording) != said:
                self._next(campus, badge, wording, draft=True, by=by)
        else:
            check_may_change(version)
            self._write(campus, version, wording)
        self.history.write(
            by, "rewrite", "badge", badge.id, at=self.clock(), campus_id=campus.id, repeat=repeat.value
        )
        return self.manuscript(campus, badge.id).page

    def open(self, campus: Campus, badge_id: uuid.UUID, *, by: Actor) -> BadgePage:
        """From draft to badge that may be given, once nothing that its kind asks for is missing."""
        manuscript = self.manuscript(campus, badge_id)
        version = manuscript.page.version
        if manuscript.lacks:
            raise InvalidInput(manuscript.lacks[0].sentence)
        check_version(version, [link for link, _, _ in manuscript.page.competencies])
        if version.is_draft:
            version.is_draft = False
            version.picture_png = self.artist.rasterise(version.picture_svg)
            self.badges.add_version(version, [])
            self.history.write(
                by, "open", "badge", badge_id, at=self.clock(), campus_id=campus.id, number=version.number
            )
        return self.page(campus, badge_id)

    def _next(self, campus: Campus, badge: Badge, wording: Wording, *, draft: bool, by: Actor) -> None:
        number = next_number(self.badges.versions_of(badge.id))
        self._write(campus, self._new_version(badge, number, wording.kind, draft=draft), wording)
        self.history.write(
            by, "revise", "badge", badge.id, at=self.clock(), campus_id=campus.id, number=number
        )

    def _new_version(self, badge: Badge, number: int, kind: Kind, *, draft: bool) -> BadgeVersion:
        return BadgeVersion(
            badge_id=badge.id,
            number=number,
            kind=kind,
            name="",
            description="",
            criteria="",
            is_draft=draft,
            created_at=self.clock(),
        )

    def _write(self, campus: Campus, version: BadgeVersion, wording: Wording) -> None:
        links = said_in(version, wording)
        if version.is_draft:
            check_draft(version)
        else:
            check_version(version, links)
        self._draw(campus, version, self._attested(campus, links))
        self.badges.save_version(version, links)

    def _attested(self, campus: Campus, links: Sequence[BadgeCompetency]) -> Attested:
        found = []
        for link in links:
            competency, framework = self.competencies.get_in_campus(link.competency_id, campus.id)
            check_level(competency, link.level)
            found.append((link, competency, framework))
        return found

    def _draw(self, campus: Campus, version: BadgeVersion, competencies: Attested) -> None:
        """The master picture: every award of this version is baked into a copy of it."""
        address = f"{self.addresses.host}/campus/{campus.slug}"
        version.picture_svg = self.artist.draw(picture_order(campus, version, competencies, address=address))
        # A draft is looked at, never baked: the PNG, a hundred times slower, waits until it is opened.
        version.picture_png = b"" if version.is_draft else self.artist.rasterise(version.picture_svg)

    def sketch(self, campus: Campus, wording: Wording) -> tuple[BadgePage, str]:
        """What a wording would look like, kept nowhere: the page of the badge, and its picture as SVG."""
        badge = Badge(campus_id=campus.id, slug="", created_at=self.clock())
        version = self._new_version(badge, 1, wording.kind, draft=True)
        competencies = self._attested(campus, said_in(version, wording))
        address = f"{self.addresses.host}/campus/{campus.slug}"
        svg = self.artist.draw(picture_order(campus, version, competencies, address=address))
        return BadgePage(campus, badge, version, competencies, [version]), svg

    def marks(self, campus: Campus) -> dict[Kind, str]:
        """The small mark of a badge of each kind in the campus's own colours and letters, as SVG."""
        badge = Badge(campus_id=campus.id, slug="", created_at=self.clock())
        versions = {kind: self._new_version(badge, 1, kind, draft=True) for kind in Kind}
        return {
            kind: self.artist.small_mark(picture_order(campus, version)) for kind, version in versions.items()
        }

    def freeze(self, campus: Campus, badge: Badge, version: BadgeVersion) -> BadgeVersion:
        """Fix the wording for ever and write the definition that the world will read (T46)."""
        if version.frozen_at is not None:
            return version
        check_may_change(version)
        version.definition = self.definition_of(campus, badge, version, self.competencies_of(version))
        version.frozen_at = self.clock()
        self.badges.add_version(version, [])
        self.badges.add_pictures(version)
        self.deeds.frozen(campus, badge, version)
        return version

    def definition_of(
        self, campus: Campus, badge: Badge, version: BadgeVersion, competencies: Attested
    ) -> bytes:
        """The Achievement that a version publishes, or would publish if it were given now."""
        with speaking(version.language):
            caption = picture_words(campus, version, competencies).text()
        achievement = achievement_of(campus, badge, version, competencies, self.addresses, caption=caption)
        return dump_json({"@context": [CONTEXT_V2, CONTEXT_OB_3_0_3], **achievement.to_document()})

    def archive(self, campus: Campus, badge_id: uuid.UUID, *, by: Actor) -> None:
        badge = self._get(campus, badge_id)
        if badge.archived_at is None:
            badge.archived_at = self.clock()
            self.badges.add(badge)
            self.history.write(by, "archive", "badge", badge.id, at=self.clock(), campus_id=campus.id)

    def restore(self, campus: Campus, badge_id: uuid.UUID, *, by: Actor) -> None:
        """An archived badge given again from now on."""
        badge = self._get(campus, badge_id)
        if badge.archived_at is not None:
            badge.archived_at = None
            self.badges.add(badge)
            self.history.write(by, "restore", "badge", badge.id, at=self.clock(), campus_id=campus.id)

    def list_current(self, campus: Campus) -> list[tuple[Badge, BadgeVersion]]:
        return self.badges.list_current(campus.id)

    def list_newest(self, campus: Campus) -> list[tuple[Badge, BadgeVersion]]:
        return self.badges.list_newest(campus.id)

    def page(self, campus: Campus, badge_id: uuid.UUID, number: int | None = None) -> BadgePage:
        """One version of the campus's badge, the newest that may be given unless `number` says which."""
        badge = self._get(campus, badge_id)
        version = (
            self.badges.current_version(badge.id)
            if number is None
            else self.badges.get_version(badge.id, number)
        )
        return self._page(campus, badge, version)

    def manuscript(self, campus: Campus, badge_id: uuid.UUID) -> Manuscript:
        """The newest version, drafts too, with what it lacks before it may be opened."""
        badge = self._get(campus, badge_id)
        page = self._page(campus, badge, self.badges.newest_version(badge.id))
        return Manuscript(page, lacks_in(page))

    def state(self, page: BadgePage) -> str:
        """What whoever writes the badge starts from."""
        return state_of(page.badge, wording_of(page.version, [link for link, _, _ in page.competencies]))

    def history_of(self, campus: Campus, badge_id: uuid.UUID) -> list[tuple[datetime, str, str]]:
        """All that was done to the badge: when, what, and by whom."""
        badge = self._get(campus, badge_id)
        return [
            (entry.at, entry.deed, person.name if person else entry.actor_label)
            for entry, person in self.history.list_of("badge", badge.id)
        ]

    def _page(self, campus: Campus, badge: Badge, version: BadgeVersion) -> BadgePage:
        return BadgePage(
            campus, badge, version, self.competencies_of(version), self.badges.versions_of(badge.id)
        )

    def competencies_of(self, version: BadgeVersion) -> list[tuple[BadgeCompetency, Competency, Framework]]:
        links = self.badges.competencies_of(version.id)
        known = self.competencies.get_many(link.competency_id for link in links)
        return [(link, *known[link.competency_id]) for link in links]

    def _get(self, campus: Campus, badge_id: uuid.UUID) -> Badge:
        badge = self.badges.get(badge_id)
        if badge.campus_id != campus.id:
            raise NotFound(N_("Ce badge n’existe pas ici."))
        return badge
