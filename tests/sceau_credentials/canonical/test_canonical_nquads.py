"""A document's canonical form covers all of it, or the document is refused."""

from __future__ import annotations

import copy
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from pyld import jsonld

from sceau_credentials.canonical import canonical_nquads, compiled, expansion
from sceau_credentials.canonical.rdfc import canonicalize
from sceau_credentials.errors import CanonicalizationTooHard, UnsafeDocument
from sceau_credentials.values import CONTEXT_OB_3_0_3, CONTEXT_V2, context
from tests.support.badges.example_credential import example_document
from tests.support.running.every import for_each
from tests.support.shared_data import shared

VECTORS = Path(__file__).parents[1] / "vectors" / "vc-di-eddsa"
GUIDE = "open-badges/test-vectors/ob3-impl-guide"


def _read(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def test_the_document_of_the_eddsa_recommendation_becomes_its_published_form():
    nquads = canonical_nquads(_read(VECTORS / "unsigned.json"))
    assert nquads == (VECTORS / "canonDocDataInt.txt").read_text("utf-8")
    assert _hash(nquads) == (VECTORS / "docHashDataInt.txt").read_text().strip()


def test_the_proof_options_of_the_eddsa_recommendation_become_their_published_form():
    nquads = canonical_nquads(_read(VECTORS / "proofConfigDataInt.json"))
    assert nquads == (VECTORS / "proofCanonDataInt.txt").read_text("utf-8")
    assert _hash(nquads) == (VECTORS / "proofHashDataInt.txt").read_text().strip()


def test_the_credential_of_the_implementation_guide_becomes_its_published_form():
    nquads = canonical_nquads(_read(shared(f"{GUIDE}/credential.json")))
    published = shared(f"{GUIDE}/obv3p0-document-canon.txt").read_text("utf-8")
    assert nquads.rstrip("\n") == published.rstrip("\n")
    assert _hash(nquads) in _read(shared(f"{GUIDE}/values.json")).values()


def test_the_proof_of_the_implementation_guide_becomes_its_published_form():
    signed = _read(shared(f"{GUIDE}/signed-credential.json"))
    proof = signed["proof"][0] if isinstance(signed["proof"], list) else signed["proof"]
    options = {name: value for name, value in proof.items() if name != "proofValue"}
    nquads = canonical_nquads({"@context": signed["@context"], **options})
    assert nquads.rstrip("\n") == shared(f"{GUIDE}/obv3p0-proof-canon.txt").read_text("utf-8").rstrip("\n")


def test_the_document_of_the_published_proof_sets_becomes_its_published_form():
    unsigned = _read(shared("open-badges/test-vectors/vc-di-eddsa/proof-set-chain/unsigned.json"))
    assert _hash(canonical_nquads(unsigned)) == (VECTORS / "docHashDataInt.txt").read_text().strip()


def _with_plain_pyld(document: Any) -> str:
    def load(url, _options=None):
        return {"contentType": "application/ld+json", "contextUrl": None, "documentUrl": url,
                "document": copy.deepcopy(context(url))}  # fmt: skip

    return jsonld.normalize(
        document,
        {"algorithm": "URDNA2015", "format": "application/n-quads", "base": None, "documentLoader": load},
    )


def test_a_safe_document_is_canonicalised_as_plain_pyld_does():
    assert canonical_nquads(example_document()) == _with_plain_pyld(example_document())


def test_embedded_endorsements_with_their_own_contexts_are_canonicalised_with_their_proofs():  # A-078
    document = _read(shared("open-badges/examples/ob3/fullOpenBadge.json"))
    document.pop("proof", None)
    nquads = canonical_nquads(document)
    assert "endorsementComment" in nquads
    assert "https://w3id.org/security#proofValue" in nquads
    assert nquads == _with_plain_pyld(document)


def _set(path: str, value: Any):
    def change(document: Any) -> None:
        *parents, last = path.split("/")
        target = document
        for part in parents:
            target = target[int(part)] if isinstance(target, list) else target[part]
        if isinstance(target, list):
            target.insert(int(last), value)
        else:
            target[last] = value

    return change


STATUS = "https://www.w3.org/2018/credentials#credentialStatus"
UNTIL = "https://www.w3.org/2018/credentials#validUntil"

UNSAFE = {
    "an undefined property": (_set("credentialSubject/grade", "A+"), "undefined_term", "/credentialSubject/grade"),
    "an undefined object": (_set("credentialSubject/prize", {"name": "PhD"}), "undefined_term",
                            "/credentialSubject/prize"),
    "a property of another class": (_set("credentialSubject/targetName", "x"), "undefined_term",
                                    "/credentialSubject/targetName"),
    "an underscore": (_set("_sig", 1), "undefined_term", "/_sig"),
    "an undefined type": (_set("type/2", "Masterpiece"), "undefined_type", "/type"),
    "a relative evidence id": (_set("evidence/0/id", "x"), "relative_iri", "/evidence/0/id"),
    "a relative reference": (_set("issuer", "campus"), "relative_iri", "/issuer"),
    "an id shaped like a keyword": (_set("evidence/0/id", "@any"), "relative_iri", "/evidence/0/id"),
    "a root id shaped like a keyword": (_set("id", "@any"), "relative_iri", "/id"),
    "a reference shaped like a keyword": (_set("issuer", "@any"), "relative_iri", "/issuer"),
    "a type shaped like a keyword": (_set("evidence/0/type", ["Evidence", "@any"]), "undefined_type", "/evidence/0/type"),
    "a relative root id": (_set("id", "attributions/1"), "relative_iri", "/id"),
    "a blank node label": (_set("credentialSubject/id", "_:b0"), "blank_node_identifier",
                           "/credentialSubject/id"),
    "an IRI that breaks N-Quads": (_set("credentialSubject/id", "urn:a><urn:b"), "relative_iri",
                                   "/credentialSubject/id"),
    "a null": (_set("validUntil", None), "null_value", "/validUntil"),
    "a null in an array": (_set("evidence/0", None), "null_value", "/evidence/0"),
    "a number for a proof": (_set("proof", 0.0), "dropped_value", "/proof"),
    "a text with its language for a proof": (_set("proof", {"@value": ""}), "dropped_value", "/proof"),
    "an address for a proof": (_set("proof", ["https://a.example/proof"]), "dropped_value", "/proof"),
    "a proof that only has a name": (_set("proof", {"id": "urn:uuid:p"}), "dropped_value", "/proof"),
    "an array in an array": (_set("credentialSubject/achievement/tag/0", ["x"]), "nested_array",
                             "/credentialSubject/achievement/tag/0"),
    "an inline context": (_set("@context/2", {"grade": "urn:grade"}), "inline_context", "/@context/2"),
    "a context object": (_set("@context", {"grade": "urn:grade"}), "inline_context", "/@context"),
    "a foreign context": (_set("@context/2", "http://169.254.169.254/ctx"), "context_not_allowed", "/@context"),
    "a legacy context": (_set("@context/2", "https://w3id.org/openbadges/v2"), "context_not_allowed",
                         "/@context"),
    "contexts out of order": (_set("@context", [CONTEXT_OB_3_0_3, CONTEXT_V2]), "context_not_allowed",
                              "/@context"),
    "no context array": (_set("@context", CONTEXT_V2), "context_not_allowed", "/@context"),
    "a nested null context": (_set("credentialSubject/@context", None), "inline_context",
                              "/credentialSubject/@context"),
    "a nested known context": (_set("credentialSubject/@context", [CONTEXT_V2]), "inline_context",
                               "/credentialSubject/@context"),
    "included": (_set("@included", [{"id": "urn:y", "type": "VerifiableCredential"}]), "keyword_not_allowed",
                 "/@included"),
    "nest": (_set("credentialSubject/@nest", {"name": "x"}), "keyword_not_allowed", "/credentialSubject/@nest"),
    "graph": (_set("@graph", []), "keyword_not_allowed", "/@graph"),
    "reverse": (_set("@reverse", {}), "keyword_not_allowed", "/@reverse"),
    "set": (_set("credentialSubject/achievement/tag", {"@set": ["x"]}), "keyword_not_allowed",
            "/credentialSubject/achievement/tag/@set"),
    "a raw id": (_set("evidence/0/@id", "urn:x"), "keyword_not_allowed", "/evidence/0/@id"),
    "a raw type": (_set("issuer/@type", "Profile"), "keyword_not_allowed", "/issuer/@type"),
    "a base direction": (_set("name", {"@value": "x", "@direction": "rtl"}), "value_object_not_allowed", "/name"),
    "a typed value": (_set("name", {"@value": "x", "@type": "urn:t"}), "value_object_not_allowed", "/name"),
    "a value with an index": (_set("name", {"@value": "x", "@index": "i"}), "value_object_not_allowed", "/name"),
    "a null value object": (_set("name", {"@value": None}), "value_object_not_allowed", "/name"),
    "a language alone": (_set("name", {"@language": "fr"}), "value_object_not_allowed", "/name"),
    "no language": (_set("name", {"@value": "x", "@language": "très français"}), "invalid_language",
                    "/name/@language"),
    "a language map": (_set("name", {"fr": "x"}), "undefined_term", "/name/fr"),
    "a status by its full name": (lambda document: document.update({STATUS: {"id": "urn:s"}}), "undefined_term",
                                  "/https:~1~1www.w3.org~12018~1credentials#credentialStatus"),
    "an end by its full name": (lambda document: document.update({UNTIL: "2030-01-01T00:00:00Z"}), "undefined_term",
                                "/https:~1~1www.w3.org~12018~1credentials#validUntil"),
    "a large integer": (_set("credentialSubject/creditsEarned", 2**53), "number_out_of_range",
                        "/credentialSubject/creditsEarned"),
    "an integer no float holds": (_set("credentialSubject/creditsEarned", 10**400), "number_out_of_range",
                                  "/credentialSubject/creditsEarned"),
    "a large float": (_set("credentialSubject/creditsEarned", 1e22), "number_out_of_range",
                      "/credentialSubject/creditsEarned"),
    "a tiny number": (_set("credentialSubject/creditsEarned", 1e-7), "number_out_of_range",
                      "/credentialSubject/creditsEarned"),
    "digits beyond the sixteenth": (_set("credentialSubject/creditsEarned", 0.1 + 0.2), "number_not_exact",
                                    "/credentialSubject/creditsEarned"),
    "a lone surrogate": (_set("name", "\ud800"), "lone_surrogate", ""),
}  # fmt: skip


@for_each("case", UNSAFE)
def test_a_member_that_a_signature_would_not_cover_is_refused_by_name(case):
    change, reason, pointer = UNSAFE[case]
    document = copy.deepcopy(example_document())
    change(document)
    with pytest.raises(UnsafeDocument) as refusal:
        canonical_nquads(document)
    assert (refusal.value.reason, refusal.value.pointer) == (reason, pointer)


def _leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [
            leaf
            for name, item in value.items()
            if name != "@context"
            for leaf in _leaves(item, (*path, name))
        ]
    if isinstance(value, list):
        return [leaf for index, item in enumerate(value) for leaf in _leaves(item, (*path, index))]
    return [path]


def _canonical_or_none(document: Any) -> str | None:
    try:
        return canonical_nquads(document)
    except UnsafeDocument:
        return None


@for_each("leaf", _leaves(example_document()), ids=lambda path: "/".join(map(str, path)))
def test_changing_or_removing_any_leaf_changes_the_canonical_form(leaf):
    signed = canonical_nquads(example_document())
    *parents, last = leaf

    def changed(change: Any) -> str | None:
        document: Any = copy.deepcopy(example_document())
        target = document
        for part in parents:
            target = target[part]
        change(target)
        return _canonical_or_none(document)

    def other(value: Any) -> Any:
        if isinstance(value, bool):
            return not value
        return value + 1 if isinstance(value, int | float) else f"{value}x"

    assert changed(lambda target: target.__setitem__(last, other(target[last]))) != signed
    assert changed(lambda target: target.__delitem__(last)) != signed
    assert changed(lambda target: target.__setitem__(last, "")) != signed


def test_naughty_strings_are_signed_alike_on_both_paths():
    strings = json.loads(shared("hostile/blns/blns.json").read_bytes())
    document: Any = copy.deepcopy(example_document())
    document["credentialSubject"]["achievement"]["tag"] = [text for text in strings if text]
    assert canonicalize(compiled.quads_of(document)) == canonicalize(expansion.quads_of(document))


def test_a_status_cannot_hide_in_another_object_that_claims_to_be_the_credential():
    document: Any = copy.deepcopy(example_document())
    document["endorsement"] = [
        {
            "id": "urn:uuid:1",
            "type": ["VerifiableCredential", "EndorsementCredential"],
            "credentialSubject": {"id": document["id"], "type": ["EndorsementSubject"]},
        }
    ]
    assert canonical_nquads(document)
    hidden = document.pop("credentialStatus")
    subject = document["endorsement"][0]["credentialSubject"]
    subject["type"] = ["EndorsementSubject", "VerifiableCredential", "OpenBadgeCredential"]
    subject["credentialStatus"] = hidden
    with pytest.raises(UnsafeDocument) as refusal:
        canonical_nquads(document)
    assert refusal.value.reason == "split_node"


def _with_json_literal(value: Any) -> Any:
    return {"@context": [CONTEXT_V2], "id": "urn:a", "type": "JsonSchema", "jsonSchema": value}


def test_a_json_literal_is_signed_in_its_canonical_serialisation():
    nquads = canonical_nquads(_with_json_literal({"b": [1.0, None], "a": "é"}))
    assert '"{\\"a\\":\\"é\\",\\"b\\":[1,null]}"^^<http://www.w3.org/1999/02/22-rdf-syntax-ns#JSON>' in nquads


@pytest.mark.parametrize("value", [2**60, float("nan"), {"x": "\ud800"}])
def test_a_json_literal_without_a_serialisation_is_refused(value):
    with pytest.raises(UnsafeDocument) as refusal:
        canonical_nquads(_with_json_literal(value))
    assert (refusal.value.reason, refusal.value.pointer) == ("json_literal", "/jsonSchema")


def test_terms_that_no_context_defines_are_signed_under_the_context_that_defines_them_all():
    document: Any = copy.deepcopy(example_document())
    document["@context"].append("https://www.w3.org/ns/credentials/undefined-terms/v2")
    document["grade"] = "A+"
    assert '<https://www.w3.org/ns/credentials/undefined-term#grade> "A+"' in canonical_nquads(document)


def test_control_characters_are_escaped_as_the_standard_specifies():
    document: Any = copy.deepcopy(example_document())
    document["name"] = "a\x01\b\f\x7f"
    assert '"a\\u0001\\b\\f\\u007F"' in canonical_nquads(document)


def test_indistinguishable_blank_nodes_are_refused_in_time():
    document: Any = copy.deepcopy(example_document())
    level: dict[str, Any] = {"type": ["Profile"], "name": "x"}
    for _ in range(8):
        level = {"type": ["Profile"], "name": "x", "parentOrg": [level, copy.deepcopy(level)]}
    document["issuer"]["parentOrg"] = level
    with pytest.raises(CanonicalizationTooHard):
        canonical_nquads(document)


def test_depth_is_limited():
    document: Any = copy.deepcopy(example_document())
    level: dict[str, Any] = {"id": "urn:end", "type": ["Profile"]}
    for _ in range(200):
        level = {"id": "urn:a", "type": ["Profile"], "parentOrg": level}
    document["issuer"] = level
    with pytest.raises(UnsafeDocument) as refusal:
        canonical_nquads(document)
    assert refusal.value.reason == "too_deep"


def test_the_input_document_is_not_modified():
    document = example_document()
    before = copy.deepcopy(document)
    canonical_nquads(document)
    assert document == before
