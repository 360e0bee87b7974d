"""The renewal file of a label: its themes, the years it covers, and what is still missing from it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from app.domain.campus.campus import Label
from app.domain.reports.editions import LONGEST_TEXT, DraftText, ReportDraft
from app.domain.reports.ledger import Period, PeriodKind
from app.errors import AppError, InvalidInput
from app.language import N_, labelled

MOST_YEARS: Final = 5
"""A label is given for five years at most."""
_UNDATED_YEARS: Final = 3


@dataclass(frozen=True)
class Theme:
    """`figures` and `lines`: indicators and counted lines of the yearly report; `texts`: its lines to carry over."""

    id: str
    name: str
    hint: str
    figures: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()


THEMES: Final[tuple[Theme, ...]] = (
    Theme(
        "enjeux",
        N_("Filière, territoire et enjeux"),
        N_("À quel besoin économique du territoire le campus répond, et ce qui a changé depuis le label."),
        figures=("metiers", "domaines"),
        lines=("1.1", "1.2", "2.7"),
        texts=("1.3", "1.6"),
    ),
    Theme(
        "reseau",
        N_("Réseau et gouvernance"),
        N_("Qui compose le réseau, qui décide, et à quel rythme."),
        figures=("etablissements", "partenaires", "conseils", "presence"),
        texts=("6.4",),
    ),
    Theme(
        "entreprises",
        N_("Partenaires économiques"),
        N_("Ce que les entreprises et les branches apportent au campus."),
        figures=("mobilisees", "informees", "recommandations"),
        lines=("5.5", "5.6"),
        texts=("1.4", "1.5", "1.8"),
    ),
    Theme(
        "formations",
        N_("Projet pédagogique et parcours"),
        N_("Les parcours du CAP au doctorat, les passerelles, et les compétences attestées."),
        figures=("competences", "attestation"),
        lines=("2.3",),
        texts=("2.4", "2.5"),
    ),
    Theme(
        "publics",
        N_("Publics, attractivité et égalité"),
        N_("Qui est venu, et comment le campus fait connaître les métiers."),
        figures=("actions", "apprenants", "participations", "heures", "femmes"),
        lines=("3.3", "3.4"),
        texts=("3.1",),
    ),
    Theme(
        "innovation",
        N_("Innovation et recherche"),
        N_("Les expérimentations, les plateaux techniques et les laboratoires."),
        lines=("2.6",),
        texts=("2.8",),
    ),
    Theme(
        "international",
        N_("Ouverture à l’international"),
        N_("Les mobilités et les partenaires d’autres pays."),
        lines=("4.3", "4.6", "4.7"),
        texts=("4.2", "4.4"),
    ),
    Theme(
        "vie",
        N_("Vie du campus et communication"),
        N_("Les lieux, l’accueil, l’hébergement, les événements."),
        lines=("5.8", "5.9"),
        texts=("5.3", "5.7"),
    ),
    Theme(
        "resultats",
        N_("Résultats et satisfaction"),
        N_("Ce qui était prévu, ce qui a été fait, ce que les participants en disent."),
        figures=("realise", "satisfaction", "recommandation"),
    ),
    Theme(
        "moyens",
        N_("Moyens et budget"),
        N_("Les postes, les lieux, les financements. Sceau ne les connaît pas : écrivez-les."),
    ),
    Theme(
        "projet",
        N_("Feuille de route du prochain label"),
        N_("Les objectifs, les actions et le calendrier des prochaines années."),
    ),
)


def renewal_key(label_id: uuid.UUID) -> str:
    """The period of the draft that holds the texts of the file; never that of a yearly report."""
    return f"label-{label_id.hex[-15:]}"


def opens_on(label: Label) -> date | None:
    """Twelve months before its end; None for a label without an end, or a withdrawn one."""
    if label.ends_on is None or label.withdrawn_at is not None:
        return None
    try:
        return label.ends_on.replace(year=label.ends_on.year - 1)
    except ValueError:
        return label.ends_on.replace(year=label.ends_on.year - 1, day=28)


def is_followed(label: Label, others: Iterable[Label]) -> bool:
    """Whether the same network has already given a label that lasts longer."""
    return any(
        other.network_id == label.network_id
        and other.id != label.id
        and other.withdrawn_at is None
        and (other.ends_on is None or (label.ends_on is not None and other.ends_on > label.ends_on))
        and (other.starts_on is None or label.starts_on is None or other.starts_on > label.starts_on)
        for other in others
    )


def is_due(label: Label, others: Iterable[Label], *, on: date) -> bool:
    """From twelve months before its end, until another one follows."""
    opens = opens_on(label)
    return opens is not None and on >= opens and not is_followed(label, others)


def years_of(label: Label, kind: PeriodKind, *, on: date) -> list[Period]:
    """The years since the label began, the one in course included; the last five at most."""
    make = Period.school if kind is PeriodKind.SCHOOL else Period.civil

    def year(day: date) -> int:
        return day.year - 1 if kind is PeriodKind.SCHOOL and day.month < 9 else day.year

    last = year(on)
    first = year(label.starts_on) if label.starts_on else last - _UNDATED_YEARS + 1
    return [make(each) for each in range(max(first, last - MOST_YEARS + 1), last + 1)]


def texts_written(draft: ReportDraft | None) -> dict[str, DraftText]:
    stored = draft.texts if draft else {}
    return {theme.id: DraftText(**stored[theme.id]) for theme in THEMES if theme.id in stored}


def carried(theme: Theme, lines: Mapping[str, tuple[str, str]], key: str) -> DraftText:
    """`lines`: name and text by number, of the report of year `key`. A single text is taken over as it is."""
    found = [lines[number] for number in theme.texts if lines.get(number, ("", ""))[1].strip()]
    if len(found) == 1:
        return DraftText(found[0][1], carried=key)
    text = "\n\n".join(labelled(name, text) for name, text in found)
    return DraftText(text[:LONGEST_TEXT], carried=key if text else "")


def faults_of_texts(texts: Mapping[str, DraftText]) -> dict[str, AppError]:
    """By theme."""
    return {
        name: InvalidInput("Un texte du dossier tient en 8 000 signes.")
        for name, each in texts.items()
        if len(each.text) > LONGEST_TEXT
    }


@dataclass(frozen=True)
class RenewalYear:
    """One year of the label: the document of its last signed report, else what is counted now."""

    period: Period
    document: Mapping[str, Any]
    edition: int
    """0 for a report that is not signed."""
    is_over: bool


@dataclass(frozen=True)
class FigureRow:
    """One figure over the years, in their order; None where it is hidden or not known."""

    name: str
    unit: str
    values: Sequence[float | int | None]

    @property
    def is_unknown(self) -> bool:
        return all(value is None for value in self.values)


def rows_of(theme: Theme, years: Sequence[RenewalYear]) -> list[FigureRow]:
    found = []
    for part, wanted in (("figures", theme.figures), ("lines", theme.lines)):
        by_year = [{each["id"]: each for each in year.document[part]} for year in years]
        for key in wanted:
            known = [each[key] for each in by_year if "value" in each.get(key, {})]
            if known:
                values = [each.get(key, {}).get("value") for each in by_year]
                found.append(FigureRow(known[-1]["name"], known[-1]["unit"], values))
    return found
