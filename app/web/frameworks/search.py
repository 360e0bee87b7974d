"""The picker: a search in the frameworks that a campus sees, one item with its synonyms, affected badges."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.accounts.permissions import Permission
from app.domain.frameworks import Framework, Owner, PublicFramework, can_practise
from app.domain.frameworks.text_search import SearchQuery, other_name
from app.errors import AppError, NotFound
from app.http.pages.forms import CHECKED_FORM, SafeForm, text_of
from app.http.request_scope import ReadingServices, sentence_of, write_transaction
from app.http.workplaces import AtWork, at_work, staff
from app.language import N_, day, translated
from app.services.frameworks import FoundItem, SearchResult
from app.services.frameworks.importing import Standing

router = APIRouter(prefix="/gestion/{slug}/competences/chercher")
affected_router = APIRouter(prefix="/gestion/{slug}/competences/correspondances")
_VIEW = [staff(Permission.VIEW)]
_CHANGE = [staff(Permission.DESIGN), CHECKED_FORM]
_REGISTERS = {each.value for each in PublicFramework}
_KINDS = {
    "occupation": N_("Métier"),
    "skill": N_("Aptitude"),
    "knowledge": N_("Connaissance"),
    "certification": N_("Certification"),
    "block": N_("Bloc de compétences"),
    "domain": N_("Domaine"),
    "competency": N_("Compétence"),
}
_CHOICES = ("ajouter", "pratiquer")
GROUPS = (
    ("", N_("Partout")),
    ("campus", N_("Campus")),
    ("rome", "ROME"),
    ("rncp", "RNCP"),
    ("rs", "RS"),
    ("esco", "ESCO"),
)


@dataclass(frozen=True)
class ItemView:
    """`adds`: "register code" where an alignment can name it; `practises`: the number of what an activity can
    practise; `ended`: a sentence, empty while in force; `also`: the other label that was searched for."""

    href: str
    code: str
    label: str
    path: Sequence[str]
    ended: str
    adds: str
    practises: str
    synonyms: Sequence[str]
    also: str = ""


@dataclass(frozen=True)
class SearchView:
    query: str
    corrected: str = ""
    items: Sequence[ItemView] = ()
    within: str = ""


def search_view(services: Services, work: AtWork, query: str, within: str = "") -> SearchView:
    """The picker's results for a campus."""
    if not query.strip():
        return SearchView("")
    result = services.framework_search.search(query, work.campus.id, within=within)
    return shown_result(result, work, within)


def shown_result(result: SearchResult, work: AtWork, within: str = "") -> SearchView:
    query = SearchQuery.of(result.corrected or result.query)
    return SearchView(
        result.query, result.corrected, [item_view(each, work, query) for each in result.items], within
    )


def item_view(found: FoundItem, work: AtWork, query: SearchQuery = SearchQuery(())) -> ItemView:
    item, framework = found.item, found.framework
    kind = translated(_KINDS[item.kind]) if item.kind in _KINDS and framework.owner is Owner.PUBLIC else ""
    return ItemView(
        href=f"{work.home}/competences/chercher/{item.id}",
        code="" if item.code == item.identifier or item.code.startswith("http") else item.code,
        label=item.statement,
        path=[name_of(framework), *filter(None, [*found.path, kind])],
        ended=ended_words(item.ended_on, found.successors) if found.has_ended and item.ended_on else "",
        adds=f"{framework.code} {item.code}" if framework.code in _REGISTERS else "",
        practises=str(item.id) if can_practise(item, framework, work.campus.id) else "",
        synonyms=found.synonyms,
        also=other_name(query, item.statement, item.other_labels),
    )


def name_of(framework: Framework) -> str:
    """« ROME 4.0, v460 », « Référentiel « Composites » du campus »."""
    match framework.owner:
        case Owner.CAMPUS:
            return translated("Référentiel « {name} » du campus").format(name=framework.name)
        case Owner.NETWORK:
            return translated("Référentiel « {name} » du réseau").format(name=framework.name)
    return f"{framework.name}, v{framework.version}" if framework.version else framework.name


def ended_words(ended_on: date, successors: Sequence[str]) -> str:
    if successors:
        return translated("Fiche éteinte le {day}, remplacée par {codes}").format(
            day=_short(ended_on), codes=", ".join(successors)
        )
    return translated("Fiche éteinte le {day}").format(day=_short(ended_on))


def _short(value: date) -> str:
    return f"{value:%d/%m/%Y}"


@dataclass(frozen=True)
class StandingView:
    """`release`: « ROME 4.0, v460 du 24 novembre 2025 » of the badge's day, the name alone where the badge is older
    than every release; `notes`: what has changed since."""

    code: str
    name: str
    release: str
    notes: Sequence[str]


def standing_view(standing: Standing) -> StandingView:
    alignment, notes = standing.alignment, []
    if standing.label_now:
        now = translated("Libellé actuel : « {label} ».").format(label=standing.label_now)
        notes.append(now)
    if standing.has_other_meaning:
        notes.append(translated("Ce code a changé de sens : le badge garde celui de son jour."))
    if standing.ended_on:
        notes.append(ended_words(standing.ended_on, [code for code, _ in standing.successors]) + ".")
    shown = "" if alignment.code.startswith("http") else alignment.code
    return StandingView(shown, alignment.name, _release_words(standing), notes)


def _release_words(standing: Standing) -> str:
    alignment = standing.alignment
    name = standing.framework.name if standing.framework else alignment.framework.value.upper()
    if not alignment.version:
        return name
    if not alignment.published_on:
        return f"{name}, v{alignment.version}"
    return translated("{framework}, v{version} du {day}").format(
        framework=name, version=alignment.version, day=day(date.fromisoformat(alignment.published_on))
    )


@router.get("", dependencies=_VIEW)
def search(
    request: Request, services: ReadingServices, q: str = "", dans: str = "", choix: str = ""
) -> HTMLResponse:
    work = at_work(request)
    return work.page(
        request,
        "frameworks/search.html",
        found=search_view(services, work, q, dans),
        typed=q,
        within=dans,
        action=choix if choix in _CHOICES else "",
        groups=[(code, translated(name)) for code, name in GROUPS],
        frameworks=[
            (each.name, each.version, day(each.published_on) if each.published_on else "")
            for each in services.frameworks.visible_to(work.campus)
            if each.owner is not Owner.CAMPUS
        ],
    )


@router.get("/{competency_id:uuid}", dependencies=_VIEW)
def show_item(competency_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    return _item_page(request, services, competency_id)


def _item_page(
    request: Request, services: Services, competency_id: uuid.UUID, trouble: str = "", typed: str = ""
) -> HTMLResponse:
    work = at_work(request)
    found = services.framework_search.find(competency_id, work.campus.id)
    if found is None:
        raise NotFound("Cet élément n’est dans aucun référentiel de ce campus.")
    return work.page(
        request,
        "frameworks/item.html",
        item=item_view(found, work),
        description=found.item.description,
        others=found.item.other_labels,
        publisher=found.framework.publisher,
        licence=found.framework.licence,
        source=found.framework.source,
        designs=work.may(Permission.DESIGN),
        trouble=trouble,
        typed=typed,
        zone=work.campus.time_zone,
        versions=[
            (each.version, each.written_at, each.content.get("statement", ""))
            for each in services.framework_search.versions_of(competency_id)
        ],
    )


@router.post("/{competency_id:uuid}/synonymes", dependencies=_CHANGE)
def change_synonyms(
    competency_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices
) -> Response:
    """Adds the typed synonym, or removes the one of the button."""
    work = at_work(request)
    try:
        with write_transaction(request) as writing:
            if writing.framework_search.find(competency_id, work.campus.id) is None:
                raise NotFound("Cet élément n’est dans aucun référentiel de ce campus.")
            if removed := text_of(form, "retirer"):
                writing.competencies.remove_synonym(work.campus, competency_id, removed, by=work.actor)
            else:
                writing.competencies.add_synonym(
                    work.campus, competency_id, text_of(form, "synonyme"), by=work.actor
                )
    except NotFound:
        raise
    except AppError as error:
        return _item_page(request, services, competency_id, sentence_of(error), text_of(form, "synonyme"))
    return RedirectResponse(f"{work.home}/competences/chercher/{competency_id}", status_code=303)


@dataclass(frozen=True)
class AffectedView:
    href: str
    name: str
    standings: Sequence[StandingView]
    proposal: str


@affected_router.get("", dependencies=_VIEW)
def list_affected(request: Request, services: ReadingServices) -> HTMLResponse:
    work = at_work(request)
    return work.page(
        request,
        "frameworks/affected.html",
        designs=work.may(Permission.DESIGN),
        badges=[
            AffectedView(
                f"{work.home}/badges/{each.badge.id}",
                each.version.name,
                [standing_view(one) for one in each.standings],
                _proposal(each.standings),
            )
            for each in services.frameworks.affected_badges(work.campus)
        ],
    )


def _proposal(standings: Sequence[Standing]) -> str:
    """What the campus could do; the badge itself stays as it is."""
    if any(each.successors for each in standings):
        return translated("Relier la version suivante à ce qui remplace la fiche.")
    if any(each.has_other_meaning for each in standings):
        return translated("Vérifier que ce métier est encore le bon, sinon en choisir un autre.")
    if any(each.ended_on for each in standings):
        return translated("Retirer la correspondance de la version suivante.")
    return translated("Garder, ou reprendre le libellé actuel dans la version suivante.")
