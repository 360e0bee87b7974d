"""Changing, adding or removing anything in an issued badge makes it invalid."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sceau_credentials.keys import decode_base64url, encode_base64url
from sceau_credentials.verification.report import CheckId, Verdict
from sceau_credentials.verification.run_checks import verify
from tests.support.badges.credentials import NOON, Campus, badge_document
from tests.support.running.examples import examples

Path = tuple[str | int, ...]

CAMPUS = Campus()
DOCUMENTS = CAMPUS.documents()
SIGNED = CAMPUS.issue()
EMBEDDED = json.loads(SIGNED.embedded)
HEADER, PAYLOAD, SIGNATURE = SIGNED.token.split(".")
CLAIMS = json.loads(decode_base64url(PAYLOAD))

NEW_VALUES = st.one_of(
    st.text(max_size=20),
    st.integers(-(2**60), 2**60),
    st.booleans(),
    st.none(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.lists(st.text(max_size=5), max_size=2),
    st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=2),
)
NEW_NAMES = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["grade", "name", "description", "@id", "@type", "@context", "id", "type", "@included", "vc"]
    ),
    st.sampled_from(
        ["credentialStatus", "validUntil", "evidence", "endorsement", "image", "@nest", "@vocab"]
    ),
)


def leaves(value: Any, path: Path = ()) -> Iterator[Path]:
    if isinstance(value, dict) and value:
        for name, each in value.items():
            yield from leaves(each, (*path, name))
    elif isinstance(value, list) and value:
        for index, each in enumerate(value):
            yield from leaves(each, (*path, index))
    else:
        yield path


def objects(value: Any, path: Path = ()) -> Iterator[Path]:
    if isinstance(value, dict):
        yield path
    if isinstance(value, dict | list):
        for name, each in value.items() if isinstance(value, dict) else enumerate(value):
            yield from objects(each, (*path, name))


def at(document: Any, path: Path) -> Any:
    for step in path:
        document = document[step]
    return document


def changed(document: Any, path: Path, value: Any) -> Any:
    copied = copy.deepcopy(document)
    at(copied, path[:-1])[path[-1]] = value
    return copied


def without(document: Any, path: Path) -> Any:
    copied = copy.deepcopy(document)
    del at(copied, path[:-1])[path[-1]]
    return copied


def written(form: str, tampered: Any) -> str:
    text = json.dumps(tampered, ensure_ascii=False)
    if form == "embedded":
        return text
    return f"{HEADER}.{encode_base64url(text.encode(errors='surrogatepass'))}.{SIGNATURE}"


def is_valid(form: str, tampered: Any) -> bool:
    return verify(written(form, tampered), documents=DOCUMENTS, at=NOON).verdict is Verdict.VALID


ORIGINALS = {"embedded": EMBEDDED, "token": CLAIMS}
FORMS = sorted(ORIGINALS)


def test_the_untampered_badge_is_valid_in_both_forms() -> None:
    assert is_valid("embedded", EMBEDDED)
    assert verify(SIGNED.token, documents=DOCUMENTS, at=NOON).verdict is Verdict.VALID


@pytest.mark.parametrize("form", FORMS)
def test_removing_any_leaf_invalidates_the_badge(form: str) -> None:
    for path in leaves(ORIGINALS[form]):
        assert not is_valid(form, without(ORIGINALS[form], path)), path


@pytest.mark.parametrize("form", FORMS)
def test_removing_any_branch_invalidates_the_badge(form: str) -> None:
    for path in objects(ORIGINALS[form]):
        if path:
            assert not is_valid(form, without(ORIGINALS[form], path)), path


@pytest.mark.parametrize("form", FORMS)
def test_an_added_letter_in_any_text_invalidates_the_badge(form: str) -> None:
    for path in leaves(ORIGINALS[form]):
        value = at(ORIGINALS[form], path)
        if isinstance(value, str):
            assert not is_valid(form, changed(ORIGINALS[form], path, value + "s")), path


@settings(max_examples=examples(300), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_changing_any_leaf_to_anything_invalidates_the_badge(data: st.DataObject) -> None:
    form = data.draw(st.sampled_from(FORMS))
    path = data.draw(st.sampled_from(list(leaves(ORIGINALS[form]))))
    value = data.draw(NEW_VALUES)
    before = at(ORIGINALS[form], path)
    if type(value) is type(before) and value == before:
        return
    assert not is_valid(form, changed(ORIGINALS[form], path, value))


@settings(max_examples=examples(300), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_adding_any_member_anywhere_invalidates_the_badge(data: st.DataObject) -> None:
    form = data.draw(st.sampled_from(FORMS))
    path = data.draw(st.sampled_from(list(objects(ORIGINALS[form]))))
    name, value = data.draw(NEW_NAMES), data.draw(NEW_VALUES)
    if name in at(ORIGINALS[form], path) or (form == "embedded" and value == []):
        return  # an empty list makes no statement, with or without a signature
    assert not is_valid(form, changed(ORIGINALS[form], (*path, name), value))


@settings(max_examples=examples(100), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_flipping_any_bit_of_a_token_invalidates_it(data: st.DataObject) -> None:
    raw = bytearray(SIGNED.token.encode())
    position = data.draw(st.integers(0, len(raw) - 1))
    raw[position] ^= 1 << data.draw(st.integers(0, 7))
    assert verify(bytes(raw), documents=DOCUMENTS, at=NOON).verdict is not Verdict.VALID


def test_a_term_no_vocabulary_defines_is_never_shown_as_signed() -> None:
    """B-040 to B-042, C-021, M1: a lax processor drops it silently, and the old signature still matches."""
    for where in ((), ("credentialSubject",), ("credentialSubject", "achievement"), ("issuer",)):
        tampered = changed(EMBEDDED, (*where, "grade"), "A+")
        report = verify(json.dumps(tampered), documents=DOCUMENTS, at=NOON)
        assert report.check(CheckId.PROOF).reason == "undefined_term"
        assert report.document is None


@pytest.mark.parametrize(
    "context",
    [
        {"credentialSubject": "https://evil.example/#x"},
        {"grade": None},
        {"@vocab": "https://evil.example/#"},
        "https://evil.example/context",
        None,
    ],
)
def test_an_added_vocabulary_invalidates_the_badge(context: Any) -> None:
    tampered = EMBEDDED | {"@context": [*EMBEDDED["@context"], context]}
    report = verify(json.dumps(tampered), documents=DOCUMENTS, at=NOON)
    assert report.verdict is not Verdict.VALID
    assert report.check(CheckId.CONTEXT).reason in ("context_not_allowed", "context_not_held")
    assert DOCUMENTS.asked.count("https://evil.example/context") == 0


def test_a_vocabulary_inside_is_refused_by_name() -> None:
    """B-053, B-054"""
    for path in objects(EMBEDDED):
        if path and path[0] != "proof":
            tampered = changed(EMBEDDED, (*path, "@context"), None)
            report = verify(json.dumps(tampered), documents=DOCUMENTS, at=NOON)
            assert report.check(CheckId.CONTEXT).reason == "context_not_allowed"


def test_an_added_empty_list_changes_no_answer() -> None:
    tampered = EMBEDDED | {"endorsement": []}
    report = verify(json.dumps(tampered), documents=DOCUMENTS, at=NOON)
    assert report.document == {name: value for name, value in tampered.items() if name != "proof"}
    emptied = EMBEDDED | {"credentialStatus": []}
    assert not is_valid("embedded", emptied)


def test_the_proof_of_another_badge_is_refused() -> None:
    other = CAMPUS.issue(badge_document() | {"name": "Autre badge"})
    tampered = EMBEDDED | {"proof": json.loads(other.embedded)["proof"]}
    report = verify(json.dumps(tampered), documents=DOCUMENTS, at=NOON)
    assert report.check(CheckId.PROOF).reason == "signature_mismatch"
