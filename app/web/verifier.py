"""Check any badge, from anywhere: a file, a pasted text, or a link."""

from __future__ import annotations

from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.language import N_
from app.policies import public
from app.request_scope import ReadingServices, limited
from app.services.verdicts import HeadlineKind, headline
from app.services.verification import Answer
from app.web.answers import answer_page, shown
from app.web.award_page import closed_page
from app.web.forms import SafeForm, bytes_of, text_of
from app.web.render import page
from app.web.security_headers import PERMISSIONS_POLICY
from app.web.short_addresses import code_in
from app.web.typography import say
from app.wiring import Services

router = APIRouter()

_LONGEST_LINK = 2000


@router.get("/verifier")
@public
def show_form(request: Request, services: ReadingServices, lien: str = "") -> Response:
    """`lien` comes from the first page's short form, and from links that programs make."""
    if not lien.strip():
        return _form(request)
    return _answer_link(request, services, lien)


@router.post("/verifier", dependencies=[limited("verify")])
@public
def check(request: Request, services: ReadingServices, form: SafeForm) -> Response:
    """The first of file, text and link that was given; nothing of it is kept."""
    file, text, link = bytes_of(form, "fichier"), text_of(form, "texte"), text_of(form, "lien")
    if file:
        return _answer_file(request, services, file)
    if text:
        return _answered(request, services, services.verification.verify(text), text=text)
    if link:
        return _answer_link(request, services, link)
    return _form(
        request, status=422, error=say(N_("Donnez une adresse, un fichier ou un texte : un seul suffit."))
    )


def _answer_file(request: Request, services: Services, file: bytes) -> Response:
    """A picture or a page without a badge in it may lead to one: the answer is about the file first."""
    return _answered(request, services, services.verification.verify_document(file))


def _answer_link(request: Request, services: Services, written: str) -> Response:
    link = _as_link(written, services)
    award_id = services.awards.find_by_code(code_in(link, services.addresses))
    if award_id is not None:
        return RedirectResponse(f"/attributions/{award_id}", status_code=303)
    if services.addresses.is_ours(link):
        if services.addresses.award_named_by(link) is None:
            return _form(request, status=422, link=written, error=_not_an_award(link))
        answer = services.verification.verify(link)
        if answer.record is not None:
            return RedirectResponse(f"/attributions/{answer.record.award.id}", status_code=303)
        return _answered(request, services, answer, link=written)
    if not link.startswith(("http://", "https://")):
        # Not an address at all: a badge may have been pasted into the wrong field.
        return _answered(request, services, services.verification.verify(written), text=written)
    return _answered(request, services, services.verification.verify(link), link=written)


def _as_link(written: str, services: Services) -> str:
    """What was typed off a badge or a CV lacks its scheme."""
    written = written.strip()[:_LONGEST_LINK]
    host = written.partition("/")[0]
    if "://" not in written and host.lower() == services.addresses.host.lower():
        return f"{urlsplit(services.addresses.base_url).scheme}://{written}"
    is_a_host = "." in host and " " not in written and not written.startswith(("{", "<", "ey"))
    return f"https://{written}" if "://" not in written and is_a_host else written


def _not_an_award(link: str) -> str:
    if urlsplit(link).path.startswith("/campus/"):
        return say(N_("C’est l’adresse d’un campus. Celle d’un badge contient « /attributions/ »."))
    if urlsplit(link).path.startswith("/badges/"):
        return say(N_("C’est l’adresse d’une définition. Celle d’un badge reçu contient « /attributions/ »."))
    return say(N_("Cette adresse n’est pas celle d’un badge : elle contiendrait « /attributions/ »."))


def _answered(
    request: Request, services: Services, answer: Answer, *, link: str = "", text: str = ""
) -> Response:
    if answer.closed:
        return closed_page(request, services)
    kind = headline(answer).kind
    if kind.is_an_answer:
        return answer_page(request, services, answer)
    return _form(request, link=link, text=text, answer=answer, services=services, kind=kind)


def _form(
    request: Request,
    *,
    status: int = 200,
    link: str = "",
    text: str = "",
    error: str = "",
    answer: Answer | None = None,
    services: Services | None = None,
    kind: HeadlineKind | None = None,
) -> HTMLResponse:
    """The form; after something that could not be checked, with the answer above it and what was typed in it."""
    view = shown(services, answer) if services and answer else None
    answered = page(
        request,
        "verifier/form.html",
        status=status,
        private=bool(link or text or view),
        link=link,
        text=text,
        error=error,
        a=view,
        kind=kind.value if kind else "",
    )
    answered.headers["Permissions-Policy"] = PERMISSIONS_POLICY.replace("camera=()", "camera=(self)")
    return answered
