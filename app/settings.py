"""Everything an operator may set, read once from the environment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from difflib import get_close_matches
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

_LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")
_EXAMPLE_SECRETS = ("change", "secret", "example", "default", "password")


class SettingRefused(ValueError):
    """A sentence in French, with values, which a command shows in the operator's language."""

    def __init__(self, sentence: str, **values: str) -> None:
        super().__init__(sentence.format(**values))
        self.sentence = sentence
        self.values = values


class Settings(BaseSettings):
    """Names are `SCEAU_` and the field in capitals: SCEAU_BASE_URL, SCEAU_DATABASE_URL, …"""

    model_config = SettingsConfigDict(env_prefix="SCEAU_", frozen=True, extra="ignore")

    base_url: str = Field(
        "http://localhost:8000", description="The address people use, without a final slash."
    )
    host: str = Field("127.0.0.1", description="The address the server listens on.")
    port: int = Field(8000, ge=1, le=65535)
    database_url: str = Field(
        "sqlite:///var/sceau.sqlite", description="SQLite or PostgreSQL (postgresql+psycopg://…)."
    )
    owner_database_url: str = Field(
        "",
        description="The same PostgreSQL database as the owner of its tables, for `sceau migrate`; empty: as above.",
    )
    secret: str = Field(
        "", description="At least 32 random characters; learners' private links derive from it."
    )
    kek: str = Field(
        "",
        description="Where the key-encryption key is: file:/path (32 bytes in base64, mode 0600) or env:NAME.",
    )
    other_keks: str = Field(
        "",
        description="Other key-encryption keys that open what they sealed, with commas, written as SCEAU_KEK: while one replaces another.",
    )
    hsm: str = Field(
        "",
        description="A PKCS#11 token where signing keys are made and used: pkcs11:token=LABEL?module-path=/path/to/module.so&pin-source=file:/path; empty: sealed in the database.",
    )
    development_dir: Path = Field(
        Path(".sceau-dev"), description="On localhost only: where a missing secret and KEK are made and kept."
    )
    log_anchors: Path | None = Field(
        None,
        description="The folder that remembers what was last signed of each activity log and status list, apart from the database and its backups; empty: beside the development keys.",
    )
    recovery_days: int = Field(
        35,
        ge=0,
        le=3650,
        description="How many days the anchor folder keeps what was awarded, sealed, to restore it after a loss; longer than the oldest backup that may be used; 0: nothing.",
    )
    object_store: str = Field(
        "",
        description="Where old signed bytes may move, in an S3-compatible store: https://host/bucket/prefix; empty: all stay in the database.",
    )
    object_store_region: str = Field(
        "us-east-1", pattern="^[a-z0-9-]{1,40}$", description="The region that requests to it are signed for."
    )
    object_store_keys: str = Field(
        "",
        description="Where its access keys are, as IDENTIFIER:SECRET or on two lines: file:/path (mode 0600) or env:NAME.",
    )
    object_store_ca_file: Path | None = Field(
        None, description="A certificate authority of one’s own that its certificate rests on."
    )
    object_store_after_days: int = Field(
        0,
        ge=0,
        le=36_500,
        description="The age in days from which the worker moves signed bytes there; 0: only `sceau storage move` does.",
    )
    smtp_url: str = Field("", description="smtp://user:password@host:587; empty: no letters leave.")
    mail_from: str = Field(
        "", description="The sender of letters; empty: sceau@ and the host of the base URL."
    )
    mail_bounces: str = Field(
        "",
        description="Where letters that do not arrive come back, for `sceau mail bounces`; empty: to the sender.",
    )
    dkim_key: str = Field(
        "",
        description="Where the key that signs letters is: file:/path (RSA, PEM, mode 0600); empty: unsigned.",
    )
    dkim_selector: str = Field(
        "sceau", pattern="^[a-z0-9-]{1,60}$", description="The name of that key in the DNS."
    )
    smtp_ca_file: Path | None = Field(
        None, description="A certificate authority of one’s own that the mail server’s certificate rests on."
    )
    letters_per_minute: int = Field(
        100, ge=1, le=100_000, description="The most letters that leave in one minute, reminders included."
    )
    trusted_proxies: str = Field(
        "", description="Addresses whose X-Forwarded-* headers are believed, with commas."
    )
    fetch: bool = Field(
        True, description="on or off: whether documents of other issuers may be fetched to verify a badge."
    )
    fetch_ports: str = Field(
        "443", description="Ports of other hosts where such documents may be, with commas."
    )
    fetch_local_ports: str = Field(
        "", description="On localhost only: ports of this machine where they may be too, over plain http."
    )
    webhooks: bool = Field(
        True, description="on or off: whether campuses may have their changes sent to addresses they choose."
    )
    webhook_networks: str = Field(
        "",
        description="Private networks where such addresses may be, with commas: 10.20.0.0/16; empty: public addresses only.",
    )
    vc_api_issue: bool = Field(
        False,
        description="on or off: whether /vc-api/credentials/issue signs for tokens with `credential:issue`; for conformance suites, never for awards.",
    )
    app_registration: bool = Field(
        False,
        description="on or off: whether applications may register themselves for the Open Badges API (`sceau apps` registers one).",
    )
    wallet_redirects: str = Field(
        "",
        description="Redirect URIs of wallets that may ask a learner for a badge without an offer from their page, with commas.",
    )
    locale: str = Field(
        "fr", pattern="^[a-z]{2}$", description="The language of a visitor who asks for none."
    )
    time_zone: str = Field("Europe/Paris", description="The time zone of pages that belong to no campus.")
    publisher: str = Field("", max_length=200, description="Who runs this service, for the legal notice.")
    contact: str = Field("", max_length=254, description="Where to write to them.")
    session_hours: int = Field(12, ge=1, le=24 * 30, description="How long a session lasts at most.")
    session_idle_minutes: int = Field(
        120, ge=5, le=24 * 60, description="How long a session lasts while nobody uses it."
    )
    sign_in_services: Path | None = Field(
        None, description="A TOML file that says by which other services (OpenID Connect) one may sign in."
    )
    limits: str = Field(
        "",
        description="Where rate limits are counted: memory, database or redis://host:6379; empty: what fits.",
    )
    scanner: str = Field(
        "",
        description="The virus scanner clamd, for files that people hand in: tcp://host:3310 or unix:/path; empty: none.",
    )
    telemetry: str = Field(
        "",
        description="The OpenTelemetry collector that traces are sent to, by OTLP over HTTP: http://127.0.0.1:4318; empty: no traces.",
    )
    metrics_token: str = Field(
        "",
        description="What who reads /metrics must show; empty: nobody may, but for this machine on localhost.",
    )
    log_format: str = Field("json", pattern="^(json|text)$")
    workers: int = Field(1, ge=1, le=64)
    undo_minutes: int = Field(
        5,
        ge=0,
        le=1440,
        description="How long a trainer may undo an award before links and letters leave; 0: not at all.",
    )
    work: bool = Field(
        True,
        description="on or off: whether the server also carries out promises; off where sceau work does.",
    )
    work_port: int = Field(
        0,
        ge=0,
        le=65535,
        description="Where `sceau work` answers /health and /metrics, on SCEAU_HOST; 0: nowhere.",
    )
    work_database_url: str = Field(
        "",
        description="Where unfinished work is kept; empty: a file beside the SQLite database, or a schema of the PostgreSQL one.",
    )

    @field_validator(
        "development_dir",
        "log_anchors",
        "object_store_ca_file",
        "sign_in_services",
        "smtp_ca_file",
        mode="before",
    )
    @classmethod
    def _no_path(cls, value: object, info: ValidationInfo) -> object:
        """An empty path would be the current folder."""
        return cls.model_fields[str(info.field_name)].default if value == "" else value

    @field_validator("database_url", "owner_database_url", "work_database_url")
    @classmethod
    def _database(cls, value: str, info: ValidationInfo) -> str:
        if not value and info.field_name != "database_url":
            return value
        from sqlalchemy.engine import make_url
        from sqlalchemy.exc import ArgumentError

        try:
            is_known = make_url(value).drivername in _ENGINES
        except (ArgumentError, ValueError):
            is_known = False
        if not is_known:
            raise SettingRefused(
                "{name} s’écrit sqlite:///fichier ou postgresql+psycopg://nom:passe@hôte:5432/base ; @ dans un mot de passe s’écrit %40.",
                name=_variable(info),
            )
        return value

    @field_validator("mail_from", "mail_bounces")
    @classmethod
    def _mailbox(cls, value: str, info: ValidationInfo) -> str:
        if value and not _is_mailbox(value):
            raise SettingRefused(
                "{name} doit être une adresse e-mail, comme badges@exemple.fr.", name=_variable(info)
            )
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _proxies(cls, value: str) -> str:
        try:
            for each in _listed(value):
                ip_network(each)
        except ValueError as error:
            raise SettingRefused(
                "SCEAU_TRUSTED_PROXIES contient des adresses ou réseaux séparés par des virgules (10.77.0.2, 10.20.0.0/16), sans nom ni *."
            ) from error
        return value

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (OSError, ValueError, ZoneInfoNotFoundError) as error:
            raise SettingRefused(
                "SCEAU_TIME_ZONE doit être un fuseau horaire, comme Europe/Paris."
            ) from error
        return value

    @field_validator("wallet_redirects")
    @classmethod
    def _redirects(cls, value: str) -> str:
        for each in _listed(value):
            parts = urlsplit(each)
            if not parts.scheme or not (parts.netloc or parts.path) or " " in each:
                raise SettingRefused(
                    "SCEAU_WALLET_REDIRECTS contient des adresses séparées par des virgules, comme https://wallet.example/cb ou wallet://cb."
                )
        return value

    @field_validator("base_url")
    @classmethod
    def _plain_base_url(cls, value: str) -> str:
        try:
            parts = urlsplit(value)
            host, port = parts.hostname or "", parts.port
            written = f"[{host}]" if ":" in host else host.encode("idna").decode()
        except ValueError:
            parts, host, port, written = urlsplit(""), "", None, ""
        is_address = parts.scheme in ("http", "https") and re.fullmatch(
            r"\[[0-9a-f:.]+\]|[a-z0-9._-]+", written
        )
        if not is_address or parts.query or parts.fragment:
            raise SettingRefused(
                "SCEAU_BASE_URL doit être une adresse http(s), comme https://badges.example.fr."
            )
        if parts.path.strip("/"):
            raise SettingRefused("SCEAU_BASE_URL n’a pas de chemin : le service occupe tout son nom d’hôte.")
        if port is not None and port != {"http": 80, "https": 443}[parts.scheme]:
            written += f":{port}"
        if parts.netloc != written:
            # Badges contain the address, and what browsers send is compared with it.
            raise SettingRefused(
                "SCEAU_BASE_URL doit être {address}, comme les navigateurs l’envoient.",
                address=f"{parts.scheme}://{written}",
            )
        return f"{parts.scheme}://{written}"

    @field_validator("smtp_url")
    @classmethod
    def _mail_server(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in ("smtp", "smtps") or not parts.hostname):
            raise SettingRefused(
                "SCEAU_SMTP_URL s’écrit smtp://nom:passe@hôte:587 ou smtps://nom:passe@hôte."
            )
        if not _has_port_number(value) or parts.path.strip("/") or parts.query or parts.fragment:
            raise SettingRefused(
                "SCEAU_SMTP_URL : le port n’est pas un nombre, ou le nom ou le mot de passe a un signe à écrire %xx."
            )
        return value

    @field_validator("fetch_ports", "fetch_local_ports")
    @classmethod
    def _port_numbers(cls, value: str) -> str:
        if not all(port.isascii() and port.isdigit() and 0 < int(port) < 65536 for port in _listed(value)):
            raise SettingRefused(
                "SCEAU_FETCH_PORTS et SCEAU_FETCH_LOCAL_PORTS contiennent des numéros de port séparés par des virgules."
            )
        return value

    @field_validator("webhook_networks")
    @classmethod
    def _networks(cls, value: str) -> str:
        try:
            for each in _listed(value):
                ip_network(each)
        except ValueError as error:
            raise SettingRefused(
                "SCEAU_WEBHOOK_NETWORKS contient des réseaux séparés par des virgules, comme 10.20.0.0/16."
            ) from error
        return value

    @field_validator("limits")
    @classmethod
    def _known_place(cls, value: str) -> str:
        if value not in ("", "memory", "database") and "://" not in value:
            raise SettingRefused(
                "SCEAU_LIMITS doit être memory, database ou une adresse comme redis://host:6379."
            )
        return value

    @model_validator(mode="after")
    def _counted_together(self) -> Settings:
        if self.workers > 1 and self.limits in ("memory", "memory://"):
            raise SettingRefused(
                "SCEAU_LIMITS=memory ne compte que dans un processus : avec plusieurs, réglez database ou redis://…"
            )
        return self

    @model_validator(mode="after")
    def _safe_to_start(self) -> Settings:
        if self.is_local:
            return self
        if _listed(self.fetch_local_ports):
            raise SettingRefused(
                "SCEAU_FETCH_LOCAL_PORTS sert au développement : seulement si SCEAU_BASE_URL est localhost."
            )
        if not self.is_https:
            raise SettingRefused(
                "SCEAU_BASE_URL doit être en https : seul localhost peut être servi en http."
            )
        if not self.secret:
            raise SettingRefused(
                "SCEAU_SECRET manque : mettez au moins 32 caractères tirés au hasard (openssl rand -base64 48)."
            )
        if len(self.secret) < 32 or any(word in self.secret.lower() for word in _EXAMPLE_SECRETS):
            raise SettingRefused(
                "SCEAU_SECRET est trop court ou ressemble à un exemple : mettez au moins 32 caractères tirés au hasard."
            )
        if self.metrics_token and len(self.metrics_token) < 20:
            raise SettingRefused(
                "SCEAU_METRICS_TOKEN est trop court : mettez au moins 20 caractères tirés au hasard."
            )
        if not self.kek:
            raise SettingRefused(
                "SCEAU_KEK manque : indiquez où est la clé maîtresse, par exemple file:/run/keys/sceau-kek."
            )
        return self

    @property
    def is_local(self) -> bool:
        """Development on this very machine, where plain http and home-made secrets are fine."""
        return urlsplit(self.base_url).hostname in _LOCAL_HOSTS

    @property
    def is_https(self) -> bool:
        return self.base_url.startswith("https:")

    @property
    def session_life(self) -> timedelta:
        return timedelta(hours=self.session_hours)

    @property
    def session_idle(self) -> timedelta:
        return timedelta(minutes=self.session_idle_minutes)

    @property
    def kek_sources(self) -> list[str]:
        """Of the other key-encryption keys."""
        return _listed(self.other_keks)

    @property
    def forwarded_allow_ips(self) -> list[str]:
        return _listed(self.trusted_proxies)

    @property
    def ports_to_fetch_from(self) -> frozenset[int]:
        return frozenset(map(int, _listed(self.fetch_ports)))

    @property
    def local_ports_to_fetch_from(self) -> frozenset[int]:
        return frozenset(map(int, _listed(self.fetch_local_ports)))

    @property
    def trusted_wallet_redirects(self) -> frozenset[str]:
        return frozenset(_listed(self.wallet_redirects))

    @property
    def networks_of_webhooks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        return tuple(map(ip_network, _listed(self.webhook_networks)))


def _listed(value: str) -> list[str]:
    return [part.strip() for part in value.split(",") if part.strip()]


_ENGINES = ("sqlite", "postgresql", "postgresql+psycopg")
_MAILBOX = re.compile(r"(?:[^<>]*<)?[^\s<>@,;:()\[\]\"\\]+@[^\s<>@,;:()\[\]\"\\]+>?")


def _variable(info: ValidationInfo) -> str:
    return f"SCEAU_{str(info.field_name).upper()}"


def _is_mailbox(value: str) -> bool:
    try:
        return bool(_MAILBOX.fullmatch(value.strip()) and value.rpartition("@")[2].strip("> ").encode("idna"))
    except UnicodeError:
        return False


def _has_port_number(address: str) -> bool:
    try:
        return urlsplit(address).port != 0
    except ValueError:
        return False


_OF_TESTS = ("SCEAU_TEST_", "SCEAU_SHARED_DATA")
_NAMED_BY_A_SETTING = re.compile(r"\benv:(SCEAU_\w+)", re.IGNORECASE)


def unknown_names(environment: Mapping[str, str]) -> dict[str, str]:
    """Variables `SCEAU_…` that nothing reads, each with the setting it resembles, or an empty text."""
    given = {name.upper(): value for name, value in environment.items() if name.upper().startswith("SCEAU_")}
    known = {f"SCEAU_{name.upper()}" for name in Settings.model_fields}
    texts = [*given.values()]
    if file := given.get("SCEAU_SIGN_IN_SERVICES"):
        with suppress(OSError, UnicodeDecodeError):
            texts.append(Path(file).read_text())
    read = known | {name.upper() for text in texts for name in _NAMED_BY_A_SETTING.findall(text)}
    unknown = sorted(name for name in given if name not in read and not name.startswith(_OF_TESTS))
    return {name: next(iter(get_close_matches(name, known, 1, 0.8)), "") for name in unknown}
