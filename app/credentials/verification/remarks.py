"""What a verifier should know besides the answers: it changes no verdict, but somebody will ask."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from app.credentials.json_text import JsonObject
from app.credentials.model.version_1 import is_version_1
from app.credentials.proofs.vc_jwt import other_header_members
from app.credentials.verification.answers import CheckResult
from app.credentials.verification.secured import Secured

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
    found = [*_on_document(secured.document), *_on_token(secured), *_on_status(status)]
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
