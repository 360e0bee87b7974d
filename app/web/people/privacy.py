"""« Mes données »: personal data, controllers, purposes and retention; and erasure."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.accounts.permissions import Permission
from app.domain.people import Person
from app.domain.people.consents import About, AccessRecord, By, check_reason, needs_parent, wording_of
from app.domain.people.consents import sentence_of as sentence_of_consent
from app.domain.people.personal_data import KEPT, DataSubjectMatter
from app.errors import AppError, Conflict, InvalidInput, NotSignedIn
from app.http.pages.forms import SafeForm, text_of
from app.http.pages.render import page
from app.http.pages.words import moment
from app.http.request_scope import (
    CROSS_TENANT,
    ReadingServices,
    WritingServices,
    limited,
    process_of,
    public,
    sentence_of,
    status_for,
    write_transaction,
)
from app.http.response_cache import (
    CHANGING_HOLDER,
    HOLDER,
    MORE_THAN_ONE_BADGE,
    check_speaks_for_person,
    forget_here,
    holder_of,
)
from app.http.workplaces import access_views, at_work, look_of, staff
from app.language import N_, current_locale, translated, translated_plural
from app.services.accounts.sessions import SignedIn
from app.services.awards.awards import AwardRecord
from app.services.awards.papers import ErasureWords
from app.services.people.privacy import ErasureNotice
from app.services.publishing import Published

STAYS = (
    N_(
        "Le numéro de chaque badge effacé, pour que son adresse réponde « retiré à la demande de la personne »."
    ),
    N_(
        "Sa place dans la liste des badges retirés, pour qu’une copie gardée ailleurs ne passe pas pour valable."
    ),
    N_(
        "Dans le journal du campus, des lignes devenues illisibles : sans elles, les preuves des autres tomberaient."
    ),
    N_("Dans l’historique, que quelque chose a été fait et quand, sans dire par qui ni pour qui."),
)


@dataclass(frozen=True)
class MatterShown:
    """One kind of data, with its number of rows; None without a person."""

    what: str
    why: str
    how_long: str
    right: str
    count: int | None = None


def matters_shown(counts: Mapping[DataSubjectMatter, int] | None = None) -> list[MatterShown]:
    return [
        MatterShown(
            translated(each.what),
            translated(each.why),
            translated(each.how_long),
            translated(each.right),
            None if counts is None else counts.get(matter, 0),
        )
        for matter, each in KEPT.items()
        if counts is None or counts.get(matter)
    ]


def stays_shown() -> list[str]:
    return [translated(words) for words in STAYS]


router = APIRouter(dependencies=[CROSS_TENANT])
GIVEN, TAKEN_BACK = N_("Accepté"), N_("Repris, ou refusé")
EVERYWHERE, HERE = "partout", "ici"
_UNLESS_TICKED = N_("Cochez la case : un effacement ne s’annule pas.")
_UNLESS_SAID = N_("Dites d’abord si l’effacement vaut pour ce campus seul, ou pour tous.")


@router.get("/mes-badges/{award_id:uuid}/mes-donnees", dependencies=[HOLDER])
def show_my_data(award_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    who = holder_of(award_id, request, services)
    check_speaks_for_person(who, services, MORE_THAN_ONE_BADGE)
    record = services.awards.record(award_id)
    foreseen = services.erasures.foresee(who.person.id)
    return _own(
        request,
        "people/privacy/show.html",
        record,
        name=who.person.name,
        matters=matters_shown(foreseen.by_matter),
        consents=[
            (
                moment(each.at, record.campus.time_zone),
                translated(GIVEN if each.given else TAKEN_BACK),
                translated(sentence_of_consent(each)),
                each.by is By.PARENT,
            )
            for each in services.archive.consents.of_person(who.person.id)
        ],
        campuses=[(each.name, each.contact_email) for each in foreseen.campuses],
        check_ins=[(each.id, each.name) for each in services.rooms.agreed_with(who.person.id)],
        phones=services.rooms.count_remembered(who.person.id),
        reads=services.shared_competencies.is_allowed(who.person.id, record.campus.id),
        may_allow=not needs_parent(who.person),
        is_signed_in=isinstance(who, SignedIn),
        reading_words=translated(wording_of(About.COMPETENCIES)),
    )


@router.post("/mes-badges/{award_id:uuid}/mes-donnees/competences", dependencies=[CHANGING_HOLDER])
def allow_reading(
    award_id: uuid.UUID, request: Request, services: WritingServices, form: SafeForm
) -> Response:
    """Let programs of this badge's campus read the person's competencies, or no longer."""
    who, allowed = holder_of(award_id, request, services), text_of(form, "lecture") == "oui"
    check_speaks_for_person(who, services)
    if allowed and not isinstance(who, SignedIn):
        # The campus has the private links too.
        raise NotSignedIn("Pour accepter, connectez-vous : un lien privé ne suffit pas.")
    campus = services.awards.record(award_id).campus
    services.shared_competencies.allow(who.person, campus, allowed=allowed, by=who.actor)
    return RedirectResponse(f"/mes-badges/{award_id}/mes-donnees#accords", status_code=303)


@router.post("/mes-badges/{award_id:uuid}/mes-donnees/emargement", dependencies=[HOLDER])
def withdraw_check_in(
    award_id: uuid.UUID, request: Request, services: ReadingServices, form: SafeForm
) -> Response:
    """Take back the agreement given at check-in to one campus, or make it forget one's phones."""
    who = holder_of(award_id, request, services)
    check_speaks_for_person(who, services)
    person = who.person
    agreed = {str(each.id): each for each in services.rooms.agreed_with(person.id)}
    with write_transaction(request) as writing:
        if text_of(form, "telephones"):
            writing.rooms.forget_phones_of(person.id)
        elif campus := agreed.get(text_of(form, "campus")):
            writing.room_signatures.withdraw_consent(person.id, campus)
    return RedirectResponse(f"/mes-badges/{award_id}/mes-donnees#accords", status_code=303)


@router.post("/mes-badges/{award_id:uuid}/mes-donnees", dependencies=[HOLDER, limited("archive")])
def ask_archive(
    award_id: uuid.UUID,
    request: Request,
    services: ReadingServices,
    form: SafeForm,  # noqa: ARG001 - its check is the point
) -> HTMLResponse:
    """A private link may have been lent: the archive is sent only to the person's own mailbox."""
    holder_of(award_id, request, services)
    record = services.awards.record(award_id)
    with write_transaction(request) as writing:
        is_written_to = writing.archive.ask(record)
    return _asked(request, record, is_written_to, "people/privacy/archive_asked.html")


@router.get("/archive/{token}")
@public
def show_archive(token: str, request: Request, services: ReadingServices) -> HTMLResponse:
    """GET only shows the page: programs that follow links in e-mails must not download."""
    record = services.archive.asked(token)
    answer = page(
        request,
        "people/privacy/archive.html",
        campus=look_of(record.campus),
        private=True,
        name=record.person.given_name or record.person.name,
        here=f"/archive/{token}",
    )
    answer.headers["Referrer-Policy"] = "same-origin"
    return answer


@router.post("/archive/{token}", dependencies=[limited("archive")])
@public
def take_archive(token: str, services: ReadingServices, form: SafeForm) -> Response:  # noqa: ARG001 - its check is the point
    return archive_file(services.archive.make(services.archive.asked(token).person.id))


def archive_file(archive: Published) -> Response:
    headers = {"Content-Disposition": 'attachment; filename="mes-donnees.zip"', "Cache-Control": "no-store"}
    return Response(archive.body, media_type=archive.media_type, headers=headers)


def _asked(request: Request, record: AwardRecord, is_written_to: bool, template: str) -> HTMLResponse:
    process_of(request).on_enqueue()
    return _own(
        request,
        template,
        record,
        is_written_to=is_written_to and process_of(request).mailer is not None,
        contact=record.campus.contact_email,
    )


@router.get("/mes-badges/{award_id:uuid}/effacement", dependencies=[HOLDER])
def choose_erasure(award_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    return _choice(request, services, award_id)


@router.post("/mes-badges/{award_id:uuid}/effacement", dependencies=[HOLDER, limited("erasure")])
def ask_erasure(
    award_id: uuid.UUID, request: Request, services: ReadingServices, form: SafeForm
) -> HTMLResponse:
    """A private link may have been lent: an irreversible action is confirmed from the person's own
    mailbox."""
    holder_of(award_id, request, services)
    record, wanted = services.awards.record(award_id), text_of(form, "portee")
    if wanted not in (EVERYWHERE, HERE):
        return _choice(request, services, award_id, unchosen=translated(_UNLESS_SAID))
    try:
        with write_transaction(request) as writing:
            is_written_to = writing.erasures.ask(record, everywhere=wanted == EVERYWHERE)
    except AppError as error:
        return _choice(request, services, award_id, wanted=wanted, trouble=sentence_of(error))
    return _asked(request, record, is_written_to, "people/privacy/asked.html")


def _choice(
    request: Request,
    services: Services,
    award_id: uuid.UUID,
    *,
    wanted: str = "",
    trouble: str = "",
    unchosen: str = "",
) -> HTMLResponse:
    who = holder_of(award_id, request, services)
    check_speaks_for_person(who, services, MORE_THAN_ONE_BADGE)
    person, record = who.person, services.awards.record(award_id)
    foreseen = services.erasures.foresee(person.id)
    others = [each.name for each in foreseen.campuses if each.id != record.campus.id]
    return _own(
        request,
        "people/privacy/erase.html",
        record,
        status=status_for(trouble, unchosen),
        trouble=trouble,
        unchosen=unchosen,
        wanted=wanted or EVERYWHERE,
        others=others,
        matters=matters_shown(foreseen.by_matter),
        badges=foreseen.badges,
        stays=stays_shown(),
        contact=record.campus.contact_email,
        is_reachable=bool(foreseen.address),
        works=foreseen.works,
    )


def _own(
    request: Request, template: str, record: AwardRecord, *, status: int = 200, **more: Any
) -> HTMLResponse:
    url = f"/mes-badges/{record.award.id}"
    answer = page(
        request,
        template,
        campus=look_of(record.campus),
        private=True,
        status=status,
        badge=record.version.name,
        badge_url=url,
        campus_name=record.campus.name,
        **more,
    )
    answer.headers["Referrer-Policy"] = "same-origin"
    return answer


# --- from an e-mail


@router.get("/effacement/{token}")
@public
def read_before_erasing(token: str, request: Request, services: ReadingServices) -> HTMLResponse:
    """GET only shows the page: programs that follow links in e-mails must not erase."""
    return _last_word(request, services, token)


@router.post("/effacement/{token}", dependencies=[limited("erasure")])
@public
def erase(token: str, request: Request, services: ReadingServices, form: SafeForm) -> Response:
    if not text_of(form, "compris"):
        return _last_word(request, services, token, unticked=translated(_UNLESS_TICKED))
    try:
        with write_transaction(request) as writing:
            done = writing.erasures.confirm(token)
    except AppError as error:
        return _last_word(request, services, token, trouble=sentence_of(error))
    answer = RedirectResponse(f"/effacements/{done[0].id}", status_code=303)
    forget_here(answer, request)
    return answer


def _last_word(
    request: Request, services: Services, token: str, *, trouble: str = "", unticked: str = ""
) -> HTMLResponse:
    record, everywhere = services.erasures.asked(token)
    foreseen = services.erasures.foresee(record.person.id, None if everywhere else record.campus)
    campuses: Sequence[str] = [each.name for each in foreseen.campuses]
    answer = page(
        request,
        "people/privacy/confirm.html",
        campus=look_of(record.campus),
        private=True,
        status=status_for(trouble, unticked),
        trouble=trouble,
        unticked=unticked,
        name=record.person.given_name or record.person.name,
        campuses=campuses,
        here=f"/effacement/{token}",
        matters=matters_shown(foreseen.by_matter),
        badges=foreseen.badges,
        stays=stays_shown(),
    )
    answer.headers["Referrer-Policy"] = "same-origin"
    return answer


erasures_router = APIRouter(dependencies=[CROSS_TENANT])
_PROTECT = [staff(Permission.PROTECT)]


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


@erasures_router.get("/effacements/{erasure_id:uuid}")
@public
def show_erasure(erasure_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    """Readable with its number; reports what was erased, without naming anyone."""
    notice = services.erasure_proofs.of_request(erasure_id)
    answer = page(
        request,
        "people/privacy/erased.html",
        private=True,
        erasures=[shown(each) for each in notice],
        stays=stays_shown(),
    )
    answer.headers["Referrer-Policy"] = "same-origin"
    return answer


@erasures_router.get("/effacements/{erasure_id:uuid}/preuve.{form}")
@public
def proof(erasure_id: uuid.UUID, form: Form, services: ReadingServices) -> Response:
    notice = services.erasure_proofs.get(erasure_id)
    document = services.erasure_proofs.document(notice)
    if form is Form.PDF:
        document = _paper(services, notice, document)
    name = f"effacement-{notice.erasure.reference.lower()}.{form.value}"
    return Response(
        document.body,
        media_type=document.media_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )


def shown(notice: ErasureNotice) -> ErasureShown:
    erasure = notice.erasure
    return ErasureShown(
        erasure.reference,
        notice.campus.name,
        moment(erasure.done_at, notice.campus.time_zone),
        f"/effacements/{erasure.id}",
        _erasures_asked(by_person=erasure.by_person),
        erasure.badges,
        notice.is_signed,
    )


def _erasures_asked(*, by_person: bool) -> str:
    return translated(N_("Par la personne, depuis sa boîte mail") if by_person else N_("Par le campus"))


def _paper(services: Services, notice: ErasureNotice, document: Published) -> Published:
    erasure, view = notice.erasure, shown(notice)
    counts = {DataSubjectMatter(name): number for name, number in erasure.erased.items()}
    facts = [
        (translated("Référence"), erasure.reference),
        (translated("Responsable du traitement"), notice.campus.name),
        (translated("Effacé le"), view.when),
        (translated("Demandé"), view.asked),
    ]
    if erasure.reason:
        facts.append((translated("Motif"), erasure.reason))
    words = ErasureWords(
        lang=current_locale(),
        title=translated("Preuve d’effacement"),
        author=translated("Campus {name}").format(name=notice.campus.name),
        intro=translated(
            "Le campus a effacé les données d’une personne. Ce document ne la nomme pas : la référence, que la "
            "personne a reçue, le relie à sa demande."
        ),
        facts=facts,
        went_title=translated("Ce qui est effacé"),
        went=[
            (each.what, translated_plural("{n} ligne", "{n} lignes", each.count or 0).format(n=each.count))
            for each in matters_shown(counts)
        ],
        stays_title=translated("Ce qui reste, et pourquoi"),
        stays=stays_shown(),
        signed=translated(
            N_(
                "Inscrit à la ligne {number} du journal {origin}, sous une signature du campus. Le fichier JSON joint"
                " contient la ligne, sa clé et la preuve qui mène à cette signature."
            )
            if notice.is_signed
            else N_("Inscrit à la ligne {number} du journal {origin}, qui n’est pas encore signé.")
        ).format(number=erasure.number + 1, origin=services.erasure_proofs.origin_of(erasure)),
        attached="preuve.json",
        attached_words=translated("La preuve, à vérifier par un programme"),
        foot=translated("Sceau, service de badges"),
    )
    return services.papers.erasure(words, document.body, at=erasure.done_at)


# --- by the campus


@erasures_router.get("/gestion/{slug}/donnees", dependencies=_PROTECT)
def desk_of_protection(request: Request, services: ReadingServices) -> HTMLResponse:
    work = at_work(request)
    return work.page(
        request,
        "people/privacy/desk.html",
        erasures=[
            (
                each.reference,
                moment(each.done_at, work.campus.time_zone),
                _erasures_asked(by_person=each.by_person),
                each.reason,
                each.badges,
                f"/effacements/{each.id}",
            )
            for each in services.erasure_proofs.list_of(work.campus)
        ],
        matters=matters_shown(),
    )


@erasures_router.post("/gestion/{slug}/repertoire/{person_id:uuid}/donnees.zip", dependencies=_PROTECT)
def archive_for_other(
    person_id: uuid.UUID,
    request: Request,
    services: ReadingServices,
    form: SafeForm,  # noqa: ARG001 - its check is the point
) -> Response:
    """The archive of this campus, for a person who cannot be reached by e-mail."""
    work = at_work(request)
    services.directory.person(work.campus, person_id)
    with write_transaction(request) as writing:
        writing.history.note_export(work.campus, "donnees", by=work.actor)
    access_views(request, person_id, AccessRecord.RECORD)
    return archive_file(services.archive.make(person_id, work.campus))


@erasures_router.get("/gestion/{slug}/repertoire/{person_id:uuid}/effacer", dependencies=_PROTECT)
def foresee_erasure(person_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    return _form(request, services, person_id)


@erasures_router.post("/gestion/{slug}/repertoire/{person_id:uuid}/effacer", dependencies=_PROTECT)
def erase_for_other(
    person_id: uuid.UUID, request: Request, services: ReadingServices, form: SafeForm
) -> Response:
    work, reason = at_work(request), text_of(form, "motif")
    person = services.directory.person(work.campus, person_id).person
    reason_trouble = _reason_fault(services, person, reason)
    unticked = "" if text_of(form, "compris") else translated(_UNLESS_TICKED)
    if reason_trouble or unticked:
        return _form(
            request, services, person_id, reason=reason, reason_trouble=reason_trouble, unticked=unticked
        )
    try:
        with write_transaction(request) as writing:
            erasure = writing.erasures.process_chunk(work.campus, person_id, reason, by=work.actor)
    except (Conflict, InvalidInput) as error:
        return _form(request, services, person_id, reason=reason, trouble=sentence_of(error))
    return RedirectResponse(f"/effacements/{erasure.id}", status_code=303)


def _reason_fault(services: Services, person: Person, reason: str) -> str:
    addresses = services.erasures.people.all_addresses(person.id)
    try:
        check_reason(reason, [person.given_name, person.family_name, *addresses])
    except InvalidInput as error:
        return sentence_of(error)
    return ""


def _form(
    request: Request,
    services: Services,
    person_id: uuid.UUID,
    *,
    reason: str = "",
    reason_trouble: str = "",
    trouble: str = "",
    unticked: str = "",
) -> HTMLResponse:
    work = at_work(request)
    person = services.directory.person(work.campus, person_id).person
    foreseen = services.erasures.foresee(person_id, work.campus)
    return work.page(
        request,
        "people/privacy/erase_for.html",
        status=status_for(trouble, reason_trouble, unticked),
        name=person.name,
        person_url=f"{work.home}/repertoire/{person_id}",
        matters=matters_shown(foreseen.by_matter),
        badges=foreseen.badges,
        stays=stays_shown(),
        reason=reason,
        reason_trouble=reason_trouble,
        trouble=trouble,
        unticked=unticked,
    )
