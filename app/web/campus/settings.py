"""The settings of a campus: description, colours, language, hours."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from math import isfinite
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.datastructures import FormData

from app.container import Services
from app.domain.accounts.permissions import Permission
from app.domain.campus.campus import (
    MOST_LIVELY,
    MOST_PICTURES,
    ZONES,
    CampusColours,
    CampusSettings,
    KeyPurpose,
    KeyState,
    check_retirement_reason,
    check_stolen_since,
    faults_of,
    may_be_retired,
)
from app.domain.campus.places import DEPARTMENTS
from app.domain.campus.sender import RecordState
from app.domain.core import mark_of
from app.domain.people import normal_address
from app.errors import AppError, Conflict, InvalidInput, faults_of_fields
from app.http.pages.forms import (
    CHECKED_FORM,
    WRITTEN_MEANWHILE,
    SafeForm,
    bytes_of,
    text_of,
    written_meanwhile,
)
from app.http.pages.render import every_language
from app.http.pages.words import KEY_PURPOSES, KEY_STATES, StateLabel
from app.http.request_scope import (
    ReadingServices,
    process_of,
    public,
    sentence_of,
    status_for,
    write_transaction,
)
from app.http.workplaces import AtWork, at_work, staff, today_in
from app.language import N_, known_locales, translated
from app.web.campus.dashboard import LabelLine


@dataclass(frozen=True)
class KeyLine:
    method_id: str
    purpose: str
    algorithm: str
    state: StateLabel
    since: datetime
    retire: str
    """URL of the page that retires it; empty where it cannot be retired."""


router = APIRouter(prefix="/gestion/{slug}/reglages")
_MANAGE = [staff(Permission.MANAGE)]
HUES = (
    (20, N_("Rouge")), (45, N_("Brique")), (70, N_("Ocre")), (105, N_("Olive")), (145, N_("Vert")),
    (180, N_("Sarcelle")), (208, N_("Pétrole")), (245, N_("Bleu")), (280, N_("Indigo")), (305, N_("Violet")),
    (335, N_("Prune")), (0, N_("Rose")),
)  # fmt: skip
LIVELINESS = ((0.04, N_("Sobre")), (0.08, N_("Franche")), (0.12, N_("Vive")))
ZONE_NAMES = {
    "Europe/Paris": N_("Métropole"),
    "America/Guadeloupe": N_("Guadeloupe, Saint-Martin, Saint-Barthélemy"),
    "America/Martinique": N_("Martinique"),
    "America/Cayenne": N_("Guyane"),
    "America/Miquelon": N_("Saint-Pierre-et-Miquelon"),
    "Indian/Reunion": N_("La Réunion"),
    "Indian/Mayotte": N_("Mayotte"),
    "Pacific/Noumea": N_("Nouvelle-Calédonie"),
    "Pacific/Tahiti": N_("Polynésie française"),
}
_FIELDS = {
    "nom": "name", "nom-court": "short_name", "filiere": "sector", "porteur": "carrier", "lieu": "site", "departement": "department",
    "description": "description", "contact": "contact_email", "linkedin": "linkedin_id", "langue": "language", "heure": "time_zone",
    "teinte": "hue", "vivacite": "liveliness",
}  # fmt: skip


@dataclass(frozen=True)
class CampusSettingsForm:
    """The form as typed, and its problems by field."""

    values: dict[str, str]
    names: bool
    parts: bool
    seen: str = ""
    """The mark of the settings that the person started from."""
    errors: dict[str, str] = field(default_factory=dict)

    @staticmethod
    def of(settings: CampusSettings) -> CampusSettingsForm:
        values = {name: getattr(settings, column) for name, column in _FIELDS.items()}
        shown = {
            name: f"{value:g}" if isinstance(value, float) else str(value)
            for name, value in values.items()
        }  # fmt: skip
        names, parts = settings.names_in_credentials, settings.selective_disclosure
        return CampusSettingsForm(shown, names, parts, mark_of(*shown.values(), names, parts))

    @staticmethod
    def read(form: FormData) -> CampusSettingsForm:
        return CampusSettingsForm(
            {name: text_of(form, name) for name in _FIELDS},
            text_of(form, "noms") == "oui",
            text_of(form, "partie") == "oui",
            text_of(form, "vu"),
        )

    def beside(self, today: CampusSettingsForm) -> CampusSettingsForm:
        """As typed, with what another person has written meanwhile named beside it; saved again, it replaces that."""
        return replace(self, seen=today.seen, errors=written_meanwhile(today.values, self.values))

    def settings(self, before: CampusSettings) -> CampusSettings:
        changes: dict[str, Any] = {column: self.values[name] for name, column in _FIELDS.items()}
        changes |= {column: _number(changes[column]) for column in ("hue", "liveliness")}
        changes["contact_email"] = normal_address(changes["contact_email"])
        return replace(before, **changes, names_in_credentials=self.names, selective_disclosure=self.parts)


def _number(text: str) -> float:
    """-1, which no campus may choose, for text that is not a number."""
    try:
        number = float(text)
    except ValueError:
        return -1
    return number if isfinite(number) else -1


@router.get("", dependencies=_MANAGE)
def show_settings(request: Request, services: ReadingServices, fait: str = "") -> HTMLResponse:
    typed = CampusSettingsForm.of(CampusSettings.of(at_work(request).campus))
    return _page(request, services, typed, done=bool(fait))


@router.post("", dependencies=_MANAGE)
def change_settings(request: Request, form: SafeForm, services: ReadingServices) -> Response:
    work, typed = at_work(request), CampusSettingsForm.read(form)
    wanted = typed.settings(CampusSettings.of(work.campus))
    faults = faults_of(wanted, work.campus, languages=tuple(known_locales()))
    if faults:
        names = {column: name for name, column in _FIELDS.items()}
        typed.errors.update({names[column]: sentence_of(error) for column, error in faults.items()})
        return _page(request, services, typed)
    with write_transaction(request) as writing:
        writing.take_turns([work.campus.id])
        campus = writing.campuses.get(work.campus.slug)
        today = CampusSettingsForm.of(CampusSettings.of(campus))
        is_as_shown = typed.seen in ("", today.seen) or wanted == CampusSettings.of(campus)
        if is_as_shown:
            writing.campuses.change_settings(campus.slug, wanted, by=work.actor)
    if not is_as_shown:
        return _page(request, services, typed.beside(today), trouble=translated(WRITTEN_MEANWHILE))
    return RedirectResponse(f"{work.home}/reglages?fait=oui", status_code=303)


def _page(
    request: Request,
    services: Services,
    typed: CampusSettingsForm,
    *,
    done: bool = False,
    trouble: str = "",
) -> HTMLResponse:
    work = at_work(request)
    zones = dict.fromkeys((*ZONES, work.campus.time_zone))
    return work.page(
        request,
        "campus/settings.html",
        status=409 if trouble else status_for(typed.errors),
        trouble=trouble,
        done=done,
        form=typed,
        f=typed.values,
        hues=_hues(work),
        liveliness=_liveliness(work),
        departments=[
            ("", translated("Non précisé")),
            *((code, f"{code} {each.name}") for code, each in DEPARTMENTS.items()),
        ],
        zones=[(zone, translated(ZONE_NAMES.get(zone, zone))) for zone in zones],
        languages=every_language(),
        keys=keys_of(services, work),
        zone=work.campus.time_zone,
        address=services.addresses.campus(work.campus.slug),
        labels=[
            LabelLine.of(view)
            for view in services.campuses.labels_of(work.campus, on=today_in(services, work.campus))
        ],
    )


def _hues(work: AtWork) -> list[tuple[str, str, str]]:
    """(value, name, colour) of each available hue, plus the current one if set otherwise."""
    hues = [(float(hue), translated(name)) for hue, name in HUES]
    if work.campus.hue not in [hue for hue, _ in hues]:
        hues.insert(0, (work.campus.hue, translated("Celle d’aujourd’hui")))
    liveliness = min(max(work.campus.liveliness, 0.08), MOST_LIVELY)
    return [(f"{hue:g}", name, CampusColours.of(hue, liveliness).accent) for hue, name in hues]


def _liveliness(work: AtWork) -> list[tuple[str, str]]:
    known = [(f"{value:g}", translated(name)) for value, name in LIVELINESS]
    own = f"{work.campus.liveliness:g}"
    return known if own in dict(known) else [(own, translated("Celle d’aujourd’hui")), *known]


key_retiring_router = APIRouter(prefix="/gestion/{slug}/cles/{key_id}/retirer")
ROTATION, STOLEN = "relais", "volee"


@dataclass(frozen=True)
class KeyRetirementForm:
    cause: str = ROTATION
    since: str = ""
    reason: str = ""


@key_retiring_router.get("", dependencies=[staff(Permission.MANAGE)])
def ask(key_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    work = at_work(request)
    if not may_be_retired(services.campus_keys.get(work.campus, key_id)):
        raise Conflict("Cette clé est déjà retirée, et elle ne revient pas.")
    return _key_retiring_page(request, services, work, key_id, KeyRetirementForm())


@key_retiring_router.post("", dependencies=[staff(Permission.MANAGE)])
def retire(key_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices) -> Response:
    work = at_work(request)
    typed = KeyRetirementForm(text_of(form, "cause"), text_of(form, "depuis"), text_of(form, "motif"))
    key, at = services.campus_keys.get(work.campus, key_id), services.clock()
    is_stolen = typed.cause == STOLEN
    faults = faults_of_fields(
        {
            "depuis": lambda: (
                check_stolen_since(key, _moment(typed.since, work), at=at) if is_stolen else None
            ),
            "motif": lambda: check_retirement_reason(typed.reason),
        }
    )
    if faults:
        errors = {name: sentence_of(error) for name, error in faults.items()}
        return _key_retiring_page(request, services, work, key_id, typed, errors=errors)
    try:
        since = _moment(typed.since, work) if is_stolen else None
        with write_transaction(request) as writing:
            writing.campus_keys.retire(
                work.campus, key_id, reason=typed.reason, stolen_since=since, by=work.actor
            )
    except (InvalidInput, Conflict) as error:
        return _key_retiring_page(request, services, work, key_id, typed, sentence_of(error))
    return RedirectResponse(f"{work.home}/reglages#etat", status_code=303)


def _moment(typed: str, work: AtWork) -> datetime:
    """In the campus's time zone."""
    try:
        moment = datetime.fromisoformat(typed)
        return moment.replace(tzinfo=ZoneInfo(work.campus.time_zone)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidInput("Donnez le jour et l’heure depuis lesquels la clé n’est plus sûre.") from error


def _key_retiring_page(
    request: Request,
    services: Services,
    work: AtWork,
    key_id: uuid.UUID,
    typed: KeyRetirementForm,
    trouble: str = "",
    errors: Mapping[str, str] = MappingProxyType({}),
) -> HTMLResponse:
    key = services.campus_keys.get(work.campus, key_id)
    return work.page(
        request,
        "campus/desk/retire_key.html",
        zone=work.campus.time_zone,
        method_id=key.method_id,
        # A key already replaced cannot be rotated again: it can only be declared stolen.
        gives_way=key.state is KeyState.ACTIVE,
        of_the_log=key.purpose is KeyPurpose.ACTIVITY_LOG,
        state=KEY_STATES[key.state],
        since=key.activated_at or key.created_at,
        typed=typed,
        trouble=trouble,
        errors=errors,
        status=status_for(trouble, errors),
    )


def keys_of(services: Services, work: AtWork) -> Sequence[KeyLine]:
    return [
        KeyLine(
            key.method_id,
            KEY_PURPOSES[key.purpose],
            key.algorithm,
            KEY_STATES[key.state],
            key.activated_at or key.created_at,
            f"{work.home}/cles/{key.id}/retirer" if may_be_retired(key) else "",
        )
        for key in services.campuses.keys_of(work.campus)
    ]


# --- The gallery of a campus: its public pictures, and the page where its administrators choose them

pictures_router = APIRouter(prefix="/gestion/{slug}/images")
public_router = APIRouter(include_in_schema=False)
_FIVE_MINUTES = "public, max-age=300"


@public_router.get("/campus/{slug}/images/{picture_id:uuid}")
@public
def show_picture(slug: str, picture_id: uuid.UUID, services: ReadingServices) -> Response:
    """Cached for minutes: one that the campus takes away is gone everywhere soon after."""
    content = services.campus_pictures.content(services.campuses.get(slug), picture_id)
    return _image(content, _FIVE_MINUTES)


def _image(content: bytes, cache: str) -> Response:
    kind = "png" if content.startswith(b"\x89PNG") else "jpeg"
    headers = {"Cache-Control": cache, "Content-Security-Policy": "default-src 'none'; sandbox"}
    return Response(content, media_type=f"image/{kind}", headers=headers)


@pictures_router.get("", dependencies=_MANAGE)
def show_gallery(request: Request, services: ReadingServices, fait: str = "") -> HTMLResponse:
    return _pictures_page(request, services, done=bool(fait))


@pictures_router.post("", dependencies=_MANAGE)
def add_picture(request: Request, form: SafeForm, services: ReadingServices) -> Response:
    work, words = at_work(request), text_of(form, "texte")
    content, agreed = bytes_of(form, "fichier") or b"", text_of(form, "accord") == "oui"
    process_of(request).limiter.hit("pictures of a campus", str(work.campus.id))
    shown = partial(_pictures_page, request, services, words=words, agreed=agreed)
    if faults := services.campus_pictures.faults_of(content, alternative=words, agreed=agreed):
        names = {"content": "fichier", "alternative": "texte", "agreed": "accord"}
        return shown(errors={names[name]: sentence_of(error) for name, error in faults.items()})
    try:
        picture = services.campus_pictures.read(work.campus, content, alternative=words, agreed=agreed)
        with write_transaction(request) as writing:
            writing.campus_pictures.add(work.campus, picture, by=work.actor)
    except InvalidInput as error:
        return shown(errors={"fichier": sentence_of(error)})
    except Conflict as error:
        return shown(error=sentence_of(error))
    return RedirectResponse(f"{work.home}/images?fait=oui", status_code=303)


@pictures_router.post("/{picture_id:uuid}/retirer", dependencies=_MANAGE)
def remove_picture(picture_id: uuid.UUID, request: Request, form: SafeForm) -> Response:
    work = at_work(request)
    with write_transaction(request) as services:
        from_reports = text_of(form, "rapports") == "oui"
        services.campus_pictures.remove(work.campus, picture_id, from_reports=from_reports, by=work.actor)
    return RedirectResponse(f"{work.home}/images?fait=oui", status_code=303)


@pictures_router.get("/rapports/{digest}", dependencies=_MANAGE)
def show_report_picture(digest: str, request: Request, services: ReadingServices) -> Response:
    return _image(services.campus_pictures.content_in_reports(at_work(request).campus, digest), "no-store")


@pictures_router.post("/rapports/{digest}/retirer", dependencies=[*_MANAGE, CHECKED_FORM])
def remove_report_picture(digest: str, request: Request) -> Response:
    work = at_work(request)
    with write_transaction(request) as services:
        services.campus_pictures.remove_from_reports(work.campus, digest, by=work.actor)
    return RedirectResponse(f"{work.home}/images?fait=oui", status_code=303)


def _pictures_page(
    request: Request,
    services: Services,
    *,
    words: str = "",
    agreed: bool = False,
    error: str = "",
    errors: Mapping[str, str] = MappingProxyType({}),
    done: bool = False,
) -> HTMLResponse:
    work = at_work(request)
    pictures = services.campus_pictures.list_of(work.campus)
    return work.page(
        request,
        "campus/pictures.html",
        status=status_for(error, errors),
        done=done,
        words=words,
        agreed=agreed,
        error=error,
        errors=errors,
        pictures=[
            (f"/campus/{work.campus.slug}/images/{each.id}", each.alternative, each.id) for each in pictures
        ],
        only_in_reports=services.campus_pictures.only_in_reports(work.campus),
        is_full=len(pictures) >= MOST_PICTURES,
    )


# --- The address that a campus's e-mails leave from, with the record that its domain publishes

mail_router = APIRouter(prefix="/gestion/{slug}/courrier")
_STATES = {
    RecordState.FOUND: StateLabel("Publié", "ok"),
    RecordState.MISSING: StateLabel("Pas encore publié", "unk"),
    RecordState.OTHER: StateLabel("Publié avec un autre contenu", "bad"),
    RecordState.UNKNOWN: StateLabel("Le DNS ne répond pas", "unk"),
}


@mail_router.get("", dependencies=_MANAGE)
def show_sender(request: Request, services: ReadingServices, fait: str = "") -> HTMLResponse:
    return _mail_page(request, services, at_work(request), done=bool(fait))


@mail_router.post("/adresse", dependencies=_MANAGE)
def ask_sender(request: Request, form: SafeForm, services: ReadingServices) -> Response:
    work, typed, process = at_work(request), text_of(form, "adresse"), process_of(request)
    process.limiter.hit("sender of a campus", work.campus.slug)
    try:
        with write_transaction(request) as writing:
            writing.senders.ask(work.campus, typed, by=work.actor)
    except (InvalidInput, Conflict) as error:
        return _mail_page(request, services, work, typed=typed, error=error)
    process.on_enqueue()
    return _back(work)


@mail_router.post("/code", dependencies=_MANAGE)
def confirm_sender(request: Request, form: SafeForm, services: ReadingServices) -> Response:
    work = at_work(request)
    process_of(request).limiter.hit("code of a sender", work.campus.slug)
    try:
        with write_transaction(request) as writing:
            writing.senders.confirm(work.campus, text_of(form, "code"), by=work.actor)
    except InvalidInput as error:
        return _mail_page(request, services, work, code_error=error)
    return _back(work)


@mail_router.post("/service", dependencies=[*_MANAGE, CHECKED_FORM])
def use_sender(request: Request, services: ReadingServices) -> Response:
    work = at_work(request)
    try:
        sender = services.senders.get(work.campus)
        process_of(request).limiter.hit("look-ups of a campus", work.campus.slug)
        record = services.senders.look_up(sender)
        with write_transaction(request) as writing:
            writing.senders.use(work.campus, record, by=work.actor)
    except Conflict as error:
        return _mail_page(request, services, work, trouble=error)
    return _back(work)


@mail_router.post("/retrait", dependencies=[*_MANAGE, CHECKED_FORM])
def remove_sender(request: Request) -> Response:
    work = at_work(request)
    with write_transaction(request) as services:
        services.senders.remove(work.campus, by=work.actor)
    return _back(work)


def _mail_page(
    request: Request,
    services: Services,
    work: AtWork,
    *,
    typed: str = "",
    error: AppError | None = None,
    code_error: AppError | None = None,
    trouble: AppError | None = None,
    done: bool = False,
) -> HTMLResponse:
    sender, identity = services.senders.find(work.campus), services.senders.identity
    is_verified = sender is not None and sender.verified_at is not None
    advice = None
    if sender and is_verified and identity.signs:
        process_of(request).limiter.hit("look-ups of a campus", work.campus.slug)
        advice = services.senders.advise(sender)
    refused = error or code_error
    return work.page(
        request,
        "campus/mail.html",
        status=status_for(trouble, refused),
        zone=work.campus.time_zone,
        done=done,
        sender=sender,
        is_verified=is_verified,
        identity=identity,
        record=advice.dkim if advice else None,
        state=_STATES[advice.dkim.state] if advice else None,
        may_use=advice is not None and advice.dkim.state is RecordState.FOUND,
        dmarc=advice.dmarc if advice else None,
        letters_leave=process_of(request).mailer is not None,
        typed=typed,
        address_error=sentence_of(error) if error else "",
        code_error=sentence_of(code_error) if code_error else "",
        trouble=sentence_of(trouble) if trouble else "",
    )


def _back(work: AtWork) -> RedirectResponse:
    return RedirectResponse(f"{work.home}/courrier?fait=oui", status_code=303)
