"""Errors for programs: problem documents (RFC 9457), one shape for every kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import TypeAdapter, ValidationError
from starlette.exceptions import HTTPException

from app.domain.publishing import BADGES_API
from app.errors import AppError, InvalidInput
from app.http.negotiation import wants_page
from app.http.request_scope import STATEMENTS
from app.language import N_, current_locale, filled, labelled
from app.language import gettext as _

_OTHERWISE = N_("La valeur n’a pas la forme attendue.")
_SENTENCES = {
    "missing": N_("Ce champ manque."),
    "extra_forbidden": N_("Ce champ n’existe pas."),
    "no_recipient": N_(
        "Personne n’est désigné : « people », « everybody », « participations » ou « persons » est attendu."
    ),
    "without_activity": N_("Ce champ va sans « activity »."),
    "given_twice": N_("Ce paramètre est donné deux fois."),
    "string_type": N_("Un texte est attendu."),
    "string_too_short": N_("Le texte est trop court. Nombre de signes : {min_length} au moins."),
    "string_too_long": N_("Le texte est trop long. Nombre de signes : {max_length} au plus."),
    "string_unicode": N_("Le texte contient un signe qui n’existe pas."),
    "control_character": N_("Le texte contient un signe de commande, qui ne s’écrit pas."),
    "bool_parsing": N_("« true » ou « false » est attendu."),
    "bool_type": N_("« true » ou « false » est attendu."),
    "int_type": N_("Un nombre entier est attendu."),
    "int_parsing": N_("Un nombre entier est attendu."),
    "int_from_float": N_("Un nombre entier est attendu."),
    "float_type": N_("Un nombre est attendu."),
    "float_parsing": N_("Un nombre est attendu."),
    "finite_number": N_("Un nombre est attendu."),
    "greater_than": N_("Le nombre doit être plus grand que {gt}."),
    "greater_than_equal": N_("Le nombre doit être au moins {ge}."),
    "less_than_equal": N_("Le nombre doit être au plus {le}."),
    "enum": N_("Les valeurs possibles sont : {expected}."),
    "uuid_type": N_("Un identifiant UUID est attendu."),
    "uuid_parsing": N_("Un identifiant UUID est attendu."),
    "date_type": N_("Une date est attendue, comme 2026-11-25."),
    "date_parsing": N_("Une date est attendue, comme 2026-11-25."),
    "date_from_datetime_parsing": N_("Une date est attendue, comme 2026-11-25."),
    "date_from_datetime_inexact": N_("Une date est attendue, comme 2026-11-25."),
    **dict.fromkeys(
        (
            "timezone_aware",
            "datetime_type",
            "datetime_parsing",
            "datetime_from_date_parsing",
            "datetime_object_invalid",
        ),
        N_("Une date et une heure avec leur fuseau sont attendues, comme 2026-11-25T11:00:00Z."),
    ),
    **dict.fromkeys(("time_type", "time_parsing"), N_("Une heure est attendue, comme 13:30.")),
    "list_type": N_("Une liste est attendue."),
    "too_short": N_("La liste est trop courte : au moins {min_length}."),
    "too_long": N_("La liste est trop longue : au plus {max_length}."),
    **dict.fromkeys(("model_attributes_type", "model_type", "dict_type"), N_("Un objet est attendu.")),
}


def reason_of(fault: Mapping[str, Any]) -> str:
    """The sentence for one of pydantic's error types; its context contains our limits, never the sender's
    value."""
    facts = {name: _in_no_language(value) for name, value in fault.get("ctx", {}).items()}
    return filled(_(_SENTENCES.get(fault["type"], _OTHERWISE)), facts)


def _in_no_language(value: object) -> object:
    """« 'a', 'b' or 'c' » of an enumeration without its last term."""
    return value.replace("' or '", "', '") if isinstance(value, str) else value


MEDIA_TYPE = "application/problem+json"
EXPLAINED_AT = "/problemes"
"""The page that explains each type; a reference, so that it is on the host that answered."""
TITLES = {
    400: N_("Demande mal formée"),
    401: N_("Accès à justifier"),
    403: N_("Non autorisé"),
    404: N_("Introuvable"),
    405: N_("Méthode non permise"),
    406: N_("Forme indisponible"),
    409: N_("Conflit avec ce qui existe"),
    410: N_("Retiré définitivement"),
    413: N_("Trop volumineux"),
    415: N_("Format non accepté"),
    422: N_("Contenu non recevable"),
    429: N_("Trop de demandes"),
    500: N_("Faute de notre côté"),
    503: N_("Momentanément indisponible"),
}
REMEDIES: Mapping[int, str] = {
    400: N_("Le corps ou un paramètre ne se lit pas. Comparez avec la description de l’API."),
    401: N_(
        "Envoyez « Authorization: Bearer … » avec un jeton en vigueur ; un administrateur en crée dans Réglages."
    ),
    403: N_("Le jeton n’a pas la permission nommée, ou le titulaire garde ce badge fermé."),
    404: N_("Rien n’est à cette adresse, ou cela appartient à un autre campus."),
    405: N_("L’en-tête « Allow » nomme les méthodes permises."),
    406: N_("Aucune des formes de « Accept » n’existe ici."),
    409: N_("La demande contredit ce qui est enregistré. Lisez l’état actuel, puis décidez."),
    410: N_(
        "Le titulaire a fait effacer ce badge : ne le demandez plus. Un flux de changements qui a recommencé se relit"
        " depuis le début."
    ),
    413: N_("Découpez l’envoi : 6 Mio et 100 000 éléments au plus pour un corps JSON."),
    415: N_("Envoyez « Content-Type: application/json », sans « Content-Encoding »."),
    422: N_("« errors » nomme chaque champ et ce qui y est attendu."),
    429: N_("Attendez le nombre de secondes que donne « Retry-After »."),
    500: N_(
        "Citez « reference » en nous écrivant. Rien n’a été fait à moitié : recommencer est sans risque."
    ),
    503: N_("Rien n’a été fait. Recommencez après « Retry-After »."),
}
"""What a program's author does about each status."""
_PROGRAM_PATHS = ("/api/", "/vc-api/", "/.well-known/", "/health/", f"{BADGES_API}/")


def is_for_a_program(request: Request) -> bool:
    """Programs use the API, or ask for anything but a page."""
    return request.url.path.startswith(_PROGRAM_PATHS) or not wants_page(request.headers.get("accept", ""))


def type_of(status: int) -> str:
    return f"{EXPLAINED_AT}#{status if status in TITLES else 400}"


def problem(status: int, detail: str, **more: Any) -> JSONResponse:
    body = {
        "type": type_of(status),
        "title": _(TITLES.get(status, TITLES[400])),
        "status": status,
        "detail": detail,
    }
    # A cache may store a 404 by default (RFC 9110 §15.1); the resource may be created later.
    # Pages of any origin may read public documents and verify: also why they could not.
    headers = {
        "Cache-Control": "no-store",
        "Content-Language": current_locale(),
        "Access-Control-Allow-Origin": "*",
    }
    return JSONResponse(body | more, status_code=status, media_type=MEDIA_TYPE, headers=headers)


def app_error(request: Request, error: AppError, status: int) -> JSONResponse:
    if request.url.path.startswith(_BADGES_API):
        return status_info(status, filled(_(error.sentence), error.values))
    answer = problem(status, filled(_(error.sentence), error.values), kind=type(error).__name__)
    if status == 401:
        basic = request.url.path.endswith(STATEMENTS)
        answer.headers["WWW-Authenticate"] = 'Bearer, Basic realm="Sceau"' if basic else "Bearer"
    return answer


def validation_error(request: Request, error: RequestValidationError) -> JSONResponse:
    """Each error with its location, never with the value, which may be personal (T43)."""
    faults = error.errors()
    if request.url.path.startswith(_BADGES_API):
        sentences = (f"{_pointer(each, error.body)} {reason_of(each)}" for each in faults[:5])
        return status_info(422, " ".join(sentences))
    if any(fault["loc"][:1] == ("path",) for fault in faults):
        # An invalid URL parameter means that the URL does not exist.
        return problem(404, _("Il n’y a rien à cette adresse."))
    if any(fault["type"] == "json_invalid" for fault in faults):
        return problem(400, _("Le corps de la demande n’est pas du JSON."))
    listed = [
        {"pointer": _pointer(fault, error.body), "reason": reason_of(fault)}
        for fault in faults[:_MOST_FAULTS]
    ]
    return problem(422, _("La demande n’a pas la forme attendue : voyez « errors »."), errors=listed)


def fault_at(field: str, kind: str) -> RequestValidationError:
    """`kind`: of the sentences above."""
    return RequestValidationError([{"loc": ("body", field), "type": kind}], body={field: None})


def _pointer(fault: Mapping[str, Any], body: object) -> str:
    """A JSON pointer into the body; for a header or a query, its kind and its name."""
    place = fault["loc"]
    parts = _parts_in(body, place[1:], fault["type"]) if place[:1] == ("body",) else place
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def _parts_in(body: object, place: Sequence[str | int], kind: str) -> Iterator[str | int]:
    """Without the forms of a union, which pydantic names among the parts (`list[dict[str,any]]`)."""
    value: Any = body
    for position, part in enumerate(place):
        is_there = (isinstance(value, dict) and part in value) or (
            isinstance(value, list) and isinstance(part, int) and part < len(value)
        )
        if is_there:
            value = value[part]
        elif not (kind == "missing" and position == len(place) - 1):
            continue
        yield part


_MOST_FAULTS: Final = 50
"""That an answer describes."""
_FIRST_LINES: Final = 5
SHORT_BODY: Final = 4096
"""Parsing it costs less than a query for its token."""


async def check_faults(request: Request) -> None:
    """Before the transaction begins, refuses a long body with more faults than an answer describes: finding 100,000
    takes some hundredths of a second, describing them a second, on the event loop."""
    field = getattr(request.scope["route"], "body_field", None)
    read = vars(request)
    # Without a token, the guard of the route refuses it.
    if field is None or len(read.get("_body", b"")) < SHORT_BODY or "authorization" not in request.headers:
        return
    shape = _shape_of(field.field_info.annotation)
    try:
        shape.validate_python(read.get("_json"))
    except ValidationError as error:
        if error.error_count() > _MOST_FAULTS:
            raise _many_faults(shape, read.get("_json"), error.error_count()) from None


@cache
def _shape_of(annotation: Any) -> TypeAdapter[Any]:
    return TypeAdapter(annotation)


def _many_faults(shape: TypeAdapter[Any], body: Any, count: int) -> Exception:
    """The faults of the first lines, else their number."""
    try:
        shape.validate_python(_first_lines(body))
    except ValidationError as error:
        if error.error_count() <= _MOST_FAULTS * _FIRST_LINES:
            faults = error.errors(include_url=False)
            return RequestValidationError(
                [each | {"loc": ("body", *each["loc"])} for each in faults], body=body
            )
    return InvalidInput("Cet envoi a {several} fautes, et trop pour les nommer.", several=count)


def _first_lines(value: Any) -> Any:
    if isinstance(value, list):
        return [_first_lines(each) for each in value[:_FIRST_LINES]]
    return {name: _first_lines(each) for name, each in value.items()} if isinstance(value, dict) else value


def not_accepted(*media_types: str) -> HTTPException:
    """For a body of another type; without any, for a compressed one."""
    accepted = {"Accept": ", ".join(media_types)} if media_types else {"Accept-Encoding": "identity"}
    return HTTPException(415, headers=accepted)


def http_error(request: Request, error: HTTPException) -> JSONResponse:
    status, accepted = error.status_code, (error.headers or {}).get("Accept")
    sentence = REMEDIES[status] if status in (405, 406) else TITLES.get(status, TITLES[400])
    if status == 415:
        sentence = (
            N_("Un autre « Content-Type » est attendu : {kind}.")
            if accepted
            else N_("Envoyez le corps sans « Content-Encoding ».")
        )
    is_badges_api = request.url.path.startswith(_BADGES_API)
    answer = (status_info if is_badges_api else problem)(status, _(sentence).format(kind=accepted))
    answer.headers.update(error.headers or {})
    return answer


def failure(request: Request, reference: str) -> JSONResponse:
    if request.url.path.startswith(_BADGES_API):
        return status_info(500, labelled(_(TITLES[500]), reference))
    return problem(
        500, _("La demande a échoué de notre côté. Rien n’a été fait à moitié."), reference=reference
    )


# --- Open Badges API 3.0

_BADGES_API = f"{BADGES_API}/"
_MINOR = {
    400: "invalid_data",
    401: "unauthorizedrequest",
    403: "forbidden",
    404: "not_found",
    405: "not_allowed",
    406: "not_acceptable",
    413: "invalid_data",
    429: "server_busy",
    500: "internal_server_error",
    503: "server_busy",
}


def status_info(status: int, detail: str, *, minor: str = "") -> JSONResponse:
    """As Imsx_StatusInfo; the standard knows neither 409 nor 415 nor 422."""
    status = status if status in _MINOR else 400
    field = {"imsx_codeMinorFieldName": "sceau", "imsx_codeMinorFieldValue": minor or _MINOR[status]}
    body = {
        "imsx_codeMajor": "failure",
        "imsx_severity": "error",
        "imsx_description": detail,
        "imsx_codeMinor": {"imsx_codeMinorField": [field]},
    }
    headers = {"Cache-Control": "no-store"} | ({"WWW-Authenticate": "Bearer"} if status == 401 else {})
    return JSONResponse(body, status_code=status, headers=headers)


# --- for the description of the API

PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference", "description": "The page that explains it."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "A sentence in the language of Accept-Language."},
        "kind": {"type": "string", "description": "A stable name of this kind of failure."},
        "reference": {"type": "string", "description": "To quote when you ask us about a fault of ours."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "pointer": {"type": "string", "description": "Where in the body (RFC 6901)."},
                    "reason": {"type": "string"},
                },
            },
        },
    },
}
_SAID = {
    400: "The body cannot be read.",
    401: "No bearer token, or one that is unknown, expired or withdrawn.",
    403: "The token lacks the scope, or the holder keeps the award closed.",
    404: "There is no such thing, or it belongs to another campus.",
    410: "The holder of the award had it erased; or the feed of changes began again, after a restored backup.",
    406: "None of the media types that Accept names.",
    409: "It contradicts what is kept already.",
    413: "The body is longer than 6 MiB, or has more than 100,000 members.",
    415: "The body must be sent as application/json.",
    422: "The body is not as described; `errors` says where.",
    429: "Too many requests: `Retry-After` has the seconds to wait.",
    503: "Something needed is unavailable; nothing was done. `Retry-After` has the seconds to wait.",
}


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Problems as a route's `responses` describe them."""
    return {status: _documented(status) for status in statuses}


def _documented(status: int) -> dict[str, Any]:
    example = {"type": type_of(status), "title": TITLES[status], "status": status, "detail": TITLES[status]}
    if status == 422:
        example["errors"] = [{"pointer": "/people/0/family_name", "reason": "Ce champ manque."}]
    content = {MEDIA_TYPE: {"schema": PROBLEM_SCHEMA, "example": example}}
    return {"description": _SAID[status], "content": content}


def for_caller(
    for_programs: Callable[..., Response], for_people: Callable[..., Response]
) -> Callable[..., Response]:
    def answer(request: Request, *facts: object) -> Response:
        return (for_programs if is_for_a_program(request) else for_people)(request, *facts)

    return answer
