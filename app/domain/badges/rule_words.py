"""The rule of a badge in words, and how far somebody is, in the language of the moment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from babel.dates import format_date

from app.domain.activities.activities import ActivityKind, PartKind
from app.domain.badges.rules import (
    Condition,
    CountedLine,
    Measure,
    Period,
    Progress,
    Rule,
    Step,
    asked_of,
    minutes_in,
    missing_of,
)
from app.domain.core.durations import duration
from app.language import current_locale, ngettext
from app.language import gettext as _

_BABEL = {"en": "en_GB"}


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
        return _(", entre le {first} et le {last}").format(first=_day(period.first), last=_day(period.last))
    if period.first:
        return _(", à partir du {first}").format(first=_day(period.first))
    return _(", jusqu’au {last}").format(last=_day(period.last)) if period.last else ""


def step_words(step: Step) -> str:
    """« 8 h sur 12 h » ; « 2 sur 3 ateliers »; what is reached alone, once it is enough."""
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
    """One sentence for whoever is asked how far they are."""
    if progress.is_met:
        return _("La règle est remplie.")
    return _("Il manque {missing}.").format(missing=missing_words(progress.nearest))


def grounds_words(lines: Sequence[CountedLine]) -> str:
    """« 4 activités, 14 h, du 3 octobre au 28 novembre 2025 »: what a credential says of the lines it rests on."""
    contributed = sum(line.is_contribution for line in lines)
    count, minutes = len(lines) - contributed, minutes_in(lines)
    facts = [ngettext("{n} activité", "{n} activités", count).format(n=count)] if count else []
    if contributed:
        facts.append(_contributions(contributed))
    if minutes:
        facts.append(duration(minutes))
    first, last = min(line.starts_on for line in lines), max(line.ends_on for line in lines)
    facts.append(
        _("le {day}").format(day=_day(first))
        if first == last
        else _("du {first} au {last}").format(first=_day(first), last=_day(last))
    )
    return ", ".join(facts)


def _asked(condition: Condition, amount: int) -> str:
    if condition.measure is Measure.HOURS:
        return duration(amount) + _besides(condition)
    if condition.measure is Measure.CONTRIBUTIONS:
        return _contributions(amount) + _besides(condition)
    return _activities(condition, amount) + _besides(condition)


def _besides(condition: Condition) -> str:
    """What the amount alone does not say."""
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


def _day(day: date) -> str:
    words = format_date(day, "long", locale=_BABEL.get(current_locale(), current_locale()))
    return words.replace("1 ", "1er ", 1) if current_locale() == "fr" and day.day == 1 else words
