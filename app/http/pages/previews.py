"""Link previews of public pages: Open Graph, schema.org, and the address of a picture drawn for each."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from hashlib import sha256
from typing import Any

from app.container import Services
from app.domain.activities import Activity, ActivityKind
from app.domain.badges import BadgeKind, BadgeVersion
from app.domain.campus.campus import Campus, Network
from app.domain.campus.places import DEPARTMENTS, REGIONS
from app.domain.learners.ratings import Distribution
from app.domain.publishing import Addresses
from app.domain.publishing.catalogue import CatalogueEntry, EntryKind
from app.errors import NotFound
from app.http.pages.words import KIND_NAMES, day
from app.language import speaking, translated
from app.services.awards.papers import CardWords

BRAND = "Sceau"
ENTRY, NETWORK, SERVICE = "fiche", "reseau", "service"
_ORGANISED_AS_COURSE = frozenset((ActivityKind.COURSE, ActivityKind.WORKSHOP))
_CONTEXT = "https://schema.org"


@dataclass(frozen=True)
class PreviewCard:
    """What a picture of 1200 × 630 shows; `badge` is the id and version of the badge drawn on it."""

    words: CardWords
    emblem: str = BRAND
    hue: float | None = None
    liveliness: float | None = None
    badge: tuple[uuid.UUID, int] | None = None

    @property
    def digest(self) -> str:
        """Part of the picture's address: another content has another address."""
        shown = [astuple(self.words), self.emblem, self.hue, self.liveliness, str(self.badge)]
        return sha256(json.dumps(shown).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Preview:
    title: str
    description: str
    url: str
    card: str
    alternative: str
    structured: Mapping[str, Any]


def card_of(services: Services, kind: str, key: str) -> PreviewCard:
    """The card at an address; of public pages alone, never of a person."""
    match kind:
        case "fiche":
            entry = services.catalogue.find(_id(key))
            if entry is not None:
                return entry_card(services, entry, services.catalogue.campus_of(entry))
        case "reseau":
            return network_card(services, services.register.network(key))
        case "service":
            return service_card(services.addresses)
    raise NotFound("Cette image n’existe pas.")


def _id(key: str) -> uuid.UUID:
    try:
        return uuid.UUID(key)
    except ValueError as error:
        raise NotFound("Cette image n’existe pas.") from error


def entry_card(services: Services, entry: CatalogueEntry, campus: Campus) -> PreviewCard:
    """In the campus's language: programs that unfold links send none."""
    with speaking(entry.language if entry.kind is EntryKind.BADGE else campus.language):
        when = ""
        match entry.kind:
            case EntryKind.BADGE:
                kind = translated(KIND_NAMES[BadgeKind(entry.badge_kind)])
                kind = translated("Badge : {kind}").format(kind=kind)
                when = translated("Niveau {n}").format(n=entry.level) if entry.level else ""
            case EntryKind.COMPETENCY:
                kind, when = translated("Compétence"), entry.summary
            case EntryKind.PATHWAY:
                kind, when = translated("Parcours"), entry.place
            case EntryKind.ACTIVITY:
                kind = translated("Activité à venir")
                when = ", ".join(filter(None, (day(entry.starts_on) if entry.starts_on else "", entry.place)))
            case EntryKind.CAMPUS:
                kind, when = translated("Campus des métiers et des qualifications"), entry.place
    name = campus.sector if entry.kind is EntryKind.CAMPUS else campus.name
    return PreviewCard(
        CardWords(kind, entry.title, name, when, services.addresses.host),
        campus.short_name,
        campus.hue,
        campus.liveliness,
        (entry.subject_id, entry.version) if entry.kind is EntryKind.BADGE else None,
    )


def network_card(services: Services, network: Network) -> PreviewCard:
    with speaking("fr"):
        kind = translated("Réseau de campus")
    return PreviewCard(CardWords(kind, network.name, "", "", services.addresses.host))


def service_card(addresses: Addresses) -> PreviewCard:
    with speaking("fr"):
        words = CardWords(
            translated("Badges ouverts"),
            translated("Ce que vous savez faire, attesté par votre campus"),
            translated("Campus des métiers et des qualifications"),
            "",
            addresses.host,
        )
    return PreviewCard(words)


def preview(
    services: Services,
    path: str,
    title: str,
    description: str,
    *,
    entry: CatalogueEntry | None = None,
    campus: Campus | None = None,
    network: Network | None = None,
    structured: Mapping[str, Any] | None = None,
) -> Preview:
    """Of the page at `path`; with the card of the entry, of the network, or else of the service."""
    if entry is not None and campus is not None:
        kind, key, card = ENTRY, str(entry.subject_id), entry_card(services, entry, campus)
    elif network is not None:
        kind, key, card = NETWORK, network.slug, network_card(services, network)
    else:
        kind, key, card = SERVICE, "sceau", service_card(services.addresses)
    return _preview(services.addresses, path, title, description, (kind, key, card), structured)


_PLAIN = re.compile(
    r"/(?:verifier|aide(?:/[a-z-]+)*|lire-un-badge|classements|donnees-personnelles|accessibilite|mentions-legales"
    r"|campus/[a-z0-9-]+/(?:atteste|journal)|reseau/[a-z0-9-]+/(?:definitions|rapport))"
)


def has_plain_preview(path: str) -> bool:
    return _PLAIN.fullmatch(path) is not None


def plain_preview(addresses: Addresses, path: str) -> Preview:
    """Of a public page about nothing in particular, which has its own title and description."""
    return _preview(addresses, path, "", "", (SERVICE, "sceau", service_card(addresses)), None)


def _preview(
    addresses: Addresses,
    path: str,
    title: str,
    description: str,
    drawn: tuple[str, str, PreviewCard],
    structured: Mapping[str, Any] | None,
) -> Preview:
    base, (kind, key, card) = addresses.base_url, drawn
    return Preview(
        title,
        description,
        f"{base}{path}",
        f"{base}/cartes/{kind}/{key}/{card.digest}.png",
        ". ".join(filter(None, (card.words.kind, card.words.title, card.words.campus))),
        {"@context": _CONTEXT, **(structured or page_data(addresses, f"{base}{path}", title))},
    )


# --- schema.org


def organisation_data(services: Services, campus: Campus) -> dict[str, Any]:
    return {
        "@type": "EducationalOrganization",
        "name": campus.name,
        "alternateName": campus.short_name,
        "url": services.addresses.campus(campus.slug),
    }


def campus_data(services: Services, campus: Campus, networks: Sequence[Network]) -> dict[str, Any]:
    found: dict[str, Any] = organisation_data(services, campus)
    if campus.description:
        found["description"] = campus.description
    if campus.contact_email:
        found["email"] = campus.contact_email
    address = {"@type": "PostalAddress", "addressCountry": "FR"}
    if campus.site:
        address["addressLocality"] = campus.site
    if department := DEPARTMENTS.get(campus.department):
        address["addressRegion"] = REGIONS[department.region]
    found["address"] = address
    if networks:
        found["memberOf"] = [
            {"@type": "Organization", "name": each.name, "url": services.addresses.network(each.slug)}
            for each in networks
        ]
    return found


def badge_data(
    services: Services,
    campus: Campus,
    badge_id: uuid.UUID,
    version: BadgeVersion,
    competencies: Sequence[str],
    ratings: Distribution,
) -> dict[str, Any]:
    url = services.addresses.badge(badge_id)
    found: dict[str, Any] = {
        "@type": "EducationalOccupationalCredential",
        "name": version.name,
        "description": version.description,
        "url": url,
        "image": services.addresses.picture(badge_id, version.number, "png"),
        "credentialCategory": "Open Badge",
        "inLanguage": version.language,
        "recognizedBy": organisation_data(services, campus),
    }
    if competencies:
        found["competencyRequired"] = list(competencies)
    if version.validity_days:
        found["validFor"] = f"P{version.validity_days}D"
    if ratings.bound:
        found["aggregateRating"] = {
            "@type": "AggregateRating",
            "ratingValue": round(ratings.mean, 1),
            "ratingCount": ratings.votes,
            "bestRating": 5,
            "worstRating": 1,
        }
    return found


def competency_data(
    services: Services, competency_id: uuid.UUID, statement: str, code: str, framework: str
) -> dict[str, Any]:
    return {
        "@type": "DefinedTerm",
        "name": statement,
        "termCode": code,
        "url": f"{services.addresses.base_url}/competences/{competency_id}",
        "inDefinedTermSet": {"@type": "DefinedTermSet", "name": framework},
    }


def activity_data(services: Services, campus: Campus, activity: Activity) -> dict[str, Any]:
    """A course with one instance, or an event."""
    url = f"{services.addresses.base_url}/activites/{activity.id}"
    happens: dict[str, Any] = {
        "startDate": activity.starts_on.isoformat(),
        "endDate": activity.ends_on.isoformat(),
    }
    if activity.place:
        happens["location"] = {"@type": "Place", "name": activity.place, "address": activity.place}
    found: dict[str, Any] = {"name": activity.title, "url": url, "inLanguage": campus.language}
    if activity.description:
        found["description"] = activity.description
    if activity.kind in _ORGANISED_AS_COURSE:
        found |= {
            "@type": "Course",
            "provider": organisation_data(services, campus),
            "hasCourseInstance": {"@type": "CourseInstance", "courseMode": "onsite", **happens},
        }
    else:
        found |= {"@type": "Event", "organizer": organisation_data(services, campus), **happens}
    return found


def network_data(services: Services, network: Network) -> dict[str, Any]:
    found = {
        "@type": "Organization",
        "name": network.name,
        "url": services.addresses.network(network.slug),
    }
    return found | ({"description": network.description} if network.description else {})


def page_data(addresses: Addresses, url: str, title: str) -> dict[str, Any]:
    home = f"{addresses.base_url}/"
    return {
        "@type": "WebPage",
        **({"name": title} if title else {}),
        "url": url,
        "isPartOf": {"@type": "WebSite", "name": BRAND, "url": home},
        "publisher": {"@type": "Organization", "name": BRAND, "url": home},
    }


def pathway_data(services: Services, campus: Campus, url: str, title: str, summary: str) -> dict[str, Any]:
    return {
        "@type": "Course",
        "name": title,
        "description": summary or title,
        "url": url,
        "inLanguage": campus.language,
        "provider": organisation_data(services, campus),
    }


def service_data(services: Services) -> dict[str, Any]:
    base = services.addresses.base_url
    return {
        "@type": "WebSite",
        "name": BRAND,
        "url": f"{base}/",
        "potentialAction": {
            "@type": "SearchAction",
            "target": f"{base}/badges?q={{search_term_string}}",
            "query-input": "required name=search_term_string",
        },
    }
