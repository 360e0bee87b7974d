"""A site of a few pages, without services."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated

from fastapi import FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from fastapi.testclient import TestClient
from jinja2 import ChoiceLoader, FileSystemLoader
from starlette.exceptions import HTTPException

from app.domain.publishing import Addresses
from app.errors import AppError, Conflict, InvalidInput, NotAllowed, NotFound, NotSignedIn, Unavailable
from app.http.pages import error_pages, render
from app.http.pages.forms import CsrfTokens, SafeForm, text_of
from app.http.pages.render import CampusLook, page
from app.http.request_scope import Visitor
from app.language import known_locales, speaking
from app.main import add_pages
from app.settings import Settings
from app.web.campus.campuses import home_page, render_campus_css
from app.web.publishing import info

TEMPLATES = Path(__file__).parent / "templates"
NOON = datetime(2026, 11, 24, 13, 32, tzinfo=UTC)
STATUS = {
    NotFound: 404,
    NotSignedIn: 401,
    NotAllowed: 403,
    Conflict: 409,
    InvalidInput: 422,
    Unavailable: 503,
}
SESSION_COOKIE = "sid"

ITIP = CampusLook("itip", "ITIP", "Industrie Technologique Innovante et Performante")
CAMPUSES = (
    CampusLook("ae", "AE", "AgroEquipements"),
    CampusLook("amf", "AMF", "Automobile et Mobilités du Futur"),
    ITIP,
    CampusLook("mma", "MMA", "Maroquinerie et Métiers d’Art"),
)
FAILURES = {
    "absent": NotFound("Ce badge n'existe pas."),
    "inconnu": NotSignedIn("Connectez-vous pour voir ce badge."),
    "interdit": NotAllowed("{name} n'attribue pas de badges sur ce campus.", name="<b>Zoé</b>"),
    "conflit": Conflict("Ce badge a déjà été retiré."),
    "invalide": InvalidInput("Cette adresse n'est pas une adresse."),
    "panne": Unavailable("Le badge n'a pas pu être signé. Votre liste est gardée."),
}


@dataclass(frozen=True)
class Check:
    state: str
    title: str
    sentence: str
    detail: str = ""


def status_of(error: AppError) -> int:
    return next(status for kind, status in STATUS.items() if isinstance(error, kind))


def small_site(*, https: bool = False) -> FastAPI:
    application = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    sessions = (SESSION_COOKIE, "badges")
    add_pages(
        application,
        CsrfTokens(b"k" * 32, *sessions, "cours"),
        session_cookies=sessions,
        https=https,
        visitor_of=lambda _: Visitor(),
    )
    application.include_router(info.router)
    _answer_errors(application)
    application.state.process = SimpleNamespace(
        addresses=Addresses("https://badges.exemple.fr"),
        settings=Settings(contact="campus@exemple.fr"),
    )
    for locale in known_locales():
        with speaking(locale):
            environment = render.environment()
        environment.loader = ChoiceLoader([FileSystemLoader(render.TEMPLATES), FileSystemLoader(TEMPLATES)])

    @application.get("/")
    def home(request: Request) -> HTMLResponse:
        return home_page(request, campuses=CAMPUSES)

    @application.get("/couleurs/{name}.css")
    def colours(name: str) -> Response:
        return Response(render_campus_css("itip", 208, 0.09), media_type="text/css")

    @application.get("/composants")
    def components(request: Request) -> HTMLResponse:
        return page(request, "components.html", campus=ITIP, now=NOON, check=Check)

    @application.get("/dire")
    def say_it(request: Request, mot: Annotated[str, Query()] = "") -> HTMLResponse:
        return page(request, "say_it.html", word=mot)

    @application.get("/oubli")
    def forgetful(request: Request) -> HTMLResponse:
        return page(request, "say_it.html")

    @application.get("/echec/{kind}")
    def failing(kind: str) -> None:
        raise FAILURES[kind]

    @application.get("/nombre/{value}")
    def number(value: int, rang: int = 0) -> dict[str, int]:
        return {"value": value, "rang": rang}

    @application.get("/defaut")
    def fault() -> None:
        raise RuntimeError("the password is hunter2")

    @application.get("/recevoir/{token}")
    def private_link(request: Request, token: str) -> HTMLResponse:
        return page(request, "say_it.html", word="bonjour", private=True)

    @application.post("/retirer")
    def withdraw(form: SafeForm) -> dict[str, str]:
        return {"motif": text_of(form, "motif")}

    return application


def _answer_errors(application: FastAPI) -> None:
    @application.exception_handler(AppError)
    def app_error(request: Request, error: AppError) -> Response:
        return error_pages.app_error_page(request, error, status_of(error))

    @application.exception_handler(RequestValidationError)
    def validation_error(request: Request, error: RequestValidationError) -> Response:
        return error_pages.validation_page(request, error)

    @application.exception_handler(HTTPException)
    def http_error(request: Request, error: HTTPException) -> Response:
        return error_pages.http_error_page(request, error)


def reader_of(application: FastAPI, **options: object) -> TestClient:
    return TestClient(application, raise_server_exceptions=False, headers={"accept": "text/html"}, **options)  # type: ignore[arg-type]
