"""The published JSON-LD contexts (contexts/ beside it), pinned by digest, served offline."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from hashlib import sha256
from importlib.resources import files
from typing import Final

from sceau_credentials.errors import DocumentUnavailable
from sceau_credentials.values.json_text import JsonObject

CONTEXT_V1: Final = "https://www.w3.org/2018/credentials/v1"
CONTEXT_V2: Final = "https://www.w3.org/ns/credentials/v2"
CONTEXT_OB_3_0_3: Final = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
CONTEXT_EXTENSIONS: Final = "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"

_HERE: Final = files("sceau_credentials.canonical") / "contexts"


@dataclass(frozen=True)
class _Pin:
    file: str
    sha256: str
    role: str


def context(url: str) -> JsonObject:
    """The context document published at this URL. Shared: callers must not mutate it."""
    pin = _pinned_contexts().get(url)
    if pin is None:
        raise DocumentUnavailable(url, "context_not_known")
    return _document(pin)


def context_digests(document: JsonObject) -> dict[str, str]:
    """The SHA-256 of each published context that the document names."""
    named = document.get("@context")
    pins = _pinned_contexts()
    urls = [each for each in (named if isinstance(named, list) else [named]) if isinstance(each, str)]
    return {url: pins[url].sha256 for url in urls if url in pins}


@cache
def known_context_urls() -> frozenset[str]:
    return frozenset(_pinned_contexts())


def allowed_context_array(urls: Sequence[object]) -> bool:
    """Whether a credential may name these contexts, in this order.

    First one of the two Credentials contexts, then contexts made for credentials, each once; a context with
    `@vocab` (A-019) only at the very end. The order Open Badges requires (A-011) is not checked here.
    """
    named = tuple(url for url in urls if isinstance(url, str))
    return len(named) == len(urls) and known_context_urls().issuperset(named) and _are_in_order(named)


@lru_cache(maxsize=256)
def _are_in_order(urls: tuple[str, ...]) -> bool:
    pins = _pinned_contexts()
    roles = [pins[url].role for url in urls]
    if not roles or roles[0] != "base" or len(set(urls)) != len(urls):
        return False
    return all(role == "credential" for role in roles[1:-1]) and roles[-1] in _LAST_ROLES[len(roles) > 1]


_LAST_ROLES: Final = {False: ("base",), True: ("credential", "last")}


def known_schema_urls() -> frozenset[str]:
    """The published JSON Schemas with requirements that `model` enforces too (I-001, I-008)."""
    return _SCHEMAS


_SCHEMAS: Final = frozenset(
    f"https://purl.imsglobal.org/spec/ob/v3p0/schema/{generation}/ob_v3p0_{name}_schema.json"
    for generation in ("json", "json-ld")
    for name in (
        "achievementcredential", "anyachievementcredential", "endorsementcredential", "anyendorsementcredential"
    )
)  # fmt: skip


@cache
def _pinned_contexts() -> dict[str, _Pin]:
    index = tomllib.loads((_HERE / "contexts.toml").read_text("utf-8"))
    pins: dict[str, _Pin] = {}
    for entry in index["context"]:
        pin = _Pin(entry["file"], entry["sha256"], entry["role"])
        for url in (entry["url"], *entry.get("also", ())):
            pins[url] = pin
    return pins


@cache
def _document(pin: _Pin) -> JsonObject:
    data = (_HERE / pin.file).read_bytes()
    if sha256(data).hexdigest() != pin.sha256:
        raise DocumentUnavailable(pin.file, "digest_mismatch")
    document: JsonObject = json.loads(data)
    return document


# Narrower than RFC 3987 where N-Quads is: none of these characters may stand between its angle brackets.
PATTERN: Final = r'^[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20<>"{}|\\^`\x7f]*$'
_ABSOLUTE: Final = re.compile(PATTERN)


def is_absolute_iri(text: str) -> bool:
    return _ABSOLUTE.fullmatch(text) is not None
