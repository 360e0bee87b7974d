"""Signed badges altered where JSON-LD would not notice: no unsigned content is accepted as signed."""

from __future__ import annotations

import copy
import json
import time
from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from sceau_credentials.errors import ProofError, UnsafeDocument
from sceau_credentials.proofs.data_integrity import add_proof, verify_proofs
from tests.sceau_credentials.signed import NOON, KeyRing, credential
from tests.support.running.every import for_each
from tests.support.running.examples import examples

RING = KeyRing()
SIGNED = add_proof(credential(), signer=RING.signer(), created=NOON)


def tampered(change):
    document = copy.deepcopy(SIGNED)
    change(document)
    return verify_proofs(document, key_for=RING.key_for, at=NOON)


def subject(document):
    return document["credentialSubject"]


UNNOTICED_BY_RDF = {
    "undefined member": lambda d: subject(d).update(grade="A+"),
    "undefined member of the badge": lambda d: d.update(_sig=1),
    "undefined object": lambda d: subject(d).update(extra={"id": "urn:x", "type": ["Achievement"]}),
    "null": lambda d: d.update(validUntil=None),
    "null context": lambda d: subject(d).update({"@context": None}),
    "nested context": lambda d: subject(d).update({"@context": {"grade": "https://evil.example/grade"}}),
    "inline context": lambda d: d["@context"].append({"grade": "https://evil.example/grade"}),
    "vocabulary for everything": lambda d: d["@context"].append({"@vocab": "https://evil.example/"}),
    "unknown context": lambda d: d["@context"].append("https://evil.example/context.json"),
    "context in another order": lambda d: d["@context"].reverse(),
    "context twice": lambda d: d["@context"].append(d["@context"][0]),
    "no context": lambda d: d.pop("@context"),
    "empty context": lambda d: d.update({"@context": []}),
    "included node": lambda d: d.update({"@included": [{"id": "urn:x", "name": "?"}]}),
    "graph": lambda d: d.update({"@graph": [{"id": "urn:x"}]}),
    "reversed link": lambda d: d.update({"@reverse": {}}),
    "relative id": lambda d: subject(d)["achievement"].update(id="cablage"),
    "undefined type": lambda d: subject(d)["type"].append("Champion"),
    "member under its full name": lambda d: d.update({"https://schema.org/name": "Autre"}),
    "index": lambda d: subject(d).update({"@index": "x"}),
    "proof in a proof": lambda d: d["proof"].update(proof={}),
    "undefined member of the proof": lambda d: d["proof"].update(note="x"),
    "context of the proof": lambda d: d["proof"].update({"@context": {"created": "https://evil.example/x"}}),
}


@for_each("change", UNNOTICED_BY_RDF.values(), ids=UNNOTICED_BY_RDF.keys())
def test_addition_outside_the_signed_statements_is_refused(change):
    outcome = tampered(change)
    assert outcome.accepted is None
    assert isinstance(outcome.error, UnsafeDocument | ProofError)


def test_no_key_is_fetched_for_a_document_that_cannot_be_covered():
    RING.asked.clear()
    tampered(UNNOTICED_BY_RDF["undefined member"])
    assert RING.asked == []


def test_the_proof_of_another_document_is_refused():
    other = add_proof(credential(name="Autre chose"), signer=RING.signer(), created=NOON)
    assert tampered(lambda d: d.update(proof=other["proof"])).error.reason == "signature_mismatch"


def test_named_blank_nodes_cannot_form_a_clique():
    """A clique of ten blank nodes occupies a canonicaliser for hours; writing it takes such names."""
    names = [f"_:n{index}" for index in range(10)]
    knot = [{"id": name, "type": ["Related"]} for name in names]
    outcome = tampered(lambda d: subject(d)["achievement"].update(related=knot))
    assert isinstance(outcome.error, UnsafeDocument)


def test_thousands_of_indistinguishable_nodes_are_answered_within_seconds():
    document = copy.deepcopy(SIGNED)
    document["evidence"] = [{"type": ["Evidence"], "name": "e"}] * 3_000
    deep = [{"type": ["Result"], "alignment": [{"type": ["Alignment"], "targetName": "a"}] * 5}]
    document["credentialSubject"]["result"] = deep * 400
    started = time.perf_counter()
    assert verify_proofs(document, key_for=RING.key_for, at=NOON).accepted is None
    assert time.perf_counter() - started < 5


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(max_size=8), values, max_size=3),
    max_leaves=6,
)
paths = st.sampled_from(
    [
        ("@context",),
        ("id",),
        ("type",),
        ("issuer",),
        ("validFrom",),
        ("credentialSubject",),
        ("credentialSubject", "achievement"),
        ("credentialSubject", "id"),
        ("proof",),
        *[("proof", member) for member in SIGNED["proof"]],
        ("proof", "@context"),
        ("proof", "id"),
        ("proof", "previousProof"),
        ("proof", "expires"),
        ("unheard",),
    ]
)


@settings(max_examples=examples(300), deadline=None)
@given(paths, json_values)
def test_any_value_in_any_member_is_answered_and_never_accepted(path, value):
    document = copy.deepcopy(SIGNED)
    target = document
    for member in path[:-1]:
        target = target[member]
    target[path[-1]] = value
    if json.dumps(document) == json.dumps(SIGNED):
        return
    with suppress(ProofError):
        assert verify_proofs(document, key_for=RING.key_for, at=NOON).accepted is None
