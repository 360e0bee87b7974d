"""A badge definition, in the awarded version, for human readers."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.accounts.permissions import Permission
from app.domain.badges import PROSE, BadgeKind, BadgeVersion, Difference, Part, PictureLook, are_near
from app.domain.badges.rules import Rule, rule_words
from app.domain.campus.campus import Campus, CampusColours, Network, contrast
from app.domain.core import ChangedMeanwhile, mark_of
from app.domain.frameworks import PublicAlignment
from app.errors import InvalidInput
from app.http.negotiation import ForPeople
from app.http.pages.forms import SafeForm, currently, ids_in, text_of, texts_of
from app.http.pages.previews import badge_data, preview
from app.http.pages.render import page
from app.http.pages.words import KIND_NAMES, day, listing, number, people_words, sentence_text
from app.http.request_scope import ReadingServices, public, sentence_of, status_for, write_transaction
from app.http.workplaces import at_work, look_of, staff
from app.language import (
    N_,
    current_locale,
    known_locales,
    language_in_words,
    speaking,
    translated,
    translated_plural,
)
from app.services.badges import BadgePage, Wording, lacks_in, picture_words
from app.services.badges.openings import BadgeOpenings
from app.services.publishing import PublishedBadge
from app.services.verification.verdicts import claims_of
from app.web.badges.rankings import RatingsShown, ratings_shown
from app.web.badges.rules import REGISTERS, BadgePieces, pieces_of
from app.web.frameworks.search import StandingView, standing_view
from app.web.trust.endorsements import RecommendationShown, recommendations
from app.web.trust.issuers import IssuerShown, campus_issuer
from sceau_credentials.values import parse_json_object

PARTS = {
    Part.KIND: N_("Type"),
    Part.NAME: N_("Titre"),
    Part.DESCRIPTION: N_("Description"),
    Part.CRITERIA: N_("Critères"),
    Part.ASSESSMENT: N_("Comment c’est jugé"),
    Part.COMPETENCIES: N_("Compétences attestées"),
    Part.ALIGNMENTS: N_("Correspondances"),
    Part.REQUIRED_HOURS: N_("Durée demandée"),
    Part.RULE: N_("Règle"),
    Part.VALIDITY: N_("Durée de validité"),
    Part.TAGS: N_("Mots-clés"),
    Part.LANGUAGE: N_("Langue"),
    Part.ALTERNATIVE: N_("Texte de l’image"),
    Part.LOOK: N_("Image"),
    Part.COLOURS: N_("Couleurs"),
    Part.EMBLEM: N_("Sigle"),
    Part.STATEMENT: N_("Énoncé"),
    Part.LEVELS: N_("Niveaux"),
    Part.RUBRIC: N_("Ce que l’on voit à chaque niveau"),
    Part.OTHER_LABELS: N_("Autres libellés"),
}
LOOKS = {
    PictureLook.SHAPE.value: N_("La forme du type"),
    PictureLook.LOGO.value: N_("La forme, avec un logo"),
    PictureLook.OWN.value: N_("Une image à nous"),
}
LEAST_CONTRAST = 3.0
_LISTS = frozenset(
    {Part.COMPETENCIES, Part.ALIGNMENTS, Part.TAGS, Part.LEVELS, Part.RUBRIC, Part.OTHER_LABELS}
)


@dataclass(frozen=True)
class DifferenceShown:
    """`pieces` for a text diff, as (unchanged, removed or added, text); else before and after."""

    title: str
    sentence: str
    before: str
    after: str
    removed: Sequence[str]
    added: Sequence[str]
    pieces: Sequence[tuple[str, str]]


def shown_difference(difference: Difference, *, is_proposed: bool = False) -> DifferenceShown:
    """`is_proposed`: nothing has changed yet."""
    part = difference.part
    before, after = (_value(part, lines) for lines in (difference.before, difference.after))
    return DifferenceShown(
        title=translated(PARTS[part]),
        sentence=_sentence(difference, before, after, _PROPOSED if is_proposed else _CHANGED),
        before=before,
        after=after,
        removed=difference.removed if part in _LISTS else (),
        added=difference.added if part in _LISTS else (),
        pieces=[(piece.stay.value, piece.text) for piece in difference.pieces] if part in PROSE else (),
    )


def validity_words(days: int | None) -> str:
    if days is None:
        return translated("Sans date de fin")
    years = round(days / 365.25)
    if years and abs(days - years * 365.25) < 2:
        return translated_plural("Un an", "{n} ans", years).format(n=years)
    return translated_plural("{n} jour", "{n} jours", days).format(n=days)


@dataclass(frozen=True)
class _Tense:
    text: str
    added: str
    removed: str
    changed: str


_CHANGED = _Tense(
    N_("Le texte a changé."),
    N_("Ajouté : {after}."),
    N_("Retiré : {before}."),
    N_("« {before} » est devenu « {after} »."),
)
_PROPOSED = _Tense(
    N_("Le texte changerait."),
    N_("À ajouter : {after}."),
    N_("À retirer : {before}."),
    N_("« {before} » deviendrait « {after} »."),
)


def _sentence(difference: Difference, before: str, after: str, tense: _Tense) -> str:
    """The change to this part, as one sentence."""
    if difference.part is Part.LOOK and before == after:
        return translated("Le fichier de l’image a changé.")
    if difference.part in _LISTS:
        counts = (len(difference.added), len(difference.removed))
        if counts == (0, 0):
            return translated("L’ordre a changé.")
        added = translated_plural("{n} ajout", "{n} ajouts", counts[0]).format(n=counts[0])
        removed = translated_plural("{n} retrait", "{n} retraits", counts[1]).format(n=counts[1])
        return ", ".join(each for each, count in zip((added, removed), counts, strict=True) if count) + "."
    if difference.part in PROSE and before and after:
        return translated(tense.text)
    if not before:
        return translated(tense.added).format(after=after)
    if not after:
        return translated(tense.removed).format(before=before)
    return translated(tense.changed).format(before=before, after=after)


def _value(part: Part, lines: Sequence[str]) -> str:
    if part is Part.VALIDITY:
        return validity_words(int(lines[0]) if lines else None)
    if not lines:
        return ""
    match part:
        case Part.KIND:
            return translated(KIND_NAMES[BadgeKind(lines[0])])
        case Part.REQUIRED_HOURS:
            return translated("{hours} h").format(hours=number(float(lines[0])))
        case Part.LANGUAGE:
            return language_in_words(lines[0])
        case Part.LOOK:
            return translated(LOOKS[lines[0]])
        case Part.COLOURS:
            return translated("teinte et vivacité {value}").format(value=lines[0])
        case _:
            return "\n".join(lines)


router = APIRouter(route_class=ForPeople)


Number = Annotated[int, Path(ge=1, le=100_000)]


@dataclass(frozen=True)
class VersionShown:
    number: int
    since: str
    url: str
    is_this: bool


@dataclass(frozen=True)
class DefinitionShown:
    pieces: BadgePieces
    picture: str
    picture_words: str
    issuer: IssuerShown
    number: int
    newest: int
    newest_url: str
    is_archived: bool
    validity: str
    required_hours: float | None
    versions: Sequence[VersionShown]
    json_url: str
    ask_url: str
    recommendations: Sequence[RecommendationShown]
    standings: Sequence[StandingView] = ()
    holders: str = ""
    activities: Sequence[tuple[str, str, str]] = ()
    """Announced ones that lead to it: (title, path, day and location)."""
    competencies: Sequence[tuple[str, str]] = ()
    pathways: Sequence[tuple[str, str]] = ()
    """Pages of what it attests: (statement, path)."""
    contact: str = ""
    ratings: RatingsShown | None = None
    shared_by: str = ""
    """The network of which the campus adopted the definition."""
    shared_url: str = ""

    @property
    def is_superseded(self) -> bool:
        return self.number < self.newest


@router.get("/badges/{badge_id:uuid}")
@public
def show_current(badge_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    return _page(request, services, services.publication.badge(badge_id, None))


@router.get("/badges/{badge_id:uuid}/v{number}")
@public
def show_version(
    badge_id: uuid.UUID, number: Number, request: Request, services: ReadingServices
) -> HTMLResponse:
    return _page(request, services, services.publication.badge(badge_id, number))


def _page(request: Request, services: Services, published: PublishedBadge) -> HTMLResponse:
    rated = services.ratings.about(published.badge.id)
    campus, entry = published.campus, services.catalogue.find(published.badge.id)
    view = replace(
        definition_shown(services, published),
        holders=people_words(entry.holders) if entry and entry.holders else "",
        activities=[
            (each.title, each.path, ", ".join(filter(None, (day(each.starts_on), each.place))))
            for each in services.catalogue.next_activities(campus, published.badge.id)
            if each.starts_on
        ],
        competencies=[
            (competency.statement, f"/competences/{competency.id}")
            for _, competency, framework in services.badges.competencies_of(published.version)
            if competency.archived_at is None and framework.campus_id is not None
        ],
        pathways=[(each.title, each.path) for each in services.catalogue.pathways_with([published.badge.id])],
        contact=campus.contact_email,
        ratings=ratings_shown(rated.distribution, rated.sentences),
    )
    return page(
        request,
        "badges/public.html",
        campus=look_of(campus),
        d=view,
        link_preview=preview(
            services,
            f"/badges/{published.badge.id}" + (f"/v{view.number}" if view.is_superseded else ""),
            published.version.name,
            published.version.description,
            entry=entry,
            campus=campus,
            structured=badge_data(
                services,
                campus,
                published.badge.id,
                published.version,
                [statement for statement, _ in view.competencies],
                rated.distribution,
            ),
        ),
    )


def definition_shown(services: Services, published: PublishedBadge) -> DefinitionShown:
    """Parsed from the published definition itself, so that page and document cannot differ."""
    campus, version, base = published.campus, published.version, f"/badges/{published.badge.id}"
    claims = claims_of({"credentialSubject": {"achievement": parse_json_object(version.definition)}})
    # Those of registers have a section of their own.
    own = [each for each in claims.alignments if each.framework not in REGISTERS]
    claims = replace(claims, alignments=own)
    shared_by, shared_url = shared_by_network(
        services.shared_definitions.about_badges([published.badge.id]).get(published.badge.id)
    )
    return DefinitionShown(
        pieces=pieces_of(claims, is_ours=True, zone=campus.time_zone, base_url=services.addresses.base_url),
        picture=f"{base}/v{version.number}/image.svg",
        picture_words=sentence_text(picture_words(campus, version, services.badges.competencies_of(version))),
        issuer=campus_issuer(services, campus),
        number=version.number,
        newest=published.newest.number,
        newest_url=f"{base}/v{published.newest.number}",
        is_archived=published.badge.archived_at is not None,
        validity=validity_words(version.validity_days),
        required_hours=version.required_hours,
        versions=[
            VersionShown(
                each.number,
                day(each.frozen_at, campus.time_zone) if each.frozen_at else "",
                f"{base}/v{each.number}",
                each.number == version.number,
            )
            for each in reversed(published.versions)
        ],
        json_url=services.addresses.version(published.badge.id, version.number),
        ask_url=f"{base}/demande"
        if published.badge.accepts_requests
        and published.badge.archived_at is None
        and published.campus.suspended_at is None
        else "",
        recommendations=recommendations(
            services.endorsements.about_version(version), campus.time_zone, contact=campus.contact_email
        ),
        standings=standings_of(services, version),
        shared_by=shared_by,
        shared_url=shared_url,
    )


def shared_by_network(found: tuple[uuid.UUID, Network] | None) -> tuple[str, str]:
    """The name of the network and the page of the definition, of what adopted one."""
    if found is None:
        return "", ""
    definition_id, network = found
    return network.name, f"/reseau/{network.slug}/definitions/{definition_id}"


def standings_of(services: Services, version: BadgeVersion) -> list[StandingView]:
    alignments = [PublicAlignment.read(each) for each in version.alignments]
    return [standing_view(each) for each in services.frameworks.standings(alignments)]


_PAPER = "#ffffff"
_UNNAMED = N_("Titre du badge")


@dataclass(frozen=True)
class BadgePreview:
    """One check; `state` is ok, bad or past, `href` leads to the other badge."""

    state: str
    sentence: str
    href: str = ""


@dataclass(frozen=True)
class Preview:
    picture: str
    """The drawing as a `data:` URL; never stored."""
    small: str
    """The same at small sizes, a hundred times lighter."""
    picture_words: str
    pieces: BadgePieces
    looks: Sequence[BadgePreview]
    rule: Sequence[tuple[str, str]] = ()
    """The rule as text, in every language: (language, text)."""
    advice: str = ""
    """About a logo that is hardly seen."""


def drawn_inline(svg: str) -> str:
    """As a `data:` URL of a picture that is never stored."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def preview_of(services: Services, campus: Campus, wording: Wording, *, besides: str = "") -> Preview:
    """`besides` is the badge being edited, excluded from similar badges."""
    shown = wording if wording.name.strip() else replace(wording, name=translated(_UNNAMED))
    page, svg = services.badges.sketch(campus, shown)
    return Preview(
        picture=drawn_inline(svg),
        small=drawn_inline(services.badges.small_mark(page)),
        picture_words=sentence_text(picture_words(campus, page.version, page.competencies)),
        pieces=_pieces(services, page),
        looks=[
            *_lacks(page, wording),
            *_contrast_looks(services, campus, page),
            *_near(services, campus, wording, besides),
        ],
        rule=rule_in_words(wording.rule),
        advice=logo_advice(services, page),
    )


def rule_in_words(rule: Rule | None) -> list[tuple[str, str]]:
    """In every language, the reader's first."""
    if rule is None:
        return []
    previews = []
    for language in sorted(known_locales(), key=lambda one: one != current_locale()):
        with speaking(language):
            previews.append((language, _preview_sentence(rule_words(rule))))
    return previews


def _preview_sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."


def _pieces(services: Services, page: BadgePage) -> BadgePieces:
    document = services.badges.definition_of(page.campus, page.badge, page.version, page.competencies)
    claims = claims_of({"credentialSubject": {"achievement": parse_json_object(document)}})
    return pieces_of(claims, is_ours=True, zone=page.campus.time_zone, base_url=services.addresses.base_url)


def _lacks(page: BadgePage, wording: Wording) -> list[BadgePreview]:
    lacks = lacks_in(page)
    found = [BadgePreview("bad", translated(lack.sentence)) for lack in lacks]
    if not wording.name.strip():
        found.insert(0, BadgePreview("bad", translated("Donnez un titre au badge.")))
    return found or [BadgePreview("ok", translated("Tout ce que ce type de badge demande est dit."))]


def _contrast_looks(services: Services, campus: Campus, page: BadgePage) -> list[BadgePreview]:
    version = page.version
    if version.look == PictureLook.OWN and version.art:
        return []
    found = [_logo_look(ratio)] if (ratio := services.badges.logo_contrast(page)) is not None else []
    dark = (
        _colours_of(campus, version).accent
        if _is_light(version.kind)
        else _colours_of(campus, version).accent_deep
    )
    ratio_shown = _ratio(contrast(dark, _PAPER))
    letters = translated("Contraste des lettres : {ratio} pour 1.").format(ratio=ratio_shown)
    return [BadgePreview("ok", letters), *found]


def _colours_of(campus: Campus, version: BadgeVersion) -> CampusColours:
    return CampusColours.of(
        campus.hue if version.hue is None else version.hue,
        campus.liveliness if version.liveliness is None else version.liveliness,
    )


def _is_light(kind: BadgeKind) -> bool:
    return kind in (BadgeKind.BELONGING, BadgeKind.PARTICIPATION)


def _ratio(value: float) -> str:
    return number(round(value, 1))


def _logo_look(ratio: float) -> BadgePreview:
    if ratio >= LEAST_CONTRAST:
        sentence = translated("Contraste du logo : {ratio} pour 1.")
        return BadgePreview("ok", sentence.format(ratio=_ratio(ratio)))
    sentence = translated("Ce logo se verra mal : {ratio} pour 1, il en faut 3.")
    return BadgePreview("past", sentence.format(ratio=_ratio(ratio)))


def logo_advice(services: Services, page: BadgePage) -> str:
    """What to do about a logo that is hardly seen on its field; empty where it is clear."""
    ratio = services.badges.logo_contrast(page)
    if ratio is None or ratio >= LEAST_CONTRAST:
        return ""
    sentence = (
        N_(
            "Sur le blanc de cette forme : {ratio} pour 1, il en faut 3. Prenez sa version foncée, ou gardez le sigle."
        )
        if _is_light(page.version.kind)
        else N_(
            "Sur le fond de cette forme : {ratio} pour 1, il en faut 3. Prenez sa version claire, ou gardez le sigle."
        )
    )
    return translated(sentence).format(ratio=_ratio(ratio))


def _near(services: Services, campus: Campus, wording: Wording, besides: str) -> list[BadgePreview]:
    return [
        BadgePreview(
            "past",
            translated("Un badge proche existe déjà : « {name} ».").format(name=version.name),
            f"/gestion/{campus.slug}/badges/{badge.id}",
        )
        for badge, version in services.badges.list_newest(campus)
        if str(badge.id) != besides and badge.archived_at is None and are_near(version.name, wording.name)
    ][:3]


ALL, SOME = "tous", "certains"
openings_router = APIRouter(prefix="/gestion/{slug}/badges/{badge_id:uuid}/formateurs")
_DESIGN = [staff(Permission.DESIGN)]


@openings_router.get("", dependencies=_DESIGN)
def show_openings(badge_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    return _openings_page(request, services, badge_id)


@openings_router.post("", dependencies=_DESIGN)
def set_openings(
    badge_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices
) -> Response:
    work, chosen = at_work(request), text_of(form, "pour")
    ticked = set(ids_in(texts_of(form, "personne")))
    if chosen not in (ALL, SOME):
        unchosen = translated("Choisissez à qui ce badge est ouvert.")
        return _openings_page(request, services, badge_id, ticked=ticked, unchosen=unchosen)
    try:
        with write_transaction(request) as writing:
            writing.openings.set_for_badge(
                work.campus,
                badge_id,
                everybody=chosen == ALL,
                people=ticked,
                by=work.actor,
                seen=text_of(form, "vu"),
            )
    except ChangedMeanwhile as error:
        return _openings_page(
            request, services, badge_id, chosen=chosen, ticked=ticked, changed=sentence_of(error)
        )
    except InvalidInput as error:
        return _openings_page(
            request, services, badge_id, chosen=SOME, ticked=ticked, trouble=sentence_of(error)
        )
    return RedirectResponse(f"{work.home}/badges/{badge_id}", status_code=303)


def _opened_words(found: BadgeOpenings) -> str:
    if found.badge.for_every_trainer:
        return translated("Tous les formateurs du campus")
    return listing([person.name for person, opened in found.trainers if opened])


def _openings_page(
    request: Request,
    services: Services,
    badge_id: uuid.UUID,
    *,
    chosen: str = "",
    ticked: set[uuid.UUID] | None = None,
    trouble: str = "",
    unchosen: str = "",
    changed: str = "",
) -> HTMLResponse:
    work = at_work(request)
    found = services.openings.of_badge(work.campus, badge_id)
    return work.page(
        request,
        "badges/openings.html",
        status=status_for(trouble, unchosen, changed),
        changed=[changed, currently(_opened_words(found))] if changed else [],
        seen=mark_of(*found.opened),
        href=f"{work.home}/badges/{badge_id}",
        name=found.version.name,
        chosen=chosen or (ALL if found.badge.for_every_trainer else SOME),
        trainers=[
            (str(person.id), person.name, opened if ticked is None else person.id in ticked)
            for person, opened in found.trainers
        ],
        trouble=trouble,
        unchosen=unchosen,
    )
