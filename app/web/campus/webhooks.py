"""« Webhooks » and « Plateformes de cours »: software that works with the campus."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.accounts.permissions import Permission
from app.domain.campus.integration import (
    RESTARTED_TYPE,
    TEST_TYPE,
    ChangedKind,
    DeliveryState,
    Webhook,
    WebhookDelivery,
    WebhookState,
)
from app.domain.campus.lti import LtiRegistration, PlatformDown, PlatformRefused
from app.errors import AppError, Conflict, InvalidInput
from app.http.pages.forms import CHECKED_FORM, SafeForm, text_of, texts_of
from app.http.pages.words import StateLabel
from app.http.request_scope import (
    ReadingServices,
    process_of,
    sentence_of,
    status_for,
    write_transaction,
)
from app.http.workplaces import AtWork, at_work, staff
from app.language import N_, translated
from app.web.campus.lti import granted

router = APIRouter(prefix="/gestion/{slug}/webhooks")
_MANAGE = [staff(Permission.MANAGE)]
_ACTION = [*_MANAGE, CHECKED_FORM]
_MOST_SHOWN = 50
KINDS = {
    ChangedKind.AWARD: N_("Badges attribués, modifiés ou retirés"),
    ChangedKind.PARTICIPATION: N_("Participations"),
    ChangedKind.PERSON: N_("Personnes"),
    ChangedKind.ACTIVITY: N_("Activités"),
    ChangedKind.BADGE: N_("Définitions des badges"),
}
_NOUNS = {
    "award": N_("Badge attribué"),
    "participation": N_("Participation"),
    "person": N_("Personne"),
    "activity": N_("Activité"),
    "badge": N_("Définition d’un badge"),
}
_CHANGES = {
    "created": N_("{noun} : création"),
    "changed": N_("{noun} : modification"),
    "removed": N_("{noun} : retrait"),
}
_STATES = {
    WebhookState.ACTIVE: StateLabel("En service", "ok"),
    WebhookState.PAUSED: StateLabel("En pause", "shut"),
    WebhookState.FAILING: StateLabel("En pause après des échecs", "bad"),
}
_DELIVERIES = {
    DeliveryState.WAITING: StateLabel("En attente", "unk"),
    DeliveryState.DELIVERED: StateLabel("Reçu", "ok"),
    DeliveryState.FAILED: StateLabel("Abandonné", "bad"),
}
_FAULTS = {
    "unreachable": N_("L’adresse ne répond pas."),
    "certificate": N_(
        "Son certificat n’est pas accepté : expiré, pour un autre nom, ou d’une autorité inconnue du service."
    ),
    "timeout": N_("Le logiciel a mis trop de temps à répondre."),
    "url_not_allowed": N_("Cette adresse n’est pas permise ici."),
}


@dataclass(frozen=True)
class WebhookForm:
    url: str = ""
    label: str = ""
    kinds: Sequence[str] = (ChangedKind.AWARD.value,)
    errors: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class DeliveryLine:
    row: WebhookDelivery
    what: str
    state: StateLabel
    fault: str
    may_be_replayed: bool

    @staticmethod
    def of(row: WebhookDelivery, webhook: Webhook) -> DeliveryLine:
        fault = ""
        if row.state is not DeliveryState.DELIVERED:
            if row.status is not None:
                fault = translated("Le logiciel a répondu {status}.").format(status=row.status)
            elif row.fault:
                fault = translated(_FAULTS.get(row.fault, N_("Le logiciel n’a pas répondu comme il faut.")))
        may = webhook.is_active and row.state is not DeliveryState.WAITING
        return DeliveryLine(row, _named(row.type), _DELIVERIES[row.state], fault, may)


def _named(event_type: str) -> str:
    if event_type == TEST_TYPE:
        return translated("Message d’essai")
    if event_type == RESTARTED_TYPE:
        return translated("Données rétablies d’une sauvegarde : tout est à relire")
    noun, _, change = event_type.partition(".")
    return translated(_CHANGES[change]).format(noun=translated(_NOUNS[noun]))


@router.get("", dependencies=_MANAGE)
def list_webhooks(request: Request, services: ReadingServices) -> HTMLResponse:
    return _list(request, services, WebhookForm())


@router.post("", dependencies=_MANAGE)
def add_webhook(request: Request, form: SafeForm, services: ReadingServices) -> HTMLResponse:
    """The response itself shows the secret: no URL contains it."""
    work = at_work(request)
    typed = WebhookForm(text_of(form, "adresse"), text_of(form, "usage"), texts_of(form, "sorte"))
    process_of(request).limiter.hit("webhooks of a campus", work.campus.slug)
    faults = services.webhooks.faults_of(url=typed.url, label=typed.label, kinds=typed.kinds)
    if faults:
        names = {"label": "usage", "url": "adresse", "kinds": "sorte"}
        typed.errors.update((names[name], sentence_of(error)) for name, error in faults.items())
        return _list(request, services, typed)
    try:
        with write_transaction(request) as writing:
            webhook = writing.webhooks.add(
                work.campus, url=typed.url, label=typed.label, kinds=typed.kinds, by=work.actor
            )
            secret = writing.webhooks.secret_of(webhook)
    except (InvalidInput, Conflict) as error:
        typed.errors["adresse"] = sentence_of(error)
        return _list(request, services, typed)
    with write_transaction(request) as writing:
        return _show(request, writing, webhook.id, secret=secret)


@router.get("/{webhook_id:uuid}", dependencies=_MANAGE)
def show_webhook(
    webhook_id: uuid.UUID, request: Request, services: ReadingServices, fait: str = ""
) -> HTMLResponse:
    return _show(request, services, webhook_id, done=bool(fait))


@router.post("/{webhook_id:uuid}/secret", dependencies=_ACTION)
def rotate_secret(webhook_id: uuid.UUID, request: Request) -> HTMLResponse:
    work = at_work(request)
    with write_transaction(request) as writing:
        webhook = writing.webhooks.rotate(work.campus, webhook_id, by=work.actor)
        secret = writing.webhooks.secret_of(webhook)
    with write_transaction(request) as writing:
        return _show(request, writing, webhook_id, secret=secret)


@router.post("/{webhook_id:uuid}/essai", dependencies=_ACTION)
def send_test(webhook_id: uuid.UUID, request: Request) -> Response:
    work = at_work(request)
    process_of(request).limiter.hit("webhooks of a campus", work.campus.slug)
    return _act(
        request, webhook_id, lambda writing: writing.webhooks.test(work.campus, webhook_id, by=work.actor)
    )


@router.post("/{webhook_id:uuid}/pause", dependencies=_ACTION)
def pause(webhook_id: uuid.UUID, request: Request) -> Response:
    work = at_work(request)
    return _act(
        request, webhook_id, lambda writing: writing.webhooks.pause(work.campus, webhook_id, by=work.actor)
    )


@router.post("/{webhook_id:uuid}/reprise", dependencies=_ACTION)
def resume(webhook_id: uuid.UUID, request: Request) -> Response:
    work = at_work(request)
    return _act(
        request, webhook_id, lambda writing: writing.webhooks.resume(work.campus, webhook_id, by=work.actor)
    )


@router.post("/{webhook_id:uuid}/echecs", dependencies=_ACTION)
def replay_failed(webhook_id: uuid.UUID, request: Request) -> Response:
    work = at_work(request)
    return _act(
        request,
        webhook_id,
        lambda writing: writing.webhooks.replay_failed(work.campus, webhook_id, by=work.actor),
    )


@router.post("/{webhook_id:uuid}/envois/{delivery_id:uuid}", dependencies=_ACTION)
def replay_delivery(webhook_id: uuid.UUID, delivery_id: uuid.UUID, request: Request) -> Response:
    work = at_work(request)
    return _act(
        request,
        webhook_id,
        lambda writing: writing.webhooks.replay(work.campus, webhook_id, delivery_id, by=work.actor),
    )


@router.post("/{webhook_id:uuid}/retrait", dependencies=_ACTION)
def remove(webhook_id: uuid.UUID, request: Request) -> Response:
    work = at_work(request)
    with write_transaction(request) as writing:
        writing.webhooks.remove(work.campus, webhook_id, by=work.actor)
    return RedirectResponse(f"{work.home}/webhooks", status_code=303)


def _act(request: Request, webhook_id: uuid.UUID, action: Callable[[Services], object]) -> Response:
    work = at_work(request)
    try:
        with write_transaction(request) as writing:
            action(writing)
    except Conflict as error:
        with write_transaction(request) as writing:
            return _show(request, writing, webhook_id, trouble=error)
    process_of(request).on_enqueue()
    return RedirectResponse(f"{work.home}/webhooks/{webhook_id}?fait=oui", status_code=303)


def _list(request: Request, services: Services, typed: WebhookForm) -> HTMLResponse:
    work = at_work(request)
    return work.page(
        request,
        "campus/webhooks/list.html",
        status=status_for(typed.errors),
        form=typed,
        kinds=[(kind.value, translated(name), kind.value in typed.kinds) for kind, name in KINDS.items()],
        webhooks=[(each, _STATES[each.state]) for each in services.webhooks.list_of(work.campus)],
        are_sent=process_of(request).settings.webhooks,
    )


def _show(
    request: Request,
    services: Services,
    webhook_id: uuid.UUID,
    *,
    secret: str = "",
    done: bool = False,
    trouble: AppError | None = None,
) -> HTMLResponse:
    work = at_work(request)
    webhook = services.webhooks.get(work.campus, webhook_id)
    shown = services.webhooks.deliveries(webhook, limit=_MOST_SHOWN)
    counts = services.webhooks.counts(webhook)
    return work.page(
        request,
        "campus/webhooks/show.html",
        status=status_for(trouble),
        zone=work.campus.time_zone,
        here=f"{work.home}/webhooks/{webhook.id}",
        webhook=webhook,
        state=_STATES[webhook.state],
        is_failing=webhook.state is WebhookState.FAILING,
        kinds=[translated(KINDS[kind]) for kind in KINDS if kind.value in webhook.kinds],
        two_secrets=webhook.previous_until is not None and services.clock() < webhook.previous_until,
        lines=[DeliveryLine.of(each, webhook) for each in shown],
        waiting=counts.get(DeliveryState.WAITING, 0),
        failed=counts.get(DeliveryState.FAILED, 0),
        most=_MOST_SHOWN,
        secret=secret,
        done=done,
        trouble=sentence_of(trouble) if trouble else "",
    )


# --- « Plateformes de cours »: the course platforms that a campus registered (LTI 1.3)


course_platforms_router = APIRouter(prefix="/gestion/{slug}/cours")
_FIELDS = {
    "label": "nom",
    "issuer": "emetteur",
    "client_id": "client",
    "deployments": "deploiements",
    "keys_url": "cles",
    "token_url": "jetons",
    "authorization_url": "autorisation",
}


@course_platforms_router.get("", dependencies=_MANAGE)
def show_platforms(request: Request, services: ReadingServices, fait: str = "") -> HTMLResponse:
    return _platforms_page(request, services, at_work(request), done=bool(fait))


@course_platforms_router.post("", dependencies=_MANAGE)
def add_platform(request: Request, form: SafeForm, services: ReadingServices) -> Response:
    work = at_work(request)
    typed = {name: text_of(form, name) for name in _FIELDS.values()}
    registration = LtiRegistration(
        typed["nom"],
        typed["emetteur"],
        typed["client"],
        tuple(each.strip() for each in typed["deploiements"].replace(",", " ").split()),
        typed["cles"],
        typed["jetons"],
        typed["autorisation"],
    )
    if faults := services.lti.faults_of(registration):
        errors = {field: sentence_of(faults[name]) for name, field in _FIELDS.items() if name in faults}
        return _platforms_page(request, services, work, typed=typed, errors=errors)
    try:
        with write_transaction(request) as writing:
            writing.lti.register(work.campus, registration, by=work.actor)
    except (InvalidInput, Conflict) as error:
        return _platforms_page(request, services, work, typed=typed, trouble=error)
    return _to_platforms(work)


@course_platforms_router.post("/{platform_id:uuid}/essayer", dependencies=[*_MANAGE, CHECKED_FORM])
def try_platform(platform_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    """Asks for an access token: it shows whether both sides know each other."""
    work = at_work(request)
    try:
        granted(request, work.campus, services.lti.access(work.campus, platform_id))
    except (PlatformDown, PlatformRefused) as error:
        return _platforms_page(request, services, work, trouble=error)
    return _to_platforms(work)


@course_platforms_router.post("/{platform_id:uuid}/retirer", dependencies=[*_MANAGE, CHECKED_FORM])
def remove_platform(platform_id: uuid.UUID, request: Request) -> Response:
    work = at_work(request)
    with write_transaction(request) as services:
        services.lti.remove(work.campus, platform_id, by=work.actor)
    return _to_platforms(work)


@course_platforms_router.post("/cle", dependencies=_MANAGE)
def renew_key(request: Request, form: SafeForm) -> Response:
    work = at_work(request)
    with write_transaction(request) as services:
        services.lti.renew_key(work.campus, by=work.actor, shown=text_of(form, "cle") or None)
    return _to_platforms(work)


def _platforms_page(
    request: Request,
    services: Services,
    work: AtWork,
    *,
    typed: Mapping[str, str] | None = None,
    trouble: AppError | None = None,
    errors: Mapping[str, str] = MappingProxyType({}),
    done: bool = False,
) -> HTMLResponse:
    at, lti = services.clock(), services.lti
    key, base = lti.key_age(work.campus), services.addresses.lti(work.campus.slug)
    return work.page(
        request,
        "campus/lti/platforms.html",
        status=status_for(trouble, errors),
        zone=work.campus.time_zone,
        done=done,
        errors=errors,
        platforms=[
            (each, lti.linked(each), (at - each.token_at).days if each.token_at else None)
            for each in lti.platforms(work.campus)
        ],
        key=key,
        key_days=(at - key.since).days if key else 0,
        addresses=[
            ("connexion", N_("Adresse de connexion"), f"{base}/connexion"),
            (
                "lancement",
                N_("Adresse de lancement, de redirection et de choix du contenu"),
                f"{base}/lancement",
            ),
            ("cles-publiques", N_("Adresse du jeu de clés publiques (JWKS)"), f"{base}/cles.json"),
        ],
        f=typed or dict.fromkeys(_FIELDS.values(), ""),
        trouble=sentence_of(trouble) if trouble else "",
    )


def _to_platforms(work: AtWork) -> RedirectResponse:
    return RedirectResponse(f"{work.home}/cours?fait=oui", status_code=303)
