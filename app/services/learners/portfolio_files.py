"""A portfolio as files for other software: JSON Resume, and the European Learning Model."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from app.db.awards import AwardRecord, AwardStore
from app.domain.core import Clock
from app.domain.frameworks import Competency
from app.domain.frameworks.case import CASE_PATH
from app.domain.publishing import Addresses
from app.services.badges import BadgeService
from app.services.frameworks import Mastered
from app.services.learners.portfolios import PortfolioPage
from sceau_credentials.values import JsonObject, JsonValue

_RESUME_SCHEMA = "https://raw.githubusercontent.com/jsonresume/resume-schema/v1.0.0/schema.json"
_IN_LANGUAGES: Final = (
    "dc:title",
    "dc:description",
    "foaf:fullName",
    "rov:legalName",
    "skos:prefLabel",
    "noteLiteral",
)
_ELM_TERMS: Final[JsonObject] = {
    "@vocab": "http://data.europa.eu/snb/model/elm/",
    "cred": "https://www.w3.org/2018/credentials#",
    "dc": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "rov": "http://www.w3.org/ns/regorg#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "id": "@id",
    "type": "@type",
    **{each.rpartition(":")[2]: {"@id": each, "@container": "@language"} for each in _IN_LANGUAGES},
    "Concept": "skos:Concept",
    "ConceptScheme": "skos:ConceptScheme",
    "Location": "dc:Location",
    "awardingDate": {"@id": "awardingDate", "@type": "xsd:dateTime"},
    "contentUrl": {"@id": "contentUrl", "@type": "xsd:anyURI"},
    "credentialSubject": "cred:credentialSubject",
    "homepage": "foaf:homepage",
    "inScheme": "skos:inScheme",
    "issued": {"@id": "dc:issued", "@type": "xsd:dateTime"},
    "notation": "skos:notation",
    "note": "skos:note",
    "volumeOfLearning": {"@id": "volumeOfLearning", "@type": "xsd:duration"},
}
"""As in the application profile of European Digital Credentials: what is not named here is of ELM itself."""
_FRANCE: Final[JsonObject] = {
    "type": "Location",
    "address": {
        "type": "Address",
        "countryCode": {
            "id": "http://publications.europa.eu/resource/authority/country/FRA",
            "type": "Concept",
            "prefLabel": {"fr": ["France"]},
            "notation": "country",
            "inScheme": {
                "id": "http://publications.europa.eu/resource/authority/country",
                "type": "ConceptScheme",
            },
        },
    },
}


@dataclass(frozen=True)
class PortfolioCopy:
    """Export for the owner: the page, and its currently valid badges."""

    page: PortfolioPage
    records: Sequence[AwardRecord]
    competencies: Sequence[Mastered]
    hours: Mapping[uuid.UUID, float]
    """Per award, if its holder discloses them."""


@dataclass(frozen=True, eq=False)
class PortfolioDocuments:
    awards: AwardStore
    badges: BadgeService
    addresses: Addresses
    clock: Clock

    def resume(self, taken: PortfolioCopy) -> JsonObject:
        """JSON Resume 1.0.0: `certificates` and `skills`, to paste into one's own résumé."""
        basics: JsonObject = {"url": self.addresses.portfolio(taken.page.portfolio.id)}
        if taken.page.name:
            basics["name"] = taken.page.name
        if taken.page.portfolio.line:
            basics["summary"] = taken.page.portfolio.line
        return {
            "$schema": _RESUME_SCHEMA,
            "basics": basics,
            "certificates": [
                {
                    "name": record.version.name,
                    "date": record.campus.day_of(record.award.awarded_at).isoformat(),
                    "issuer": self.awards.document_of(record.award.id).issuer_name,
                    "url": self.addresses.award(record.award.id),
                }
                for record in taken.records
            ],
            "skills": [self._skill(each) for each in taken.competencies],
            "meta": {"version": "v1.0.0", "lastModified": _moment(self.clock())},
        }

    def europass(self, taken: PortfolioCopy, note: str) -> JsonObject:
        """A person's claims in the European Learning Model 3; unsealed, as `note` states."""
        person: JsonObject = {
            "id": self.addresses.portfolio(taken.page.portfolio.id),
            "type": "Person",
            "hasClaim": [
                self._achievement(record, taken.hours.get(record.award.id)) for record in taken.records
            ],
        }
        if taken.page.name:
            person["fullName"] = {"fr": [taken.page.name]}
        return {
            "@context": _ELM_TERMS,
            "note": note,
            "issued": _moment(self.clock()),
            "credentialSubject": person,
        }

    def _skill(self, mastered: Mastered) -> JsonObject:
        keywords: list[JsonValue] = [mastered.framework.name]
        keywords += [record.version.name for record in mastered.records]
        skill: JsonObject = {"name": mastered.competency.statement, "keywords": keywords}
        if level := _level(mastered):
            skill["level"] = level
        return skill

    def _achievement(self, record: AwardRecord, hours: float | None) -> JsonObject:
        language = record.version.language
        attested = self.badges.competencies_of(record.version)
        outcomes: list[JsonValue] = [
            {
                "type": "LearningOutcome",
                "title": {language: [competency.statement]},
                "relatedSkill": {
                    "id": self.addresses.competency(competency.id),
                    "type": "Concept",
                    "prefLabel": {language: [competency.statement]},
                    "notation": competency.code,
                    "inScheme": {
                        "id": f"{self.addresses.base_url}{CASE_PATH}/CFDocuments/{framework.id}",
                        "type": "ConceptScheme",
                        "prefLabel": {language: [framework.name]},
                    },
                },
            }
            for _, competency, framework in attested
        ]
        specification: JsonObject = {
            "id": self.addresses.version(record.badge.id, record.version.number),
            "type": "LearningAchievementSpecification",
            "title": {language: [record.version.name]},
            "description": {language: [record.version.description]},
            "learningOutcome": outcomes,
        }
        if hours is not None:
            specification["volumeOfLearning"] = _duration(hours)
        award = self.addresses.award(record.award.id)
        process = f"{award}#remise"
        return {
            "id": award,
            "type": "LearningAchievement",
            "title": {language: [record.version.name]},
            "awardedBy": {
                "id": process,
                "type": "AwardingProcess",
                "awardingDate": _moment(record.award.awarded_at),
                "awardingBody": [
                    {
                        "id": record.campus.did,
                        "type": "Organisation",
                        "legalName": {"fr": [self.awards.document_of(record.award.id).issuer_name]},
                        "homepage": _web_resource(self.addresses.campus(record.campus.slug)),
                        "location": _FRANCE,
                    }
                ],
            },
            "specifiedBy": specification,
            "provenBy": [
                {
                    "type": "LearningAssessment",
                    "title": {language: [competency.statement]},
                    "grade": {"type": "Note", "noteLiteral": {language: [_rank(competency, link.level)]}},
                    "awardedBy": {"id": process},
                }
                for link, competency, _framework in attested
                if link.level
            ],
            "supplementaryDocument": _web_resource(f"{award}.json"),
        }


def _web_resource(address: str) -> JsonObject:
    return {"type": "WebResource", "contentUrl": address}


def _level(mastered: Mastered) -> str:
    levels, rank = mastered.competency.levels, mastered.level or 0
    return levels[rank - 1] if 0 < rank <= len(levels) else ""


def _rank(competency: Competency, level: int) -> str:
    """« Autonome (2/3) »."""
    return f"{competency.levels[level - 1]} ({level}/{len(competency.levels)})"


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _duration(hours: float) -> str:
    """ISO 8601: PT2H30M."""
    whole, minutes = divmod(round(hours * 60), 60)
    return "PT" + (f"{whole}H" if whole or not minutes else "") + (f"{minutes}M" if minutes else "")
