"""A badge's rule: which amounts of log entries a person needs."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import Any, Final

from app.domain.activities import ActivityKind, PartKind
from app.domain.campus.signed_terms import duration
from app.errors import InvalidInput
from app.language import gettext as _
from app.language import ngettext, plain_day

MOST_CONDITIONS: Final = 6
MOST_ACTIVITIES: Final = 500
MOST_MINUTES: Final = 10_000 * 60
MOST_MONTHS: Final = 120
_NAME: Final = 300


class Measure(StrEnum):
    ACTIVITIES = "activities"
    HOURS = "hours"
    CONTRIBUTIONS = "contributions"
    """What a person reports having done, confirmed by a trainer."""


@dataclass(frozen=True)
class Practised:
    """A competency named by the rule: its text is frozen with the rule."""

    id: uuid.UUID
    name: str


@dataclass(frozen=True)
class CountedLine:
    """The current state of one person's part in one activity, or of one confirmed contribution.

    `number` is None if the open log lacks it, `kind` if a contribution belongs to no activity. Hours are
    those of activities: a contribution to one is part of them.
    """

    participation_id: uuid.UUID
    number: int | None
    kind: ActivityKind | None
    part: PartKind
    starts_on: date
    ends_on: date
    minutes: int
    title: str = ""
    practised: frozenset[uuid.UUID] = frozenset()
    is_contribution: bool = False


@dataclass(frozen=True)
class Condition:
    """A minimum of activities, minutes or contributions, of these kinds, part and competency.

    An empty kind, part or competency matches all.
    """

    measure: Measure
    least: int
    kinds: tuple[ActivityKind, ...] = ()
    part: PartKind | None = None
    practised: Practised | None = None

    def counts(self, line: CountedLine) -> bool:
        return (
            line.is_contribution is (self.measure is Measure.CONTRIBUTIONS)
            and (not self.kinds or line.kind in self.kinds)
            and (self.part is None or line.part is self.part)
            and (self.practised is None or self.practised.id in line.practised)
            and (self.measure is not Measure.HOURS or line.minutes > 0)
        )

    def reached(self, lines: Iterable[CountedLine]) -> int:
        counted = [line for line in lines if self.counts(line)]
        return sum(line.minutes for line in counted) if self.measure is Measure.HOURS else len(counted)


@dataclass(frozen=True)
class Period:
    """From a day, up to a day, or over the last months; an activity counts if it lies entirely within."""

    first: date | None = None
    last: date | None = None
    months: int | None = None

    def begins(self, today: date) -> date | None:
        return months_before(today, self.months) if self.months else self.first

    def holds(self, line: CountedLine, today: date) -> bool:
        begins = self.begins(today)
        return (begins is None or line.starts_on >= begins) and (
            self.last is None or line.ends_on <= self.last
        )


@dataclass(frozen=True)
class Step:
    """How far one condition is met."""

    condition: Condition
    reached: int

    @property
    def missing(self) -> int:
        return max(0, self.condition.least - self.reached)


@dataclass(frozen=True)
class Progress:
    """A person's progress: every way to the badge, and the log entries that count on the nearest one."""

    rule: Rule
    ways: tuple[tuple[Step, ...], ...]
    lines: tuple[CountedLine, ...]

    @property
    def is_met(self) -> bool:
        return any(_is_done(way) for way in self.ways)

    @property
    def nearest(self) -> tuple[Step, ...]:
        """The way on which the least is missing."""
        return self.ways[_nearest(self.ways)]

    @property
    def share(self) -> float:
        """From 0 to 1 along the nearest way."""
        return _share(self.nearest)


@dataclass(frozen=True)
class Rule:
    """Any one of these ways suffices, with all of its conditions."""

    ways: tuple[tuple[Condition, ...], ...]
    period: Period = field(default_factory=Period)

    def progress(self, lines: Iterable[CountedLine], *, today: date) -> Progress:
        within = [line for line in lines if self.period.holds(line, today)]
        ways = tuple(
            tuple(Step(condition, condition.reached(within)) for condition in way) for way in self.ways
        )
        on_the_way = self.ways[_nearest(ways)]
        counted = [line for line in within if any(condition.counts(line) for condition in on_the_way)]
        return Progress(self, ways, tuple(sorted(counted, key=_order)))

    def estimated(self, amounts: Sequence[int]) -> Progress:
        """Progress from amounts alone, one per condition, without log entries."""
        left = iter(amounts)
        ways = tuple(tuple(Step(condition, next(left)) for condition in way) for way in self.ways)
        return Progress(self, ways, ())

    def counts(self, line: CountedLine, *, today: date) -> bool:
        """Whether any condition counts that entry."""
        return self.period.holds(line, today) and any(each.counts(line) for each in self.conditions)

    @property
    def conditions(self) -> list[Condition]:
        return [condition for way in self.ways for condition in way]

    def to_document(self) -> dict[str, Any]:
        """Plain values, as stored in the version and read by programs."""
        period = {
            "from": self.period.first.isoformat() if self.period.first else None,
            "to": self.period.last.isoformat() if self.period.last else None,
            "months": self.period.months,
        }
        return {
            "any": [{"all": [_condition_document(each) for each in way]} for way in self.ways],
            "period": {name: value for name, value in period.items() if value is not None},
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Rule:
        """Inverse of `to_document`; raises InvalidInput for anything else."""
        try:
            period = document.get("period") or {}
            rule = cls(
                tuple(tuple(map(_condition, way["all"])) for way in document["any"]),
                Period(_day(period.get("from")), _day(period.get("to")), period.get("months")),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InvalidInput("Cette règle n’est pas lisible.") from error
        check_rule(rule)
        return rule


def rule_of(document: Mapping[str, Any] | None) -> Rule | None:
    """The stored rule of a version; most have none."""
    return Rule.from_document(document) if document else None


def check_rule(rule: Rule) -> None:
    if not rule.ways or not all(rule.ways):
        raise InvalidInput("Une règle a au moins une condition.")
    if len(rule.conditions) > MOST_CONDITIONS:
        raise InvalidInput("Une règle a six conditions au plus.")
    for each in rule.conditions:
        most = MOST_MINUTES if each.measure is Measure.HOURS else MOST_ACTIVITIES
        if not isinstance(each.least, int) or isinstance(each.least, bool) or not 1 <= each.least <= most:
            raise InvalidInput(
                "Une condition demande de 1 à 500 activités ou contributions, ou de 1 minute à 10 000 heures."
            )
        if each.measure is Measure.CONTRIBUTIONS and each.practised is not None:
            raise InvalidInput(
                "Une contribution ne dit pas de compétence pratiquée : comptez des activités ou des heures."
            )
        if each.practised is not None and not 0 < len(each.practised.name) <= _NAME:
            raise InvalidInput("Cette règle n’est pas lisible.")
    check_period(rule.period)


def check_period(period: Period) -> None:
    months = period.months
    if months is not None and (
        not isinstance(months, int) or isinstance(months, bool) or not 1 <= months <= MOST_MONTHS
    ):
        raise InvalidInput("La période compte de 1 à 120 mois.")
    if months is not None and (period.first or period.last):
        raise InvalidInput("Choisissez des dates ou un nombre de mois, pas les deux.")
    if period.first and period.last and period.last < period.first:
        raise InvalidInput("La période finirait avant d’avoir commencé.")


def counted_line(
    participation_id: uuid.UUID, number: int | None, facts: Mapping[str, Any]
) -> CountedLine | None:
    """A log entry as rules count it; None for an absent person or an entry that is not a participation."""
    try:
        if facts.get("present") is not True:
            return None
        return CountedLine(
            participation_id,
            number,
            ActivityKind(facts["activityKind"]),
            PartKind(facts["part"]),
            date.fromisoformat(facts["startsOn"]),
            date.fromisoformat(facts["endsOn"]),
            facts["minutes"] or 0,
            facts["activity"],
            frozenset(map(uuid.UUID, facts.get("practised", ()))),
        )
    except (KeyError, ValueError):
        return None


def contributed_line(
    contribution_id: uuid.UUID, number: int | None, facts: Mapping[str, Any]
) -> CountedLine | None:
    """A confirmed contribution as rules count it."""
    try:
        if facts.get("confirmed") is not True:
            return None
        return CountedLine(
            contribution_id,
            number,
            ActivityKind(facts["activityKind"]) if "activityKind" in facts else None,
            PartKind(facts["part"]),
            date.fromisoformat(facts["startsOn"]),
            date.fromisoformat(facts["endsOn"]),
            facts["minutes"] or 0,
            facts["title"],
            is_contribution=True,
        )
    except (KeyError, ValueError):
        return None


def missing_of(steps: Sequence[Step]) -> list[dict[str, Any]]:
    """What these steps still require, as plain values; `asked_of` reads them."""
    return [
        _condition_document(replace(step.condition, least=step.missing)) for step in steps if step.missing
    ]


def asked_of(documents: Iterable[Mapping[str, Any]]) -> list[Condition]:
    return list(map(_condition, documents))


def minutes_in(lines: Sequence[CountedLine]) -> int:
    """The hours of activities: those of a contribution to one are part of them."""
    return sum(line.minutes for line in lines if not line.is_contribution)


def months_before(day: date, months: int) -> date:
    """The same day of the month that many months earlier, or the last day of that month."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, min(day.day, last))
        except ValueError:
            continue
    raise ValueError("every month has 28 days")


def _order(line: CountedLine) -> tuple[date, str]:
    return line.starts_on, line.participation_id.hex


def _is_done(way: Sequence[Step]) -> bool:
    return all(not step.missing for step in way)


def _share(way: Sequence[Step]) -> float:
    return sum(min(1.0, step.reached / step.condition.least) for step in way) / len(way)


def _nearest(ways: Sequence[Sequence[Step]]) -> int:
    """On a tie, the first."""
    return max(range(len(ways)), key=lambda at: (_is_done(ways[at]), _share(ways[at]), -at))


def _condition_document(condition: Condition) -> dict[str, Any]:
    said: dict[str, Any] = {"measure": condition.measure.value, "least": condition.least}
    if condition.kinds:
        said["kinds"] = [kind.value for kind in ActivityKind if kind in condition.kinds]
    if condition.part:
        said["part"] = condition.part.value
    if condition.practised:
        said["competency"] = {"id": str(condition.practised.id), "name": condition.practised.name}
    return said


def _condition(said: Mapping[str, Any]) -> Condition:
    kinds, competency = {ActivityKind(kind) for kind in said.get("kinds", ())}, said.get("competency")
    return Condition(
        Measure(said["measure"]),
        said["least"],
        tuple(kind for kind in ActivityKind if kind in kinds),
        PartKind(said["part"]) if said.get("part") else None,
        Practised(uuid.UUID(competency["id"]), str(competency["name"])) if competency else None,
    )


def _day(text: Any) -> date | None:
    return date.fromisoformat(text) if text else None


def rule_words(rule: Rule) -> str:
    """« 3 ateliers et 12 h, dans les 12 derniers mois »."""
    ways = [asked_words(way) for way in rule.ways]
    return _(", ou bien ").join(ways) + period_words(rule.period)


def criteria_words(rule: Rule) -> str:
    """The same as a criterion, for the page of the badge."""
    return _("La personne compte dans le journal du campus : {rule}.").format(rule=rule_words(rule))


def condition_words(condition: Condition) -> str:
    """« 3 ateliers » ; « 12 h dans des projets comme ressource »."""
    return _asked(condition, condition.least)


def period_words(period: Period) -> str:
    if period.months:
        return ngettext(", dans le dernier mois", ", dans les {n} derniers mois", period.months).format(
            n=period.months
        )
    if period.first and period.last:
        return _(", entre le {first} et le {last}").format(
            first=plain_day(period.first), last=plain_day(period.last)
        )
    if period.first:
        return _(", à partir du {first}").format(first=plain_day(period.first))
    return _(", jusqu’au {last}").format(last=plain_day(period.last)) if period.last else ""


def step_words(step: Step) -> str:
    """« 8 h sur 12 h » ; « 2 sur 3 ateliers »; once it is enough, the amount alone."""
    condition = step.condition
    if not step.missing:
        return _asked(condition, step.reached)
    if condition.measure is Measure.CONTRIBUTIONS:
        words = _("{reached} sur {contributions}").format(
            reached=step.reached, contributions=_numbered(condition.least)
        )
        return words + _besides(condition)
    if condition.measure is Measure.HOURS:
        reached, least = duration(step.reached), duration(condition.least)
        return _("{reached} sur {least}").format(reached=reached, least=least) + _besides(condition)
    return _("{reached} sur {least} {kinds}").format(
        reached=step.reached, least=condition.least, kinds=_kinds(condition, condition.least)
    ) + _besides(condition)


def missing_words(steps: Sequence[Step]) -> str:
    """« un atelier et 4 h »; empty where nothing is missing."""
    return asked_words(asked_of(missing_of(steps)))


def asked_words(conditions: Sequence[Condition]) -> str:
    """« un atelier et 4 h »."""
    return _(" et ").join(map(condition_words, conditions))


def progress_words(progress: Progress) -> str:
    """A person's progress in one sentence."""
    if progress.is_met:
        return _("La règle est remplie.")
    return _("Il manque {missing}.").format(missing=missing_words(progress.nearest))


def grounds_words(lines: Sequence[CountedLine]) -> str:
    """« 4 activités, 14 h, du 3 octobre au 28 novembre 2025 »: a credential's summary of its log entries."""
    contributed = sum(line.is_contribution for line in lines)
    count, minutes = len(lines) - contributed, minutes_in(lines)
    facts = [ngettext("{n} activité", "{n} activités", count).format(n=count)] if count else []
    if contributed:
        facts.append(_contributions(contributed))
    if minutes:
        facts.append(duration(minutes))
    first, last = min(line.starts_on for line in lines), max(line.ends_on for line in lines)
    facts.append(
        _("le {day}").format(day=plain_day(first))
        if first == last
        else _("du {first} au {last}").format(first=plain_day(first), last=plain_day(last))
    )
    return ", ".join(facts)


def _asked(condition: Condition, amount: int) -> str:
    if condition.measure is Measure.HOURS:
        return duration(amount) + _besides(condition)
    if condition.measure is Measure.CONTRIBUTIONS:
        return _contributions(amount) + _besides(condition)
    return _activities(condition, amount) + _besides(condition)


def _besides(condition: Condition) -> str:
    """The conditions other than the amount."""
    words = ""
    if condition.measure is not Measure.ACTIVITIES and condition.kinds:
        words += _(" dans des {kinds}").format(kinds=_kinds(condition, 2))
    if condition.part is not None:
        words += _(" comme ressource") if condition.part is PartKind.RESOURCE else _(" comme apprenant")
    if condition.practised is not None:
        words += _(" où l’on pratique « {competency} »").format(competency=condition.practised.name)
    return words


def _contributions(count: int) -> str:
    return _("une contribution confirmée") if count == 1 else _numbered(count)


def _numbered(count: int) -> str:
    return ngettext("{n} contribution confirmée", "{n} contributions confirmées", count).format(n=count)


def _activities(condition: Condition, count: int) -> str:
    if count == 1:
        return _(" ou ").join(_ONE[kind]() for kind in condition.kinds) or _("une activité")
    return f"{count} {_kinds(condition, count)}"


def _kinds(condition: Condition, count: int) -> str:
    return _(" ou ").join(_named(kind, count) for kind in condition.kinds) or ngettext(
        "activité", "activités", count
    )


_ONE = {
    ActivityKind.WORKSHOP: lambda: _("un atelier"),
    ActivityKind.EVENT: lambda: _("un événement"),
    ActivityKind.PROJECT: lambda: _("un projet"),
    ActivityKind.COURSE: lambda: _("une formation"),
    ActivityKind.IMMERSION: lambda: _("une immersion"),
    ActivityKind.MEETING: lambda: _("une réunion"),
    ActivityKind.COUNCIL: lambda: _("un conseil"),
    ActivityKind.INTERVIEW: lambda: _("un entretien"),
    ActivityKind.COMMUNICATION: lambda: _("une communication"),
    ActivityKind.MOBILITY: lambda: _("une mobilité"),
}


def _named(kind: ActivityKind, count: int) -> str:
    match kind:
        case ActivityKind.WORKSHOP:
            return ngettext("atelier", "ateliers", count)
        case ActivityKind.EVENT:
            return ngettext("événement", "événements", count)
        case ActivityKind.PROJECT:
            return ngettext("projet", "projets", count)
        case ActivityKind.COURSE:
            return ngettext("formation", "formations", count)
        case ActivityKind.IMMERSION:
            return ngettext("immersion", "immersions", count)
        case ActivityKind.MEETING:
            return ngettext("réunion", "réunions", count)
        case ActivityKind.COUNCIL:
            return ngettext("conseil", "conseils", count)
        case ActivityKind.INTERVIEW:
            return ngettext("entretien", "entretiens", count)
        case ActivityKind.COMMUNICATION:
            return ngettext("communication", "communications", count)
        case ActivityKind.MOBILITY:
            return ngettext("mobilité", "mobilités", count)
