"""Three ways to the bytes that are signed, and jsonld.js with rdf-canonize as the fourth: they agree, or we say why not.

`SCEAU_DIFFERENTIAL_DOCUMENTS` says how many documents are made up; a release run takes 20,000.
"""

from __future__ import annotations

import json
import os
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, event, given, settings
from pyld import jsonld

from sceau_credentials.canonical import canonical_nquads, compiled, expansion
from sceau_credentials.canonical.expansion import context_array, pinned_contexts
from sceau_credentials.canonical.rdfc import canonicalize
from sceau_credentials.errors import NotCovered, UnsafeDocument
from sceau_credentials.values import CONTEXT_OB_3_0_3, CONTEXT_V2
from tests.interop.node_peer import NodePeer, PeerRefused
from tests.support.badges.generated_badges import OPEN_BADGES, spoilt_open_badges

pytestmark = pytest.mark.node

DOCUMENTS = int(os.environ.get("SCEAU_DIFFERENTIAL_DOCUMENTS", "500"))
MANY = settings(
    max_examples=DOCUMENTS // 2,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
)

# What we refuse to sign or believe, where jsonld.js in its safe mode goes on: each with the clause that decides.
WE_ALONE_REFUSE = {
    "null_value": "M1, VC Data Integrity 1.0 §2.4.2: a null, or an empty array of them, leaves no trace in what is signed",
    "number_out_of_range": "JSON-LD 1.1 API §8.6 and RFC 8785: beyond 2^53 - 1, or tiny, engines write other digits (B-043)",
    "number_not_exact": "JSON-LD 1.1 API §8.6: the canonical double has sixteen digits, and this number needs more",
    "context_not_allowed": "A-011, A-078, VCDM 2.0 §4.3: the contexts of a credential begin with that of the data model, inside as outside",
    "inline_context": "A-078, M1: contexts stand at the root, and in an endorsement or a proof, and nowhere else",
    "undefined_term": "A-015, T11: the property spelt as a full or compact IRI is signed alike, and not seen by readers of the JSON",
    "undefined_type": "A-015, T11: a type spelt as a full or compact IRI, likewise",
    "keyword_not_allowed": "T11: @id, @graph, @included, @nest, @reverse hide statements from readers of the JSON",
    "nested_array": "JSON-LD 1.1 API §5.1.2: an array in a set is flattened, one written otherwise is signed alike",
    "value_object_not_allowed": "J-002: text with a language, and no other keys",
    "invalid_language": "J-002, BCP 47: engines drop or keep ill-formed tags",
    "relative_iri": "J-004, VC Data Integrity 1.0 §2.4.3: no relative identifier may survive signing",
    "blank_node_identifier": "J-004, VCDM 2.0 §4.4: an identifier is a URL",
    "colliding_terms": "T11: two members of one meaning; readers see one of them",
    "split_node": "T11: a second object with the id and type of the root adds statements to it",
    "json_literal": "RFC 8785: no canonical form",
    "lone_surrogate": "T14, RFC 8259 §8.2: half a character has no bytes; jsonld.js signs it all the same",
    "dropped_value": "M1: nothing is left to sign",
    "invalid_json_ld": "JSON-LD 1.1 API §5.1: PyLD names the error",
}  # fmt: skip


def ours(document: Any) -> str | UnsafeDocument:
    try:
        return canonical_nquads(document)
    except UnsafeDocument as refusal:
        return refusal


def theirs(node: NodePeer, document: Any) -> str | PeerRefused:
    try:
        answer: str = node.call("canonize", document=document)
    except PeerRefused as refusal:
        return refusal
    return answer


def calmed(document: Any) -> Any:
    """Without characters beyond U+FFFF.

    RDFC-1.0 §4.4.3 and §4.6.3 sort by code points. JavaScript sorts by UTF-16 units, where those characters come
    before U+E000 to U+FFFF: the one known difference of bytes.
    """
    text = json.dumps(document, ensure_ascii=False)
    return json.loads(re.sub("[\U00010000-\U0010ffff]", "\u4e00", text))


def agrees_with_node(node: NodePeer, document: Any) -> bool:
    """Whether the document was signed by both, to the same bytes or with the one known difference."""
    here, there = ours(document), theirs(node, document)
    if isinstance(here, UnsafeDocument):
        assert isinstance(there, PeerRefused) or here.reason in WE_ALONE_REFUSE, here
        event(f"refused: {here.reason}")
        return False
    assert not isinstance(there, PeerRefused), f"we would sign what they refuse: {there}"
    if here != there:
        assert calmed(document) != document
        assert ours(calmed(document)) == theirs(node, calmed(document))
        event("the order of UTF-16")
    return True


def compiled_way_agrees(document: Any) -> None:
    try:
        quads = compiled.quads_of(document)
    except NotCovered:
        event("left to PyLD")
        return
    event("compiled")
    assert canonicalize(quads) == canonicalize(expansion.quads_of(document))


# PyLD's canonical form is that of 2015: control characters stand in it as they are.
OF_2015 = re.compile(r"\\[btf]|\\u00[017][0-9A-Fa-f]|\\u007F")


def pyld_agrees(document: Any) -> None:
    """PyLD as it is, with nothing of ours but the documents it may load."""
    here = canonical_nquads(document)
    if OF_2015.search(here):
        return
    loader = pinned_contexts(context_array(document)).options["documentLoader"]
    options = {
        "documentLoader": loader,
        "base": None,
        "algorithm": "URDNA2015",
        "format": "application/n-quads",
    }
    assert jsonld.normalize(document, options) == here


@MANY
@given(document=OPEN_BADGES)
def test_every_way_signs_the_same_bytes_of_any_badge_an_issuer_might_write(
    node: NodePeer, document: Any
) -> None:
    assert agrees_with_node(node, document)
    compiled_way_agrees(document)
    pyld_agrees(document)


@MANY
@given(document=spoilt_open_badges())
def test_a_badge_spoilt_in_one_place_is_signed_alike_or_refused_by_a_listed_rule(
    node: NodePeer, document: Any
) -> None:
    if agrees_with_node(node, document):
        compiled_way_agrees(document)


def test_order_of_characters_beyond_the_basic_plane_is_the_one_known_difference(node: NodePeer) -> None:
    document = {
        "@context": [CONTEXT_V2, CONTEXT_OB_3_0_3],
        "id": "https://badges.example/1",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "issuer": "https://badges.example/campus",
        "credentialSubject": {"type": ["AchievementSubject"], "id": "urn:uuid:1", "narrative": ["\uff08", "\U0001f600"]},
    }  # fmt: skip
    here, there = canonical_nquads(document), theirs(node, document)
    assert isinstance(there, str)
    assert here.splitlines() == sorted(here.splitlines())
    assert here != there
    assert sorted(there.splitlines()) == here.splitlines()


def test_one_value_spelt_twice_is_one_statement_here_and_two_there(node: NodePeer) -> None:
    """RDF 1.1 Concepts §3.4: a graph is a set. 1 and "1" of one datatype are one value; jsonld.js keeps both."""
    document = {
        "@context": [CONTEXT_V2, CONTEXT_OB_3_0_3],
        "id": "https://badges.example/1",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "issuer": "https://badges.example/campus",
        "credentialSubject": {"type": ["AchievementSubject"], "id": "urn:uuid:1"},
        "awardedDate": ["1", 1],
    }
    here, there = canonical_nquads(document), theirs(node, document)
    assert isinstance(there, str)
    assert here != there
    assert here.splitlines() == sorted(set(there.splitlines()))
    assert canonicalize(compiled.quads_of(document)) == canonicalize(expansion.quads_of(document)) == here


def test_half_a_character_is_refused_here_and_signed_as_another_there(node: NodePeer) -> None:
    document = {
        "@context": [CONTEXT_V2, CONTEXT_OB_3_0_3],
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "issuer": "https://badges.example/campus",
        "name": "\ud800",
    }
    here = ours(document)
    assert isinstance(here, UnsafeDocument)
    assert here.reason == "lone_surrogate"
    assert isinstance(theirs(node, document), str)
