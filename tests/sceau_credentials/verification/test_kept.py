"""What is cached between badges never answers for another one, and is bounded."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sceau_credentials import canonical, dids, verify
from sceau_credentials.canonical import canonical_bytes, canonical_nquads, compiled, expansion
from sceau_credentials.canonical.rdfc import canonicalize
from sceau_credentials.errors import MalformedInput, NotCovered
from sceau_credentials.model import OpenBadgeCredential, conforming
from sceau_credentials.model import value as scalars
from sceau_credentials.model.conforming import check_conforms, reads_back
from sceau_credentials.values import CONTEXT_EXTENSIONS, parse_timestamp
from sceau_credentials.verification.report import CheckId, Outcome
from tests.sceau_credentials.model.test_model_rules import FORBIDDEN, change
from tests.support.badges.credentials import (
    ACHIEVEMENT_ID,
    CREDENTIAL_ID,
    DID_URL,
    LIST_URL,
    NOON,
    Campus,
    badge_document,
)
from tests.support.badges.example_credential import example_document
from tests.support.running.every import for_each

Path = tuple[str | int, ...]
PARTS: tuple[Path, ...] = (("issuer",), ("credentialSubject", "achievement"))


def at(document: Any, path: Path) -> Any:
    for step in path:
        document = document[step]
    return document


def texts_in(value: Any, path: Path = ()) -> Iterator[Path]:
    if isinstance(value, str):
        yield path
    elif isinstance(value, dict | list):
        for step, each in value.items() if isinstance(value, dict) else enumerate(value):
            yield from texts_in(each, (*path, step))


def with_text(path: Path, text: str) -> dict[str, Any]:
    document = badge_document()
    at(document, path[:-1])[path[-1]] = text
    return document


def in_general(document: dict[str, Any]) -> str:
    return canonicalize(expansion.quads_of(document))


SHARED_TEXTS = [path for part in PARTS for path in texts_in(at(badge_document(), part), part)]


@for_each("path", SHARED_TEXTS, ids=lambda path: "/".join(map(str, path)))
def test_another_text_in_a_shared_part_is_another_canonical_form(path):
    kept = canonical_nquads(badge_document())
    written = at(badge_document(), path)
    other = f"{written}x" if path[-1] != "type" and "type" not in path else written
    document = with_text(path, other)
    try:
        found = compiled.nquads_of(document)
    except NotCovered:
        return
    assert found == in_general(document)
    assert (found == kept) is (other == written)


@pytest.mark.parametrize("name", ["name", "description"])
@pytest.mark.parametrize("part", PARTS, ids=lambda path: path[-1])
def test_a_genuine_part_seen_before_does_not_vouch_for_a_tampered_one(part, name):
    campus = Campus()
    signed = json.loads(campus.issue().embedded)
    genuine = verify(json.dumps(signed), documents=campus.documents(), at=NOON)
    assert genuine.check(CheckId.PROOF).outcome is Outcome.PASSED
    at(signed, part)[name] += " !"
    report = verify(json.dumps(signed), documents=campus.documents(), at=NOON)
    assert report.check(CheckId.PROOF).reason == "signature_mismatch"
    assert report.document is None


def test_the_meaning_of_a_part_depends_on_its_position():
    """The same bytes as the issuer of two kinds of documents, and as an achievement's creator."""
    document = badge_document()
    document["credentialSubject"]["achievement"]["creator"] = copy.deepcopy(document["issuer"])
    extended = badge_document()
    extended["@context"].append(CONTEXT_EXTENSIONS)
    for each in (badge_document(), document, extended):
        assert compiled.nquads_of(each) == in_general(each)


def test_a_cached_part_does_not_hide_the_root():
    document = badge_document()
    canonical_nquads(document)
    document["id"] = ACHIEVEMENT_ID
    with pytest.raises(NotCovered):
        compiled.nquads_of(document)


def test_indistinguishable_nodes_in_a_part_and_outside_are_left_to_the_full_algorithm():
    document = badge_document()
    achievement = document["credentialSubject"]["achievement"]
    document["credentialSubject"]["achievement"] = [achievement, copy.deepcopy(achievement)]
    document["credentialSubject"]["result"][0]["alignment"] = copy.deepcopy(achievement["alignment"][:1])
    assert compiled.nquads_of(document) == in_general(document)


def test_an_achievement_without_its_own_identifier_is_not_cached():
    document = badge_document()
    del document["credentialSubject"]["achievement"]["id"]
    before = copy.deepcopy(document)
    for role in ("a", "b"):
        document["credentialSubject"]["role"] = role
        assert compiled.nquads_of(document) == in_general(document)
    assert document == before | {"credentialSubject": before["credentialSubject"] | {"role": "b"}}


@pytest.mark.parametrize("kept", [1, 1.0, True, "1"])
def test_values_that_python_calls_equal_are_not_confused(kept):
    document = badge_document()
    for other in (1, 1.0, True, "1"):
        document["credentialSubject"]["achievement"]["creditsAvailable"] = kept
        found = compiled.nquads_of(document)
        document["credentialSubject"]["achievement"]["creditsAvailable"] = other
        same_written = compiled.nquads_of(document) == found
        assert same_written is (in_general(document) == found)


@for_each(
    ("path", "value", "reason", "pointer"),
    [case[1:] for case in FORBIDDEN],
    ids=[f"{case[0]} {case[1].rpartition('/')[2]}" for case in FORBIDDEN],
)
def test_a_forbidden_member_is_refused_beside_cached_parts(path, value, reason, pointer):
    check_conforms(example_document())
    document = copy.deepcopy(example_document())
    change(document, path, value)
    with pytest.raises(MalformedInput) as whole:
        OpenBadgeCredential.from_document(document)
    for _ in range(2):
        with pytest.raises(MalformedInput) as refused:
            check_conforms(document)
        assert (refused.value.reason, refused.value.pointer) == (whole.value.reason, whole.value.pointer)


def test_a_result_is_checked_against_the_achievement_beside_it():
    check_conforms(badge_document())
    document = badge_document()
    document["credentialSubject"]["result"][0]["resultDescription"] = f"{ACHIEVEMENT_ID}#autre"
    with pytest.raises(MalformedInput, match="result_not_described"):
        check_conforms(document)


OWN_WORDS: tuple[Path, ...] = (
    ("id",),
    ("credentialSubject", "id"),
    ("credentialSubject", "identifier", 0, "identityHash"),
    ("credentialStatus", "id"),
    ("credentialStatus", "statusListIndex"),
    ("relatedResource", 0, "digestMultibase"),
    ("evidence", 0, "id"),
    ("evidence", 0, "name"),
    ("evidence", 0, "narrative"),
)


@for_each("path", OWN_WORDS, ids=lambda path: "/".join(map(str, path)))
@for_each(
    "value",
    [
        "", "x", "\ud800", "urn:x y", "urn:é", "urn:x\n", "\u202e", "7", "07", "-1", "1234567890123456", "12345678901234567", 7, 7.5,
        True, None, [], {}, [None], LIST_URL, f"{LIST_URL}#7", f"{LIST_URL}#07",
    ],
    ids=lambda value: ascii(value)[-24:],
)  # fmt: skip
def test_an_unknown_member_is_judged_as_strictly_beside_cached_parts(path, value):
    resource = {"id": f"{CREDENTIAL_ID}/preuves", "digestMultibase": "uEiA"}
    check_conforms(badge_document() | {"relatedResource": [resource]})
    document: Any = badge_document() | {"relatedResource": [resource | {}]}
    at(document, path[:-1])[path[-1]] = value
    assert refusal_of(check_conforms, document) == refusal_of(OpenBadgeCredential.from_document, document)
    assert refusal_of(reads_back, document) == refusal_of(OpenBadgeCredential.from_document, document)
    if refusal_of(reads_back, document) is None:
        assert reads_back(document) is (OpenBadgeCredential.from_document(document).to_document() == document)


@pytest.mark.parametrize(
    "path", [("type",), ("evidence", 0, "type"), ("credentialSubject", "activityEndDate")]
)
def test_values_that_the_model_writes_differently_are_detected_each_time(path):
    document: Any = badge_document()
    before = at(document, path)
    assert reads_back(document)
    at(document, path[:-1])[path[-1]] = (
        before[0] if isinstance(before, list) else "2026-06-30T13:00:00.0+02:00"
    )
    found = refusal_of(reads_back, document) or reads_back(document)
    assert found == (
        refusal_of(OpenBadgeCredential.from_document, document)
        or OpenBadgeCredential.from_document(document).to_document() == document
    )


@pytest.mark.parametrize(("one", "other"), [(1, True), (1, 1.5), (0, False)])
def test_values_that_python_calls_equal_have_a_canonical_form_each(one, other):
    forms = []
    for value in (one, other, one):
        document: Any = badge_document()
        document["credentialSubject"]["creditsEarned"] = value
        forms.append(canonical_bytes(document))
        assert forms[-1].decode() == in_general(document)
    assert forms[0] == forms[2] != forms[1]


def test_the_cache_of_canonical_forms_is_small():
    for number in range(50):
        canonical_bytes(badge_document() | {"description": f"{number}"})
    assert len(canonical._recent) <= 16


@given(name=st.text(max_size=8), role=st.text(max_size=3), hashed=st.booleans())
def test_a_document_conforms_if_the_model_accepts_it_for_any_name_of_the_holder(name, role, hashed):
    for result in ("", role):
        document = badge_document()
        subject: Any = document["credentialSubject"]
        subject["role"] = result
        subject["identifier"][0] |= {"identityHash": name, "hashed": hashed}
        assert refusal_of(check_conforms, document) == refusal_of(OpenBadgeCredential.from_document, document)


def refusal_of(read: Callable[[dict[str, Any]], object], document: dict[str, Any]) -> tuple[str, str] | None:
    try:
        read(copy.deepcopy(document))
    except MalformedInput as error:
        return error.reason, error.pointer
    return None


def test_the_period_of_a_key_is_checked_each_time():
    campus = Campus()
    token = campus.issue().token
    document = campus.did_document
    for method in document["verificationMethod"]:
        method["expires"] = "2026-07-01T00:00:00Z"
    documents = campus.documents(**{DID_URL: document})
    assert verify(token, documents=documents, at=NOON).check(CheckId.KEY).outcome is Outcome.PASSED
    late = verify(token, documents=documents, at=NOON + timedelta(days=2))
    assert late.check(CheckId.KEY).reason == "key_expired"


def test_a_key_document_that_changed_is_read_again():
    campus = Campus()
    token = campus.issue().token
    assert verify(token, documents=campus.documents(), at=NOON).check(CheckId.KEY).outcome is Outcome.PASSED
    other = campus.did_document | {"assertionMethod": []}
    report = verify(token, documents=campus.documents(**{DID_URL: other}), at=NOON)
    assert report.check(CheckId.KEY).reason == "key_not_for_assertion"


@pytest.mark.parametrize(
    "kept",
    [
        compiled._part_of,
        conforming._read,
        conforming._read_whole,
        dids._method_published,
        dids._key_published,
        scalars._written_moment,
    ],
    ids=lambda kept: kept.__wrapped__.__name__,
)
def test_caches_are_bounded(kept):
    assert 0 < kept.cache_info().maxsize <= 4_096


def test_long_parts_are_not_cached():
    check_conforms(badge_document())
    canonical_nquads(badge_document())
    document = badge_document()
    document["credentialSubject"]["achievement"]["description"] = "é" * 20_000
    known = (compiled._part_of.cache_info().currsize, conforming._read.cache_info().currsize)
    assert compiled.nquads_of(document) == in_general(document)
    check_conforms(document)
    assert known == (compiled._part_of.cache_info().currsize, conforming._read.cache_info().currsize)


def test_refused_documents_are_not_cached():
    parse_timestamp("2026-06-30T12:00:00Z")
    known = scalars._written_moment.cache_info().currsize
    document = badge_document() | {"validUntil": "2026-02-30T12:00:00Z", "id": CREDENTIAL_ID}
    with pytest.raises(MalformedInput, match="timestamp"):
        check_conforms(document)
    assert scalars._written_moment.cache_info().currsize <= known + 4  # the valid ones beside it
