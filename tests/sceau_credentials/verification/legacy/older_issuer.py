"""An issuer of Open Badges 2.0 and 1.x with everything it publishes, hosted or signed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_private_key

from sceau_credentials.errors import DocumentUnavailable
from sceau_credentials.keys import Algorithm, LocalSigningKey, encode_base64url
from sceau_credentials.values import dump_json
from tests.support.badges.documents import Documents

NOON = datetime(2026, 6, 30, 12, tzinfo=UTC)
SITE = "https://badges.ancien.example"
ASSERTION, CLASS, ISSUER = f"{SITE}/assertions/1", f"{SITE}/classes/soudure", f"{SITE}/issuer"
KEY, REVOCATIONS = f"{SITE}/key", f"{SITE}/revocations"
V2, V1 = "https://w3id.org/openbadges/v2", "https://w3id.org/openbadges/v1"
SIGNING_KEY = LocalSigningKey.generate(Algorithm.RS256)


def pem_of(key: LocalSigningKey) -> str:
    private = load_der_private_key(key.to_bytes(), None)
    assert isinstance(private, rsa.RSAPrivateKey)
    return private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


PEM = pem_of(SIGNING_KEY)


def assertion(**changes: Any) -> dict[str, Any]:
    return {
        "@context": V2,
        "type": "Assertion",
        "id": ASSERTION,
        "recipient": {"type": "email", "hashed": False, "identity": "zoe@ecole.example"},
        "badge": CLASS,
        "issuedOn": "2026-06-01T09:00:00Z",
        "expires": "2027-06-01T09:00:00Z",
        "verification": {"type": "hosted"},
        **changes,
    }


def signed_assertion(**changes: Any) -> dict[str, Any]:
    by_key = {"type": "SignedBadge", "creator": KEY}
    return assertion(id="urn:uuid:a953081a-4bbd-4927-9653-7219bca00e3b", verification=by_key, **changes)


def badge_class(**changes: Any) -> dict[str, Any]:
    return {
        "@context": V2,
        "type": "BadgeClass",
        "id": CLASS,
        "name": "Soudure à l'arc",
        "description": "Souder deux tôles bord à bord.",
        "image": f"{SITE}/soudure.png",
        "criteria": {"narrative": "Un cordon sans reprise."},
        "issuer": ISSUER,
        **changes,
    }


def issuer(**changes: Any) -> dict[str, Any]:
    return {
        "@context": V2,
        "type": "Issuer",
        "id": ISSUER,
        "name": "Atelier d'autrefois",
        "url": SITE,
        "email": "contact@ancien.example",
        "publicKey": KEY,
        "revocationList": REVOCATIONS,
        **changes,
    }


def key_document(**changes: Any) -> dict[str, Any]:
    return {
        "@context": V2,
        "type": "CryptographicKey",
        "id": KEY,
        "owner": ISSUER,
        "publicKeyPem": PEM,
        **changes,
    }


def revocations(*revoked: Any, **changes: Any) -> dict[str, Any]:
    return {
        "@context": V2,
        "type": "RevocationList",
        "id": REVOCATIONS,
        "issuer": ISSUER,
        "revokedAssertions": list(revoked),
        **changes,
    }


def published(**changes: Any) -> Documents:
    """All that the site serves; a member named like a page replaces it, None removes it."""
    pages = {
        "assertion": (ASSERTION, assertion()),
        "badge_class": (CLASS, badge_class()),
        "issuer": (ISSUER, issuer()),
        "key": (KEY, key_document()),
        "revocations": (REVOCATIONS, revocations("urn:uuid:another")),
    }
    held = {url: changes.pop(name, page) for name, (url, page) in pages.items()}
    assert not changes, changes
    return Documents({url: page for url, page in held.items() if page is not None})


def jws(claims: dict[str, Any], key: LocalSigningKey = SIGNING_KEY, **header: Any) -> str:
    written = {"alg": key.public.algorithm.value, **header}
    head, body = (encode_base64url(dump_json(part)) for part in (written, claims))
    return f"{head}.{body}.{encode_base64url(key.sign(f'{head}.{body}'.encode()))}"


class Gone(Documents):
    """A site that answers 410 for one address."""

    def __init__(self, documents: Documents, url: str) -> None:
        super().__init__(documents.held)
        self._gone = url

    def fetch(self, url: str, *, accept: str = "application/json") -> Any:
        if url == self._gone:
            raise DocumentUnavailable(url, "gone")
        return super().fetch(url, accept=accept)
