"""Comparison of the recipient: plain identifiers and salted hashes of the standard (C-008, C-014, C-015)."""

from __future__ import annotations

from hashlib import md5
from typing import Any

import pytest

from sceau_credentials.verification.answers import Identity
from sceau_credentials.verification.checks import recipient

MAIL = Identity("a@example.com")
KNOWN = "b5809d8a92f8858436d7e6b87c12ebc0ae1eac4baecc2c0b913aee2c922ef399"


def subject(*entries: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"credentialSubject": {"identifier": list(entries), **members}}


def hashed(digest: str, *, salt: str | None = "Kosher", kind: str = "emailAddress") -> dict[str, Any]:
    entry = {"type": "IdentityObject", "hashed": True, "identityHash": digest, "identityType": kind}
    return entry if salt is None else entry | {"salt": salt}


@pytest.mark.parametrize("digest", [f"sha256${KNOWN}", f"sha256${KNOWN.upper()}"])
def test_the_published_example_of_a_salted_hash_matches(digest: str) -> None:
    assert recipient(subject(hashed(digest)), MAIL).reason == "recipient_matches"


def test_a_hash_without_salt_and_the_older_algorithm_match_too() -> None:
    plain = hashed("md5$d10ca8d11301c2f4993ac2279ce4b930", salt=None)
    assert recipient(subject(plain), Identity("a@example.com")).reason == "recipient_differs"
    computed = "md5$" + md5(b"a@example.com").hexdigest()
    assert recipient(subject(hashed(computed, salt=None)), MAIL).reason == "recipient_matches"


@pytest.mark.parametrize(
    "digest",
    [
        f"sha256${KNOWN[:-1]}0",
        KNOWN,
        f"sha512${KNOWN}",
        f"sha256$${KNOWN}",
        "sha256$",
        "",
        "a@example.com",
    ],
)
def test_any_other_digest_does_not_match(digest: str) -> None:
    assert recipient(subject(hashed(digest)), MAIL).reason == "recipient_differs"


def test_another_salt_does_not_match() -> None:
    assert recipient(subject(hashed(f"sha256${KNOWN}", salt="kosher")), MAIL).reason == "recipient_differs"


def test_the_address_is_compared_as_given() -> None:
    """A-055: case is not folded without the verifier's knowledge."""
    assert (
        recipient(subject(hashed(f"sha256${KNOWN}")), Identity("A@example.com")).reason == "recipient_differs"
    )


def test_one_matching_entry_among_several_is_enough() -> None:
    entries = [hashed(f"sha256${'0' * 64}"), hashed(f"sha256${KNOWN}")]
    assert recipient(subject(*entries), MAIL).reason == "recipient_matches"


def test_entries_of_another_type_are_skipped() -> None:
    other = hashed(f"sha256${KNOWN}", kind="userName")
    assert recipient(subject(other), MAIL).reason == "recipient_not_named"


def test_a_plain_identifier_matches_exactly() -> None:
    entry = {"type": "IdentityObject", "hashed": False, "identityHash": "Zoé", "identityType": "name"}
    assert recipient(subject(entry), Identity("Zoé", "name")).reason == "recipient_matches"
    assert recipient(subject(entry), Identity("zoé", "name")).reason == "recipient_differs"


def test_the_identifier_of_the_subject_itself_matches() -> None:
    assert recipient(subject(id="mailto:a@example.com"), Identity("mailto:a@example.com")).reason == (
        "recipient_matches"
    )


@pytest.mark.parametrize(
    "document", [{}, {"credentialSubject": []}, {"credentialSubject": {"identifier": "x"}}]
)
def test_a_badge_without_a_recipient_does_not_name_this_person(document: dict[str, Any]) -> None:
    assert recipient(document, MAIL).reason == "recipient_not_named"


def test_without_a_question_nothing_is_reported_about_the_recipient() -> None:
    assert recipient(subject(hashed(f"sha256${KNOWN}")), None).reason == "recipient_not_asked"
