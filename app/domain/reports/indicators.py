"""Every indicator as a named definition over a ledger: what it means, how it is counted, and its figure."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final

from app.domain.activities import ActivityKind
from app.domain.reports.facts import Audience
from app.domain.reports.ledger import (
    INFORMED,
    MOBILISED,
    ActivityRow,
    Ledger,
    establishments_of,
    organisations_of,
    survey_of,
    unpacked,
)
from app.language import N_

SMALL: Final = 5
"""A count of people below it is hidden in what leaves the campus."""
FEWEST_ANSWERS: Final = 10
"""Below it a survey gives counts and no percentage."""


class Unit(StrEnum):
    COUNT = "count"
    PEOPLE = "people"
    HOURS = "hours"
    PERCENT = "percent"


@dataclass(frozen=True)
class Figure:
    """`part` of `whole` for a percentage; `value` is None where it cannot be given.

    `parts` are the counts that the figure is made of, by French name.
    """

    value: float | None
    part: int | None = None
    whole: int | None = None
    parts: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Indicator:
    """`definition` and `how` are sentences for the reader; `number` is that of the common definitions."""

    id: str
    number: int
    name: str
    unit: Unit
    definition: str
    how: str
    count: Callable[[Ledger], Figure]


def _number(value: float) -> Figure:
    return Figure(value)


def _share(part: int, whole: int) -> Figure:
    return Figure(100 * part / whole if whole else None, part, whole)


def people_of(rows: Iterable[ActivityRow]) -> int:
    return sum(row.people for row in rows)


def unnamed_of(rows: Iterable[ActivityRow]) -> int:
    return sum(row.unnamed for row in rows)


def of_kind(rows: Iterable[ActivityRow], kinds: Collection[ActivityKind]) -> list[ActivityRow]:
    return [row for row in rows if row.kind in kinds]


def _participations(ledger: Ledger) -> Figure:
    rows = ledger.rows
    named = sum(row.named for row in rows)
    return Figure(
        named + unnamed_of(rows),
        parts=((N_("Présences nommées"), named), (N_("Présents déclarés sans nom"), unnamed_of(rows))),
    )


def _learners(ledger: Ledger) -> Figure:
    named, unnamed = ledger.distinct.learners, unnamed_of(ledger.rows)
    return Figure(
        named,
        parts=(
            (N_("Personnes nommées"), named),
            (N_("Présents déclarés sans nom"), unnamed),
            (N_("Estimation, doublons possibles"), named + unnamed),
        ),
    )


def _estimated(ledger: Ledger) -> Figure:
    return Figure(ledger.distinct.learners + unnamed_of(ledger.rows))


def audience_totals(ledger: Ledger) -> dict[Audience, int]:
    totals = dict.fromkeys(Audience, 0)
    for row in ledger.rows:
        for count in row.audiences:
            totals[count.audience] += count.people
    return totals


def _known_audience(ledger: Ledger) -> Figure:
    known = sum(audience_totals(ledger).values())
    people = max(known, people_of(ledger.rows))
    return _share(known, people)


def _women(ledger: Ledger) -> Figure:
    counted = [count for row in ledger.rows for count in row.audiences if count.women is not None]
    return _share(sum(count.women or 0 for count in counted), sum(count.people for count in counted))


def _satisfaction(ledger: Ledger) -> Figure:
    survey = survey_of(ledger.rows)
    answered, favourable = sum(survey.answers), survey.answers[2] + survey.answers[3]
    parts = ((N_("Personnes interrogées"), survey.asked), (N_("Réponses"), answered))
    value = 100 * favourable / answered if answered >= FEWEST_ANSWERS else None
    return Figure(value, favourable, answered, parts)


def _recommendation(ledger: Ledger) -> Figure:
    survey = survey_of(ledger.rows)
    answered = survey.recommends + survey.recommends_not
    value = 100 * survey.recommends / answered if answered >= FEWEST_ANSWERS else None
    parts = ((N_("Personnes interrogées"), survey.asked), (N_("Réponses"), answered))
    return Figure(value, survey.recommends, answered, parts)


def _attendance_of_councils(ledger: Ledger) -> Figure:
    shares = [row.people / row.invited for row in of_kind(ledger.rows, [ActivityKind.COUNCIL]) if row.invited]
    return Figure(100 * sum(shares) / len(shares) if shares else None)


def _done(ledger: Ledger) -> Figure:
    done = sum(1 for row in ledger.rows if row.starts_on <= ledger.today)
    return _share(done, len(ledger.all_rows))


INDICATORS: Final[tuple[Indicator, ...]] = (
    Indicator(
        "actions",
        1,
        N_("Actions"),
        Unit.COUNT,
        N_("Les activités différentes de la période, sauf celles qui n’ont pas eu lieu."),
        N_(
            "Une activité compte si elle commence avant la fin de la période et finit après son début. Organisée à plusieurs, elle compte une fois."
        ),
        lambda ledger: _number(len(ledger.rows)),
    ),
    Indicator(
        "participations",
        2,
        N_("Participations"),
        Unit.PEOPLE,
        N_("Les présences, avec celles que le campus déclare sans nom."),
        N_("Les personnes inscrites, sauf celles notées absentes, et l’effectif déclaré au-delà d’elles."),
        _participations,
    ),
    Indicator(
        "apprenants",
        3,
        N_("Apprenants couverts"),
        Unit.PEOPLE,
        N_("Les personnes différentes, présentes comme apprenantes à au moins une action de la période."),
        N_(
            "Une personne inscrite compte une fois, sauf si elle est notée absente. Une personne effacée compte encore, sans son nom."
        ),
        _learners,
    ),
    Indicator(
        "apprenants-estimes",
        3,
        N_("Apprenants, estimation"),
        Unit.PEOPLE,
        N_("Les apprenants nommés, plus les présents déclarés sans nom."),
        N_("Une estimation : des doublons sont possibles."),
        _estimated,
    ),
    Indicator(
        "attestation",
        4,
        N_("Taux d’attestation"),
        Unit.PERCENT,
        N_("La part des apprenants nommés qui ont reçu un badge dans la période."),
        N_("Le badge est donné dans la période et encore valable à sa fin."),
        lambda ledger: _share(ledger.distinct.attested, ledger.distinct.learners),
    ),
    Indicator(
        "reclamation",
        5,
        N_("Badges récupérés en 30 jours"),
        Unit.PERCENT,
        N_("La part des badges que leur titulaire a récupérés dans les 30 jours."),
        N_("Sans les badges des 30 derniers jours de la période : leur délai court encore."),
        lambda ledger: _share(ledger.distinct.claimed_in_time, ledger.distinct.awards_due),
    ),
    Indicator(
        "ouverture",
        5,
        N_("Badges ouverts au public"),
        Unit.PERCENT,
        N_("La part des badges récupérés dont le titulaire a ouvert la page."),
        N_("Sans les badges des 30 derniers jours de la période, même récupérés ou ouverts."),
        lambda ledger: _share(ledger.distinct.opened, ledger.distinct.claimed),
    ),
    Indicator(
        "heures",
        6,
        N_("Heures-apprenant"),
        Unit.HOURS,
        N_("Les heures suivies par les apprenants nommés."),
        N_(
            "Les séances suivies dans la période. Sans séance, les heures de la personne, sinon celles de l’activité."
        ),
        lambda ledger: _number(sum(row.hours for row in ledger.rows)),
    ),
    Indicator(
        "publics",
        7,
        N_("Publics connus"),
        Unit.PERCENT,
        N_("La part des présences dont le public est connu."),
        N_("Les nombres déclarés par public, sur toutes les participations."),
        _known_audience,
    ),
    Indicator(
        "femmes",
        8,
        N_("Part des femmes"),
        Unit.PERCENT,
        N_("La part des femmes là où elles sont comptées."),
        N_("Des nombres déclarés par activité, jamais une donnée par personne."),
        _women,
    ),
    Indicator(
        "mobilisees",
        9,
        N_("Entreprises mobilisées"),
        Unit.COUNT,
        N_("Les organisations mobilisées, qui accueillent ou qui portent un défi."),
        N_("Différentes par leur SIREN, sinon par leur site, sinon par leur nom."),
        lambda ledger: _number(len(organisations_of(ledger.rows, MOBILISED))),
    ),
    Indicator(
        "informees",
        9,
        N_("Entreprises informées"),
        Unit.COUNT,
        N_("Les organisations informées, et celles qui sont mobilisées."),
        N_("Différentes par leur SIREN, sinon par leur site, sinon par leur nom."),
        lambda ledger: _number(len(organisations_of(ledger.rows, INFORMED))),
    ),
    Indicator(
        "partenaires",
        9,
        N_("Partenaires"),
        Unit.COUNT,
        N_("Toutes les organisations des actions, quel que soit leur rôle."),
        N_("Différentes par leur SIREN, sinon par leur site, sinon par leur nom."),
        lambda ledger: _number(len(organisations_of(ledger.rows))),
    ),
    Indicator(
        "etablissements",
        10,
        N_("Établissements"),
        Unit.COUNT,
        N_("Les établissements des participants."),
        N_("Différents par leur numéro UAI."),
        lambda ledger: _number(len(establishments_of(ledger.rows))),
    ),
    Indicator(
        "satisfaction",
        11,
        N_("Satisfaction"),
        Unit.PERCENT,
        N_("La part des réponses favorables : « plutôt oui » et « oui, tout à fait »."),
        N_("Sous dix réponses, aucun pourcentage."),
        _satisfaction,
    ),
    Indicator(
        "recommandation",
        11,
        N_("Recommanderaient l’activité"),
        Unit.PERCENT,
        N_("La part des réponses « oui » à « la recommanderiez-vous ? »."),
        N_("Sous dix réponses, aucun pourcentage."),
        _recommendation,
    ),
    Indicator(
        "conseils",
        12,
        N_("Conseils"),
        Unit.COUNT,
        N_("Les conseils tenus dans la période."),
        N_("Les activités de type « conseil »."),
        lambda ledger: _number(len(of_kind(ledger.rows, [ActivityKind.COUNCIL]))),
    ),
    Indicator(
        "presence",
        12,
        N_("Présence aux conseils"),
        Unit.PERCENT,
        N_("La moyenne, par conseil, des présents sur les invités."),
        N_("Seulement les conseils dont le nombre d’invités est noté."),
        _attendance_of_councils,
    ),
    Indicator(
        "competences",
        13,
        N_("Compétences attestées"),
        Unit.COUNT,
        N_("Les compétences différentes des badges donnés dans la période."),
        N_("Le badge est encore valable à la fin de la période."),
        lambda ledger: _number(ledger.distinct.competencies),
    ),
    Indicator(
        "metiers",
        13,
        N_("Métiers touchés"),
        Unit.COUNT,
        N_("Les fiches ROME auxquelles ces badges sont reliés."),
        N_("Différentes par leur code."),
        lambda ledger: _number(len(ledger.distinct.trades)),
    ),
    Indicator(
        "domaines",
        13,
        N_("Grands domaines ROME"),
        Unit.COUNT,
        N_("Les grands domaines de ces fiches."),
        N_("Le premier signe du code ROME."),
        lambda ledger: _number(len({code[0] for code in ledger.distinct.trades})),
    ),
    Indicator(
        "recommandations",
        14,
        N_("Recommandations signées"),
        Unit.COUNT,
        N_("Les organisations qui recommandent un badge à la fin de la période."),
        N_("Signées et non retirées ; une organisation compte une fois."),
        lambda ledger: Figure(
            ledger.distinct.endorsers, parts=((N_("Recommandations"), ledger.distinct.endorsements),)
        ),
    ),
    Indicator(
        "realise",
        16,
        N_("Prévu et réalisé"),
        Unit.PERCENT,
        N_("La part des actions prévues dans la période qui ont eu lieu."),
        N_("Toutes les actions datées dans la période, même celles qui n’ont pas eu lieu."),
        _done,
    ),
)
BY_ID: Final = {each.id: each for each in INDICATORS}


def figures(ledger: Ledger) -> dict[str, Figure]:
    return {each.id: each.count(ledger) for each in INDICATORS}


def hidden_counts(counts: dict[str, int], also: Collection[str] = ()) -> dict[str, int | None]:
    """Counts of one total with those under 5 hidden, and by complement a second where one alone is hidden.

    Zero is shown: it reveals nothing of a person. `also`: names hidden whatever their count.
    """
    hidden = {name for name, count in counts.items() if 0 < count < SMALL or (count and name in also)}
    if len(hidden) == 1 or 0 < sum(counts[name] for name in hidden) < SMALL:
        others = sorted((count, name) for name, count in counts.items() if count and name not in hidden)
        if others:
            hidden.add(others[0][1])
    return {name: None if name in hidden else count for name, count in counts.items()}


@dataclass(frozen=True)
class HiddenRows:
    """Activities with a hidden number of people. A sum of some of them and others is hidden too.

    `alone`: those that nothing else hides. Every sum that holds one of them is hidden.
    """

    ids: frozenset[uuid.UUID]
    alone: frozenset[uuid.UUID]


def hidden_rows(rows: Collection[ActivityRow]) -> HiddenRows:
    """The same in each report that holds them, civil or school year, of this campus or of a co-organiser:
    a small number hides behind another of the same half of a year, which no other campus shows.
    """
    groups = defaultdict[Any, list[ActivityRow]](list)
    for row in rows:
        if row.people:
            groups[_half_of(row.starts_on), _half_of(row.ends_on)].append(row)
    ids, alone = set[uuid.UUID](), set[uuid.UUID]()
    for some in groups.values():
        few = [row for row in some if row.people < SMALL]
        if few and (len(few) == 1 or sum(row.people for row in few) < SMALL):
            own = [row for row in some if row.people >= SMALL and len(row.campuses) < 2]
            if own:
                few.append(min(own, key=lambda row: (row.people, row.id)))
            else:
                alone.update(row.id for row in few)
        ids.update(row.id for row in few)
    return HiddenRows(frozenset(ids), frozenset(alone))


def _half_of(day: date) -> tuple[int, bool]:
    return day.year, day.month >= _SCHOOL_BEGINS


_SCHOOL_BEGINS: Final = 9
_SUMS: Final = ("participations", "apprenants-estimes", "publics")
_OF_LEARNERS: Final = ("apprenants", "apprenants-estimes", "attestation")


def public_figures(ledger: Ledger, hidden: HiddenRows, before: Ledger | None) -> dict[str, Figure]:
    """Without sums that hold a small number alone, and learners of whom a report of the other kind of year would tell.

    `before`: of one year earlier; None if unknown.
    """
    found = figures(ledger)
    without = figures(ledger.only(lambda row: row.id not in hidden.alone))
    gone = {key for key in _SUMS if found[key] != without[key]}
    if _tells_few_learners(ledger, before):
        gone.update(_OF_LEARNERS)
    return {key: Figure(None) if key in gone else figure for key, figure in found.items()}


def _tells_few_learners(ledger: Ledger, before: Ledger | None) -> bool:
    """A half without learners beside this year makes a difference of two reports exact."""
    first, second = _learners_by_half(ledger)
    earlier = _learners_by_half(before)[1] if before else set[bytes]()
    after_nothing = not earlier and 0 < len(second - first) < SMALL
    return after_nothing or (not second and 0 < len(earlier - first) < SMALL)


def _learners_by_half(ledger: Ledger) -> tuple[set[bytes], set[bytes]]:
    halves = set[bytes](), set[bytes]()
    for row in ledger.rows:
        begins = max(row.starts_on, ledger.period.first)
        halves[_half_of(begins) != _half_of(ledger.period.first)].update(unpacked(row.learners))
    return halves


_OF_PEOPLE: Final = ("attestation", "femmes")
"""Percentages of people: a small part, or a small rest, is hidden."""


def public_value(key: str, unit: Unit, figure: Figure) -> float | int | None:
    """As it leaves the campus: to one decimal, None where a small number of people could be read from it."""
    if figure.value is None or (unit is Unit.PEOPLE and 0 < figure.value < SMALL):
        return None
    if key in _OF_PEOPLE and figure.part is not None and figure.whole is not None:
        rest = figure.whole - figure.part
        if 0 < figure.part < SMALL or 0 < rest < SMALL:
            return None
    value = round(figure.value, 1)
    return int(value) if value == int(value) else value
