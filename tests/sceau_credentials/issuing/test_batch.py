"""A batch is equivalent to issuing one by one: the same bytes, the same refusals, and our verifier accepts all."""

from __future__ import annotations

import copy
import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.core import name_as_signed
from sceau_credentials.errors import NotFitToSign, SelfCheckFailed
from sceau_credentials.issuing import Batch, SignedCredential, issue, issue_many
from sceau_credentials.issuing.draft import Draft
from sceau_credentials.issuing.lints import faults_of
from sceau_credentials.issuing.signing import Issuing
from sceau_credentials.issuing.slots import extract
from sceau_credentials.keys import Algorithm, Signer, VerificationKey
from sceau_credentials.model import OpenBadgeCredential
from sceau_credentials.status_list import status_entry
from sceau_credentials.verification.report import Verdict
from sceau_credentials.verification.run_checks import verify
from tests.sceau_credentials.issuing.test_issuing import FAULTS, changed
from tests.support.badges.credentials import HOST, LIST_URL, NOON, Campus, badge_document
from tests.support.running.every import for_each
from tests.support.running.examples import examples

CAMPUS = Campus()


def member(number: int, name: str = "Zoé", narrative: str = "Deux journées.") -> dict[str, Any]:
    document = OpenBadgeCredential.from_document(badge_document()).to_document()
    document["id"] = f"{HOST}/attributions/{uuid.UUID(int=number * 7919 + 1, version=4)}"
    subject: Any = document["credentialSubject"]
    subject["id"] = f"urn:uuid:{uuid.UUID(int=number * 104729 + 1, version=4)}"
    subject["identifier"][0]["identityHash"] = name
    evidence: Any = document["evidence"]
    evidence[0]["narrative"] = narrative
    document["credentialStatus"] = status_entry(LIST_URL, number)
    return document


def many(each: list[dict[str, Any]], **changed: Any) -> list[SignedCredential]:
    signers = {"signer": CAMPUS.signer, "jwt_signer": CAMPUS.jwt_signer, "at": NOON}
    return issue_many(each, **{**signers, **changed})


def one(document: dict[str, Any]) -> SignedCredential:
    credential = OpenBadgeCredential.from_document(document)
    return issue(credential, signer=CAMPUS.signer, jwt_signer=CAMPUS.jwt_signer, at=NOON)


_WORDS = st.text(st.sampled_from("\"\\\t\n\r%'&é’«»\U0001f9ff中ا_: .#/=()s0AZ"), min_size=1, max_size=30)
_NAMES = _WORDS.filter(lambda text: text.strip() == text and name_as_signed(text) == text)


def test_a_refused_member_does_not_affect_the_others() -> None:
    documents = [member(number) for number in range(6)]
    documents[4] = member(4, narrative="Voir avec zoe@exemple.fr.")
    batch = Batch(signer=CAMPUS.signer, jwt_signer=CAMPUS.jwt_signer, at=NOON)
    *first, refused, last = batch.issue_each(documents)
    assert isinstance(refused, NotFitToSign)
    assert [*first, last] == [one(each) for each in (*documents[:4], documents[5])]


@settings(max_examples=examples(40), deadline=None)
@given(st.lists(st.tuples(_NAMES, _WORDS), min_size=3, max_size=5))
def test_a_batch_writes_the_same_bytes_as_one_by_one(people: list[tuple[str, str]]) -> None:
    documents = [member(number, *person) for number, person in enumerate(people)]
    assert many(documents) == [one(document) for document in documents]


def test_credentials_and_their_documents_are_accepted_alike() -> None:
    documents = [member(number) for number in range(4)]
    assert many([OpenBadgeCredential.from_document(each) for each in documents]) == many(documents)


def test_every_member_verifies() -> None:
    documents = CAMPUS.documents()
    for signed in many([member(number, f"Apprenante {number}") for number in range(135)]):
        for form in (signed.embedded, signed.token):
            assert verify(form, documents=documents, at=NOON).verdict is Verdict.VALID


def test_badges_of_several_shapes_in_any_order() -> None:
    documents = [member(number) for number in range(9)]
    for document in documents[::3]:
        del document["credentialSubject"]["identifier"]
    for document in documents[1::3]:
        document["evidence"].pop()
    assert many(documents) == [one(document) for document in documents]


@for_each(("lint", "path", "value"), FAULTS)
def test_a_later_member_is_refused_for_the_reason_it_has_alone(lint: str, path: str, value: Any) -> None:
    faulty = changed(path, value)
    alone = faults_of(Draft(faulty, signer=CAMPUS.signer, jwt_signer=CAMPUS.jwt_signer, at=NOON))
    with pytest.raises(NotFitToSign) as refused:
        many([badge_document(), badge_document(), badge_document(), faulty])
    assert refused.value.faults == alone


def test_a_later_member_with_two_equal_values_is_linted() -> None:
    twice = member(4)
    evidence: Any = twice["evidence"]
    evidence[1]["id"] = evidence[0]["id"]
    with pytest.raises(NotFitToSign):
        one(twice)
    with pytest.raises(NotFitToSign):
        many([*(member(number) for number in range(3)), twice])


def test_next_batch_of_a_badge_reads_back_its_first_credential_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    documents = [member(number, "Ana") for number in range(1, 7)]
    for document in documents:
        document["credentialSubject"]["achievement"]["description"] = "Deux lots."
    later = [{**document, "validFrom": "2026-06-30T12:01:00Z"} for document in documents]
    assert many(documents) == [one(document) for document in documents]
    read: list[object] = []
    whole = Issuing.read_back
    monkeypatch.setattr(
        Issuing, "read_back", lambda self, *given: (read.append(given), whole(self, *given))[1]
    )
    at = NOON + timedelta(minutes=1)
    signed = many(later, at=at)
    assert len(read) == 1
    signers = {"signer": CAMPUS.signer, "jwt_signer": CAMPUS.jwt_signer}
    assert signed == [issue(OpenBadgeCredential.from_document(each), **signers, at=at) for each in later]


@pytest.mark.parametrize(
    "text",
    ["zoe@campus.example", "a\u0301", "\u202e", "\u200b", "\x07", "1EdTechRevocationList", "x" * 20_001],
)
def test_texts_that_a_lint_may_object_to_are_linted(text: str) -> None:
    with pytest.raises(NotFitToSign):
        many([*(member(number) for number in range(3)), member(4, narrative=text)])


@settings(max_examples=examples(300))
@given(
    st.text(st.characters(max_codepoint=0x2FFF), min_size=1, max_size=40), st.text(min_size=1, max_size=20)
)
def test_no_lint_finds_anything_in_texts_called_easy(name: str, narrative: str) -> None:
    document = member(1, name, narrative)
    if extract(document).is_easy:
        draft = Draft(document, signer=CAMPUS.signer, jwt_signer=CAMPUS.jwt_signer, at=NOON)
        assert faults_of(draft) == {}


def test_a_text_that_resembles_a_placeholder_is_only_a_text() -> None:
    documents = [member(number, "Ana", "\ue0003\ue001") for number in range(4)]
    for document in documents:
        document["credentialSubject"]["achievement"]["description"] = "\ue0003\ue001"
    documents += [member(9, "Ana")]
    documents[-1]["credentialSubject"]["achievement"]["description"] = "\ue0003\ue001"
    assert many(documents) == [one(document) for document in documents]


def test_numbers_and_flags_that_python_calls_equal_are_not_one_pattern() -> None:
    documents = []
    for number, credits_earned in enumerate([1, 1, 1, 1.0, 1.5, 1]):
        document = member(number)
        document["credentialSubject"]["creditsEarned"] = credits_earned
        documents.append(OpenBadgeCredential.from_document(document).to_document())
    assert many(documents) == [one(document) for document in documents]


class Forgetful:
    """A signing device that is right up to a given signature, and then signs other bytes."""

    def __init__(self, right: int) -> None:
        self.right = right

    @property
    def public(self) -> VerificationKey:
        return CAMPUS.key.public

    def sign(self, message: bytes) -> bytes:
        self.right -= 1
        return CAMPUS.key.sign(message if self.right >= 0 else message[::-1])


@pytest.mark.parametrize("form", ["signer", "jwt_signer"])
@pytest.mark.parametrize("right", [0, 1, 2, 5])
def test_one_wrong_signature_refuses_the_whole_batch(form: str, right: int) -> None:
    signer = getattr(CAMPUS, form)
    wrong = Signer(signer.verification_method, Forgetful(right))
    with pytest.raises(SelfCheckFailed):
        many([member(number) for number in range(8)], **{form: wrong})


def test_a_key_that_the_campus_does_not_publish_refuses_the_batch() -> None:
    with pytest.raises(SelfCheckFailed):
        many([member(number) for number in range(3)], documents=Campus().documents())


@pytest.mark.parametrize("algorithm", [Algorithm.ES256, Algorithm.RS256])
def test_tokens_may_be_signed_with_a_key_of_another_kind(algorithm: Algorithm) -> None:
    campus = Campus(algorithm)
    signed = many(
        [member(number) for number in range(4)],
        signer=campus.signer,
        jwt_signer=campus.jwt_signer,
        documents=campus.documents(),
    )
    report = verify(signed[-1].token, documents=campus.documents(), at=NOON)
    assert report.verdict is Verdict.VALID


def test_documents_passed_to_a_batch_are_not_modified() -> None:
    documents = [member(number) for number in range(4)]
    before = copy.deepcopy(documents)
    signed = many(documents)
    assert documents == before
    assert [json.loads(each.embedded)["id"] for each in signed] == [each["id"] for each in before]
