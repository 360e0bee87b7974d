"""The plan of annex B: 51 indicators over six axes, 37 counted and 14 written."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final

from app.domain.activities.activities import ActivityKind
from app.domain.reports.facts import Audience, OrganisationType
from app.domain.reports.indicators import BY_ID, Figure, HiddenRows, Unit, of_kind, people_of
from app.domain.reports.ledger import INFORMED, MOBILISED, Ledger, establishments_of, organisations_of
from app.language import N_

K = ActivityKind
AXES: Final = {
    "1": N_("Anticiper les besoins"),
    "2": N_("Adapter les formations"),
    "3": N_("Promouvoir les métiers"),
    "4": N_("Ouvrir à l’international"),
    "5": N_("Faire connaître le campus"),
    "6": N_("Gouverner"),
}


@dataclass(frozen=True)
class Line:
    """`count` is None for a text. The ledger it counts holds the activities of its axis."""

    number: str
    name: str
    unit: Unit = Unit.COUNT
    count: Callable[[Ledger], Figure] | None = None

    @property
    def axis(self) -> str:
        return self.number.partition(".")[0]


def _actions(*kinds: ActivityKind) -> Callable[[Ledger], Figure]:
    return lambda ledger: Figure(len(of_kind(ledger.rows, kinds) if kinds else ledger.rows))


def _people(*kinds: ActivityKind) -> Callable[[Ledger], Figure]:
    return lambda ledger: Figure(people_of(of_kind(ledger.rows, kinds) if kinds else ledger.rows))


def _of_kinds(indicator: str, kinds: Collection[ActivityKind]) -> Callable[[Ledger], Figure]:
    return lambda ledger: BY_ID[indicator].count(ledger.only(lambda row: row.kind in kinds))


def _partners(ledger: Ledger) -> Figure:
    return Figure(len(organisations_of(ledger.rows)))


def _federations(ledger: Ledger) -> Figure:
    rows = ledger.rows
    return Figure(
        len({one.key for row in rows for one in row.organisations if one.type is OrganisationType.FEDERATION})
    )


def _types(ledger: Ledger) -> Figure:
    return Figure(len({one.type for row in ledger.rows for one in row.organisations}))


def _teachers(ledger: Ledger) -> Figure:
    counts = (count for row in of_kind(ledger.rows, [K.MOBILITY]) for count in row.audiences)
    return Figure(sum(count.people for count in counts if count.audience is Audience.TEACHERS))


def _asked(ledger: Ledger) -> Figure:
    return Figure(sum(row.survey.asked for row in ledger.rows if row.survey))


_MEETINGS = (K.MEETING, K.COUNCIL, K.INTERVIEW)
_TAKING_PART = (K.WORKSHOP, K.COURSE, K.PROJECT, K.IMMERSION, K.MOBILITY)
_satisfaction = BY_ID["satisfaction"].count

PLAN: Final[tuple[Line, ...]] = (
    Line("1.1", N_("Rencontres avec les entreprises"), count=_actions(K.INTERVIEW, K.MEETING)),
    Line(
        "1.2",
        N_("Départements des rencontres"),
        count=lambda ledger: Figure(len({row.departement for row in ledger.rows if row.departement})),
    ),
    Line("1.3", N_("Problématiques des entreprises")),
    Line("1.4", N_("Besoins en compétences")),
    Line("1.5", N_("Besoins complémentaires")),
    Line("1.6", N_("Mutations des métiers")),
    Line("1.7", N_("Réunions tenues"), count=_actions(K.MEETING)),
    Line("1.8", N_("Validation des besoins")),
    Line("1.9", N_("Satisfaction"), Unit.PERCENT, _satisfaction),
    Line("2.1", N_("Acteurs rencontrés"), count=_partners),
    Line("2.2", N_("Types d’acteurs"), count=_types),
    Line("2.3", N_("Diplômes concernés"), count=lambda ledger: Figure(len(ledger.distinct.diplomas))),
    Line("2.4", N_("Atouts, faiblesses, opportunités, menaces")),
    Line("2.5", N_("Pistes d’évolution")),
    Line("2.6", N_("Expérimentations"), count=_actions(K.PROJECT)),
    Line(
        "2.7",
        N_("Secteurs concernés"),
        count=lambda ledger: Figure(len({row.sector for row in ledger.rows if row.sector})),
    ),
    Line("2.8", N_("Modalités innovantes")),
    Line("2.9", N_("Satisfaction"), Unit.PERCENT, _satisfaction),
    Line("3.1", N_("Promotion existante des métiers")),
    Line("3.2", N_("Actions mises en place"), count=_actions()),
    Line("3.3", N_("Personnes informées"), Unit.PEOPLE, _people(K.EVENT, K.COMMUNICATION)),
    Line("3.4", N_("Personnes impliquées"), Unit.PEOPLE, _people(*_TAKING_PART)),
    Line("3.5", N_("Réunions"), count=_actions(K.MEETING)),
    Line("3.6", N_("Participants"), Unit.PEOPLE, _people()),
    Line("3.7", N_("Satisfaction des partenaires"), Unit.PERCENT, _of_kinds("satisfaction", _MEETINGS)),
    Line(
        "3.8",
        N_("Satisfaction des participants"),
        Unit.PERCENT,
        _of_kinds("satisfaction", [kind for kind in K if kind not in _MEETINGS]),
    ),
    Line(
        "3.9",
        N_("Entreprises informées"),
        count=lambda ledger: Figure(len(organisations_of(ledger.rows, INFORMED))),
    ),
    Line(
        "3.10",
        N_("Entreprises mobilisées"),
        count=lambda ledger: Figure(len(organisations_of(ledger.rows, MOBILISED))),
    ),
    Line("4.1", N_("Personnes interrogées"), Unit.PEOPLE, _asked),
    Line("4.2", N_("Livrables")),
    Line("4.3", N_("Partenaires du groupe"), count=_partners),
    Line("4.4", N_("Enjeux")),
    Line("4.5", N_("Actions"), count=_actions()),
    Line("4.6", N_("Établissements"), count=lambda ledger: Figure(len(establishments_of(ledger.rows)))),
    Line("4.7", N_("Enseignants en mobilité"), Unit.PEOPLE, _teachers),
    Line("5.1", N_("Actions"), count=_actions()),
    Line("5.2", N_("Personnes rencontrées ou informées"), Unit.PEOPLE, _people()),
    Line("5.3", N_("Problématiques")),
    Line("5.4", N_("Satisfaction"), Unit.PERCENT, _satisfaction),
    Line("5.5", N_("Réseaux et fédérations"), count=_federations),
    Line(
        "5.6",
        N_("Actions menées avec des partenaires"),
        count=lambda ledger: Figure(sum(1 for row in ledger.rows if row.organisations)),
    ),
    Line("5.7", N_("Plan de communication")),
    Line("5.8", N_("Actions de communication"), count=_actions(K.COMMUNICATION)),
    Line("5.9", N_("Évènements"), count=_actions(K.EVENT)),
    Line("6.1", N_("Conseils"), count=_actions(K.COUNCIL)),
    Line("6.2", N_("Rencontres avec la présidence"), count=_actions(K.INTERVIEW)),
    Line("6.3", N_("Présence aux conseils"), Unit.PERCENT, BY_ID["presence"].count),
    Line("6.4", N_("Mission")),
    Line("6.5", N_("Satisfaction"), Unit.PERCENT, _satisfaction),
    Line("6.6", N_("Nombre d’indicateurs"), count=lambda _: Figure(sum(1 for line in PLAN if line.count))),
    Line("6.7", N_("Note annuelle"), count=lambda _: Figure(1)),
)
TEXTS: Final = tuple(line.number for line in PLAN if line.count is None)


def public_lines(lines: Mapping[str, Figure], ledger: Ledger, hidden: HiddenRows) -> dict[str, Figure]:
    """Without lines of people that count some hidden activities and not all (the shown ones subtracted would tell),
    or one that nothing else hides."""
    inside, alone = fill(ledger, hidden.ids), fill(ledger, hidden.alone)
    everyone = people_of(row for row in ledger.rows if row.id in hidden.ids)
    people = {line.number for line in PLAN if line.unit is Unit.PEOPLE}
    return {
        key: Figure(None)
        if key in people and (inside[key].value not in (0, everyone) or alone[key].value)
        else figure
        for key, figure in lines.items()
    }


def fill(ledger: Ledger, only: Collection[uuid.UUID] | None = None) -> dict[str, Figure]:
    """The figure of each counted line. Without any objective in the period, every axis counts all activities.

    `only`: what these activities add to it.
    """
    has_objectives = any(row.objectives for row in ledger.rows)
    ledgers = {axis: ledger.of_axis(axis) if has_objectives else ledger for axis in AXES}
    if only is not None:
        ledgers = {axis: each.only(lambda row: row.id in only) for axis, each in ledgers.items()}
    return {line.number: line.count(ledgers[line.axis]) for line in PLAN if line.count}
