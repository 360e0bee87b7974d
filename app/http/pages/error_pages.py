"""Error pages: what happened, what was saved, what to do next."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from urllib.parse import quote

import structlog
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import AppError, DeadLink
from app.http.pages.forms import FormerForm
from app.http.pages.render import opens, page
from app.language import N_, filled, translated

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Trouble:
    """One kind of error page; every sentence is French and marked for the catalogues."""

    title: str
    happened: str
    kept: str
    tone: str = "shut"
    title_for_visitors: str = ""
    """Who are not signed in, where the title is about the account."""


_NOTHING_CHANGED = N_("Rien n’a été changé.")
_TROUBLES = {
    400: Trouble(
        N_("Cette demande n’a pas été comprise"),
        N_("Ce que votre navigateur a envoyé n’a pas pu être lu."),
        _NOTHING_CHANGED,
        "past",
    ),
    401: Trouble(
        N_("Connectez-vous d’abord"),
        N_("Connectez-vous pour ouvrir cette page."),
        N_("Rien n’est perdu : après la connexion, vous revenez ici."),
    ),
    403: Trouble(
        N_("Cette page n’est pas ouverte à votre compte"),
        N_("Votre rôle ne donne pas accès à ce que vous avez demandé."),
        _NOTHING_CHANGED,
        title_for_visitors=N_("Cette page n’est pas ouverte à tout le monde"),
    ),
    404: Trouble(
        N_("Cette page n’existe pas"),
        N_("L’adresse est peut-être incomplète, ou ce qu’elle montrait a été retiré."),
        N_("Un badge reçu n’est pas perdu : son fichier se vérifie toujours."),
    ),
    405: Trouble(
        N_("Cette adresse ne s’utilise pas ainsi"),
        N_("La page a été appelée d’une façon qu’elle ne connaît pas."),
        _NOTHING_CHANGED,
    ),
    409: Trouble(
        N_("Ce n’est plus possible"),
        N_("Quelque chose a changé depuis que vous avez ouvert la page."),
        N_("Ce qui avait été fait avant est gardé."),
        "past",
    ),
    410: Trouble(
        N_("Ce n’est plus ici"),
        N_("Ce qui était à cette adresse a été retiré pour de bon."),
        N_(
            "Rien d’autre n’est dit : ni quoi, ni de qui. Les badges des autres personnes et le journal du campus "
            "n’ont pas changé."
        ),
        "shut",
    ),
    413: Trouble(
        N_("C’est trop lourd"),
        N_("Le fichier ou le texte envoyé dépasse la taille permise."),
        N_(
            "Rien n’a été gardé de cet envoi. Revenez en arrière et choisissez un fichier plus léger : ce que vous "
            "avez tapé y est encore."
        ),
        "past",
    ),
    422: Trouble(
        N_("Il manque quelque chose"),
        N_("Un champ est vide ou n’a pas la forme attendue."),
        N_("Rien n’a été enregistré. Revenez en arrière : ce que vous avez tapé y est encore."),
        "past",
    ),
    429: Trouble(
        N_("Trop de demandes à la fois"),
        N_("Beaucoup de demandes sont venues de chez vous en peu de temps."),
        _NOTHING_CHANGED,
        "past",
    ),
    503: Trouble(
        N_("Momentanément indisponible"),
        N_("Un service dont nous avons besoin ne répond pas."),
        N_("Ce qui était enregistré l’est toujours. Réessayez dans une minute."),
        "past",
    ),
}
_UNEXPECTED = Trouble(
    N_("Une erreur de notre côté"),
    N_("Ce que vous avez demandé n’a pas pu aboutir. Vous n’y êtes pour rien."),
    N_("Rien n’a été fait à moitié : ou tout est enregistré, ou rien ne l’est. Réessayez dans une minute."),
    "bad",
)


_ODD_ADDRESS = Trouble(
    N_("Cette adresse ne se lit pas"),
    N_("Ce qui suit le point d’interrogation n’est pas de ce que cette page connaît."),
    _NOTHING_CHANGED,
    "past",
)
"""For a GET request, where no form was filled in."""
_SESSION_OVER = Trouble(
    N_("Votre session est terminée"),
    N_("Connectez-vous pour ouvrir cette page."),
    N_(
        "Rien n’a été enregistré. Avant de vous connecter, revenez à la page d’avant et copiez ce que vous aviez tapé."
    ),
    "past",
)
"""For a form sent after the session ended."""
_FORM_KEPT = Trouble(
    _SESSION_OVER.title,
    N_("Connectez-vous de nouveau : ce que vous avez tapé est gardé, pour vous et dans ce navigateur."),
    N_(
        "Rien n’a été enregistré. Après la connexion vous le relisez, puis vous l’envoyez. C’est gardé deux heures."
    ),
)
_WITHOUT_FILES = N_(
    "Rien n’a été enregistré. Après la connexion vous le relisez, puis vous l’envoyez. C’est gardé deux heures. Le fichier choisi n’est pas gardé : il faudra le choisir de nouveau."
)

_SOMEBODY_ELSE_S = Trouble(
    N_("Cette page était ouverte par quelqu’un d’autre"),
    N_("Depuis, une autre personne s’est connectée dans ce navigateur : rien n’a été fait à son nom."),
    N_(
        "Ce qui était tapé est gardé deux heures, pour la personne qui l’avait tapé : elle le relit ici en se connectant de nouveau."
    ),
    "past",
)
_SOMEBODY_ELSE_S_WITHOUT_FILES = N_(
    "Ce qui était tapé est gardé deux heures, pour la personne qui l’avait tapé : elle le relit ici en se connectant de nouveau. Le fichier choisi n’est pas gardé."
)


_OPEN_TOO_LONG = Trouble(
    N_("Cette page est restée ouverte trop longtemps"),
    "",
    N_("Revenez en arrière : ce que vous avez tapé y est encore. Copiez-le avant de recharger la page."),
    "past",
)
_DEAD_LINK = Trouble(N_("Ce lien ne sert plus"), "", _NOTHING_CHANGED, "past")
_OF_ERRORS = {FormerForm: _OPEN_TOO_LONG, DeadLink: _DEAD_LINK}
_IN_CAMPUS = N_("Ce qui est enregistré dans le campus n’a pas changé.")


def app_error_page(request: Request, error: AppError, status: int) -> Response:
    """The page of an AppError; its sentence states what happened."""
    trouble = next((own for kind, own in _OF_ERRORS.items() if isinstance(error, kind)), None)
    return _page(request, status, happened=filled(translated(error.sentence), error.values), trouble=trouble)


def validation_page(request: Request, error: RequestValidationError) -> Response:
    """An invalid path is a 404; an invalid field is a field to correct."""
    in_path = any(problem["loc"][:1] == ("path",) for problem in error.errors())
    if in_path:
        return _page_of_no_address(request)
    return _page(request, 422, trouble=_ODD_ADDRESS if request.method in ("GET", "HEAD") else None)


def http_error_page(request: Request, error: HTTPException) -> Response:
    """404, 405, 413 and similar, raised by the framework."""
    if error.status_code == 404:
        return _page_of_no_address(request)
    answer = _page(request, error.status_code)
    answer.headers.update(error.headers or {})
    return answer


def failure_page(request: Request, reference: str) -> Response:
    """An internal error. It shows a reference to quote and no detail of the error."""
    return _page(request, 500, reference=reference)


def saved_form_page(request: Request, shown_at: str, *, files: bool) -> Response:
    """For a user who must sign in again; after sign-in, `shown_at` shows the saved form."""
    trouble = replace(_FORM_KEPT, kept=_WITHOUT_FILES) if files else _FORM_KEPT
    return _page(request, 401, trouble=trouble, back=shown_at)


def other_account_form_page(request: Request, shown_at: str, *, files: bool) -> Response:
    """For a form from another user's page; that user finds it at `shown_at` after signing in."""
    trouble = replace(_SOMEBODY_ELSE_S, kept=_SOMEBODY_ELSE_S_WITHOUT_FILES) if files else _SOMEBODY_ELSE_S
    return _page(request, 403, trouble=trouble, back=shown_at)


def _page(
    request: Request,
    status: int,
    *,
    happened: str = "",
    reference: str = "",
    trouble: Trouble | None = None,
    back: str = "",
) -> Response:
    trouble = trouble or _TROUBLES.get(status) or (_TROUBLES[400] if status < 500 else _UNEXPECTED)
    if status == 401 and request.method == "POST" and not back:
        trouble = _SESSION_OVER
    if status == 404 and request.url.path.startswith("/gestion/"):
        trouble = replace(trouble, kept=_IN_CAMPUS)
    return page(
        request,
        "frame/error.html",
        status=status,
        private=True,
        trouble=trouble,
        happened=happened or translated(trouble.happened),
        code=status,
        reference=reference,
        back=back,
        signs_in=status == 429 and request.url.path.startswith("/connexion"),
    )


_AFTER_AN_ADDRESS = "/.,;:!?)]}>»”’\"'"


def _page_of_no_address(request: Request) -> Response:
    """Leads to the path without what programs and writers of messages put behind an address, if a page opens there.

    The redirect is relative, as the host of a request is not ours to repeat.
    """
    path = request.scope["path"]
    shorter = path.rstrip(_AFTER_AN_ADDRESS)
    is_read = request.method in ("GET", "HEAD") and shorter not in ("", path) and not shorter.startswith("//")
    if is_read and opens(request, shorter):
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(quote(shorter) + query, status_code=307)
    return _page(request, 404)


class CatchFaults:
    """ASGI middleware: any uncaught exception becomes a page with a reference, and a log line.

    Inside the header and language middleware, whereas the framework's own catch-all is outside of both.
    """

    def __init__(self, app: ASGIApp, *, answer: Callable[[Request, str], Response] = failure_page) -> None:
        self.app = app
        self.answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def send_watched(message: Message) -> None:
            nonlocal started
            await send(message)
            started = started or message["type"] == "http.response.start"

        try:
            await self.app(scope, receive, send_watched)
        except Exception:
            reference = secrets.token_hex(4)
            # The route's name, not its URL, which may contain a learner's private token.
            asked = getattr(scope.get("endpoint"), "__qualname__", "")
            log.exception("request failed", reference=reference, method=scope["method"], route=asked)
            if started:
                raise
            await self.answer(Request(scope), reference)(scope, receive, send)
