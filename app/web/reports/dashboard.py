"""The figures of a campus: dashboard, one figure with its definition and rows, a table, a partner's page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from babel.dates import format_date
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse

from app.container import Services
from app.domain.accounts.permissions import Permission
from app.domain.activities import ActivityKind
from app.domain.campus.places import DEPARTEMENTS
from app.domain.core import plain_text
from app.domain.reports.facts import AUDIENCES, ORGANISATION_PARTS, Audience
from app.domain.reports.indicators import (
    BY_ID,
    FEWEST_ANSWERS,
    INDICATORS,
    SMALL,
    Figure,
    Indicator,
    Unit,
    audience_totals,
    hidden_counts,
    people_of,
    public_value,
)
from app.domain.reports.ledger import (
    INFORMED,
    MOBILISED,
    ZONE,
    ActivityRow,
    Ledger,
    Period,
    by_month,
    establishments_of,
    organisations_of,
    period_of,
    survey_of,
)
from app.errors import InvalidInput, NotFound
from app.http.pages.maps import CountMap, map_of_counts
from app.http.pages.registers import Cell, table_file
from app.http.pages.words import ACTIVITY_KINDS, LABEL_CATEGORIES, days, moment, number, percentage
from app.http.request_scope import WITH_ORGANISERS, ReadingServices, sentence_of, status_for
from app.http.workplaces import AtWork, at_work, staff
from app.language import N_, babel_locale, translated
from app.services.reports import YearFigures

MAIN = (
    "actions",
    "apprenants",
    "heures",
    "mobilisees",
    "etablissements",
    "attestation",
    "reclamation",
    "satisfaction",
)
PEOPLE_SHOWN = 200
ROWS_SHOWN = 100
_WIDTH, _BASE = 560, 206
_OF_PEOPLE = ("apprenants", "apprenants-estimes", "attestation")
_OF_ORGANISATIONS = ("mobilisees", "informees", "partenaires")

router = APIRouter(prefix="/gestion/{slug}/rapport")


@dataclass(frozen=True)
class FigureView:
    """`value` and `before` in the reader's language; `bars` are lengths out of 180 for now and before."""

    id: str
    name: str
    value: str
    before: str
    note: str
    bars: tuple[float, float]


@dataclass(frozen=True)
class Bar:
    """One bar of a chart, from its top left corner; `mark` is the height of the year before."""

    label: str
    letter: str
    value: int
    before: int
    x: float
    y: float
    width: float
    height: float
    mark: float


@dataclass(frozen=True)
class KindView:
    name: str
    total: int
    counts: Sequence[int]
    bars: Sequence[Bar]


@dataclass(frozen=True)
class ShareView:
    """A line of a table with its bar; `count` and `share` are None where hidden."""

    name: str
    count: int | None
    share: float | None
    width: float


def in_words(indicator: Indicator, figure: Figure) -> str:
    """« 8 412 », « 62,5 % », « 61 240 h », or a dash; to one decimal, as in the tables to download."""
    if figure.value is None:
        return "–"
    if indicator.unit is Unit.PERCENT:
        return percentage(figure.value)
    rounded = number(round(figure.value, 1))
    return f"{rounded}\u202fh" if indicator.unit is Unit.HOURS else rounded


def note_of(figure: Figure) -> str:
    """n of n, wherever a percentage is of something."""
    if figure.whole is None:
        return ""
    words = N_("{part} sur {whole}")
    return translated(words).format(part=number(figure.part or 0), whole=number(figure.whole))


def figure_view(indicator: Indicator, now: Figure, before: Figure) -> FigureView:
    most = max(now.value or 0, before.value or 0) or 1
    return FigureView(
        indicator.id,
        translated(indicator.name),
        in_words(indicator, now),
        in_words(indicator, before),
        note_of(now),
        (round(180 * (now.value or 0) / most, 1), round(180 * (before.value or 0) / most, 1)),
    )


def scale_of_months(now: Iterable[int | None], before: Iterable[int | None]) -> int:
    """The number as high as a picture of months: a forum of last year does not flatten this year's bars."""
    bars, marks = (max((each or 0 for each in some), default=0) for some in (now, before))
    return max(1, bars, min(marks, 2 * bars) if bars else marks)


def month_bars(ledger: Ledger, before: Ledger) -> list[Bar]:
    now = {month: people_of(rows) for month, rows in by_month(ledger.rows, ledger.period).items()}
    earlier = {
        (year + 1, month): people_of(rows)
        for (year, month), rows in by_month(before.rows, before.period).items()
    }
    most = scale_of_months(now.values(), earlier.values())
    step = _WIDTH / max(len(now), 1)
    bars = []
    for place, (year_month, people) in enumerate(now.items()):
        height = 172 * people / most
        label = format_date(date(*year_month, 1), "LLLL yyyy", locale=babel_locale())
        bars.append(
            Bar(
                label,
                label[:1].upper(),
                people,
                earlier.get(year_month, 0),
                round(step * place + step * 0.2, 1),
                round(_BASE - height, 1),
                round(step * 0.6, 1),
                round(height, 1),
                round(_BASE - 172 * min(1, earlier.get(year_month, 0) / most), 1),
            )
        )
    return bars


def kinds_of(ledger: Ledger) -> list[KindView]:
    """Activities per month of each kind that there is, on one scale."""
    months = by_month(ledger.rows, ledger.period)
    counts = {
        kind: [sum(row.kind is kind for row in rows) for rows in months.values()] for kind in ActivityKind
    }
    most = max([*(each for some in counts.values() for each in some), 1])
    step = 132 / max(len(months), 1)
    views = [
        KindView(
            translated(ACTIVITY_KINDS[kind]),
            sum(some),
            some,
            [
                Bar("", "", count, 0, round(step * place + 1.5, 1), round(45 - 42 * count / most, 1),
                    round(step - 3, 1), round(42 * count / most, 1), 0)
                for place, count in enumerate(some)
                if count
            ],
        )
        for kind, some in counts.items()
        if sum(some)
    ]  # fmt: skip
    return sorted(views, key=lambda view: -view.total)


def shares(counts: Mapping[str, int]) -> list[ShareView]:
    """By size; those under five are hidden, with a second one if needed."""
    total, shown = sum(counts.values()), hidden_counts(dict(counts))
    most = max([*(count for count in shown.values() if count), 1])
    views = [
        ShareView(
            name,
            count,
            None if count is None or not total else 100 * count / total,
            0 if count is None else round(200 * count / most, 1),
        )
        for name, count in shown.items()
        if counts[name]
    ]
    return sorted(views, key=lambda view: (view.count is None, -(view.count or 0), plain_text(view.name)))


def audience_shares(ledger: Ledger) -> list[ShareView]:
    totals = audience_totals(ledger)
    return shares({translated(AUDIENCES[audience]): totals[audience] for audience in Audience})


def departement_counts(ledger: Ledger) -> dict[str, int]:
    """Attendances by code, empty where it is unknown; those with none are left out."""
    counts: dict[str, int] = {}
    for row in ledger.rows:
        code = row.departement if row.departement in DEPARTEMENTS else ""
        counts[code] = counts.get(code, 0) + row.people
    return {code: count for code, count in counts.items() if count}


def departement_shares(counts: Mapping[str, int]) -> list[ShareView]:
    return shares(_by_name(counts))


def _by_name(counts: Mapping[str, int]) -> dict[str, int]:
    unknown = translated("Non précisé")
    return {DEPARTEMENTS.get(code, unknown): count for code, count in counts.items()}


def departement_map(counts: Mapping[str, int]) -> CountMap | None:
    """Hides what the table hides: among equal numbers, another one hidden would give both away."""
    hidden = hidden_counts(_by_name(counts))
    return map_of_counts({code: hidden[DEPARTEMENTS[code]] for code in counts if code})


@dataclass(frozen=True)
class AnswerView:
    name: str
    count: int
    share: float
    x: float
    width: float


def answers_of(ledger: Ledger) -> list[AnswerView]:
    """From the most favourable; empty if there are too few answers."""
    survey = survey_of(ledger.rows)
    answered, views, x = sum(survey.answers), list[AnswerView](), 0.0
    names = (N_("Oui, tout à fait"), N_("Plutôt oui"), N_("Plutôt non"), N_("Non, pas du tout"))
    if BY_ID["satisfaction"].count(ledger).value is None:
        return []
    for name, count in zip(names, reversed(survey.answers), strict=True):
        width = 800 * count / answered
        views.append(
            AnswerView(translated(name), count, 100 * count / answered, round(x, 1), round(width, 1))
        )
        x += width
    return views


def period_asked(request: Request, services: Services) -> Period:
    """The period in the address, or that of two dates; the current year otherwise."""
    query = request.query_params
    if query.get("du") and query.get("au"):
        return period_of(f"{query['du']}/{query['au']}")
    key = query.get("periode", "")
    return period_of(key) if key else Period.civil(services.reports.today().year)


def period_words(period: Period, zone: str = ZONE.key) -> str:
    """`zone`: of the campus; its registers date by it."""
    words = days(period.first, period.last)
    return words if zone == ZONE.key else translated("{days} (heure de Paris)").format(days=words)


def choices_of(services: Services, period: Period) -> list[tuple[str, str, bool]]:
    today = services.reports.today()
    school = today.year if today.month >= 9 else today.year - 1
    offered = (
        Period.civil(today.year),
        Period.school(school),
        Period.school(school - 1),
        Period.civil(today.year - 1),
    )
    return [
        (
            each.key,
            translated("Année scolaire {key}").format(key=each.key) if "-" in each.key else each.key,
            each == period,
        )
        for each in offered
    ]


@router.get("", dependencies=[staff(Permission.VIEW)])
def show_dashboard(request: Request, services: ReadingServices) -> HTMLResponse:
    work = at_work(request)
    asked, trouble = _period(request, services)
    found = services.reports.figures(work.campus, asked, with_badges=True)
    views = {
        each.id: figure_view(each, found.figures[each.id], found.earlier[each.id]) for each in INDICATORS
    }
    bars, by_departement = month_bars(found.now, found.before), departement_counts(found.now)
    return work.page(
        request,
        "reports/dashboard.html",
        trouble=trouble,
        recounting=services.reports.is_recounting([work.campus]),
        period=asked.key,
        days=period_words(found.period, work.campus.time_zone),
        days_before=period_words(found.period.before),
        choices=choices_of(services, asked),
        first=found.asked.first.isoformat(),
        last=found.asked.last.isoformat(),
        main=[views[name] for name in MAIN],
        others=[view for name, view in views.items() if name not in MAIN],
        estimated=views["apprenants-estimes"].value,
        bars=bars,
        highest=max(bars, key=lambda bar: bar.value, default=None),
        months_most=scale_of_months((bar.value for bar in bars), (bar.before for bar in bars)),
        highest_before=max(bars, key=lambda bar: bar.before, default=None),
        kinds=kinds_of(found.now),
        audiences=audience_shares(found.now),
        women=views["femmes"],
        departements=departement_shares(by_departement),
        map=departement_map(by_departement),
        answers=answers_of(found.now),
        satisfaction=views["satisfaction"],
        recommendation=views["recommandation"],
        badges=[(name, count) for name, count in found.badges if count >= SMALL],
        computed=computed(found, work),
        renewals=_renewals(services, work),
    )


def _renewals(services: Services, work: AtWork) -> list[tuple[str, str, str]]:
    """Labels to renew: name, end, and the address of the file."""
    if not work.may(Permission.MANAGE):
        return []
    return [
        (
            translated(LABEL_CATEGORIES[each.label.category]),
            days(each.label.ends_on, each.label.ends_on),
            f"{work.home}/rapport/label/{each.label.id}",
        )
        for each in services.report_renewals.due(work.campus)
        if each.label.ends_on
    ]


def computed(found: YearFigures, work: AtWork) -> dict[str, str]:
    """When, and at which entry of the log."""
    return {
        "at": moment(found.computed_at, work.campus.time_zone),
        "log_size": number(found.now.log_size),
    }


@router.get("/chiffres/{indicator_id}", dependencies=[staff(Permission.VIEW)])
def show_figure(
    indicator_id: str,
    request: Request,
    services: ReadingServices,
    start: Annotated[int, Query(alias="debut", ge=0, le=1_000_000)] = 0,
) -> HTMLResponse:
    """The definition of one figure, what it is made of, and its rows for members who may read them."""
    work, indicator = at_work(request), BY_ID.get(indicator_id)
    if indicator is None:
        raise NotFound("Ce chiffre n’existe pas.")
    asked = period_asked(request, services)
    found = services.reports.figures(work.campus, asked)
    now = found.figures[indicator.id]
    with_people = indicator.id in _OF_PEOPLE and work.may(Permission.EXPORT)
    people = services.reports.learners(work.campus, found.now, limit=PEOPLE_SHOWN) if with_people else []
    rows = _rows_of(indicator.id, found.now)
    return work.page(
        request,
        "reports/figure.html",
        recounting=services.reports.is_recounting([work.campus]),
        period=asked.key,
        days=period_words(found.period, work.campus.time_zone),
        days_before=period_words(found.period.before),
        indicator=indicator,
        view=figure_view(indicator, now, found.earlier[indicator.id]),
        parts=[(translated(name), count) for name, count in now.parts],
        people=people,
        learners=found.now.distinct.learners,
        hides_people=indicator.id in _OF_PEOPLE and not with_people,
        organisations=_organisations(indicator.id, found.now),
        establishments=sorted(establishments_of(found.now.rows).items())
        if indicator.id == "etablissements"
        else [],
        rows=[_row(work, row) for row in rows[start : start + ROWS_SHOWN]],
        matching=len(rows),
        start=start,
        a_page=ROWS_SHOWN,
        of_awards=indicator.id in ("attestation", "reclamation", "ouverture"),
        first=found.period.first.isoformat(),
        last=found.period.last.isoformat(),
        trades=found.now.distinct.trades if indicator.id in ("metiers", "domaines") else (),
        releases=found.now.distinct.rome_versions,
        computed=computed(found, work),
    )


def _organisations(indicator_id: str, ledger: Ledger) -> list[str]:
    if indicator_id not in _OF_ORGANISATIONS:
        return []
    parts = {"mobilisees": MOBILISED, "informees": INFORMED}.get(indicator_id)
    found = organisations_of(ledger.rows, parts) if parts else organisations_of(ledger.rows)
    return sorted(found.values(), key=plain_text)


def _rows_of(indicator_id: str, ledger: Ledger) -> list[ActivityRow]:
    """The activities that a figure counts."""
    match indicator_id:
        case "conseils" | "presence":
            return [row for row in ledger.rows if row.kind is ActivityKind.COUNCIL]
        case "satisfaction" | "recommandation":
            return [row for row in ledger.rows if row.survey is not None]
        case "publics" | "femmes":
            return [row for row in ledger.rows if row.audiences]
        case "realise":
            return list(ledger.all_rows)
        case "mobilisees" | "informees" | "partenaires":
            return [row for row in ledger.rows if row.organisations]
        case "etablissements":
            return [row for row in ledger.rows if row.establishments]
        case "competences" | "metiers" | "domaines" | "recommandations" | "reclamation" | "ouverture":
            return []
    return list(ledger.rows)


@dataclass(frozen=True)
class RowView:
    href: str
    title: str
    starts_on: date
    ends_on: date
    named: int
    unnamed: int
    hours: float
    is_cancelled: bool


def _row(work: AtWork, row: ActivityRow) -> RowView:
    return RowView(
        f"{work.home}/activites/{row.id}",
        row.title,
        row.starts_on,
        row.ends_on,
        row.named,
        row.unnamed,
        row.hours,
        row.is_cancelled,
    )


@router.get("/chiffres.csv", dependencies=[staff(Permission.VIEW)])
@router.get("/chiffres.xlsx", dependencies=[staff(Permission.VIEW)])
def figures_table(request: Request, services: ReadingServices) -> Response:
    work, asked = at_work(request), period_asked(request, services)
    heading = [
        translated(each)
        for each in (
            N_("Chiffre"),
            N_("Valeur"),
            N_("Année précédente"),
            N_("Partie"),
            N_("Total"),
            N_("Définition"),
        )
    ]

    def rows(services: Services) -> Iterator[Sequence[Cell]]:
        found = services.reports.figures(work.campus, asked)
        for each in INDICATORS:
            now, before = found.figures[each.id], found.earlier[each.id]
            yield (
                translated(each.name),
                (value := public_value(each.id, each.unit, now)),
                public_value(each.id, each.unit, before),
                None if value is None else now.part,
                None if value is None else now.whole,
                translated(each.definition),
            )

    return table_file(request, f"rapport-{work.campus.slug}-{asked.key.replace('/', '-')}", heading, rows)


partners_router = APIRouter(prefix="/gestion/{slug}/rapport/partenaires", dependencies=[WITH_ORGANISERS])


def _period(request: Request, services: Services) -> tuple[Period, str]:
    try:
        return period_asked(request, services), ""
    except InvalidInput as error:
        return Period.civil(services.reports.today().year), sentence_of(error)


@partners_router.get("", dependencies=[staff(Permission.VIEW)])
def show_partners(request: Request, services: ReadingServices) -> HTMLResponse:
    work = at_work(request)
    asked, trouble = _period(request, services)
    return work.page(
        request,
        "reports/partners.html",
        trouble=trouble,
        recounting=services.reports.is_recounting([work.campus]),
        period=asked.key,
        days=period_words(asked.until(services.reports.today()), work.campus.time_zone),
        choices=choices_of(services, asked),
        partners=services.partner_reports.partners(work.campus, asked),
    )


@partners_router.get("/page", dependencies=[staff(Permission.VIEW)])
def show_partner(request: Request, services: ReadingServices, cle: str = "") -> HTMLResponse:
    work = at_work(request)
    asked, trouble = _period(request, services)
    found = services.partner_reports.year(work.campus, cle, asked)
    return work.page(
        request,
        "reports/partner.html",
        recounting=services.reports.is_recounting([work.campus]),
        status=status_for(trouble),
        found=found,
        period=asked.key,
        days=period_words(found.period, work.campus.time_zone),
        actions=[(each, translated(ORGANISATION_PARTS[each.part])) for each in found.actions],
        share=round(100 * found.favourable / found.answered) if found.answered >= FEWEST_ANSWERS else None,
    )


@partners_router.get("/page.pdf", dependencies=[staff(Permission.VIEW)])
def print_partner(request: Request, services: ReadingServices, cle: str = "") -> Response:
    work = at_work(request)
    found = services.partner_reports.year(work.campus, cle, _period(request, services)[0])
    name = re.sub(r"[^a-z0-9]+", "-", plain_text(found.name)).strip("-")[:60] or "partenaire"
    return Response(
        services.partner_reports.printed(found, days=days),
        media_type="application/pdf",
        headers={
            "Content-Disposition": f'inline; filename="{name}.pdf"',
            "Cache-Control": "no-store",
        },
    )
