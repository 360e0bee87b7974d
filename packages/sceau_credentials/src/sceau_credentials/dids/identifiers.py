"""The spelling of did:web and did:key identifiers, and where a did:web document lives."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import urlsplit

from sceau_credentials.errors import MalformedInput
from sceau_credentials.keys import VerificationKey

# T17: narrower than the DID grammar, so that one DID has one URL and no part of it can leave its place.
_DID_WEB = re.compile(
    r"did:web:(?P<host>[A-Za-z0-9.-]{1,253})(?:%3[Aa](?P<port>[1-9]\d{0,4}))?(?P<path>(?::[A-Za-z0-9._-]+){0,16})",
    re.ASCII,
)
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII | re.IGNORECASE)
_NUMERIC_LABEL = re.compile(r"\d+|0x[0-9a-f]*", re.ASCII | re.IGNORECASE)
_MAX_DID = 1024


def did_web(base_url: str, *segments: str) -> str:
    """The DID of a place below `base_url`: `https://badges.example`, `campus`, `itip`
    give `did:web:badges.example:campus:itip`.

    Without segments and without a path in the URL, its document is the host's `/.well-known/did.json`.
    """
    parts = urlsplit(base_url)
    if parts.scheme not in ("https", "http") or not parts.hostname or "@" in parts.netloc:
        raise MalformedInput("invalid_did", detail=base_url)
    port = f"%3A{parts.port}" if parts.port else ""
    path = [segment for segment in parts.path.split("/") if segment]
    did = ":".join((f"did:web:{parts.hostname}{port}", *path, *segments))
    did_web_document_url(did)
    return did


@lru_cache(maxsize=1_024)
def did_web_document_url(did: str) -> str:
    """Where the document of a did:web is: always https, never an IP address (L-001, L-002).

    Raises MalformedInput("invalid_did") for anything but a plain host, port and path.
    """
    match = _DID_WEB.fullmatch(did) if len(did) <= _MAX_DID else None
    if match is None:
        raise MalformedInput("invalid_did", detail=did[:200])
    host, port, path = match["host"], match["port"], match["path"]
    segments = path.split(":")[1:]
    if not _is_host_name(host) or (port and int(port) > 65535) or not {".", ".."}.isdisjoint(segments):
        raise MalformedInput("invalid_did", detail=did[:200])
    authority = host.lower() + (f":{port}" if port else "")
    return "/".join(("https:/", authority, *(segments or [".well-known"]), "did.json"))


def did_key(key: VerificationKey) -> str:
    """The did:key that is this key."""
    return f"did:key:{key.to_multikey()}"


def _is_host_name(host: str) -> bool:
    labels = host.split(".")
    # Resolvers read a host that ends in a number as an IPv4 address, in decimal, octal or hexadecimal (M6).
    return all(map(_LABEL.fullmatch, labels)) and not _NUMERIC_LABEL.fullmatch(labels[-1])
