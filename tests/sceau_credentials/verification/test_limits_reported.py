"""Limits are exactly where they are documented, and an answer names its subject."""

from __future__ import annotations

import gzip
from datetime import timedelta
from typing import Any

import cbor2
import pytest

from sceau_credentials import Outcome, Policy, verify
from sceau_credentials.errors import MalformedInput, ProofError
from sceau_credentials.keys import encode_multibase
from sceau_credentials.proofs.data_integrity import hash_rdfc, suite_of
from sceau_credentials.proofs.selective_disclosure import decode_cbor
from sceau_credentials.status_list import StatusList, read_entry, read_list
from sceau_credentials.verification.answers import Identity
from sceau_credentials.verification.checks import recipient
from sceau_credentials.verification.report import CheckId
from tests.support.badges.credentials import DID, LIST_URL, NOON, Campus, badge_document

SIZE = 131_072


@pytest.mark.parametrize("index", [0, 7, 8, 15, 16, SIZE - 1])
def test_one_bit_is_set_and_cleared_and_no_other(index: int) -> None:
    bits = StatusList(SIZE)
    bits.set(index)
    expected = bytearray(SIZE // 8)
    expected[index // 8] = 1 << (7 - index % 8)
    assert bits.to_bytes() == bytes(expected)
    bits.set(index, False)
    assert bits.to_bytes() == bytes(SIZE // 8)


def test_a_bit_is_set_and_cleared_beside_others_of_its_byte() -> None:
    bits = StatusList(SIZE)
    for index in (41, 40, 47):
        bits.set(index)
    assert bits.to_bytes()[:6] == bytes([0, 0, 0, 0, 0, 0b1100_0001])
    bits.set(40, False)
    assert bits.to_bytes()[:6] == bytes([0, 0, 0, 0, 0, 0b0100_0001])


@pytest.mark.parametrize("index", [-1, SIZE])
def test_there_is_no_index_before_the_first_or_after_the_last(index: int) -> None:
    with pytest.raises(IndexError):
        StatusList(SIZE).get(index)
    with pytest.raises(IndexError):
        StatusList(SIZE).set(index)


def test_a_list_is_read_up_to_its_limit_and_not_a_byte_further() -> None:
    def written(length: int) -> str:
        return encode_multibase(gzip.compress(bytes(length)), "u")

    assert StatusList.decode(written(2 * 1024 * 1024)).size == 8 * 2 * 1024 * 1024
    with pytest.raises(MalformedInput, match="list_too_large"):
        StatusList.decode(written(2 * 1024 * 1024 + 1))
    with pytest.raises(MalformedInput, match="list_too_short"):
        StatusList.decode(written(SIZE // 8 - 1))


def entry(index: object) -> dict[str, Any]:
    return {
        "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation",
        "statusListIndex": index,
        "statusListCredential": LIST_URL,
    }


@pytest.mark.parametrize("index", ["0", "9999999999", 0, 9_999_999_999])
def test_an_index_has_up_to_ten_digits(index: object) -> None:
    assert read_entry(entry(index)).index == int(str(index))


@pytest.mark.parametrize("index", ["10000000000", 10_000_000_000, -1, True, "", "-1", "٣", "1 ", None])
def test_an_invalid_index_is_refused_with_its_pointer(index: object) -> None:
    with pytest.raises(MalformedInput) as refused:
        read_entry(entry(index))
    assert (refused.value.reason, refused.value.pointer) == ("status_entry", "/statusListIndex")


def nested(depth: int) -> object:
    return [nested(depth - 1)] if depth else 0


@pytest.mark.parametrize(
    "value", [nested(4), [0] * 4096, dict.fromkeys(range(30), b"x"), b"", 23, 24, 2**64 - 1]
)
def test_cbor_is_read_up_to_its_limits(value: object) -> None:
    assert decode_cbor(cbor2.dumps(value)) == value


@pytest.mark.parametrize(
    "data",
    [
        b"",
        cbor2.dumps(nested(5)),
        cbor2.dumps([0] * 4097),
        cbor2.dumps(0) + b"\0",
        b"\x42x",
        b"\xa2\x01\x00\x01\x00",
        b"\xa1\x41x\x00",
        b"\x9f\xff",
        b"\x18",
        b"\x19\x01",
        b"\x1c\x00",
        cbor2.dumps("text"),
        cbor2.dumps(-1),
        cbor2.dumps(1.5),
    ],
    ids=bytes.hex,
)  # fmt: skip
def test_cbor_beyond_its_limits_is_refused_by_name(data: bytes) -> None:
    with pytest.raises(MalformedInput) as refused:
        decode_cbor(data)
    assert refused.value.reason == "cbor"


def test_options_with_another_context_than_the_document_are_refused() -> None:
    document = badge_document()
    options: dict[str, Any] = {"type": "DataIntegrityProof"}
    assert hash_rdfc(document, options | {"@context": document["@context"]}) == hash_rdfc(document, options)
    with pytest.raises(ProofError) as refused:
        hash_rdfc(document, options | {"@context": document["@context"][:1]})
    assert (refused.value.reason, refused.value.detail) == (
        "proof_malformed",
        "its @context is not the document's",
    )


@pytest.mark.parametrize("value", [None, "", "z", "z1", "u" + "A" * 86, "z" + "1" * 127, "z" + "1" * 500])
def test_an_invalid_signature_value_is_named(value: object) -> None:
    suite = suite_of({"type": "DataIntegrityProof", "cryptosuite": "ecdsa-jcs-2019"})
    assert suite is not None
    with pytest.raises(ProofError) as refused:
        suite.prepare({}, {"proofValue": value})
    assert (refused.value.reason, refused.value.detail) == ("proof_malformed", "proofValue")


def test_an_answer_names_its_subject() -> None:
    campus = Campus()
    document = badge_document() | {"validUntil": "2029-06-30T12:00:00Z"}
    token = campus.issue(document).token
    policy = Policy(check_status=False, trusted_issuers=frozenset({DID}))
    report = verify(token, documents=campus.documents(), at=NOON + timedelta(minutes=1), policy=policy)
    assert report.check(CheckId.ISSUER).details == {"issuer": DID}
    assert report.check(CheckId.VALIDITY).details == {
        "valid_from": document["validFrom"],
        "valid_until": "2029-06-30T12:00:00Z",
    }
    assert report.check(CheckId.KEY).details == {"method": report.verification_method}
    others = Policy(
        check_status=False, trusted_issuers=frozenset({"did:web:x.example"}), only_trusted_issuers=True
    )
    report = verify(token, documents=campus.documents(), at=NOON, policy=others)
    assert report.check(CheckId.ISSUER).details == {"issuer": DID}
    assert report.check(CheckId.ISSUER).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("hashed", [True, False])
def test_an_identity_that_cannot_be_encoded_matches_no_recipient(hashed: bool) -> None:
    document: Any = badge_document()
    document["credentialSubject"]["identifier"] = [
        {
            "type": "IdentityObject",
            "hashed": hashed,
            "identityHash": "sha256$" + "0" * 64 if hashed else "x",
            "identityType": "emailAddress",
        }
    ]
    asked = Identity("\ud800x")
    assert recipient(document, asked).reason == "recipient_differs"


def test_an_unreachable_list_is_named_by_its_address() -> None:
    campus = Campus()
    held = campus.documents()
    held.held.pop(LIST_URL, None)
    report = verify(campus.issue().token, documents=held, at=NOON)
    answer = report.check(CheckId.STATUS)
    assert answer.reason == "status_list_unavailable"
    assert answer.details["url"] == LIST_URL


@pytest.mark.parametrize(
    "message",
    [{"status": "0x1", "message": 7}, {"status": 1, "message": "x"}, {"status": "1", "message": "x"}, "x", None],
    ids=ascii,
)  # fmt: skip
def test_a_malformed_message_is_ignored(message: object) -> None:
    result = {"status": "0x0", "message": "é" * 501}
    read = read_entry(entry("7") | {"statusSize": 1, "statusMessage": [message, result]})
    assert read.messages == {0: "é" * 500}


@pytest.mark.parametrize("kind", ["AchievementCredential", ["VerifiableCredential"], None])
def test_an_invalid_list_is_named(kind: object) -> None:
    with pytest.raises(MalformedInput) as refused:
        read_list({"type": kind, "credentialSubject": {"type": "BitstringStatusList"}})
    assert refused.value.reason == "status_list"
