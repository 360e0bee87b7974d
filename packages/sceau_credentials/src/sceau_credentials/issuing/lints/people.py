"""Lints on people: the holder is named by chance, and nobody's address stands in what all can read."""

from __future__ import annotations

import re
from typing import Final

from sceau_credentials.issuing.draft import Draft, Part, Text
from sceau_credentials.issuing.lints.shape import Lint

_ADDRESS: Final = re.compile(r"[^\s@/:]+@[^\s@/:]+\.[^\s@]+")
_GUESSABLE: Final = frozenset({"emailAddress", "nationalIdentityNumber"})  # M13: a hash of these is no secret
_MIN_SALT: Final = 16


def holder_has_an_identifier(draft: Draft) -> str | None:
    """A token needs one for its `sub` (A-039, X-2)."""
    return None if isinstance(draft.subject.get("id"), str) else "/credentialSubject/id"


def holder_is_no_address(draft: Draft) -> str | None:
    identifier = str(draft.subject.get("id", ""))
    is_address = "@" in identifier and _ADDRESS.search(identifier)
    return "/credentialSubject/id" if is_address or identifier.startswith("tel:") else None


def no_mail_address_of_a_person(draft: Draft) -> str | None:
    """The issuer may publish its own address, also in its definitions; nobody else's is published (T20)."""
    return draft.first(_addresses_of_the_holder)


def contains_mail_address(text: str) -> bool:
    return "@" in text and _ADDRESS.search(text) is not None


def _addresses_of_the_holder(part: Part) -> list[Text]:
    if "@" not in part.joined:
        return []
    return [
        text
        for text in part.texts
        if _is_about_the_holder(text.pointer) and contains_mail_address(text.value)
    ]


def _is_about_the_holder(pointer: str) -> bool:
    about = pointer.startswith(("/credentialSubject/", "/evidence/"))
    return about and not pointer.startswith("/credentialSubject/achievement/")


def no_guessable_identifier(draft: Draft) -> str | None:
    entries = draft.objects(draft.subject, "identifier")
    guessable = [entry for entry in entries if entry.get("identityType") in _GUESSABLE]
    return "/credentialSubject/identifier" if guessable else None


def hashed_identifiers_are_salted(draft: Draft) -> str | None:
    hashed = [entry for entry in draft.objects(draft.subject, "identifier") if entry.get("hashed") is True]
    weak = [entry for entry in hashed if len(str(entry.get("salt", ""))) < _MIN_SALT]
    return "/credentialSubject/identifier" if weak else None


def hashes_are_sha256(draft: Draft) -> str | None:
    hashed = [entry for entry in draft.objects(draft.subject, "identifier") if entry.get("hashed") is True]
    weak = [entry for entry in hashed if not str(entry.get("identityHash")).startswith("sha256$")]
    return "/credentialSubject/identifier" if weak else None


LINTS: Final[tuple[Lint, ...]] = (
    holder_has_an_identifier,
    holder_is_no_address,
    no_mail_address_of_a_person,
    no_guessable_identifier,
    hashed_identifiers_are_salted,
    hashes_are_sha256,
)
