"""Queries on the demo's content that several tests share."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from app.container import Services
from app.db.awards import AwardRecord
from app.domain.awards import AwardState, is_suspended
from app.domain.badges import BadgeVersion
from demo.content import Badge, DemoContent, SingleAward

TODAY = date(2026, 11, 25)


def given_awards(content: DemoContent) -> Iterator[SingleAward]:
    """Every award of the demo, with group awards expanded."""
    for group in content.groups:
        members = group.members(content.learners)
        for award in group.awards:
            for position, learner in enumerate(members[: award.count]):
                yield SingleAward(
                    person=learner.slug,
                    badge=award.badge,
                    version=award.version,
                    activity=group.activity,
                    part=group.part,
                    hours=group.hours,
                    contribution=group.contribution(position),
                    awarded_on=award.awarded_on,
                    open=position < award.open,
                )
    yield from content.awards


def participants(content: DemoContent) -> dict[str, list[str]]:
    """The participants of each activity, including those recorded by a single award."""
    taking_part: dict[str, list[str]] = {}
    for group in content.groups:
        slugs = [learner.slug for learner in group.members(content.learners)]
        taking_part.setdefault(group.activity, []).extend(slugs)
    for award in content.awards:
        taking_part.setdefault(award.activity, []).append(award.person)
    return taking_part


def version_of(badge: Badge) -> BadgeVersion:
    return BadgeVersion(
        number=badge.version,
        kind=badge.kind,
        name=badge.name,
        description=badge.description,
        criteria=badge.criteria,
        validity_days=badge.validity_days,
        required_hours=badge.required_hours,
    )


def state_of(services: Services, record: AwardRecord) -> str:
    """Valid, expired, suspended, revoked or superseded, computed from the rows."""
    award, at = record.award, services.clock()
    if award.state is AwardState.REVOKED:
        return "revoked"
    if is_suspended(award, at=at):
        return "suspended"
    if award.valid_until is not None and at >= award.valid_until:
        return "expired"
    is_older = services.publication.newest_number(record) > record.version.number
    return "superseded" if is_older else "valid"
