"""What the settings name, built for one process: adapters, secrets and the object store."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy.engine import make_url

from app.adapters.mail import DkimSigner, SmtpMailer, TerminalMailer, dkim_signer_from
from app.adapters.object_store import S3Objects, bucket_at, keys_in
from app.adapters.openid_connect import providers_in, registrations_in
from app.adapters.secrets import KeyVault, hsm_in, kek_from, make_secret_file
from app.adapters.web_documents import WEBHOOK_LIMITS, GuardedWebhooks, WebDocuments
from app.adapters.web_documents.url_policy import NetworkScope
from app.domain.accounts.sign_in import IdentityProvider
from app.domain.awards.signed_bytes import ObjectStore
from app.domain.campus.integration import WebhookClient
from app.domain.core import Clock
from app.domain.messages import Mailer
from app.domain.publishing import Addresses
from app.settings import Settings
from app.telemetry import note_object
from sceau_credentials.values import DocumentSource, NoDocuments


def documents_of_others(settings: Settings, clock: Clock) -> DocumentSource:
    return web_documents(settings, clock) if settings.fetch else NoDocuments()


def web_documents(settings: Settings, clock: Clock) -> WebDocuments:
    reach = NetworkScope(settings.ports_to_fetch_from, settings.local_ports_to_fetch_from)
    return WebDocuments(clock=clock, reach=reach)


def webhooks_of(settings: Settings, clock: Clock) -> WebhookClient:
    """Independent of SCEAU_FETCH, which limits fetches of external documents."""
    reach = NetworkScope(
        settings.ports_to_fetch_from, settings.local_ports_to_fetch_from, settings.networks_of_webhooks
    )
    return GuardedWebhooks(WebDocuments(clock=clock, reach=reach, limits=WEBHOOK_LIMITS), reach)


def providers_of(settings: Settings, addresses: Addresses, clock: Clock) -> Mapping[str, IdentityProvider]:
    """The other sign-in services, independent of SCEAU_FETCH, which limits fetches of external documents."""
    if settings.sign_in_services is None:
        return {}
    registrations = registrations_in(settings.sign_in_services)
    ports = {urlsplit(each.issuer).port or 443 for each in registrations}
    reach = NetworkScope(settings.ports_to_fetch_from | ports, settings.local_ports_to_fetch_from)
    documents = WebDocuments(clock=clock, reach=reach)
    return providers_in(
        registrations, documents, return_url=addresses.sign_in_service, home=addresses.base_url
    )


def sender_of(settings: Settings) -> str:
    return settings.mail_from or f"sceau@{urlsplit(settings.base_url).hostname}"


def signer_of(settings: Settings) -> DkimSigner | None:
    if not settings.dkim_key:
        return None
    return dkim_signer_from(settings.dkim_key, selector=settings.dkim_selector)


def mailer_of(settings: Settings, is_demo: Callable[[], bool], signer: DkimSigner | None) -> Mailer | None:
    """None where e-mail is not configured: pages then show it."""
    if settings.smtp_url:
        return SmtpMailer(
            settings.smtp_url,
            sender=sender_of(settings),
            bounces=settings.mail_bounces,
            signer=signer,
            is_demo=is_demo,
            ca_file=settings.smtp_ca_file,
        )
    return TerminalMailer() if settings.is_local else None


def secret_of(settings: Settings) -> bytes:
    if settings.secret:
        return settings.secret.encode()
    path = settings.development_dir / "secret"
    make_secret_file(path)
    return base64.b64decode(path.read_text())


def vault_of(settings: Settings) -> KeyVault:
    database = make_url(settings.database_url)
    is_file = database.get_backend_name() == "sqlite" and database.database not in (None, "", ":memory:")
    folder = Path(str(database.database)).resolve().parent if is_file else None
    source = settings.kek
    if not source:
        path = settings.development_dir / "kek"
        make_secret_file(path)
        source = f"file:{path}"
    kek, *others = (kek_from(each, database_folder=folder) for each in (source, *settings.kek_sources))
    return KeyVault(kek, others=others, hsm=hsm_in(settings.hsm))


def object_store_of(settings: Settings) -> ObjectStore | None:
    """None where all signed bytes are in the database."""
    if not settings.object_store:
        return None
    bucket = bucket_at(settings.object_store, settings.object_store_region)
    keys = keys_in(settings.object_store_keys, os.environ)
    return S3Objects(bucket, keys, note=note_object, ca_file=settings.object_store_ca_file)
