"""A portfolio for other programs: JSON Resume, and the shape of the European Learning Model."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from app.db.awards.awards import AwardRecord
from app.domain.core.clock import Clock
from app.domain.publishing.addresses import Addresses
from app.services.badges.badges import BadgeService
from app.services.frameworks.overview import Mastered
from app.services.learners.portfolios import PortfolioPage
from sceau_credentials.values.json_text import JsonObject, JsonValue

_RESUME_SCHEMA = "https://raw.githubusercontent.com/jsonresume/resume-schema/v1.0.0/schema.json"
_ELM = "http://data.europa.eu/snb/model/elm"


@dataclass(frozen=True)
class Taken:
    """What leaves with the keeper: the page, and of its badges those that count today."""

    page: PortfolioPage
    records: Sequence[AwardRecord]
    competencies: Sequence[Mastered]
    hours: Mapping[uuid.UUID, float]
    """Of each award, where its holder shows them."""


class PortfolioDocuments:
    def __init__(self, badges: BadgeService, addresses: Addresses, clock: Clock) -> None:
        self.badges = badges
        self.addresses = addresses
        self.clock = clock

    def resume(self, taken: Taken) -> JsonObject:
        """JSON Resume 1.0.0: `certificates` and `skills`, to be pasted into a résumé of one's own."""
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
                    "date": _day(record.award.awarded_at),
                    "issuer": record.campus.name,
                    "url": self.addresses.award(record.award.id),
                }
                for record in taken.records
            ],
            "skills": [self._skill(each) for each in taken.competencies],
            "meta": {"version": "v1.0.0", "lastModified": _moment(self.clock())},
        }

    def europass(self, taken: Taken, note: str) -> JsonObject:
        """The claims of a person as the European Learning Model 3 words them; nobody has sealed them, as `note` says."""
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
            "@context": {"@vocab": f"{_ELM}/", "id": "@id", "type": "@type"},
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
        outcomes: list[JsonValue] = [
            {
                "type": "LearningOutcome",
                "title": {language: [competency.statement]},
                "relatedSkill": f"{framework.name} · {competency.code}",
            }
            for _, competency, framework in self.badges.competencies_of(record.version)
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
        return {
            "id": self.addresses.award(record.award.id),
            "type": "LearningAchievement",
            "title": {language: [record.version.name]},
            "awardedBy": {
                "type": "AwardingProcess",
                "awardingDate": _moment(record.award.awarded_at),
                "awardingBody": [
                    {
                        "id": record.campus.did,
                        "type": "Organisation",
                        "legalName": {"fr": [record.campus.name]},
                        "homepage": self.addresses.campus(record.campus.slug),
                    }
                ],
            },
            "specifiedBy": specification,
            "supplementaryDocument": f"{self.addresses.award(record.award.id)}.json",
        }


def _level(mastered: Mastered) -> str:
    levels, rank = mastered.competency.levels, mastered.level or 0
    return levels[rank - 1] if 0 < rank <= len(levels) else ""


def _day(moment: datetime) -> str:
    return moment.date().isoformat()


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _duration(hours: float) -> str:
    """ISO 8601: PT2H30M."""
    whole, minutes = divmod(round(hours * 60), 60)
    return "PT" + (f"{whole}H" if whole or not minutes else "") + (f"{minutes}M" if minutes else "")
