"""A learner's way to badges that are counted in the log, and why a badge of theirs rests on each of its lines."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.container import Services
from app.domain.activity_log.activity_log import LogPayload
from app.domain.activity_log.facts import ASSESSMENT, PARTICIPATION
from app.domain.awards.evidence import Shown
from app.domain.badges.badges import Badge, BadgeVersion
from app.domain.badges.rule_words import progress_words, rule_words, step_words
from app.domain.badges.rules import Progress, rule_of
from app.http.pages.typography import say
from app.language import N_
from app.services.awards.awards import AwardRecord
from app.services.awards.rule_ledger import Why

_WHY = {
    Why.ACTIVITY: N_("C’est l’activité pour laquelle le badge a été donné."),
    Why.RULE: N_("Comptée par la règle du badge."),
    Why.CHOSEN: N_("Choisie par la personne qui a donné le badge."),
}
_SAID = N_("Ce que la personne qui a donné le badge a dit de ce que vous avez fait.")
_THERE = N_("Vous remplissez la règle : le campus peut vous donner ce badge.")
_YOURS = N_("Votre contribution, confirmée par le campus.")


@dataclass(frozen=True)
class WayAhead:
    """A badge that is counted in the log, and how far the person is."""

    name: str
    rule: str
    steps: Sequence[tuple[str, int]]
    """In words, and in hundredths."""
    told: str


def lines_shown(services: Services, record: AwardRecord) -> list[tuple[int, str, str, str]]:
    """Of each line that a badge rests on: its number, its title, why it is there, and what is shown of it."""
    row = services.evidence.find(record.award.id)
    if row is None:
        return []
    chosen: Mapping[int, Shown] = services.evidence.shown(row)
    payloads = services.evidence.payloads(row)
    why = services.rule_ledger.why(record, [each.noun_id for each in payloads if each.noun == PARTICIPATION])
    return [
        (
            each.number,
            _title(each.facts),
            _why(each, why),
            chosen[each.number].value,
        )
        for each in payloads
    ]


def _why(payload: LogPayload, why: Mapping[uuid.UUID, Why]) -> str:
    if payload.noun_id in why:
        return say(_WHY[why[payload.noun_id]])
    return say(_SAID if payload.noun == ASSESSMENT else _YOURS)


def rule_told(record: AwardRecord) -> str:
    rule = rule_of(record.version.rule)
    return rule_words(rule) if rule else ""


def ways_ahead(services: Services, record: AwardRecord, person_id: uuid.UUID) -> list[WayAhead]:
    return [_ahead(*one) for one in services.rule_ledger.ways_ahead(record.campus, person_id)]


def _ahead(_badge: Badge, version: BadgeVersion, progress: Progress) -> WayAhead:
    return WayAhead(
        version.name,
        rule_words(progress.rule),
        [
            (step_words(step), min(100, step.reached * 100 // step.condition.least))
            for step in progress.nearest
        ],
        say(_THERE) if progress.is_met else progress_words(progress),
    )


def _title(facts: Mapping[str, object]) -> str:
    named = next(filter(None, map(facts.get, ("title", "artefact", "link", "activity", "text"))), "")
    return str(named)[:120]
