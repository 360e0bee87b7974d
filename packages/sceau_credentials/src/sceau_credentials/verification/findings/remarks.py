"""What a verifier should know besides the answers: it changes no verdict, but somebody will ask."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Final

import orjson

from sceau_credentials.model.version_1 import is_version_1
from sceau_credentials.proofs.vc_jwt import other_header_members
from sceau_credentials.values.json_text import JsonObject, JsonValue, pointer_to
from sceau_credentials.verification.answers import CheckResult
from sceau_credentials.verification.secured import Secured

_SCHEMA_TYPE: Final = "1EdTechJsonSchemaValidator2019"


class RemarkCode(StrEnum):
    """A stable code for each; `meaning` is one sentence."""

    meaning: str

    def __new__(cls, code: str, meaning: str) -> RemarkCode:
        remark = str.__new__(cls, code)
        remark._value_ = code
        remark.meaning = meaning
        return remark

    VERSION_1 = "version_1", "Written on version 1.1 of the W3C data model, which new badges no longer use."
    TOKEN_TYPE = "token_type", "Its token has a type other than JWT."
    HEADER_MEMBERS = "header_members", "Its header holds more than Open Badges allows; none of it was used."
    KEY_WITHOUT_FRAGMENT = "key_without_fragment", "Its key is named by an identifier, not by a method."
    OLDER_CONTEXT = (
        "older_context",
        "Signed under an earlier content of its context: some members are not covered.",
    )
    STATUS_UNSIGNED = "status_unsigned", "The status list is one that nobody signs."
    STATUS_MESSAGE = "status_message", "The issuer says something more about its status."
    SCHEMA_NOT_CHECKED = "schema_not_checked", "It names a schema of a type that binds nobody."
    KEY_REVOKED_SINCE = "key_revoked_since", "Its key was withdrawn since; the issuer's log held it before."
    LINK_SCHEME = "link_scheme", "An address in it is neither https nor a name: do not open it."
    HIDDEN_CHARACTERS = (
        "hidden_characters",
        "A text in it holds characters that are unseen or turn the reading.",
    )
    REFRESH_NOT_FOLLOWED = "refresh_not_followed", "A newer version may exist at its refresh service."


@dataclass(frozen=True)
class Remark:
    code: RemarkCode
    details: Mapping[str, str] = field(default_factory=dict)

    def to_document(self) -> JsonObject:
        return {"code": self.code.value, "meaning": self.code.meaning, "details": dict(self.details)}


def remarks_on(
    secured: Secured, status: CheckResult, *, key: CheckResult, bare_key: bool, not_covered: frozenset[str]
) -> tuple[Remark, ...]:
    found = [
        *_on_document(secured.document),
        *remarks_on_text(secured.document),
        *_on_token(secured),
        *_on_status(status),
    ]
    if key.reason == RemarkCode.KEY_REVOKED_SINCE.value:
        found.append(Remark(RemarkCode.KEY_REVOKED_SINCE, key.details))
    if bare_key:
        found.append(Remark(RemarkCode.KEY_WITHOUT_FRAGMENT))
    if not_covered:
        found.append(Remark(RemarkCode.OLDER_CONTEXT, {"members": ", ".join(sorted(not_covered))}))
    return tuple(found)


def _on_document(document: JsonObject) -> Iterator[Remark]:
    if is_version_1(document):
        yield Remark(RemarkCode.VERSION_1)
    if "credentialSchema" in document:
        named = document["credentialSchema"]
        entries = named if isinstance(named, list) else [named]
        types = [str(entry.get("type")) for entry in entries if isinstance(entry, dict)]
        if others := [each for each in types if each != _SCHEMA_TYPE]:
            yield Remark(RemarkCode.SCHEMA_NOT_CHECKED, {"type": ", ".join(others)[:200]})
    if "refreshService" in document:
        yield Remark(RemarkCode.REFRESH_NOT_FOLLOWED)


_LINKS: Final = frozenset({"id", "url", "targetUrl", "image", "criteria", "badge", "issuer", "evidence"})
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_OPENED_SAFELY: Final = frozenset({"https", "http", "urn", "did", "mailto", "tel"})
_HIDDEN: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)


def remarks_on_text(document: JsonObject) -> Iterator[Remark]:
    """What a reader of its links and texts should beware of, whoever signed it: the first place of each."""
    if _is_harmless(document):
        return
    links, hidden = "", ""
    waiting: list[tuple[str, str, JsonValue]] = [("", "", document)]
    while waiting:
        pointer, member, value = waiting.pop()
        if isinstance(value, dict):
            waiting += [(pointer + pointer_to(name), name, item) for name, item in value.items()]
        elif isinstance(value, list):
            waiting += [(f"{pointer}/{index}", member, item) for index, item in enumerate(value)]
        elif isinstance(value, str):
            if _HIDDEN.search(value):
                hidden = pointer
            if member in _LINKS and not _is_safe_link(value):
                links = pointer
    if links:
        yield Remark(RemarkCode.LINK_SCHEME, {"pointer": links[:200]})
    if hidden:
        yield Remark(RemarkCode.HIDDEN_CHARACTERS, {"pointer": hidden[:200]})


def _is_harmless(document: JsonObject) -> bool:
    """Whether the written text shows that no walk would find anything; false where only a walk can tell."""
    own = dict(document)
    subject = document.get("credentialSubject")
    try:
        # What the badges of one class share is looked through once.
        shared = [orjson.dumps(own.pop("issuer"))] if isinstance(own.get("issuer"), dict) else []
        if isinstance(subject, dict) and isinstance(subject.get("achievement"), dict):
            own["credentialSubject"] = rest = dict(subject)
            shared.append(orjson.dumps(rest.pop("achievement")))
        written = orjson.dumps(own)
    except TypeError:
        return False
    return _is_harmless_text(written) and all(map(_is_harmless_part, shared))


def _is_harmless_text(written: bytes) -> bool:
    text = written.decode()
    if _ESCAPED_CONTROL.search(text) or not (text.isprintable() or _HIDDEN.search(text) is None):
        return False
    return all(scheme.lower() in _OPENED_SAFELY for scheme in set(_SCHEMES_WRITTEN.findall(text)))


@lru_cache(maxsize=256)
def _is_harmless_kept(written: bytes) -> bool:
    return _is_harmless_text(written)


def _is_harmless_part(written: bytes) -> bool:
    return (_is_harmless_kept if len(written) <= _LONGEST_KEPT else _is_harmless_text)(written)


_LONGEST_KEPT: Final = 16 * 1024
_ESCAPED_CONTROL: Final = re.compile(r"\\[bfu]")
_SCHEMES_WRITTEN: Final = re.compile(r'"([A-Za-z][A-Za-z0-9+.-]*+):')
"""The beginning of every text that has a scheme: none of these characters is written otherwise."""


def _is_safe_link(text: str) -> bool:
    scheme = _SCHEME.match(text)
    if scheme is None:
        return True
    name = scheme[1].lower()
    return name in _OPENED_SAFELY or (name == "data" and text[:11].lower() == "data:image/")


def _on_token(secured: Secured) -> Iterator[Remark]:
    if secured.jws is None:
        return
    kind = secured.jws.header.get("typ", "JWT")
    if kind != "JWT":
        yield Remark(RemarkCode.TOKEN_TYPE, {"type": str(kind)[:100]})
    if others := other_header_members(secured.jws):
        yield Remark(RemarkCode.HEADER_MEMBERS, {"members": ", ".join(others)[:200]})


def _on_status(status: CheckResult) -> Iterator[Remark]:
    if status.details.get("signed") == "no":
        yield Remark(RemarkCode.STATUS_UNSIGNED, {"url": status.details.get("url", "")})
    if "message" in status.details:
        yield Remark(RemarkCode.STATUS_MESSAGE, {"message": status.details["message"]})
