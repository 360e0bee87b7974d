"""The renewal file of a label: its page, its texts, and its files."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial
from types import MappingProxyType
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.accounts.permissions import Permission
from app.domain.campus.campus import Label
from app.domain.core import mark_of
from app.domain.reports.editions import DraftText
from app.domain.reports.indicators import INDICATORS
from app.domain.reports.renewal import THEMES, RenewalYear, Theme, faults_of_texts, opens_on, rows_of
from app.http.pages.forms import SafeForm, SavedMeanwhile, check_saved, text_of
from app.http.pages.words import ACTIVITY_KINDS, LABEL_CATEGORIES, days, number
from app.http.request_scope import (
    WITH_ORGANISERS,
    ReadingServices,
    sentence_of,
    status_for,
    write_transaction,
)
from app.http.workplaces import AtWork, at_work, staff
from app.language import N_, translated
from app.services.reports.renewal import LabelRenewal, RenewalPage
from app.web.reports.annual import value_words

router = APIRouter(prefix="/gestion/{slug}/rapport/label", dependencies=[WITH_ORGANISERS])
_DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_MOST_PARTNERS = 40


def label_words(label: Label) -> str:
    return translated(LABEL_CATEGORIES[label.category])


def _dates(label: Label) -> str:
    if label.starts_on and label.ends_on:
        return days(label.starts_on, label.ends_on)
    if label.ends_on:
        return translated("Jusqu’au {day}").format(day=days(label.ends_on, label.ends_on))
    return translated("Sans date de fin")


def _state(each: LabelRenewal, *, on: date) -> str:
    if each.is_due:
        return translated("Le dossier est ouvert.")
    opens = opens_on(each.label)
    if opens is None:
        return translated("Demandez au réseau d’écrire la date de fin : le dossier s’ouvre un an avant.")
    if opens > on:
        return translated("Le dossier s’ouvre le {day}.").format(day=days(opens, opens))
    return translated("Un autre label lui succède.")


@router.get("", dependencies=[staff(Permission.MANAGE)])
def show_labels(request: Request, services: ReadingServices) -> HTMLResponse:
    work = at_work(request)
    return work.page(
        request,
        "reports/renewals/list.html",
        labels=[
            {
                "name": label_words(each.label),
                "network": each.network.name,
                "dates": _dates(each.label),
                "state": _state(each, on=services.reports.today()),
                "href": f"{work.home}/rapport/label/{each.label.id}" if each.is_due else "",
            }
            for each in services.report_renewals.list_of(work.campus)
        ],
    )


@router.get("/{label_id:uuid}", dependencies=[staff(Permission.MANAGE)])
def show_renewal(
    label_id: uuid.UUID, request: Request, services: ReadingServices, note: str = ""
) -> HTMLResponse:
    return _page(request, services, at_work(request), label_id, note=note)


def _page(
    request: Request,
    services: Services,
    work: AtWork,
    label_id: uuid.UUID,
    *,
    trouble: str = "",
    note: str = "",
    seen: str = "",
    beside: Sequence[str] = (),
    typed: Mapping[str, DraftText] | None = None,
    errors: Mapping[str, str] = MappingProxyType({}),
) -> HTMLResponse:
    found = services.report_renewals.page(work.campus, label_id)
    here = f"{work.home}/rapport/label/{label_id}"
    texts = {**found.texts, **(typed or {})}
    return work.page(
        request,
        "reports/renewals/file.html",
        recounting=services.reports.is_recounting([work.campus]),
        here=here,
        label=label_words(found.label),
        network=found.network.name,
        dates=_dates(found.label),
        end=days(found.label.ends_on, found.label.ends_on) if found.label.ends_on else "",
        is_over=found.label.ends_on is not None and found.label.ends_on < services.reports.today(),
        status=status_for(trouble, errors),
        trouble=trouble,
        errors=errors,
        beside=beside,
        seen=seen or mark_of(*_fields(found.texts).values()),
        note=note,
        missing=_missing(work, found),
        unsigned=_unsigned_words(found),
        years=[each.period.key for each in found.years],
        sections=[
            {
                "id": theme.id,
                "title": f"{rank}. {translated(theme.name)}",
                "hint": translated(theme.hint),
                "text": texts[theme.id],
                "rows": _rows(theme, found.years),
                "lines": _lines(theme, found),
            }
            for rank, theme in enumerate(THEMES, 1)
        ],
    )


def _missing(work: AtWork, found: RenewalPage) -> list[tuple[str, str]]:
    """What the file still lacks, with the page that completes it."""
    missing = [
        (
            translated("Le rapport {key} n’est pas signé.").format(key=each.period.key),
            f"{work.home}/rapport/annuel/{each.period.key}",
        )
        for each in found.unsigned
    ]
    if found.label.starts_on is None:
        missing.append(
            (translated("La date de début du label n’est pas écrite : demandez-la au réseau."), "")
        )
    if not found.establishments:
        missing.append(
            (
                translated("Aucun établissement n’est noté dans les activités."),
                f"{work.home}/rapport/activites",
            )
        )
    if not found.partners:
        missing.append(
            (
                translated("Aucune organisation n’est notée dans les activités."),
                f"{work.home}/rapport/activites",
            )
        )
    for theme in THEMES:
        name, text = translated(theme.name), found.texts[theme.id]
        if not text.text.strip():
            missing.append((translated("Texte à écrire : {name}.").format(name=name), f"#texte-{theme.id}"))
        elif not text.reviewed:
            missing.append((translated("Texte à relire : {name}.").format(name=name), f"#texte-{theme.id}"))
        missing += [
            (
                translated("Aucun chiffre : {name}.").format(name=row.name),
                f"{work.home}/rapport/activites",
            )
            for row in rows_of(theme, found.years)
            if row.is_unknown
        ]
    return list(dict.fromkeys(missing))


def _unsigned_words(found: RenewalPage) -> str:
    keys = [each.period.key for each in found.years if not each.edition]
    if not keys:
        return ""
    return translated("Comptés à ce jour, sans rapport signé : {keys}.").format(keys=", ".join(keys))


def _rows(theme: Theme, years: Sequence[RenewalYear]) -> list[list[str]]:
    return [
        [row.name, *(value_words(row.unit, value) for value in row.values)] for row in rows_of(theme, years)
    ]


def _lines(theme: Theme, found: RenewalPage) -> list[str]:
    """What the network consists of: its establishments, its partners."""
    if theme.id == "reseau" and found.establishments:
        return [
            translated("Établissements des participants : {names}.").format(
                names=", ".join(found.establishments)
            )
        ]
    if theme.id == "entreprises" and found.partners:
        named = [f"{name} ({number(count)})" for name, count in found.partners[:_MOST_PARTNERS]]
        sentence = translated("Organisations, avec leur nombre d’actions : {names}.")
        lines = [sentence.format(names=", ".join(named))]
        if len(found.partners) > _MOST_PARTNERS:
            rest = number(len(found.partners) - _MOST_PARTNERS)
            lines.append(translated("Autres organisations : {rest}.").format(rest=rest))
        return lines
    return []


@router.post("/{label_id:uuid}", dependencies=[staff(Permission.MANAGE)])
def save_renewal(
    label_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices
) -> Response:
    work = at_work(request)
    typed = {
        theme.id: (text_of(form, f"texte-{theme.id}"), text_of(form, f"relu-{theme.id}") == "oui")
        for theme in THEMES
        if f"texte-{theme.id}" in form
    }
    seen = text_of(form, "vu")
    shown = partial(_page, request, services, work, label_id, typed=_drafts(typed))
    if faults := faults_of_texts(_drafts(typed)):
        return shown(
            seen=seen, errors={f"texte-{name}": sentence_of(fault) for name, fault in faults.items()}
        )
    try:
        with write_transaction(request) as writing:
            today = _fields(writing.report_renewals.page(work.campus, label_id).texts)
            check_saved(seen, today, {**today, **_fields(_drafts(typed))})
            writing.report_renewals.save(work.campus, label_id, typed, by=work.actor)
    except SavedMeanwhile as error:
        names = {theme.id: translated(theme.name) for theme in THEMES}
        beside = [f"{names[key]}. {text}" for key, text in error.beside.items()]
        return shown(trouble=sentence_of(error), seen=error.seen, beside=beside)
    return RedirectResponse(f"{work.home}/rapport/label/{label_id}?note=enregistre", status_code=303)


def _drafts(typed: Mapping[str, tuple[str, bool]]) -> dict[str, DraftText]:
    return {key: DraftText(text, reviewed) for key, (text, reviewed) in typed.items()}


def _fields(texts: Mapping[str, DraftText]) -> dict[str, str]:
    return {key: each.text + ("\n✓" if each.reviewed else "") for key, each in texts.items()}


# --- files


@router.get("/{label_id:uuid}/dossier.pdf", dependencies=[staff(Permission.MANAGE)])
@router.get("/{label_id:uuid}/dossier.docx", dependencies=[staff(Permission.MANAGE)])
def renewal_file(label_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    work = at_work(request)
    words = file_words(work, services.report_renewals.page(work.campus, label_id))
    kind = request.url.path.rpartition(".")[2]
    if kind == "docx":
        body, media = services.report_renewals.text(words), _DOCX
    else:
        body, media = services.report_renewals.pdf(work.campus, words), "application/pdf"
    name = f"dossier-label-{work.campus.slug}.{kind}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(body, media_type=media, headers=headers)


def file_words(work: AtWork, found: RenewalPage) -> dict[str, Any]:
    """Every text of the printed file, in the reader's language."""
    basis = translated(
        "Les chiffres sont ceux des rapports signés du campus. Une case de moins de 5 personnes est masquée."
    )
    shown = {key for theme in THEMES for key in theme.figures}
    kinds = {kind.value: translated(words) for kind, words in ACTIVITY_KINDS.items()}
    return {
        "title": translated("Dossier de renouvellement, campus {name}").format(name=work.campus.short_name),
        "campus": work.campus.name,
        "short": work.campus.short_name,
        "campus-kind": translated("Campus des métiers et des qualifications"),
        "cover": translated("Renouveler le label"),
        "label": [f"{label_words(found.label)}, {found.network.name}", _dates(found.label)],
        "basis": f"{basis} {_unsigned_words(found)}".strip(),
        "small": translated("Une case de moins de 5 personnes est masquée."),
        "to-write": translated("Texte à écrire."),
        "heads": [translated("Chiffre"), *(each.period.key for each in found.years)],
        "sections": [
            {
                "title": f"{rank}. {translated(theme.name)}",
                "text": found.texts[theme.id].text.strip(),
                "rows": _rows(theme, found.years),
                "lines": _lines(theme, found),
            }
            for rank, theme in enumerate(THEMES, 1)
        ],
        "actions-title": translated("Les actions"),
        "action-heads": [translated(each) for each in (N_("Action"), N_("Dates"), N_("Présences"))],
        "actions": _actions(found, kinds),
        "definitions-title": translated("Ce que les chiffres comptent"),
        "definitions": [
            [translated(each.name), f"{translated(each.definition)} {translated(each.how)}"]
            for each in INDICATORS
            if each.id in shown
        ],
    }  # fmt: skip


def _actions(found: RenewalPage, kinds: Mapping[str, str]) -> list[list[str]]:
    """An action over two years is listed in the first."""
    listed: dict[tuple[str, str], list[str]] = {}
    for year in found.years:
        for each in year.document["actions"]:
            first, last = date.fromisoformat(each["first"]), date.fromisoformat(each["last"])
            people = translated("masqué") if each["people"] is None else number(each["people"])
            listed.setdefault(
                (each["title"], each["first"]),
                [f"{each['title']} ({kinds[each['kind']].lower()})", days(first, last), people],
            )
    return list(listed.values())
