"""What the operator writes down of each other sign-in service, in one TOML file."""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from app.domain.people.people import normal_address

_NAME = re.compile(r"[a-z0-9-]{1,30}")
_KNOWN = {"name", "label", "issuer", "client_id", "client_secret", "client_key", "domains"}


class ProvidersUnusable(Exception):
    """The file cannot be used; the message says what the operator should do."""


@dataclass(frozen=True)
class Registration:
    """`domains`: the addresses for which it may name the holder. `client_key`: PEM, signs an assertion in place of a secret."""

    name: str
    label: str
    issuer: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    domains: frozenset[str] = frozenset()
    client_key: str = field(default="", repr=False)

    def vouches_for(self, address: str) -> bool:
        return normal_address(address).rpartition("@")[2] in self.domains


def registrations_in(path: Path) -> list[Registration]:
    try:
        told = tomllib.loads(path.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ProvidersUnusable(
            f"SCEAU_SIGN_IN_SERVICES: {path.name} cannot be read as TOML ({type(error).__name__})."
        ) from error
    entries = told.get("service")
    if not isinstance(entries, list) or not entries or set(told) != {"service"}:
        raise ProvidersUnusable(f"{path.name} must hold one [[service]] for each sign-in service.")
    found = [_registration(entry) for entry in entries]
    for what in ("name", "issuer"):
        if len({getattr(each, what) for each in found}) != len(found):
            raise ProvidersUnusable(f"{path.name}: two services have the same {what}.")
    return found


def _registration(entry: Mapping[str, Any]) -> Registration:
    if unknown := set(entry) - _KNOWN:
        raise ProvidersUnusable(f"A sign-in service knows no {', '.join(sorted(unknown))}.")
    name, domains = _word(entry, "name"), entry.get("domains", [])
    if not _NAME.fullmatch(name):
        raise ProvidersUnusable("The name of a sign-in service is of small letters, digits and hyphens.")
    if not _is_issuer(_word(entry, "issuer")):
        raise ProvidersUnusable(f"{name}: the issuer is an https address, without ? or #.")
    if not isinstance(domains, list) or not all(
        isinstance(each, str) and "@" not in each for each in domains
    ):
        raise ProvidersUnusable(f'{name}: domains is a list such as ["lycee.example"].')
    secret, key = (_secret(name, each, str(entry.get(each, ""))) for each in ("client_secret", "client_key"))
    if key:
        _check_key(name, key, has_secret=bool(secret))
    return Registration(
        name,
        _word(entry, "label"),
        _word(entry, "issuer"),
        _word(entry, "client_id"),
        secret,
        frozenset(each.lower() for each in domains),
        key,
    )


def _is_issuer(said: str) -> bool:
    """OpenID Connect Discovery 1.0, section 4; plain http leads nowhere but to this machine in development."""
    parts = urlsplit(said)
    scheme_fits = parts.scheme == "https" or parts.hostname in ("localhost", "127.0.0.1")
    return scheme_fits and bool(parts.hostname) and not (parts.query or parts.fragment) and len(said) <= 400


def _word(entry: Mapping[str, Any], what: str) -> str:
    said = entry.get(what, "")
    if not isinstance(said, str) or not said.strip():
        raise ProvidersUnusable(f"A sign-in service has no {what}.")
    return said.strip()


def signing_algorithm(pem: str) -> str:
    """The JOSE name for this private key; ValueError where it is none that may sign an assertion."""
    key = load_pem_private_key(pem.encode(), password=None)
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return "EdDSA"
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
        return "ES256"
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= 2048:
        return "RS256"
    raise ValueError("an Ed25519 or P-256 key, or RSA of at least 2,048 bits")


def _check_key(name: str, pem: str, *, has_secret: bool) -> None:
    if has_secret:
        raise ProvidersUnusable(f"{name}: client_secret or client_key, not both.")
    try:
        signing_algorithm(pem)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ProvidersUnusable(
            f"{name}: client_key must be an unencrypted PEM private key: Ed25519, P-256, or RSA of at least 2,048 bits."
        ) from error


def _secret(name: str, member: str, source: str) -> str:
    """From `file:/path` or `env:NAME`, so that the file of services can be shown to anybody; empty: a public client."""
    scheme, _, where = source.partition(":")
    if not source:
        return ""
    if scheme == "env" and os.environ.get(where):
        return os.environ[where]
    if scheme == "file" and Path(where).is_file():
        if Path(where).stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise ProvidersUnusable(f"{Path(where).name} can be read by others: chmod 600 it.")
        return Path(where).read_text().strip()
    raise ProvidersUnusable(f"{name}: {member} must be file:/path or env:NAME, and there.")
