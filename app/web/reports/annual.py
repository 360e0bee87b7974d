"""The yearly report: editing, contradictions, publication, and its files."""

from __future__ import annotations

import re
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Final

import orjson
from babel.dates import format_date
from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.accounts.permissions import Permission
from app.domain.core import mark_of, plain_text
from app.domain.reports.editions import (
    AXES,
    PLAN,
    ChosenPicture,
    Contradiction,
    DraftText,
    Line,
    checked_source,
    document_of,
    faults_of_declared,
    faults_of_report,
    faults_of_settled,
)
from app.domain.reports.facts import Declared
from app.domain.reports.indicators import INDICATORS, Figure, Unit
from app.domain.reports.ledger import ActivityRow, Period, PeriodKind, period_of
from app.errors import AppError, InvalidInput, faults_of_fields
from app.http.pages.forms import (
    CHECKED_FORM,
    Count,
    SafeForm,
    SavedMeanwhile,
    check_saved,
    ids_in,
    text_of,
    texts_of,
)
from app.http.pages.words import ACTIVITY_KINDS, days, number, percentage
from app.http.request_scope import ReadingServices, sentence_of, status_for, write_transaction
from app.http.workplaces import AtWork, at_work, staff
from app.language import N_, babel_locale, translated
from app.services.reports.editions import ReportDraftPage, picture_words
from app.web.reports.dashboard import MAIN, period_words, scale_of_months

router = APIRouter(prefix="/gestion/{slug}/rapport/annuel")
ABOUT = {
    Declared.SIZE: N_("Combien de personnes ?"),
    Declared.ESTABLISHMENTS: N_("Combien d’établissements ?"),
    Declared.ORGANISATIONS: N_("Combien d’organisations ?"),
    Declared.FIRST_DAY: N_("Quel premier jour ?"),
}
_DECLARED: Final = {"value": "valeur", "source": "mots"}
_SETTLED: Final = {"value": "retenir", "reason": "pourquoi"}
_NOT_CHOSEN: Final = N_("Choisissez l’activité et ce que le chiffre compte.")
_MOST_LISTED: Final = 50
_LONGEST_SEARCH: Final = 100
_DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True)
class LineView:
    number: str
    name: str
    value: str = ""
    before: str = ""
    note: str = ""
    text: DraftText | None = None


@dataclass(frozen=True)
class FigureForm:
    """A figure read elsewhere, or the choice between two, as typed."""

    values: Mapping[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def activity_id(self) -> uuid.UUID:
        try:
            return uuid.UUID(self.values["activite"])
        except ValueError:
            raise InvalidInput(_NOT_CHOSEN) from None

    @property
    def about(self) -> Declared:
        try:
            return Declared(self.values["sujet"])
        except ValueError:
            raise InvalidInput(_NOT_CHOSEN) from None

    def of(self, name: str) -> str:
        """Of a figure read elsewhere."""
        return self.values.get(name, "") if self.values.get("geste") == "declarer" else ""

    def chosen(self, each: ContradictionView) -> Mapping[str, str]:
        """What was typed for this contradiction."""
        is_its = (self.values.get("activite"), self.values.get("sujet")) == (
            str(each.activity_id),
            each.about,
        )
        return self.values if is_its and self.values["geste"] != "declarer" else {}


@dataclass(frozen=True)
class ContradictionView:
    activity_id: uuid.UUID
    about: str
    title: str
    question: str
    claims: Sequence[tuple[str, str, str]]
    """The value as stored, as shown, and its source."""
    settled: str
    reason: str
    counts: str
    leader: str
    """The campus that settles it; empty if it is this one."""

    @staticmethod
    def of(each: Contradiction, leader: str) -> ContradictionView:
        return ContradictionView(
            each.activity_id,
            each.about.value,
            each.title,
            translated(ABOUT[each.about]),
            [(claim.value, _shown(claim.value), translated(claim.source)) for claim in each.claims],
            _shown(each.settled),
            each.reason,
            _shown(each.counts),
            leader,
        )


def value_words(unit: str, value: float | int | None) -> str:
    if value is None:
        return "–"
    return percentage(value) if unit == Unit.PERCENT.value else number(round(value, 1))


def line_view(line: Line, shown: ReportDraftPage) -> LineView:
    name = translated(line.name)
    if line.count is None:
        return LineView(line.number, name, text=shown.texts[line.number])
    now, before = shown.lines[line.number], shown.earlier[line.number]
    unit = line.unit.value
    return LineView(
        line.number, name, value_words(unit, now.value), value_words(unit, before.value), _of(now)
    )


def _of(figure: Figure) -> str:
    if not figure.whole:
        return ""
    return translated("{part} sur {whole}").format(part=number(figure.part or 0), whole=number(figure.whole))


def yearly(key: str) -> Period:
    """A civil or a school year: reports of other days could be subtracted from each other."""
    period = period_of(key)
    if period.kind is PeriodKind.DAYS:
        raise InvalidInput("Un rapport couvre une année civile ou une année scolaire.")
    return period


@router.get("/{period}", dependencies=[staff(Permission.WORK)])
def show_report(
    period: str, request: Request, services: ReadingServices, note: str = "", cherche: str = ""
) -> HTMLResponse:
    return _page(request, services, at_work(request), yearly(period), note=note, wanted=cherche)


def _listed(rows: Sequence[ActivityRow], wanted: str) -> tuple[list[tuple[str, str]], int]:
    """Activities to choose from, the newest first, and how many there are: none of many without a search."""
    words = plain_text(wanted).split()
    labels = [
        (str(row.id), f"{row.title} ({days(row.starts_on, row.ends_on)})")
        for row in sorted(rows, key=attrgetter("starts_on"), reverse=True)
        if not words
        or all(
            each
            in plain_text(
                f"{row.title} {days(row.starts_on, row.ends_on)} {row.starts_on:%d/%m/%Y} {row.starts_on}"
            )
            for each in words
        )
    ]
    is_short = words or len(labels) <= _MOST_LISTED
    return labels[:_MOST_LISTED] if is_short else [], len(labels)


def _page(
    request: Request,
    services: Services,
    work: AtWork,
    period: Period,
    *,
    trouble: str = "",
    note: str = "",
    wanted: str = "",
    typed: Mapping[str, DraftText] | None = None,
    quotes: Sequence[str] | None = None,
    pictures: Sequence[ChosenPicture] | None = None,
    credits: Mapping[uuid.UUID, str] = MappingProxyType({}),
    figure: FigureForm | None = None,
    errors: Mapping[str, str] = MappingProxyType({}),
    seen: str = "",
    beside: Sequence[str] = (),
    status: int = 200,
) -> HTMLResponse:
    shown = services.report_editions.page(work.campus, period)
    seen = seen or mark_of(*_written(shown).values())
    lines = [line_view(line, shown) for line in PLAN]
    figure = figure or FigureForm({"cherche": wanted})
    wanted = figure.values["cherche"].strip()[:_LONGEST_SEARCH]
    activities, activity_count = _listed(shown.now.rows, wanted)
    suggestions = services.surveys.citable([row.id for row in shown.now.rows])
    quotes = shown.quotes if quotes is None else quotes
    if pictures is None:
        pictures = [ChosenPicture(each.id, credit) for each, credit in shown.pictures]
    chosen = {each.id: each.credit for each in pictures}
    if typed is not None:
        lines = [
            LineView(each.number, each.name, text=typed[each.number]) if each.number in typed else each
            for each in lines
        ]
    return work.page(
        request,
        "reports/annual.html",
        status=status,
        here=f"{work.home}/rapport/annuel/{period.key}",
        key=period.key,
        days=period_words(period, work.campus.time_zone),
        before_key=period.before.key,
        trouble=trouble,
        errors=errors,
        recounting=services.reports.is_recounting([work.campus]),
        beside=beside,
        seen=seen,
        note=note,
        axes=[
            (axis, translated(name), [each for each in lines if each.number.startswith(f"{axis}.")])
            for axis, name in AXES.items()
        ],
        quotes="\n".join(each for each in quotes if each not in suggestions),
        gallery=[
            (
                each.id,
                f"/campus/{work.campus.slug}/images/{each.id}",
                each.alternative,
                each.id in chosen,
                credits.get(each.id) or chosen.get(each.id, ""),
                each.added_at,
            )
            for each in services.campus_pictures.list_of(work.campus)
        ],
        contradictions=[
            ContradictionView.of(each, shown.leaders.get(each.activity_id, ""))
            for each in sorted(
                shown.contradictions, key=lambda each: bool(each.settled or shown.awaits(each))
            )[:_MOST_LISTED]
        ],
        contradiction_count=len(shown.contradictions),
        open_contradictions=shown.open_contradictions,
        unread=shown.unread,
        is_over=shown.is_over,
        suggestions=[(each, each in quotes) for each in suggestions],
        read=len(shown.texts) - shown.unread,
        counted=len(shown.lines),
        editions=[(each.number, each.signed_at) for each in shown.editions],
        activities=activities,
        activity_count=activity_count,
        wanted=wanted,
        figure=figure,
        abouts=[(about.value, translated(words)) for about, words in ABOUT.items()],
        has_objectives=any(row.objectives for row in shown.now.rows),
        time_zone=work.campus.time_zone,
    )


def _written(shown: ReportDraftPage) -> dict[str, str]:
    texts = {number: (each.text, each.reviewed) for number, each in shown.texts.items()}
    return _fields(texts, shown.quotes, [ChosenPicture(each.id, credit) for each, credit in shown.pictures])


def _fields(
    texts: Mapping[str, tuple[str, bool]], quotes: Sequence[str], pictures: Sequence[ChosenPicture]
) -> dict[str, str]:
    """By what is written, its text and whether it was reviewed."""
    return {
        **{number: text + ("\n✓" if reviewed else "") for number, (text, reviewed) in texts.items()},
        "paroles": "\n".join(quotes),
        "images": "\n".join(sorted(f"{each.id} {each.credit}" for each in pictures)),
    }


@router.post("/{period}", dependencies=[staff(Permission.WORK)])
def save_report(period: str, request: Request, form: SafeForm, services: ReadingServices) -> Response:
    work, asked = at_work(request), yearly(period)
    typed = {
        line.number: (text_of(form, f"texte-{line.number}"), text_of(form, f"relu-{line.number}") == "oui")
        for line in PLAN
        if line.count is None
    }
    quotes = [each.strip() for each in text_of(form, "paroles").splitlines() if each.strip()]
    quotes = list(dict.fromkeys([*texts_of(form, "phrase"), *quotes]))
    pictures = [
        ChosenPicture(each, " ".join(text_of(form, f"credit-{each}").split()))
        for each in ids_in(texts_of(form, "image"))
    ]
    seen = text_of(form, "vu")
    shown = partial(
        _page,
        request,
        services,
        work,
        asked,
        typed={key: DraftText(text, reviewed) for key, (text, reviewed) in typed.items()},
        quotes=quotes,
        pictures=pictures,
        credits={
            each.id: text_of(form, f"credit-{each.id}")
            for each in services.campus_pictures.list_of(work.campus)
        },
    )
    if faults := faults_of_report({key: text for key, (text, _) in typed.items()}, quotes, pictures):
        at = {key: f"texte-{key}" for key in typed} | {"quotes": "paroles", "pictures": "galerie"}
        errors = {at.get(key, f"credit-{key}"): sentence_of(fault) for key, fault in faults.items()}
        return shown(errors=errors, seen=seen, status=422)
    try:
        with write_transaction(request) as writing:
            writing.take_turns([work.campus.id])
            today = _written(writing.report_editions.page(work.campus, asked))
            check_saved(seen, today, {**today, **_fields(typed, quotes, pictures)})
            writing.report_editions.save(work.campus, asked, typed, quotes, pictures, by=work.actor)
    except SavedMeanwhile as error:
        beside = [f"{key} {text}" for key, text in error.beside.items() if key != "images"]
        return shown(trouble=sentence_of(error), seen=error.seen, beside=beside, status=status_for(error))
    return _back(work, asked, "enregistre")


def _back(work: AtWork, period: Period, note: str) -> RedirectResponse:
    return RedirectResponse(f"{work.home}/rapport/annuel/{period.key}?note={note}", status_code=303)


@router.post("/{period}/contradictions", dependencies=[staff(Permission.WORK)])
def settle_contradiction(
    period: str, request: Request, form: SafeForm, services: ReadingServices
) -> Response:
    work, asked = at_work(request), yearly(period)
    names = ("geste", "activite", "sujet", "valeur", "mots", "cherche")
    figure = FigureForm({name: text_of(form, name) for name in names})
    value, words = figure.values["valeur"], figure.values["mots"]
    is_declared = figure.values["geste"] == "declarer"
    faults = faults_of_fields({"activite": lambda: figure.activity_id, "sujet": lambda: figure.about})
    if "sujet" in faults and is_declared:
        faults |= faults_of_fields({"mots": lambda: checked_source(words)})
    elif "sujet" not in faults:
        fields = _DECLARED if is_declared else _SETTLED
        found = (faults_of_declared if is_declared else faults_of_settled)(figure.about, value, words)
        faults |= {fields[name]: fault for name, fault in found.items()}
    if faults:
        figure.errors.update((name, sentence_of(error)) for name, error in faults.items())
        return _page(request, services, work, asked, figure=figure, status=422)
    try:
        with write_transaction(request) as writing:
            act = writing.report_editions.declare if is_declared else writing.report_editions.settle
            act(work.campus, figure.activity_id, figure.about, value, words, by=work.actor)
    except AppError as error:
        trouble = sentence_of(error)
        return _page(request, services, work, asked, trouble=trouble, figure=figure, status=status_for(error))
    return _back(work, asked, "tranche")


@router.post("/{period}/publier", dependencies=[staff(Permission.MANAGE), CHECKED_FORM])
def publish_report(period: str, request: Request, services: ReadingServices) -> Response:
    """Freeze and sign a version of the report."""
    work, asked = at_work(request), yearly(period)
    try:
        with write_transaction(request) as writing:
            writing.report_editions.publish(work.campus, asked, by=work.actor, read=services.report_editions)
    except AppError as error:
        return _page(request, services, work, asked, trouble=sentence_of(error), status=status_for(error))
    return _back(work, asked, "publie")


# --- files


def _document(services: Services, work: AtWork, period: Period, edition: int) -> tuple[dict[str, Any], str]:
    """The document of a signed version with its token, or of the draft with none."""
    if edition:
        token = services.report_editions.edition(work.campus, period, edition).token
        return document_of(token), token
    shown = services.report_editions.page(work.campus, period)
    return services.report_editions.document(work.campus, shown), ""


@router.get("/{period}/rapport.pdf", dependencies=[staff(Permission.WORK)])
@router.get("/{period}/rapport.xlsx", dependencies=[staff(Permission.WORK)])
@router.get("/{period}/rapport.docx", dependencies=[staff(Permission.WORK)])
@router.get("/{period}/rapport.json", dependencies=[staff(Permission.WORK)])
def report_file(period: str, request: Request, services: ReadingServices, version: Count = 0) -> Response:
    """`version`: the number of a signed version; the draft otherwise."""
    work, asked = at_work(request), yearly(period)
    document, token = _document(services, work, asked, version)
    kind = request.url.path.rpartition(".")[2]
    pictures = services.report_editions.illustrations(work.campus, document)
    match kind:
        case "xlsx":
            body, media = services.report_editions.workbook(document, _kinds()), _XLSX
        case "docx":
            body, media = services.report_editions.text(document, _title(document), _kinds(), pictures), _DOCX
        case "json":
            signed = {"document": document, "token": token}
            body, media = orjson.dumps(signed, option=orjson.OPT_INDENT_2), "application/json"
        case _:
            words = pdf_words(document, document.get("edition", 0), pictures)
            body = services.report_editions.pdf(work.campus, document, words, token, pictures)
            media = "application/pdf"
    name = f"rapport-{work.campus.slug}-{asked.key}.{kind}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(body, media_type=media, headers=headers)


def _title(document: Mapping[str, Any]) -> str:
    return translated("Rapport annuel {key}, campus {name}").format(
        key=document["period"]["key"], name=document["campus"]["shortName"]
    )


def _kinds() -> dict[str, str]:
    return {kind.value: translated(words) for kind, words in ACTIVITY_KINDS.items()}


def _people(cell: int | None) -> str:
    return translated("masqué") if cell is None else number(cell)


def _shown(value: str | None) -> str:
    """A figure of a contradiction: a count or an ISO day; None if hidden."""
    if value is None:
        return translated("masqué")
    if value.isdecimal():
        return number(int(value))
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        return value
    day = date.fromisoformat(value)
    return days(day, day)


def notes_of(document: Mapping[str, Any]) -> list[str]:
    """One sentence for each figure that several sources gave differently."""
    settled = translated("{activity} : {held} retenu. {reason} Aussi déclaré : {others}.")
    awaited = translated(
        "{activity} : {held} compté, en attente du campus pilote ({awaits}). Aussi déclaré : {others}."
    )
    return [
        (awaited if each.get("awaits") else settled).format(
            activity=each["activity"],
            held=_shown(each["held"]),
            awaits=each.get("awaits"),
            reason=each["reason"],
            others=", ".join(f"{_shown(other['value'])} ({other['source']})" for other in each["others"]),
        )
        for each in document["notes"]
    ]


def pdf_words(document: Mapping[str, Any], edition: int, pictures: Collection[str] = ()) -> dict[str, Any]:
    """Every text of the printed report, in the reader's language; `pictures`: digests of those that are there."""
    figures = {each["id"]: each for each in document["figures"]}
    first, last = (date.fromisoformat(document["period"][name]) for name in ("first", "last"))
    months = [
        (date.fromisoformat(f"{each['month']}-01"), each["people"], each["previous"])
        for each in document["months"]
    ]
    months_hint = [translated("Barre : cette période. Trait : un an plus tôt.")]
    if any(people is None or earlier is None for _, people, earlier in months):
        months_hint.append(translated("Les mois masqués n’ont pas de barre."))
    tallest = scale_of_months((now for _, now, _ in months), (earlier for _, _, earlier in months))
    if any(earlier and earlier > tallest for _, _, earlier in months):
        months_hint.append(translated("Un trait trop haut pour l’image porte son nombre."))
    kinds = _kinds()
    names = {each.id: translated(each.name) for each in INDICATORS}
    before = translated("{value} un an plus tôt")
    lines = {axis: [each for each in document["lines"] if each["id"].split(".")[0] == axis] for axis in AXES}
    return {
        "title": _title(document),
        "attached": translated("La version signée du rapport"),
        "campus-kind": translated("Campus des métiers et des qualifications"),
        "cover": translated("L’année {key}").format(key=document["period"]["key"]),
        "subtitle": translated("Rapport d’activité, {days}, écrit d’après le journal du campus").format(
            days=days(first, last)
        ),
        "version": translated("Version {number}, signée par le campus").format(number=edition)
        if edition
        else translated("Brouillon, non signé"),
        "small": translated("Une case de moins de 5 personnes est masquée."),
        "figures-title": translated("L’année en huit chiffres"),
        "main": [
            {
                "name": names[key],
                "value": value_words(figures[key]["unit"], figures[key]["value"]),
                "before": before.format(value=value_words(figures[key]["unit"], figures[key]["previous"])),
            }
            for key in MAIN
        ],
        "months-title": translated("Présences par mois"),
        "months-hint": " ".join(months_hint),
        "months-words": "; ".join(
            translated("{month} : {people}").format(
                month=format_date(day, "LLLL", locale=babel_locale()), people=_people(people)
            )
            for day, people, _ in months
        ),
        "months-most": tallest,
        "months": [
            {
                "letter": format_date(day, "LLL", locale=babel_locale())[:1].upper(),
                "people": people or 0,
                "people-words": _people(people) if people is not None else "",
                "previous": earlier or 0,
                "previous-words": _people(earlier),
            }
            for day, people, earlier in months
        ],
        "audiences-title": translated("Les publics"),
        "audiences": [[each["name"], _people(each["people"])] for each in document["audiences"]],
        "departements-title": translated("Les départements"),
        "departements": [[each["name"], _people(each["people"])] for each in document["departements"]],
        "people": translated("Présences"),
        "pictures-title": translated("En images"),
        "pictures": [
            picture_words(each, is_there=each["digest"] in pictures) for each in document.get("pictures", ())
        ],
        "quotes-title": translated("Paroles choisies"),
        "heads": [
            translated(each)
            for each in (N_("N°"), N_("Indicateur"), N_("Cette période"), N_("Un an plus tôt"))
        ],
        "axes": [
            {
                "title": f"B.{axis} {translated(name)}",
                "rows": [
                    [
                        each["id"],
                        each["name"],
                        value_words(each["unit"], each["value"]),
                        value_words(each["unit"], each["previous"]),
                    ]
                    for each in lines[axis]
                    if "text" not in each
                ],
                "texts": [
                    {"title": f"{each['id']} {each['name']}", "text": each["text"]}
                    for each in lines[axis]
                    if each.get("text")
                ],
            }
            for axis, name in AXES.items()
        ],
        "actions-title": translated("Les actions"),
        "action-heads": [translated(each) for each in (N_("Action"), N_("Dates"), N_("Présences"))],
        "actions": [
            [
                f"{each['title']} ({kinds[each['kind']].lower()})",
                days(date.fromisoformat(each["first"]), date.fromisoformat(each["last"])),
                _people(each["people"]),
            ]
            for each in document["actions"]
        ],
        "notes-title": translated("Chiffres tranchés"),
        "notes": notes_of(document),
        "definitions-title": translated("Ce que les chiffres comptent"),
        "definitions": [
            [names[each.id], f"{translated(each.definition)} {translated(each.how)}"] for each in INDICATORS
        ],
        "check-title": translated("Ces chiffres se recalculent."),
        "check": translated(
            N_(
                "Ils viennent du journal du campus, arrêté à l’entrée {size}. La version signée est jointe à ce fichier."
            )
            if edition
            else N_("Ils viennent du journal du campus, arrêté à l’entrée {size}.")
        ).format(size=number(document["log"]["entries"])),
    }
