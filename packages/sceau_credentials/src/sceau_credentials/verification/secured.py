"""A signed document as serialised: JSON with its proof inside, a compact JWS around it, or an SD-JWT VC."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Final

from sceau_credentials.errors import MalformedInput
from sceau_credentials.proofs.sd_jwt import (
    check_always_disclosed,
    disclosed_claims,
    document_of_claims,
    parse_sd_jwt,
)
from sceau_credentials.proofs.vc_jwt import MAX_TOKEN, ParsedJws, credential_of, parse_compact_jws
from sceau_credentials.values.json_text import MAX_BYTES, JsonObject, parse_with_text
from sceau_credentials.verification.answers import Form

# Looser than the strict parser behind it, so that a padded or mistyped token is rejected as a token.
_IN_A_JWS: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+/=-."


@dataclass(frozen=True)
class Secured:
    form: Form
    claims: JsonObject
    """Everything that was read, including proof or token claims."""
    document: JsonObject
    """The credential alone, as the proof covers it."""
    jws: ParsedJws | None = None
    digest: bytes | None = None
    """SHA-256 of the text that all of this was read from; None for a part of a larger document."""
    text: bytes | None = field(default=None, repr=False, compare=False)
    """The text of the claims, where it equals the output of `dump_json`."""

    def may_say(self, member: bytes, *, more_than: int = 0) -> bool:
        """Whether it may contain members with this prefix in their names, more often than `more_than`."""
        return self.text is None or self.text.count(b'"' + member) > more_than


def looks_secured(text: str) -> bool:
    return text.startswith(("{", "[")) or _is_like_a_jws(text)


def _is_like_a_jws(text: str) -> bool:
    text = text.partition("~")[0]
    in_parts = text.startswith("e") and text.count(".") == 2 and text.isascii()
    return in_parts and not text.encode().translate(None, _IN_A_JWS)


def secured_from_text(text: str, *, max_bytes: int | None = None) -> Secured:
    """Detect and read either form; MalformedInput where it is neither, or longer than a badge may be."""
    text = text.strip()
    if text.startswith(("{", "[")):
        return secured_from_json(text, max_bytes=max_bytes)
    jws = parse_compact_jws(text, max_length=max_bytes or MAX_TOKEN)
    return Secured("vc_jwt", jws.payload, credential_of(jws.payload), jws, text=jws.text)


def secured_from_sd_jwt(text: str) -> Secured:
    """A badge with what its holder disclosed of it; key binding is for the verifier who asked for it."""
    parsed = parse_sd_jwt(text)
    claims = disclosed_claims(parsed)
    check_always_disclosed(parsed, claims)
    return Secured("sd_jwt", claims, document_of_claims(claims), parsed.jws)


def secured_from_json(text: bytes | str, *, max_bytes: int | None = None) -> Secured:
    claims, compact = parse_with_text(text, max_bytes=max_bytes or MAX_BYTES)
    token = _enveloped(claims)
    if token is not None:
        jws = parse_compact_jws(token, max_length=max_bytes or MAX_TOKEN)
        return Secured("vc_jwt", jws.payload, credential_of(jws.payload), jws, text=jws.text)
    unsecured = dict(claims)
    unsecured.pop("proof", None)
    encoded = text if isinstance(text, bytes) else text.encode()
    digest = hashlib.sha256(encoded).digest()
    return Secured("data_integrity", claims, unsecured, digest=digest, text=compact)


def _enveloped(claims: JsonObject) -> str | None:
    """The token inside an EnvelopedVerifiableCredential (VCDM 2.0, 4.13), from its data URL; else None."""
    types, where = claims.get("type"), claims.get("id")
    if "EnvelopedVerifiableCredential" not in (types if isinstance(types, list) else [types]):
        return None
    kind, comma, token = where.partition(",") if isinstance(where, str) else ("", "", "")
    if not comma or kind.partition(";")[0].lower() not in _ENVELOPES:
        raise MalformedInput("envelope_not_read", "/id")
    return token


_ENVELOPES: Final = frozenset(
    {
        "data:application/vc+jwt",
        "data:application/vc-ld+jwt",
        "data:application/vc+ld+jwt",
        "data:application/jwt",
    }
)
