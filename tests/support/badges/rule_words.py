"""Parses the French text of an award rule, without access to the rule, and evaluates it on log lines."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from app.domain.badges.rules import CountedLine, Practised, months_before

_NOUNS = {
    "atelier": "workshop",
    "événement": "event",
    "projet": "project",
    "formation": "course",
    "immersion": "immersion",
    "réunion": "meeting",
    "conseil": "council",
    "entretien": "interview",
    "communication": "communication",
    "mobilité": "mobility",
}
_MONTHS = [
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
]
_PERIODS = [
    (r"dans le dernier mois$", lambda m, today: (months_before(today, 1), None)),
    (r"dans les (\d+) derniers mois$", lambda m, today: (months_before(today, int(m[1])), None)),
    (r"entre le (.+) et le (.+)$", lambda m, today: (_day(m[1]), _day(m[2]))),
    (r"à partir du (.+)$", lambda m, today: (_day(m[1]), None)),
    (r"jusqu’au (.+)$", lambda m, today: (None, _day(m[1]))),
]


def _day(words: str) -> date:
    number, month, year = words.split()
    return date(int(year), _MONTHS.index(month) + 1, int(number.removesuffix("er")))


def read_and_judge(
    words: str, log: list[CountedLine], *, today: date, practised: Sequence[Practised]
) -> bool:
    first = last = None
    for pattern, read in _PERIODS:
        found = re.search(f", {pattern}", words)
        if found:
            words, (first, last) = words[: found.start()], read(found, today)
    within = [
        each
        for each in log
        if (first is None or each.starts_on >= first) and (last is None or each.ends_on <= last)
    ]
    return any(
        all(_holds(condition, within, practised) for condition in way.split(" et "))
        for way in words.split(", ou bien ")
    )


def _holds(words: str, log: list[CountedLine], practised: Sequence[Practised]) -> bool:
    named = re.search(r" où l’on pratique « (.+) »$", words)
    if named:
        words = words[: named.start()]
        wanted = next(each.id for each in practised if each.name == named[1])
        log = [each for each in log if wanted in each.practised]
    for ending, part in ((" comme ressource", "ressource"), (" comme apprenant", "apprenant")):
        if words.endswith(ending):
            words = words.removesuffix(ending)
            log = [each for each in log if each.part.value == part]
    said = re.fullmatch(r"(une|\d+) contributions? confirmées?(?: dans des (.+))?", words)
    log = [each for each in log if each.is_contribution is bool(said)]
    if said:
        of_kind = [each for each in log if not said[2] or (each.kind and each.kind.value in _kinds(said[2]))]
        return len(of_kind) >= (1 if said[1] == "une" else int(said[1]))
    amount, _, what = words.partition(" dans des ")
    hours = re.fullmatch(r"(?:(\d+)\u00a0h)?\u00a0?(?:(\d+)(?:\u00a0min)?)?", amount)
    if hours:
        log = [each for each in log if not what or each.kind.value in _kinds(what)]
        return sum(each.minutes for each in log) >= int(hours[1] or 0) * 60 + int(hours[2] or 0)
    count, _, what = words.partition(" ")
    least = 1 if count in ("un", "une") else int(count)
    return sum(1 for each in log if each.kind.value in _kinds(what)) >= least


def _kinds(words: str) -> set[str]:
    nouns = [re.sub(r"^une? ", "", each).rstrip("s") for each in words.split(" ou ")]
    return {*_NOUNS.values()} if nouns == ["activité"] else {_NOUNS[noun] for noun in nouns}
