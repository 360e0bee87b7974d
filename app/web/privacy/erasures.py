"""Erasures as they are shown: the proof of one, and the desk of whoever protects a campus's data."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from enum import StrEnum

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.accounts.permissions import Deed
from app.domain.privacy.personal_data import Matter
from app.errors import Conflict, InvalidInput
from app.http.pages.forms import SafeForm, text_of
from app.http.pages.render import page
from app.http.pages.typography import say, say_plural
from app.http.pages.wording import moment
from app.http.policies import public
from app.http.request_scope import AT_ANY_CAMPUS, ReadingServices, deed
from app.http.workplaces import at_work, sentence_of, staff
from app.language import N_, current_locale
from app.services.awards.handing.papers import ErasureWords
from app.services.privacy.erasure_proofs import ErasureTold
from app.services.publishing.publication import Published
from app.web.privacy.data_words import matters_shown, stays_shown
from app.web.privacy.my_data import archive_file

router = APIRouter(dependencies=[AT_ANY_CAMPUS])
_PROTECT = [staff(Deed.PROTECT)]


class Form(StrEnum):
    JSON = "json"
    PDF = "pdf"


@dataclass(frozen=True)
class ErasureShown:
    reference: str
    campus: str
    when: str
    url: str
    asked: str
    badges: int
    is_signed: bool = True


@router.get("/effacements/{erasure_id:uuid}")
@public
def show_erasure(erasure_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    """Whoever was told its number; it says what went, and of whom nothing."""
    told = services.erasure_proofs.of_deed(erasure_id)
    answer = page(
        request,
        "privacy/erased.html",
        private=True,
        erasures=[shown(each) for each in told],
        stays=stays_shown(),
    )
    answer.headers["Referrer-Policy"] = "same-origin"
    return answer


@router.get("/effacements/{erasure_id:uuid}/preuve.{form}")
@public
def proof(erasure_id: uuid.UUID, form: Form, services: ReadingServices) -> Response:
    told = services.erasure_proofs.get(erasure_id)
    document = services.erasure_proofs.document(told)
    if form is Form.PDF:
        document = _paper(services, told, document)
    name = f"effacement-{told.erasure.reference.lower()}.{form.value}"
    return Response(
        document.body,
        media_type=document.media_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )


def shown(told: ErasureTold) -> ErasureShown:
    erasure = told.erasure
    return ErasureShown(
        erasure.reference,
        told.campus.name,
        moment(erasure.done_at, told.campus.time_zone),
        f"/effacements/{erasure.id}",
        _asked(by_person=erasure.by_person),
        erasure.badges,
        told.is_signed,
    )


def _asked(*, by_person: bool) -> str:
    return say(N_("Par la personne, depuis sa boîte aux lettres") if by_person else N_("Par le campus"))


def _paper(services: Services, told: ErasureTold, document: Published) -> Published:
    erasure, view = told.erasure, shown(told)
    counts = {Matter(name): number for name, number in erasure.erased.items()}
    facts = [
        (say(N_("Référence")), erasure.reference),
        (say(N_("Responsable du traitement")), told.campus.name),
        (say(N_("Effacé le")), view.when),
        (say(N_("Demandé")), view.asked),
    ]
    if erasure.reason:
        facts.append((say(N_("Motif")), erasure.reason))
    words = ErasureWords(
        lang=current_locale(),
        title=say(N_("Preuve d’effacement")),
        author=say(N_("Campus {name}")).format(name=told.campus.name),
        intro=say(
            N_(
                "Le campus a effacé les données d’une personne. Ce document ne la nomme pas : la référence, que la "
                "personne a reçue, le relie à sa demande."
            )
        ),
        facts=facts,
        went_title=say(N_("Ce qui est effacé")),
        went=[
            (each.what, say_plural("{n} ligne", "{n} lignes", each.count or 0).format(n=each.count))
            for each in matters_shown(counts)
        ],
        stays_title=say(N_("Ce qui reste, et pourquoi")),
        stays=stays_shown(),
        signed=say(
            N_(
                "Inscrit à la ligne {number} du journal {origin}, sous une signature du campus. Le fichier JSON joint "
                "porte la ligne, sa clé et la preuve qui mène à cette signature."
            )
            if told.is_signed
            else N_("Inscrit à la ligne {number} du journal {origin}, qui n’est pas encore signé.")
        ).format(number=erasure.number + 1, origin=services.erasure_proofs.origin_of(erasure)),
        attached="preuve.json",
        attached_words=say(N_("La preuve, à vérifier par un programme")),
        foot=say(N_("Sceau, service de badges")),
    )
    return services.papers.erasure(words, document.body, at=erasure.done_at)


# --- by the campus


@router.get("/gestion/{slug}/donnees", dependencies=_PROTECT)
def desk_of_protection(request: Request, services: ReadingServices) -> HTMLResponse:
    work = at_work(request)
    return page(
        request,
        "privacy/desk.html",
        campus=work.look,
        private=True,
        home=work.home,
        erasures=[
            (
                each.reference,
                moment(each.done_at, work.campus.time_zone),
                _asked(by_person=each.by_person),
                each.reason,
                each.badges,
                f"/effacements/{each.id}",
            )
            for each in services.erasure_proofs.list_of(work.campus)
        ],
        matters=matters_shown(),
    )


@router.post("/gestion/{slug}/repertoire/{person_id:uuid}/donnees.zip", dependencies=_PROTECT)
def archive_for_somebody(
    person_id: uuid.UUID,
    request: Request,
    services: ReadingServices,
    form: SafeForm,  # noqa: ARG001 - its check is the point
) -> Response:
    """What this campus holds, for somebody whom no letter reaches."""
    work = at_work(request)
    services.directory.person(work.campus, person_id)
    with deed(request) as writing:
        writing.history.note_export(work.campus, "donnees", by=work.actor)
    return archive_file(services.archive.make(person_id, work.campus))


@router.get("/gestion/{slug}/repertoire/{person_id:uuid}/effacer", dependencies=_PROTECT)
def foresee_erasure(person_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    return _form(request, services, person_id)


@router.post("/gestion/{slug}/repertoire/{person_id:uuid}/effacer", dependencies=_PROTECT)
def erase_for_somebody(
    person_id: uuid.UUID, request: Request, services: ReadingServices, form: SafeForm
) -> Response:
    work, reason = at_work(request), text_of(form, "motif")
    services.directory.person(work.campus, person_id)
    if not text_of(form, "compris"):
        trouble = say(N_("Cochez la case : un effacement ne se défait pas."))
        return _form(request, services, person_id, reason=reason, trouble=trouble)
    try:
        with deed(request) as writing:
            erasure = writing.erasures.carry_out(work.campus, person_id, reason, by=work.actor)
    except (InvalidInput, Conflict) as error:
        return _form(request, services, person_id, reason=reason, reason_trouble=sentence_of(error))
    return RedirectResponse(f"/effacements/{erasure.id}", status_code=303)


def _form(
    request: Request,
    services: Services,
    person_id: uuid.UUID,
    *,
    reason: str = "",
    reason_trouble: str = "",
    trouble: str = "",
) -> HTMLResponse:
    work = at_work(request)
    person = services.directory.person(work.campus, person_id).person
    foreseen = services.erasures.foresee(person_id, work.campus)
    return page(
        request,
        "privacy/erase_for.html",
        campus=work.look,
        private=True,
        status=422 if trouble or reason_trouble else 200,
        home=work.home,
        name=person.name,
        person_url=f"{work.home}/repertoire/{person_id}",
        matters=matters_shown(foreseen.by_matter),
        badges=foreseen.badges,
        stays=stays_shown(),
        reason=reason,
        reason_trouble=reason_trouble,
        trouble=trouble,
    )
