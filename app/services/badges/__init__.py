"""Use cases: badges, their versions and rules."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from app.adapters.badge_pictures import BadgeArtist, PictureOrder, kind_alone, picture_alternative
from app.db.activities import ActivityStore
from app.db.badges import BadgeStore
from app.db.campus import CampusStore, HistoryStore
from app.db.frameworks import CompetencyStore
from app.db.publishing.catalogue import CatalogueStore
from app.domain.activities import Activity
from app.domain.awards.open_badges import achievement_of
from app.domain.awards.skills import (
    NO_PRACTICE,
    Attested,
    Practice,
    as_published,
    describes_activity,
    practised_alignment,
)
from app.domain.badges import (
    Badge,
    BadgeCompetency,
    BadgeKind,
    BadgeVersion,
    Lack,
    PictureLook,
    Repeat,
    Step,
    check_draft,
    check_may_change,
    check_not_sample,
    check_version,
    free_slug,
    next_number,
    version_year,
)
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus, check_slug
from app.domain.core import Clock, check_as_shown, mark_of, name_as_signed, new_id
from app.domain.frameworks import MOST_PRACTISED, Competency, Framework, PublicAlignment, check_level
from app.domain.publishing import Addresses
from app.errors import Conflict, InvalidInput
from app.language import N_, Sentence, speaking
from app.services.activity_log import LoggedEvents
from app.services.badges.wording import (
    BadgeModel,
    Wording,
    as_kept,
    lacks_of_version,
    said_in,
    state_of,
    with_step,
    wording_of,
)
from sceau_credentials.values import CONTEXT_OB_3_0_3, CONTEXT_V2, dump_json

__all__ = [
    "BadgePage",
    "BadgeService",
    "Manuscript",
    "Wording",
    "WrittenMeanwhile",
    "said_in",
    "with_step",
    "wording_of",
]

# --- Badges: create, edit, render, open, revise; definitions are frozen at the first award


@dataclass(frozen=True)
class BadgePage:
    """A badge version with everything a page shows of it."""

    campus: Campus
    badge: Badge
    version: BadgeVersion
    competencies: Sequence[tuple[BadgeCompetency, Competency, Framework]]
    versions: Sequence[BadgeVersion]

    @property
    def is_current(self) -> bool:
        return self.version.number == max(version.number for version in self.versions)


@dataclass(frozen=True)
class Manuscript:
    """A badge as its authors see it: the newest version, including drafts, and what is missing."""

    page: BadgePage
    lacks: Sequence[Lack]

    @property
    def may_open(self) -> bool:
        return self.page.version.is_draft and not self.lacks and self.page.badge.archived_at is None


def lacks_in(page: BadgePage) -> list[Lack]:
    """What this kind of badge requires and the content lacks."""
    attested = [(link.level, len(competency.levels)) for link, competency, _ in page.competencies]
    return lacks_of_version(page.version, attested)


def picture_order(
    campus: Campus, version: BadgeVersion, competencies: Attested = (), *, address: str = "", code: str = ""
) -> PictureOrder:
    """Shows the level if the badge attests exactly one competency, with a level; `code`: QR content."""
    level, levels = None, None
    if len(competencies) == 1 and competencies[0][0].level is not None:
        level, levels = competencies[0][0].level, len(competencies[0][1].levels)
    return PictureOrder(
        kind=version.kind.value,
        title=version.name,
        campus_short_name=version.drawn_short_name or campus.short_name,
        year=str(version_year(version)),
        address=address,
        hue=_first(version.hue, version.drawn_hue, campus.hue),
        liveliness=_first(version.liveliness, version.drawn_liveliness, campus.liveliness),
        level=level,
        levels=levels,
        emblem=version.emblem,
        code=code,
        logo=(version.art or b"") if version.look == PictureLook.LOGO else b"",
        own=(version.art or b"") if version.look == PictureLook.OWN else b"",
    )


def _first(*values: float | None) -> float:
    return next(value for value in values if value is not None)


def kind_words(campus: Campus, version: BadgeVersion, competencies: Attested = ()) -> Sentence:
    """« Badge de compétence, niveau 2 sur 3 »."""
    kind, values = kind_alone(picture_order(campus, version, competencies))
    return Sentence(kind, values)


def picture_words(campus: Campus, version: BadgeVersion, competencies: Attested = ()) -> Sentence:
    """« Badge de compétence « … », niveau 2 sur 3, campus TI, 2026 », unless the campus wrote its own."""
    if version.alternative:
        return Sentence("{text}", {"text": version.alternative})
    return usual_picture_words(campus, version, competencies)


def usual_picture_words(campus: Campus, version: BadgeVersion, competencies: Attested = ()) -> Sentence:
    words, values = picture_alternative(picture_order(campus, version, competencies))
    return Sentence(words, values)


_ONE_SITTING = timedelta(hours=1)


class WrittenMeanwhile(Conflict):
    """Two people, or two windows, edited the same badge (optimistic lock)."""


@dataclass(frozen=True, eq=False)
class BadgeService:
    badges: BadgeStore
    campuses: CampusStore
    competencies: CompetencyStore
    activities: ActivityStore
    catalogue: CatalogueStore
    history: HistoryStore
    artist: BadgeArtist
    logged_events: LoggedEvents
    addresses: Addresses
    clock: Clock
    models: Callable[[], Sequence[BadgeModel]]
    stamp: Callable[[Sequence[PublicAlignment]], list[PublicAlignment]]

    def create(
        self,
        campus: Campus,
        wording: Wording,
        *,
        slug: str = "",
        repeat: Repeat = Repeat.ONCE,
        accepts_requests: bool = False,
        draft: bool = False,
        is_sample: bool = False,
        by: Actor,
        once: uuid.UUID | None = None,
    ) -> BadgePage:
        """Ready to award, unless created as a `draft`; without a `slug`, derives one from the name. Idempotent by
        `once`."""
        if once is not None:
            self.campuses.lock(campus.id)
            if any(badge.id == once for badge, _ in self.badges.list_newest(campus.id)):
                return self.page(campus, once)
        slug = slug or free_slug(wording.name, lambda tried: self.badges.find(campus.id, tried) is not None)
        check_slug(slug)
        if self.badges.find(campus.id, slug):
            raise Conflict("Ce campus a déjà un badge à l’adresse « {slug} ».", slug=slug)
        at = self.clock()
        badge = Badge(
            id=once or new_id(),
            campus_id=campus.id,
            slug=slug,
            repeat=repeat,
            accepts_requests=accepts_requests,
            created_at=at,
            is_sample=is_sample,
        )
        self.badges.add(badge)
        self._write(campus, self._new_version(badge, 1, wording.kind, draft=draft), wording)
        self.history.write(by, "create", "badge", badge.id, at=at, campus_id=campus.id)
        return self.page(campus, badge.id)

    def revise(self, campus: Campus, badge_id: uuid.UUID, wording: Wording, *, by: Actor) -> BadgePage:
        """Create the next version, awarded from now on; earlier awards keep their version. Its picture keeps
        the logo or drawing that the campus chose."""
        badge = self.badges.get_of(campus.id, badge_id)
        if not wording.art:
            before = self.badges.newest_version(badge.id)
            wording = replace(wording, look=before.look, art=before.art or b"")
        self._next(campus, badge, wording, draft=False, by=by)
        return self.page(campus, badge.id)

    def take_amended(self, campus: Campus, badge_id: uuid.UUID, *, by: Actor) -> None:
        """Draft the next version with today's text of its competencies. Idempotent."""
        badge = self.badges.lock(self.badges.get_of(campus.id, badge_id))
        version = self.badges.newest_version(badge.id)
        if self.amended_since(version):
            wording = wording_of(version, self.badges.competencies_of(version.id))
            self._next(campus, badge, wording, draft=True, by=by)

    def rewrite(
        self,
        campus: Campus,
        badge_id: uuid.UUID,
        wording: Wording,
        *,
        repeat: Repeat,
        accepts_requests: bool,
        by: Actor,
        step: Step | None = None,
        seen: str = "",
    ) -> BadgePage:
        """Overwrite the newest version, or create a draft of the next if it was already awarded, or if the
        wording is no longer complete.

        `step`: change this step of the wording alone; `seen`: the state of that step that `by` started from,
        for optimistic locking.
        """
        badge = self.badges.lock(self.badges.get_of(campus.id, badge_id))
        version = self.badges.newest_version(badge.id)
        said = wording_of(version, self.badges.competencies_of(version.id))
        if step is not None:
            wording = with_step(said, wording, step)
        wording = self._dated(wording, said.alignments)
        if step is not None and step is not Step.AWARDING:
            repeat, accepts_requests = badge.repeat, badge.accepts_requests
        is_rewritten = as_kept(wording) != said
        if not is_rewritten and (repeat, accepts_requests) == (badge.repeat, badge.accepts_requests):
            return self.manuscript(campus, badge.id).page
        if seen and step is not None and seen != state_of(badge, said, step):
            raise WrittenMeanwhile(N_("Quelqu’un a enregistré ce badge pendant que vous l’écriviez."))
        badge.repeat, badge.accepts_requests = repeat, accepts_requests
        self.badges.add(badge)
        if is_rewritten and (self.is_fixed(version) or self._would_lack(campus, version, wording)):
            self._next(campus, badge, wording, draft=True, by=by)
        elif is_rewritten:
            check_may_change(version)
            self._write(campus, version, wording)
        self._log_rewriting(campus, badge, version, by)
        return self.manuscript(campus, badge.id).page

    def is_fixed(self, version: BadgeVersion) -> bool:
        """Awarded, or about to be: what a planned award showed is what it gives."""
        return version.frozen_at is not None or self.badges.is_awaited(version.id)

    def _would_lack(self, campus: Campus, version: BadgeVersion, wording: Wording) -> bool:
        """Whether a published version would lack something that its kind requires."""
        return not version.is_draft and bool(lacks_in(self.sketch(campus, wording)[0]))

    def _log_rewriting(self, campus: Campus, badge: Badge, version: BadgeVersion, by: Actor) -> None:
        """A draft saves itself while it is written: those of one person in one hour make one entry."""
        at = self.clock()
        entries = self.history.list_of("badge", badge.id) if version.is_draft else []
        last = entries[-1][0] if entries else None
        if (
            last
            and last.action == "rewrite"
            and last.actor_id == by.person_id
            and at - last.at < _ONE_SITTING
        ):
            return
        self.history.write(
            by, "rewrite", "badge", badge.id, at=at, campus_id=campus.id, repeat=badge.repeat.value
        )

    def open(self, campus: Campus, badge_id: uuid.UUID, *, by: Actor, seen: str = "") -> BadgePage:
        """Turn a draft into a badge that may be awarded, once nothing required is missing.

        `seen`: the mark of `content_mark` that the page showed.
        """
        manuscript = self.manuscript(campus, badge_id)
        version = manuscript.page.version
        if version.is_draft:
            check_as_shown(seen, self.content_mark(campus, version, None))
        if manuscript.lacks:
            raise InvalidInput(manuscript.lacks[0].sentence)
        check_version(version, [link for link, _, _ in manuscript.page.competencies])
        if version.is_draft:
            check_not_sample(manuscript.page.badge)
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

    def _new_version(self, badge: Badge, number: int, kind: BadgeKind, *, draft: bool) -> BadgeVersion:
        if not draft:
            check_not_sample(badge)
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

    def _dated(self, wording: Wording, before: Sequence[PublicAlignment] = ()) -> Wording:
        """Alignments with the framework's version of their day: an unchanged one has that of `before`."""
        if not wording.alignments:
            return wording
        known = {(each.framework, each.code, each.name): each for each in before}
        alignments = [known.get((each.framework, each.code, each.name), each) for each in wording.alignments]
        return replace(wording, alignments=self.stamp(alignments))

    def _write(self, campus: Campus, version: BadgeVersion, wording: Wording) -> None:
        links = said_in(version, self._dated(wording))
        version.definition = b""
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
        """Render the master picture, baked into every award of this version."""
        address = f"{self.addresses.host}/campus/{campus.slug}"
        version.drawn_short_name = campus.short_name
        version.drawn_hue, version.drawn_liveliness = campus.hue, campus.liveliness
        version.picture_svg = self.artist.draw(picture_order(campus, version, competencies, address=address))
        # A draft is only displayed, never baked: the PNG, a hundred times slower, waits until it is opened.
        version.picture_png = b"" if version.is_draft else self.artist.rasterise(version.picture_svg)

    def sketch(self, campus: Campus, wording: Wording) -> tuple[BadgePage, str]:
        """Preview of some content, not stored: the badge page, and its picture as SVG."""
        badge = Badge(campus_id=campus.id, slug="", created_at=self.clock())
        version = self._new_version(badge, 1, wording.kind, draft=True)
        competencies = self._attested(campus, said_in(version, wording))
        address = f"{self.addresses.host}/campus/{campus.slug}"
        svg = self.artist.draw(picture_order(campus, version, competencies, address=address))
        return BadgePage(campus, badge, version, competencies, [version]), svg

    def small_mark(self, page: BadgePage) -> str:
        """What browsers show of its picture at small sizes, as SVG."""
        return self.artist.small_mark(picture_order(page.campus, page.version, page.competencies))

    def read_art(self, campus: Campus, content: bytes, look: str) -> bytes:
        """A logo or picture as a version stores it, without a file the campus's last logo; raises
        InvalidInput with advice."""
        if content:
            return self.artist.read_art(content, is_own=look == PictureLook.OWN)
        return self.badges.newest_logo(campus.id) if look == PictureLook.LOGO else b""

    def logo_contrast(self, page: BadgePage) -> float | None:
        """Of a version's logo with the field it stands on; None without a logo."""
        order = picture_order(page.campus, page.version, page.competencies)
        return self.artist.logo_contrast(order) if order.logo else None

    def marks(self, campus: Campus) -> dict[BadgeKind, str]:
        """The small icon of each badge kind in the campus's colours and font, as SVG."""
        badge = Badge(campus_id=campus.id, slug="", created_at=self.clock())
        versions = {kind: self._new_version(badge, 1, kind, draft=True) for kind in BadgeKind}
        return {
            kind: self.artist.small_mark(picture_order(campus, version)) for kind, version in versions.items()
        }

    def freeze(self, campus: Campus, badge: Badge, version: BadgeVersion) -> BadgeVersion:
        """Freeze the content and write the public definition (T46)."""
        if version.frozen_at is not None:
            return version
        self.fix_text(campus, badge, version)
        version.frozen_at = self.clock()
        self.badges.add_version(version, [])
        self.badges.add_pictures(version)
        self.logged_events.log_definition(campus, badge, version)
        return version

    def fix_text(self, campus: Campus, badge: Badge, version: BadgeVersion) -> None:
        """Store the definition that the awards will have, unpublished until the first: a competency amended
        until then changes none of them. Idempotent."""
        if version.definition:
            return
        check_may_change(version)
        version.definition = self.definition_of(campus, badge, version, self.competencies_of(version))

    def definition_of(
        self, campus: Campus, badge: Badge, version: BadgeVersion, competencies: Attested
    ) -> bytes:
        """The Achievement that a version publishes, or would publish if awarded now."""
        with speaking(version.language):
            caption = picture_words(campus, version, competencies).text()
        numbers = self.competencies.newest_numbers(competency.id for _, competency, _ in competencies)
        achievement = achievement_of(
            badge, version, competencies, self.addresses, caption=caption, numbers=numbers
        )
        return dump_json({"@context": [CONTEXT_V2, CONTEXT_OB_3_0_3], **achievement.to_document()})

    def content_mark(self, campus: Campus, version: BadgeVersion, activity: Activity | None) -> str:
        """Of all that an award signs of a badge, its activity and its campus: what was shown is what is awarded."""
        badge = self.badges.get(version.badge_id)
        signed: list[object] = [
            version.definition or self.definition_of(campus, badge, version, self.competencies_of(version)),
            campus.name,
            version.validity_days,
            version.required_hours,
            self.practice_of(version, activity),
        ]
        if activity is not None:
            signed += [activity.title, activity.starts_on, activity.ends_on, activity.hours, activity.place]
        return mark_of(*signed)

    def practice_of(
        self, version: BadgeVersion, activity: Activity | None, then: Iterable[str] | None = None
    ) -> Practice:
        """What awards of this version contain about the activity; nothing if it was frozen without that.

        `then`: the ids of the competencies that it practised then; without them, those of today.
        """
        if activity is None or (version.definition and not describes_activity(version.definition)):
            return NO_PRACTICE
        known = self.competencies.get_many(
            self.activities.practised_in(activity.id) if then is None else map(uuid.UUID, then)
        )
        numbers = self.competencies.newest_numbers(known)
        practised = sorted(known.values(), key=lambda pair: (pair[1].code, pair[0].code))
        return Practice(
            tuple(
                practised_alignment(
                    competency, framework, self.addresses, numbers.get(competency.id), version.language
                )
                for competency, framework in practised[:MOST_PRACTISED]
            ),
            tuple(name_as_signed(each.name) for each in self.activities.campuses_of(activity.id)),
        )

    def archive(self, campus: Campus, badge_id: uuid.UUID, *, by: Actor) -> None:
        badge = self.badges.lock(self.badges.get_of(campus.id, badge_id))
        if badge.archived_at is None:
            badge.archived_at = self.clock()
            self.badges.add(badge)
            self.catalogue.drop(badge.id)
            self.history.write(by, "archive", "badge", badge.id, at=self.clock(), campus_id=campus.id)

    def restore(self, campus: Campus, badge_id: uuid.UUID, *, by: Actor) -> None:
        """Unarchive a badge: it can be awarded again."""
        badge = self.badges.lock(self.badges.get_of(campus.id, badge_id))
        if badge.archived_at is not None:
            badge.archived_at = None
            self.badges.add(badge)
            self.history.write(by, "restore", "badge", badge.id, at=self.clock(), campus_id=campus.id)

    def list_current(self, campus: Campus) -> list[tuple[Badge, BadgeVersion]]:
        return self.badges.list_current(campus.id)

    def list_newest(self, campus: Campus) -> list[tuple[Badge, BadgeVersion]]:
        return self.badges.list_newest(campus.id)

    def page(self, campus: Campus, badge_id: uuid.UUID, number: int | None = None) -> BadgePage:
        """One version of the campus's badge: `number`, or the newest that may be awarded."""
        badge = self.badges.get_of(campus.id, badge_id)
        version = (
            self.badges.current_version(badge.id)
            if number is None
            else self.badges.get_version(badge.id, number)
        )
        return self._page(campus, badge, version)

    def current_version(self, campus: Campus, badge_id: uuid.UUID) -> BadgeVersion:
        """The newest that may be awarded."""
        return self.badges.current_version(self.badges.get_of(campus.id, badge_id).id)

    def manuscript(self, campus: Campus, badge_id: uuid.UUID) -> Manuscript:
        """The newest version, including drafts, with what is missing before it can be opened."""
        badge = self.badges.get_of(campus.id, badge_id)
        page = self._page(campus, badge, self.badges.newest_version(badge.id))
        return Manuscript(page, lacks_in(page))

    def state(self, page: BadgePage, step: Step) -> str:
        """The optimistic-lock state that an author starts from."""
        wording = wording_of(page.version, [link for link, _, _ in page.competencies])
        return state_of(page.badge, wording, step)

    def history_of(self, campus: Campus, badge_id: uuid.UUID) -> list[tuple[datetime, str, str]]:
        """All events of the badge: when, what, who."""
        badge = self.badges.get_of(campus.id, badge_id)
        return [
            (entry.at, entry.action, person.name if person else entry.actor_label)
            for entry, person in self.history.list_of("badge", badge.id)
        ]

    def _page(self, campus: Campus, badge: Badge, version: BadgeVersion) -> BadgePage:
        return BadgePage(
            campus, badge, version, self.competencies_of(version), self.badges.versions_of(badge.id)
        )

    def competencies_of(self, version: BadgeVersion) -> list[tuple[BadgeCompetency, Competency, Framework]]:
        """With the text published once the version is frozen, else with today's."""
        return as_published(version, self._attested_today(version))

    def _attested_today(self, version: BadgeVersion) -> Attested:
        links = self.badges.competencies_of(version.id)
        known = self.competencies.get_many(link.competency_id for link in links) if links else {}
        return [(link, *known[link.competency_id]) for link in links]

    def amended_since(self, version: BadgeVersion) -> list[tuple[BadgeCompetency, Competency]]:
        """Competencies amended since a frozen version was published, with today's text."""
        today = self._attested_today(version)
        return [
            (link, competency)
            for (link, competency, _), (_, published, _) in zip(
                today, as_published(version, today), strict=True
            )
            if published is not competency
        ]

    def redraw(self, campus: Campus, competency: Competency) -> None:
        """Pictures show how many levels there are: called after their number changed, for versions never awarded."""
        for version in self.badges.unfrozen_with(competency.id):
            self._draw(campus, version, self.competencies_of(version))
            self.badges.add_version(version, [])
