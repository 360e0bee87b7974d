"""Static export of a campus: the same pages, dated, with relative links between files."""

from __future__ import annotations

import re
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, partial
from posixpath import relpath
from typing import Any, Final
from urllib.parse import urlsplit

from app.container import Services
from app.domain.campus.campus import Campus, Network
from app.domain.publishing import short_code
from app.domain.trust.organisations import Endorsed, Organisation
from app.http.pages.render import CampusLook, Frame, environment, other_languages
from app.http.pages.words import day, moment
from app.http.request_scope import Visitor
from app.http.static_files import files
from app.http.workplaces import look_of
from app.language import current_locale, known_locales, speaking
from app.services.awards.awards import AwardRecord
from app.services.learners.portfolios import PortfolioPage
from app.services.trust.endorsements import ShownEndorsement, Subject
from app.services.trust.labels import CheckedLabel
from app.services.verification.static_export import AWARD_FORMS, INDEX, ExportedFile, ExportUnit
from app.web.badges import definition_shown
from app.web.badges.shared_definitions import definition_shown as shared_definition_shown
from app.web.campus.campuses import campus_shown, render_campus_css
from app.web.learners.portfolios import everything_shown
from app.web.trust.endorsements import recommendation_shown
from app.web.trust.issuers import label_page, organisation_shown, register_shown
from app.web.verification.verification_page import shown

_LINK: Final = re.compile(r'\b(href|src)="([^"#][^"#]*)(#[^"]*)?"')
LAST_EXPORT: Final = "dernier-export"
_STATIC: Final = re.compile(r"static/[0-9a-f]{12}/(.+)")


@dataclass(frozen=True)
class ExportedPages:
    """The pages of one campus, in every language; `known` are the exported paths below the root.

    It is complete before the first page is made: a link depends on what is exported, not on what was exported before.
    """

    services: Services
    campus: Campus
    made_at: datetime
    known: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        places = [f"campus/{self.campus.slug}"]
        places += [f"badges/{badge_id}/v{number}" for badge_id, number in self.versions()]
        places += [f"reseau/{network.slug}" for network in self._networks()]
        places += [place for place, _ in self._definitions()]
        places += [f"labels/{checked.label.id}" for checked in self._labels()]
        for said in self.services.endorsements.readable_in(self.campus):
            places += [f"recommandations/{said.id}", f"organisations/{said.organisation_id}"]
        for award_id, _ in self._awards:
            places.append(f"attributions/{award_id}")
            self.known.update(f"attributions/{award_id}.{form}" for form in (*AWARD_FORMS, "zip"))
        for locale in known_locales():
            with speaking(locale):
                self.known.update(f"{place}/{_page_name()}" for place in (*places, LAST_EXPORT))

    @cached_property
    def _awards(self) -> Sequence[tuple[uuid.UUID, str]]:
        return list(self.services.site_inputs.of_open_awards(self.campus))

    def units(self, *, final: bool) -> Iterator[ExportUnit]:
        """Everything of the edition; last the page with its day, which is true once all else is written."""
        fixed = (*self.dress(), *self.services.kept_site.documents_each_time(self.campus, final=final))
        self.known.update(file.path for file in fixed)
        yield ExportUnit("documents", "", lambda: fixed)
        yield from self.services.kept_site.log_files(self.campus)
        yield ExportUnit("campus", "", self.of_campus)
        yield ExportUnit("networks", "", self.of_networks)
        for badge_id, number in self.versions():
            yield ExportUnit(f"badges/{badge_id}/v{number}", "", partial(self.of_badge, badge_id, number))
        for award_id, inputs in self._awards:
            yield ExportUnit(f"attributions/{award_id}", inputs, partial(self._of_award, award_id))
        yield from self.recommendations()
        yield from self.portfolios()
        yield ExportUnit(LAST_EXPORT, "", self.of_this_export)

    def of_this_export(self) -> Iterator[ExportedFile]:
        """When it was made: pages that nothing changed keep the day on which they were."""
        when = moment(self.made_at, self.campus.time_zone)
        yield from self._in_every_language(LAST_EXPORT, "frame/last_export.html", lambda: {"when": when})

    def versions(self) -> Sequence[tuple[uuid.UUID, int]]:
        return self.services.kept_site.versions(self.campus)

    def dress(self) -> Iterator[ExportedFile]:
        """Page assets: styles, typefaces, campus colours."""
        for name, file in files().items():
            if name in ("sceau.css", "campus.css", "mark.svg") or name.startswith("fonts/"):
                yield ExportedFile(f"static/{name}", file.body)
        campus = self.campus
        colours = render_campus_css(campus.slug, campus.hue, campus.liveliness)
        yield ExportedFile(f"couleurs/{campus.slug}.css", colours.encode())

    def of_campus(self) -> Iterator[ExportedFile]:
        slug = self.campus.slug
        found = self.services.campuses.page(slug)
        yield from self._in_every_language(
            f"campus/{slug}", "campus/show.html", lambda: {"c": campus_shown(self.services, found)}
        )
        yield ExportedFile("index.html", _leading_to(f"campus/{slug}/index.html"))

    def of_networks(self) -> Iterator[ExportedFile]:
        """Recognitions of the campus, and each of its labels."""
        for network in self._networks():
            place = f"reseau/{network.slug}"
            view = partial(self._register_of, network.slug)
            yield from self._in_every_language(place, "trust/network.html", view)
        for place, shared in self._definitions():
            yield from self._in_every_language(place, "badges/shared/public.html", shared)
        for checked in self._labels():
            place, view = f"labels/{checked.label.id}", partial(self._label, checked)
            yield from self._in_every_language(place, "trust/label.html", view)

    def _definitions(self) -> Iterator[tuple[str, Callable[[], Mapping[str, Any]]]]:
        """Of networks, as far as the campus adopted them."""
        for line in self.services.adoptions.lines(self.campus):
            if line.adoption is not None:
                yield (
                    f"reseau/{line.network.slug}/definitions/{line.id}",
                    partial(shared_definition_shown, self.services, line.network, line.id),
                )

    def _register_of(self, slug: str) -> Mapping[str, Any]:
        return {"n": register_shown(self.services, self.services.register.page(slug))}

    def _label(self, checked: CheckedLabel) -> Mapping[str, Any]:
        return {"l": label_page(self.services, checked)}

    def _networks(self) -> Sequence[Network]:
        return self.services.network_documents.networks_about(self.campus.did)

    def _labels(self) -> Sequence[CheckedLabel]:
        return self.services.labels.of_issuer(self.campus.did)

    def of_badge(self, badge_id: uuid.UUID, number: int) -> Iterator[ExportedFile]:
        published = self.services.publication.badge(badge_id, number)
        place = f"badges/{badge_id}/v{number}"
        yield from self._in_every_language(
            place, "badges/public.html", lambda: {"d": definition_shown(self.services, published)}
        )
        if published.newest.number == number:
            yield ExportedFile(f"badges/{badge_id}/index.html", _leading_to(f"v{number}/index.html"))

    def _of_award(self, award_id: uuid.UUID) -> Iterator[ExportedFile]:
        record = self.services.publication.record(award_id)
        files = list(self.services.kept_site.documents_of(record))
        own = {file.path for file in files} - self.known
        self.known.update(own)
        yield from files
        yield from self.of_award(record)
        self.known.difference_update(own)

    def of_award(self, record: AwardRecord) -> Iterator[ExportedFile]:
        award_id = record.award.id
        verification = self.services.verification
        answer = verification.with_evidence(verification.verify_award(record))
        yield from self._in_every_language(
            f"attributions/{award_id}",
            "verification/answer.html",
            lambda: {
                "a": shown(self.services, answer),
                "share": None,
                "kept_at": f"/attributions/{award_id}",
            },
            is_about_somebody=True,
        )
        # URLs printed below pictures and in QR codes must work as long as the paper lasts.
        short = f"v/{short_code(award_id)}"
        yield ExportedFile(f"{short}/index.html", _leading_to(f"../../attributions/{award_id}/index.html"))

    def recommendations(self) -> Iterator[ExportUnit]:
        """Endorsements of the campus, and each of them; after the awards they are about."""
        readable = list(self.services.endorsements.readable_in(self.campus))
        inputs = self.services.site_inputs.of_endorsements(readable)
        by_organisation: dict[uuid.UUID, list[str]] = defaultdict(list)
        for said in readable:
            by_organisation[said.organisation_id].append(inputs.get(said.id, ""))
            make = partial(self._of_recommendation, said.id, is_about_award=said.about is Endorsed.AWARD)
            yield ExportUnit(f"recommandations/{said.id}", inputs.get(said.id, ""), make)
        for number, digests in sorted(by_organisation.items()):
            digest = self.services.site_inputs.of_organisation(number, self.campus, digests)
            yield ExportUnit(f"organisations/{number}", digest, partial(self._of_organisation, number))

    def _of_recommendation(
        self, endorsement_id: uuid.UUID, *, is_about_award: bool
    ) -> Iterator[ExportedFile]:
        yield from self.services.kept_site.recommendation(endorsement_id)
        found, subject = self.services.endorsements.get(endorsement_id)
        yield from self._in_every_language(
            f"recommandations/{endorsement_id}",
            "trust/show.html",
            lambda: recommendation_shown(self.services, found, subject),
            is_about_somebody=is_about_award,
        )

    def _of_organisation(self, organisation_id: uuid.UUID) -> Iterator[ExportedFile]:
        organisation = self.services.organisations.get(organisation_id)
        said = self.services.endorsements.by_organisation(organisation_id, self.campus)
        view = partial(self._organisation, organisation, said)
        yield from self._in_every_language(
            f"organisations/{organisation_id}", "trust/organisation.html", view
        )

    @staticmethod
    def _organisation(
        organisation: Organisation, said: Sequence[tuple[ShownEndorsement, Subject]]
    ) -> Mapping[str, Any]:
        return {**organisation_shown(organisation, said), "done": ""}

    def portfolios(self) -> Iterator[ExportUnit]:
        """Open portfolios that show a badge of the campus; with pictures of other campuses' badges."""
        of_others: set[str] = set()
        for opened in self.services.portfolios.open_in(self.campus):
            for each in opened.pieces:
                badge_id, number = each.record.badge.id, each.record.version.number
                path = f"badges/{badge_id}/v{number}/image.svg"
                if each.record.campus.id != self.campus.id and path not in of_others:
                    of_others.add(path)
                    self.known.add(path)
                    inputs = self.services.site_inputs.of_fixed(badge_id, number)
                    yield ExportUnit(path, inputs, partial(self._picture, path, badge_id, number))
            awards = [each.record.award for each in opened.pieces]
            portfolio_id = opened.portfolio.id
            inputs = self.services.site_inputs.of_portfolio(opened.portfolio, awards)
            yield ExportUnit(f"portfolio/{portfolio_id}", inputs, partial(self._of_portfolio, portfolio_id))

    def _of_portfolio(self, portfolio_id: uuid.UUID) -> Iterator[ExportedFile]:
        opened = self.services.portfolios.open_page(portfolio_id)
        yield from self._in_every_language(
            f"portfolio/{portfolio_id}",
            "learners/portfolios/show.html",
            partial(self._portfolio, opened),
            is_about_somebody=not opened.portfolio.is_findable,
            is_of_campus=False,
        )

    def _portfolio(self, opened: PortfolioPage) -> Mapping[str, Any]:
        return {**everything_shown(self.services, opened), "share": None, "preview": ""}

    def _picture(self, path: str, badge_id: uuid.UUID, number: int) -> Iterator[ExportedFile]:
        yield ExportedFile(path, self.services.publication.picture(badge_id, number, "svg").body)

    def _in_every_language(
        self,
        place: str,
        template: str,
        view: Callable[[], Mapping[str, Any]],
        *,
        is_about_somebody: bool = False,
        is_of_campus: bool = True,
    ) -> Iterator[ExportedFile]:
        look = look_of(self.campus) if is_of_campus else None
        for locale in known_locales():
            with speaking(locale):
                frame = self._frame(look, private=is_about_somebody)
                html = environment().get_template(template).render(frame=frame, csrf_field="", **view())
                yield ExportedFile(f"{place}/{_page_name()}", self._linked(html, place).encode())

    def _frame(self, look: CampusLook | None, *, private: bool) -> Frame:
        return Frame(
            language=current_locale(),
            languages=other_languages(),
            here="",
            navigation=[],
            visitor=Visitor(),
            campus=look,
            private=private,
            wide=False,
            kept=day(self.made_at, self.campus.time_zone),
        )

    def _linked(self, html: str, place: str) -> str:
        def rewrite(found: re.Match[str]) -> str:
            name, address, anchor = found.groups()
            return f'{name}="{self._link(address, place)}{anchor or ""}"'

        return _LINK.sub(rewrite, html)

    def _link(self, address: str, place: str) -> str:
        """From a page at `place` to an exported file; else the URL on the web."""
        base = self.services.addresses.base_url
        if address.startswith("/"):
            path = urlsplit(address).path.lstrip("/")
        elif address.startswith(base + "/"):
            path = urlsplit(address[len(base) :]).path.lstrip("/")
        else:
            return address
        if style := _STATIC.fullmatch(path):
            return relpath(f"static/{style[1]}", place)
        for candidate in (path, *(f"{path}/{name}" for name in (_page_name(), INDEX, "checkpoint"))):
            if candidate in self.known:
                return relpath(candidate, place)
        return f"{base}{address}" if address.startswith("/") else address


def _page_name() -> str:
    """For the first language, the default file name of web servers."""
    language = current_locale()
    return "index.html" if language == known_locales()[0] else f"index.{language}.html"


def _leading_to(path: str) -> bytes:
    return (
        f'<!doctype html><html lang="fr"><meta charset="utf-8"><meta name="robots" content="noindex">'
        f'<meta http-equiv="refresh" content="0; url={path}"><title>Sceau</title>'
        f'<p><a href="{path}">Continuer / Continue</a></p></html>\n'
    ).encode()
