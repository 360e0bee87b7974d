"""What a badge being written would look like: its picture, its page, and what is still to be looked at."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.container import Services
from app.domain.badges.badges import Kind
from app.domain.badges.readiness import are_near
from app.domain.badges.rule_words import rule_words
from app.domain.badges.rules import Rule
from app.domain.campus.campus import Campus
from app.domain.campus.colours import CampusColours, contrast
from app.http.pages.saying import said
from app.http.pages.typography import say
from app.language import N_, current_locale, locales, speaking
from app.services.badges.pictures import picture_words
from app.services.badges.wordings import BadgePage, Wording, lacks_in
from app.services.verification.verdicts import claims_of
from app.web.badges.pieces import BadgePieces, pieces_of
from sceau_credentials.values.json_text import parse_json_object

_PAPER = "#ffffff"
_UNNAMED = N_("Titre du badge")


@dataclass(frozen=True)
class Look:
    """One thing looked at; `state` is ok, bad or past, `href` leads to the field or to the other badge."""

    state: str
    sentence: str
    href: str = ""


@dataclass(frozen=True)
class Preview:
    picture: str
    """The drawing as a `data:` address: it is kept nowhere."""
    picture_words: str
    pieces: BadgePieces
    looks: Sequence[Look]
    rule: Sequence[tuple[str, str]] = ()
    """The rule in words, in every language: (language, words)."""

    @property
    def is_ready(self) -> bool:
        return all(look.state != "bad" for look in self.looks)


def drawn_inline(svg: str) -> str:
    """As the address of a picture that is kept nowhere."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def preview_of(services: Services, campus: Campus, wording: Wording, *, besides: str = "") -> Preview:
    """`besides` is the badge being written, which is not near itself."""
    shown = wording if wording.name.strip() else replace(wording, name=say(_UNNAMED))
    page, svg = services.badges.sketch(campus, shown)
    return Preview(
        picture=drawn_inline(svg),
        picture_words=said(picture_words(campus, page.version, page.competencies)),
        pieces=_pieces(services, page),
        looks=[
            *_lacks(page, wording),
            _contrast_look(campus, page),
            *_near(services, campus, wording, besides),
        ],
        rule=rule_in_words(wording.rule),
    )


def rule_in_words(rule: Rule | None) -> list[tuple[str, str]]:
    """In every language, the reader's first."""
    if rule is None:
        return []
    told = []
    for language in sorted(locales(), key=lambda one: one != current_locale()):
        with speaking(language):
            told.append((language, _sentence(rule_words(rule))))
    return told


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."


def _pieces(services: Services, page: BadgePage) -> BadgePieces:
    document = services.badges.definition_of(page.campus, page.badge, page.version, page.competencies)
    claims = claims_of({"credentialSubject": {"achievement": parse_json_object(document)}})
    return pieces_of(claims, is_ours=True, zone=page.campus.time_zone, base_url=services.addresses.base_url)


def _lacks(page: BadgePage, wording: Wording) -> list[Look]:
    lacks = lacks_in(page)
    found = [Look("bad", say(lack.sentence), f"#{lack.field}") for lack in lacks]
    if not wording.name.strip():
        found.insert(0, Look("bad", say(N_("Donnez un titre au badge.")), "#nom"))
    return found or [Look("ok", say(N_("Tout ce que ce type de badge demande est dit.")))]


def _contrast_look(campus: Campus, page: BadgePage) -> Look:
    version = page.version
    colours = CampusColours.of(
        campus.hue if version.hue is None else version.hue,
        campus.liveliness if version.liveliness is None else version.liveliness,
    )
    dark = colours.accent_deep if version.kind not in (Kind.BELONGING, Kind.PARTICIPATION) else colours.accent
    ratio = f"{contrast(dark, _PAPER):.1f}".replace(".", ",")
    return Look("ok", say(N_("Contraste des lettres : {ratio} pour 1.")).format(ratio=ratio))


def _near(services: Services, campus: Campus, wording: Wording, besides: str) -> list[Look]:
    return [
        Look(
            "past",
            say(N_("Un badge proche existe déjà : « {name} ».")).format(name=version.name),
            f"/gestion/{campus.slug}/badges/{badge.id}",
        )
        for badge, version in services.badges.list_newest(campus)
        if str(badge.id) != besides and badge.archived_at is None and are_near(version.name, wording.name)
    ][:3]
