"""A signed document as it is written down: JSON with its proof inside, or a compact JWS around it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from app.credentials.json_text import MAX_BYTES, JsonObject, parse_json_object
from app.credentials.proofs.vc_jwt import MAX_TOKEN, ParsedJws, credential_of, parse_compact_jws
from app.credentials.verification.answers import Form

# Looser than the strict door behind it, so that a padded or mistyped token is called one and refused as such.
_LIKE_A_JWS: Final = re.compile(r"e[A-Za-z0-9_+/=-]*\.[A-Za-z0-9_+/=-]*\.[A-Za-z0-9_+/=-]*")


@dataclass(frozen=True)
class Secured:
    form: Form
    claims: JsonObject
    """Everything that was read, proof or token claims included."""
    document: JsonObject
    """The credential alone, as the proof covers it."""
    jws: ParsedJws | None = None


def looks_secured(text: str) -> bool:
    return text.startswith(("{", "[")) or _LIKE_A_JWS.fullmatch(text) is not None


def secured_from_text(text: str, *, max_bytes: int | None = None) -> Secured:
    """Read the text one way or the other; MalformedInput where it is neither, or longer than a badge may be."""
    text = text.strip()
    if text.startswith(("{", "[")):
        claims = parse_json_object(text, max_bytes=max_bytes or MAX_BYTES)
        return Secured("data_integrity", claims, _without(claims, "proof"))
    jws = parse_compact_jws(text, max_length=max_bytes or MAX_TOKEN)
    return Secured("vc_jwt", jws.payload, credential_of(jws.payload), jws)


def _without(claims: JsonObject, *names: str) -> JsonObject:
    return {name: value for name, value in claims.items() if name not in names}
