"""Disclosure proofs (B-004, B-056, B-056a, B-057): the holder can show only what the issuer signed."""

from __future__ import annotations

import copy
from functools import cache
from hashlib import sha256

import cbor2
import pytest
from openvc.keys import P256SigningKey
from openvc.proof.ecdsa_sd import EcdsaSdProofSuite

from sceau_credentials.canonical import canonical_nquads
from sceau_credentials.errors import MalformedInput
from sceau_credentials.keys import (
    Algorithm,
    LocalSigningKey,
    VerificationKey,
    decode_multibase,
    encode_multibase,
)
from sceau_credentials.proofs.data_integrity import verify_proofs
from sceau_credentials.proofs.selective_disclosure import decode_cbor
from sceau_credentials.values import CONTEXT_OB_3_0_3, context
from tests.sceau_credentials.signed import DID, NOON, credential
from tests.support.running.every import for_each

OPEN_BADGES = {CONTEXT_OB_3_0_3: context(CONTEXT_OB_3_0_3)}
METHOD = f"{DID}#key"
ISSUER = P256SigningKey.generate(METHOD)
KEY = VerificationKey.from_jwk(ISSUER.public_jwk())
MANDATORY = (
    "/id",
    "/type",
    "/issuer",
    "/validFrom",
    "/credentialSubject/type",
    "/credentialSubject/achievement",
)


def base_proof():
    return EcdsaSdProofSuite().add_base_proof(
        credential(evidence=[{"type": ["Evidence"], "name": 'Photo du "banc"'}]),
        signing_key=ISSUER,
        verification_method=METHOD,
        mandatory_pointers=MANDATORY,
        created=NOON,
        extra_contexts=OPEN_BADGES,
    )


def disclosed(*pointers):
    return copy.deepcopy(_disclosed(*pointers))


@cache
def _disclosed(*pointers):
    """Made once: this peer needs a tenth of a second."""
    derived = EcdsaSdProofSuite().derive_proof(
        base_proof(), selective_pointers=pointers, extra_contexts=OPEN_BADGES
    )
    return without_invented_names(derived)


def without_invented_names(value):
    """This peer names the blank nodes it shows; the recommendation shows them as they were signed."""
    if isinstance(value, list):
        return [without_invented_names(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: without_invented_names(item)
        for name, item in value.items()
        if not (name == "id" and item.startswith("_:"))
    }


def outcome(document, key=KEY):
    return verify_proofs(document, key_for=lambda _: key, at=NOON)


def altered(document, change):
    """The same document with the parts of its proof value changed."""
    parts = cbor2.loads(decode_multibase(document["proof"]["proofValue"], "u", max_length=10**6)[3:])
    change(parts)
    value = encode_multibase(b"\xd9\x5d\x01" + cbor2.dumps(parts), "u")
    return document | {"proof": document["proof"] | {"proofValue": value}}


def test_disclosed_members_are_accepted_and_undisclosed_ones_not_required():
    everything = disclosed("/name", "/evidence")
    assert everything["name"]
    assert outcome(everything).accepted
    little = disclosed("/credentialSubject/id")
    assert "name" not in little
    assert outcome(little).accepted.discloses_part


def test_text_that_resembles_a_label_or_a_line_end_is_text():
    """Signed by hand, from the recommendation: no other implementation available handles this text correctly."""
    text = 'relié à _:c14n0 \u2028 et à "_:c14n1" .'
    document = credential(evidence=[{"type": ["Evidence"], "name": text}], name=text)
    labels = {number: bytes([number]) * 32 for number in range(3)}
    options = {
        "type": "DataIntegrityProof",
        "cryptosuite": "ecdsa-sd-2023",
        "verificationMethod": METHOD,
        "proofPurpose": "assertionMethod",
    }
    statement_key = LocalSigningKey.generate(Algorithm.ES256)
    statements = []
    for line in canonical_nquads(document).split("\n")[:-1]:
        subject, predicate, rest = line.split(" ", 2)
        written = rest if rest.startswith('"') else relabelled(rest[:-2], labels) + " ."
        statements.append(f"{relabelled(subject, labels)} {predicate} {written}\n")
    key = decode_multibase(statement_key.public.to_multikey())
    configuration = {"@context": document["@context"]} | options
    signed = sha256(canonical_nquads(configuration).encode()).digest() + key + sha256(b"").digest()
    signatures = [statement_key.sign(statement.encode()) for statement in sorted(statements)]
    value = cbor2.dumps([ISSUER.sign(signed), key, signatures, labels, []])
    proof = options | {"proofValue": encode_multibase(b"\xd9\x5d\x01" + value, "u")}
    assert any("_:c14n0 \u2028" in statement for statement in statements)
    assert outcome(document | {"proof": proof}).accepted


def relabelled(term, labels):
    if not term.startswith("_:c14n"):
        return term
    return "_:" + encode_multibase(labels[int(term.removeprefix("_:c14n"))], "u")


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.update(name="Autre chose"),
        lambda d: d.pop("name"),
        lambda d: d.update(description="ajout"),
        lambda d: d["issuer"].update(name="Un autre campus"),
        lambda d: d["credentialSubject"].update(id="urn:uuid:00000000-0000-4000-8000-000000000000"),
        lambda d: d["proof"].update(created="2026-06-30T11:00:00Z"),
        lambda d: d["proof"].update({"@context": []}),
        lambda d: d.update(grade="A+"),
    ],
)
def test_any_change_to_what_is_shown_is_detected(change):
    document = copy.deepcopy(disclosed("/name", "/credentialSubject/id"))
    change(document)
    assert outcome(document).accepted is None


def test_key_of_another_issuer_does_not_verify():
    document = disclosed("/name")
    assert (
        outcome(document, LocalSigningKey.generate(Algorithm.ES256).public).error.reason
        == "signature_mismatch"
    )
    assert (
        outcome(document, LocalSigningKey.generate(Algorithm.EDDSA).public).error.reason
        == "algorithm_not_allowed"
    )


def test_a_base_proof_is_refused_by_verifiers():
    assert outcome(base_proof()).error.reason == "proof_malformed"


@for_each(
    "change",
    [
        pytest.param(lambda parts: parts.pop(), id="four-parts"),
        pytest.param(lambda parts: parts.append(1), id="six-parts"),
        pytest.param(lambda parts: parts[2].pop(), id="one-signature-less"),
        pytest.param(lambda parts: parts[2].append(bytes(64)), id="one-signature-more"),
        pytest.param(lambda parts: parts[2].append(bytes(63)), id="short-signature"),
        pytest.param(lambda parts: parts[2].extend([bytes(64)] * 2000), id="thousands-of-signatures"),
        pytest.param(lambda parts: parts.__setitem__(0, bytes(63)), id="short-base-signature"),
        pytest.param(lambda parts: parts.__setitem__(1, bytes(35)), id="no-key"),
        pytest.param(lambda parts: parts.__setitem__(1, b"\xed\x01" + bytes(range(32))), id="ed25519-key"),
        pytest.param(lambda parts: parts[3].clear(), id="no-labels"),
        pytest.param(lambda parts: parts[3].update({0: bytes(31)}), id="short-label"),
        pytest.param(lambda parts: parts[3].update({0: bytes(32), 1: bytes(32)}), id="same-label-twice"),
        pytest.param(lambda parts: parts[4].append(9999), id="index-out-of-range"),
        pytest.param(lambda parts: parts[4].append(parts[4][0]), id="index-twice"),
        pytest.param(lambda parts: parts[4].append("1"), id="index-is-text"),
        pytest.param(lambda parts: parts[4].append(-1), id="negative-index"),
    ],
)
def test_proof_value_of_another_shape_is_refused(change):
    assert outcome(altered(disclosed("/name"), change)).error.reason == "proof_malformed"


def with_value(document, value):
    return document | {"proof": document["proof"] | {"proofValue": value}}


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (None, "proofValue: not_text"),
        (7, "proofValue: not_text"),
        ("z" + "1" * 30, "proofValue: multibase_prefix"),
        ("u", "proofValue: not_a_disclosure"),
        (encode_multibase(b"\xd9\x5d\x00" + cbor2.dumps([]), "u"), "proofValue: not_a_disclosure"),
        (encode_multibase(b"\xd9\x5d\x01" + cbor2.dumps([]), "u"), "proofValue: cbor"),
        (encode_multibase(b"\xd9\x5d\x01" + cbor2.dumps({}), "u"), "proofValue: cbor"),
        (encode_multibase(b"\xd9\x5d\x01" + bytes(200 * 1024), "u"), "proofValue: multibase_too_long"),
        ("u" + "2V0B" + "A" * (256 * 1024 - 5), "proofValue: cbor"),
        ("u" + "2V0B" + "A" * (256 * 1024 - 4), "proofValue: multibase_too_long"),
    ],
)
def test_an_invalid_disclosure_proof_value_is_refused_with_its_reason(value, why):
    error = outcome(with_value(disclosed("/name"), value)).error
    assert (error.reason, error.detail) == ("proof_malformed", why)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda parts: parts[2].append(bytes(64)), "as many signatures as statements"),
        (lambda parts: parts[4].append(9999), "as many signatures as statements"),
        (lambda parts: parts[3].clear(), "a node without label"),
        (lambda parts: parts[2].append("x" * 64), "proofValue: cbor"),
        (lambda parts: parts[2].append(bytes(63)), "proofValue: cbor"),
        (lambda parts: parts[3].update({99: "x" * 32}), "proofValue: cbor"),
        (lambda parts: parts[3].update({99: bytes(31)}), "proofValue: cbor"),
        (lambda parts: parts[3].update({98: bytes(32), 99: bytes(32)}), "proofValue: cbor"),
        (lambda parts: parts.__setitem__(0, bytes(63)), "proofValue: cbor"),
        (lambda parts: parts[4].append(b"1"), "proofValue: cbor"),
        (lambda parts: parts.__setitem__(1, b"\xed\x01" + bytes(range(32))), "proofValue: cbor"),
        (lambda parts: parts[2].extend([bytes(64)] * (513 - len(parts[2]))), "proofValue: cbor"),
        (
            lambda parts: parts[2].extend([bytes(64)] * (512 - len(parts[2]))),
            "as many signatures as statements",
        ),
    ],
)
def test_parts_that_do_not_belong_together_are_distinguished(change, why):
    error = outcome(altered(disclosed("/name"), change)).error
    assert (error.reason, error.detail) == ("proof_malformed", why)


def test_a_proof_with_its_own_context_is_refused_before_anything_is_read():
    document = disclosed("/name")
    document["proof"]["@context"] = "https://www.w3.org/ns/credentials/v2"
    error = outcome(document).error
    assert (error.reason, error.detail) == ("proof_malformed", "its @context is not the document's")
    document["proof"]["@context"] = document["@context"]
    assert outcome(document).accepted


def test_a_statement_declared_mandatory_by_the_holder_is_not_accepted_unsigned():
    def swap(parts):
        parts[2].pop(0)
        parts[4] = sorted({*range(len(parts[2]) + len(parts[4]) + 1)} - set(range(len(parts[2]))))

    assert outcome(altered(disclosed("/name"), swap)).accepted is None


def test_signatures_are_not_exchangeable_between_statements():
    document = disclosed("/name", "/evidence")
    assert outcome(altered(document, lambda parts: parts[2].reverse())).error.reason == "signature_mismatch"


@pytest.mark.parametrize(
    "value",
    [0, 23, 24, 255, 256, 65536, 2**32, b"", b"x" * 300, [], [1, [2, b"3"]], {}, {0: b"a", 70000: b"b"}],
)
def test_cbor_is_read_as_another_implementation_writes_it(value):
    assert decode_cbor(cbor2.dumps(value)) == value


@for_each(
    "data",
    [
        b"",
        cbor2.dumps(1) + b"\0",
        cbor2.dumps(-1),
        cbor2.dumps("text"),
        cbor2.dumps(1.5),
        cbor2.dumps(None),
        cbor2.dumps(cbor2.CBORTag(64, b"x")),
        cbor2.dumps({"a": 1}),
        b"\x9f\x01\xff",
        b"\x5f\x41a\xff",
        b"\x1c",
        b"\x19\x01",
        b"\x42a",
        b"\x9b" + b"\xff" * 8,
        b"\x5b" + b"\xff" * 8,
        b"\xa2\x01\x02\x01\x02",
        b"\x81" * 10_000,
    ],
)
def test_cbor_of_any_other_kind_is_refused(data):
    with pytest.raises(MalformedInput):
        decode_cbor(data)
