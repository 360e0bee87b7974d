"""Load the demo through the services: every action of the written content, on its own date."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from app.container import Process, utc_now
from app.domain.activities import ActivityKind, PartKind
from app.domain.activities.listed_people import ListedPerson
from app.domain.campus.audit_log import Actor
from app.domain.frameworks.pathways import ConditionKind, PathwayContent, StageCondition
from app.domain.frameworks.releases import Source
from app.services.frameworks.pathways import StageDraft
from app.services.frameworks.readers import open_tables, read_esco, read_rncp, read_rome
from app.settings import Settings
from demo.content import DemoContent, Group, Learner, read_content
from demo.seeder import BY_COMMAND, Giving, Stage

# --- Two pathways of the demo, one over two campuses, with people at different stages


@dataclass(frozen=True)
class WrittenStage:
    title: str
    badges: Sequence[str] = ()
    least: int = 1
    hours: int = 0
    decision: str = ""
    after: Sequence[str] = ()
    choice: str = ""
    is_optional: bool = False
    summary: str = ""


@dataclass(frozen=True)
class WrittenPathway:
    campus: str
    title: str
    summary: str
    badge: str
    stages: Sequence[WrittenStage]
    followed_by: Sequence[tuple[str, int]]
    """The first so many holders of a badge."""
    decided: Sequence[tuple[str, int, str]]
    """A stage, how many of the people it is recognised for, and what was seen."""


ACCESS_CONTROL = WrittenPathway(
    "ti",
    "Contrôle d’accès, de l’étude à la maintenance",
    "Pour qui installe, entretient ou conçoit des accès. Comptez un an, à côté d’un emploi ou d’une formation.",
    "ti/controle-acces-complet",
    (
        WrittenStage("Sensibiliser et préconiser", ("ti/controle-acces-sensibiliser",)),
        WrittenStage("Installer et mettre en service", ("ti/controle-acces-installer",), after=("e1",)),
        WrittenStage(
            "Mesurer et maintenir", ("ti/controle-acces-mesurer-maintenir",), hours=28, after=("e2",)
        ),
        WrittenStage(
            "Concevoir, réaliser, développer", ("ti/controle-acces-concevoir",), after=("e3",), choice="A"
        ),
        WrittenStage(
            "Tenir deux interventions",
            decision="Deux interventions observées, dont une chez un client.",
            after=("e3",),
            choice="A",
        ),
        WrittenStage(
            "Collaborer entre corps de métiers",
            decision="Un chantier mené avec un autre corps de métier.",
            after=("e1",),
            summary="À tout moment après la première étape, en entreprise ou sur le chantier école.",
        ),
    ),
    (("ti/controle-acces-sensibiliser", 10), ("ti/controle-acces-concevoir", 8)),
    (
        ("e6", 3, "Chantier école de Chenôve, avec les électriciens."),
        ("e5", 1, "Deux dépannages suivis en mars."),
    ),
)
LOW_CARBON = WrittenPathway(
    "itip",
    "Fabriquer autrement, du bois au métal",
    "Un parcours de deux campus : un ouvrage en bois ou une pièce imprimée, des heures de projet, et une équipe.",
    "itip/auteur-projet",
    (
        WrittenStage(
            "Fabriquer une première pièce",
            ("itip/coloration-fabrication-additive", "fb/ouvrage-bois"),
            summary="Une pièce imprimée à ITIP ou un ouvrage au campus Forêt Bois : l’un des deux suffit.",
        ),
        WrittenStage(
            "Transmettre à d’autres",
            ("itip/apprenant-ressource-vrai", "fb/apprenant-ressource-fb", "itip/robotique-pour-tous"),
        ),
        WrittenStage("Tenir un projet dans la durée", hours=20, after=("e1",)),
        WrittenStage(
            "Présenter son travail devant un public",
            decision="Une présentation de dix minutes, suivie de questions.",
            after=("e3",),
            is_optional=True,
        ),
    ),
    (
        ("itip/coloration-fabrication-additive", 8),
        ("fb/ouvrage-bois", 5),
        ("itip/apprenant-ressource-vrai", 9),
    ),
    (("e4", 2, "Présentation au forum des lycées."),),
)


def draw_pathways(stage: Stage) -> None:
    """Published, followed by people with a badge, and with some stages recognised by trainers."""
    for written in (ACCESS_CONTROL, LOW_CARBON):
        pathway_id = _draw(stage, written)
        joined = _join(stage, written, pathway_id)
        campus, followers = stage.campuses[written.campus], stage.services.pathway_followers
        for key, count, note in written.decided:
            for enrolment_id in joined[:count]:
                followers.decide(
                    campus, pathway_id, enrolment_id, key, note, by=stage.trainers[written.campus]
                )


def _draw(stage: Stage, written: WrittenPathway) -> uuid.UUID:
    campus, services = stage.campuses[written.campus], stage.services
    content = PathwayContent(written.title, written.summary)
    pathway = services.pathways.create(campus, content, by=BY_COMMAND)
    for each in written.stages:
        services.pathways.save_stage(campus, pathway.id, "", _draft(stage, each), by=BY_COMMAND)
    services.pathways.describe(
        campus,
        pathway.id,
        title=written.title,
        summary=written.summary,
        badge_id=stage.badges[written.badge].id,
        by=BY_COMMAND,
    )
    services.pathways.publish(campus, pathway.id, by=BY_COMMAND)
    return pathway.id


def _join(stage: Stage, written: WrittenPathway, pathway_id: uuid.UUID) -> list[uuid.UUID]:
    joined = list[uuid.UUID]()
    for reference, count in written.followed_by:
        for person_id in _holders(stage, reference, count):
            person = stage.services.stores.people.get(person_id)
            enrolment = stage.services.pathway_followers.join(pathway_id, person, by=Actor(person_id))
            joined.append(enrolment.id)
    return list(dict.fromkeys(joined))


def _draft(stage: Stage, written: WrittenStage) -> StageDraft:
    others = []
    if written.hours:
        kinds = () if written.badges else (ActivityKind.PROJECT, ActivityKind.WORKSHOP)
        others.append(StageCondition(ConditionKind.HOURS, written.hours, kinds=kinds))
    if written.decision:
        others.append(StageCondition(ConditionKind.DECISION, text=written.decision))
    return StageDraft(
        written.title,
        written.summary,
        tuple(written.after),
        written.choice,
        written.is_optional,
        tuple(stage.badges[each].id for each in written.badges),
        written.least,
        others=tuple(others),
    )


def _holders(stage: Stage, reference: str, count: int) -> list[uuid.UUID]:
    awards = [one for giving, given in stage.awards.items() if giving.badge == reference for one in given]
    return [stage.services.awards.record(each).person.id for each in awards[:count]]


# --- loader

ZONE = ZoneInfo("Europe/Paris")
OPENING = date(2021, 9, 1)
"""When the campuses were created with their keys: before the oldest award."""
_PREPARATION = timedelta(days=21)
SURVEYED = "itip/explor-ici-automne-2026"
_NOT_GIVEN_YET = date(2026, 9, 1)
"""Creation time of badges that have no holder."""

Progress = Callable[[Sequence["DemoEvent"]], Iterable["DemoEvent"]]


@dataclass(frozen=True)
class DemoEvent:
    at: datetime
    do: Callable[[], None]


class StoryClock:
    """Returns the datetime of the current action."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def load_demo(settings: Settings, *, now: datetime | None = None, progress: Progress = iter) -> bool:
    """Fills an empty, migrated database, atomically; False where there are campuses already."""
    end = now or utc_now()
    clock = StoryClock(end)
    process = Process(settings, clock=clock)
    try:
        with process.unit_of_work() as services:
            if services.campuses.list_all():
                return False
            content = read_content()
            ages = {(each.given, each.family): each.age_group for each in content.learners.values()}
            asked_for = frozenset(request.badge for request in content.requests)
            stage = Stage(services, asked_for, age_groups=ages)
            for source in read_registers():
                services.framework_imports.write(source, by=BY_COMMAND)
            for event in progress(story(content, stage, now=end)):
                clock.now = event.at
                event.do()
        return True
    finally:
        process.engine.dispose()


def story(content: DemoContent, stage: Stage, *, now: datetime) -> list[DemoEvent]:
    """Every action, the oldest first; none is dated after `now`."""
    givings = [*_group_givings(content), *_single_givings(content)]
    events = [
        *_foundations(content, stage),
        *_badges(content, stage, givings),
        *_activities(content, stage, today=now.astimezone(ZONE).date()),
        *_recordings(content, stage, today=now.astimezone(ZONE).date()),
        *_awards(stage, givings),
        *_requests(content, stage, now=now),
        *_portfolios(content, stage, now=now),
        *_contributions(content, stage, now=now),
        *_endorsements(content, stage, now=now),
        DemoEvent(now, stage.hang_pictures),
        DemoEvent(now, partial(stage.rate, now)),
        DemoEvent(now, partial(stage.write_modules, content)),
        DemoEvent(now, partial(stage.share_definitions, content)),
        DemoEvent(now - timedelta(days=3), partial(stage.ask_opinions, SURVEYED)),
        DemoEvent(now, stage.renew_lists),
        DemoEvent(now, partial(draw_pathways, stage)),
        DemoEvent(now, partial(stage.fill_catalogue, now)),
    ]
    # The sort is stable: actions with one datetime run in the order above.
    return sorted((DemoEvent(min(event.at, now), event.do) for event in events), key=lambda event: event.at)


def _foundations(content: DemoContent, stage: Stage) -> Iterator[DemoEvent]:
    opening = _at(OPENING, 8)
    for campus in content.campuses.values():
        yield DemoEvent(opening, partial(stage.found, campus))
    yield DemoEvent(opening, partial(stage.join_networks, content))
    yield DemoEvent(opening, partial(stage.set_objectives, content.objectives))
    yield DemoEvent(opening, stage.share_year)
    for position, member in enumerate(content.staff, start=1):
        # Minutes apart, so that a campus's first trainer in the file is the first one created.
        yield DemoEvent(opening + timedelta(minutes=position), partial(stage.hire, member))


def _badges(content: DemoContent, stage: Stage, givings: Sequence[Giving]) -> Iterator[DemoEvent]:
    for reference, campus, badge in content.badges():
        # The start of the month of the first award: the year is shown on the picture.
        first = min((giving.on for giving in givings if giving.badge == reference), default=_NOT_GIVEN_YET)
        days = [first.replace(day=1), *(earlier.superseded_on for earlier in badge.earlier)]
        for number, day in enumerate(days, start=1):
            yield DemoEvent(_at(day, 9), partial(stage.write_badge, campus.slug, badge, number))


def _activities(content: DemoContent, stage: Stage, *, today: date) -> Iterator[DemoEvent]:
    for reference, _, activity in content.activities():
        announced = _at(activity.starts_on(today) - _PREPARATION, 10)
        yield DemoEvent(announced, partial(stage.announce, reference, activity, today))
        if activity.facts:
            completed = _at(activity.ends_on(today) + timedelta(days=1), 9)
            yield DemoEvent(completed, partial(stage.complete, reference, activity))


def _recordings(content: DemoContent, stage: Stage, *, today: date) -> Iterator[DemoEvent]:
    activities = {reference: activity for reference, _, activity in content.activities()}
    for group in content.groups:
        first_day = activities[group.activity].starts_on(today)
        lines = _lines_of(group, group.members(content.learners))
        yield DemoEvent(_at(first_day, 11), partial(stage.record, group.activity, lines))


def _awards(stage: Stage, givings: Iterable[Giving]) -> Iterator[DemoEvent]:
    for giving in givings:
        yield DemoEvent(_at(giving.on, 16), partial(stage.give, giving))
        if giving.open:
            yield DemoEvent(_at(giving.on + timedelta(days=1), 18), partial(stage.open_to_the_world, giving))
        if giving.revoked_on:
            yield DemoEvent(_at(giving.revoked_on, 11), partial(stage.revoke, giving))


def _requests(content: DemoContent, stage: Stage, *, now: datetime) -> Iterator[DemoEvent]:
    for request in content.requests:
        yield DemoEvent(
            now - timedelta(days=request.days_ago),
            partial(stage.ask, request, content.learners[request.person]),
        )


def _portfolios(content: DemoContent, stage: Stage, *, now: datetime) -> Iterator[DemoEvent]:
    for portfolio in content.portfolios:
        yield DemoEvent(now, partial(stage.show_together, portfolio, content.learners[portfolio.person]))


def _contributions(content: DemoContent, stage: Stage, *, now: datetime) -> Iterator[DemoEvent]:
    for one in content.contributions:
        yield DemoEvent(now - timedelta(days=one.days_ago), partial(stage.contribute, one))


def _endorsements(content: DemoContent, stage: Stage, *, now: datetime) -> Iterator[DemoEvent]:
    for one in content.endorsements:
        yield DemoEvent(now - timedelta(days=one.days_ago), partial(stage.endorse, one))


def _group_givings(content: DemoContent) -> Iterator[Giving]:
    for group in content.groups:
        lines = _lines_of(group, group.members(content.learners))
        for award in group.awards:
            yield Giving(
                award.badge,
                group.activity,
                lines[: award.count],
                award.awarded_on,
                version=award.version,
                open=award.open,
            )


def _single_givings(content: DemoContent) -> Iterator[Giving]:
    for award in content.awards:
        learner = content.learners[award.person]
        line = _line(1, learner, award.part, award.hours, award.contribution)
        yield Giving(
            award.badge,
            award.activity,
            (line,),
            award.awarded_on,
            version=award.version,
            open=int(award.open),
            revoked_on=award.revoked_on,
            reason=award.revocation_reason or "",
        )


def _lines_of(group: Group, members: Sequence[Learner]) -> tuple[ListedPerson, ...]:
    return tuple(
        _line(position + 1, learner, group.part, group.hours, group.contribution(position))
        for position, learner in enumerate(members)
    )


def _line(
    number: int, learner: Learner, part: PartKind, hours: float, contribution: str | None
) -> ListedPerson:
    return ListedPerson(
        number,
        given_name=learner.given,
        family_name=learner.family,
        address=learner.addresses[0] if learner.addresses else "",
        hours=hours,
        part=part,
        contribution=contribution or "",
    )


def _at(day: date, hour: int) -> datetime:
    """That hour in the campuses' time zone."""
    return datetime.combine(day, time(hour), ZONE).astimezone(UTC)


FRAMEWORKS = Path(__file__).with_name("frameworks")


def read_registers() -> list[Source]:
    """Partial: importing a whole register later adds the rest."""
    with open_tables([FRAMEWORKS]) as tables:
        found = [
            *read_rome(tables, day=date(2025, 11, 24)),
            *read_esco(tables, "1.2.1", date(2026, 8, 1)),
            *read_rncp(tables, day=date(2026, 11, 1)),
        ]
    for source in found:
        source.is_partial = True
    return found
