"""did:web and did:key: one spelling, one URL, and never a key that the identifier's controller did not publish."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sceau_credentials.dids import (
    PublishedKey,
    did_document,
    did_key,
    did_web,
    did_web_document_url,
    jwk_set,
    jwt_method_id,
    resolve_method,
)
from sceau_credentials.errors import DocumentUnavailable, KeyNotResolved, MalformedInput
from sceau_credentials.keys import Algorithm, LocalSigningKey, VerificationKey, encode_multibase
from sceau_credentials.values import FetchedDocument, NoDocuments, dump_json
from tests.support.running.every import for_each

NOON = datetime(2026, 6, 30, 12, tzinfo=UTC)
DID = "did:web:badges.example:campus:itip"
URL = "https://badges.example/campus/itip/did.json"
# Fixed: it is part of test names, which every worker of a parallel run must compute alike.
KEY = VerificationKey.from_multikey("z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK")
METHOD = f"{DID}#{KEY.thumbprint()}"
SHORT_KEY = encode_multibase(b"\xed\x01" + bytes(31))


class Served:
    """A DocumentSource over a dict, which records what it was asked for."""

    def __init__(self, documents):
        self.documents = {url: dump_json(document) for url, document in documents.items()}
        self.asked = []

    def fetch(self, url, *, accept="application/json"):
        self.asked.append(url)
        if url not in self.documents:
            raise DocumentUnavailable(url, "not_found")
        return FetchedDocument(url, self.documents[url])


def document(**changes):
    return did_document(DID, [PublishedKey(METHOD, KEY)]) | changes


def method(**changes):
    return document()["verificationMethod"][0] | changes


def reason_of(published, method_url=METHOD, url=URL):
    with pytest.raises(KeyNotResolved) as refusal:
        resolve_method(method_url, documents=Served({url: published}), at=NOON)
    return refusal.value.reason


@pytest.mark.parametrize(
    ("base", "segments", "did", "url"),
    [
        ("https://w3c-ccg.github.io", (), "did:web:w3c-ccg.github.io", "https://w3c-ccg.github.io/.well-known/did.json"),
        (
            "https://example.com:3000/",
            ("user", "alice"),
            "did:web:example.com%3A3000:user:alice",
            "https://example.com:3000/user/alice/did.json",
        ),
        ("http://localhost:8000", ("campus", "itip"), "did:web:localhost%3A8000:campus:itip",
         "https://localhost:8000/campus/itip/did.json"),
        ("https://ecole.example/badges", ("campus", "a.b_c-d"), "did:web:ecole.example:badges:campus:a.b_c-d",
         "https://ecole.example/badges/campus/a.b_c-d/did.json"),
    ],
)  # fmt: skip
def test_an_address_has_one_did_and_the_did_one_url(base, segments, did, url):
    assert did_web(base, *segments) == did
    assert did_web_document_url(did) == url


@for_each(
    "did",
    [
        "did:web:",
        "did:web:127.0.0.1",
        "did:web:2130706433",
        "did:web:0x7f.1",
        "did:web:127.0x1",
        "did:web:[::1]",
        "did:web:%5B%3A%3A1%5D",
        "did:web:evil%2F@good",
        "did:web:good@evil",
        "did:web:a:..:..:b",
        "did:web:a:.",
        "did:web:a::b",
        "did:web:a:",
        "did:web:a%00b",
        "did:web:a:b%2Fc",
        "did:web:a:b%252e",
        "did:web:a?x",
        "did:web:a/b",
        "did:web:a#b",
        "did:web:a\n",
        "did:web:a b",
        "did:web:é.example",
        "did:web:①②⑦.⓪.⓪.①",
        "did:web:-a.example",
        "did:web:a..example",
        "did:web:a.example.",
        "did:web:a%3A0",
        "did:web:a%3A65536",
        "did:web:a%3A080",
        "did:web:a%3A",
        "did:web:" + ".".join(["a"] * 300),
        "did:web:a:" + ":".join(["b"] * 300),
        "did:web:" + "a" * 64 + ".example",
        "did:webs:a",
        "DID:web:a",
    ],
)
def test_did_web_of_any_other_spelling_has_no_url(did):
    with pytest.raises(MalformedInput) as refusal:
        did_web_document_url(did)
    assert refusal.value.reason == "invalid_did"


@pytest.mark.parametrize(
    "base", ["ftp://a.example", "https://", "https://u:p@a.example", "https://127.0.0.1", "a"]
)
def test_an_address_that_cannot_have_a_did_is_refused(base):
    with pytest.raises(MalformedInput):
        did_web(base, "campus")


def test_a_segment_that_would_move_the_did_is_refused():
    for segment in ("..", "a/b", "a:b:..", "", "é"):
        with pytest.raises(MalformedInput):
            did_web("https://badges.example", "campus", segment)


def test_published_document_resolves_to_the_key_in_both_of_its_methods():
    documents = Served({URL: document()})
    multikey = resolve_method(METHOD, documents=documents, at=NOON)
    jwk = resolve_method(jwt_method_id(METHOD), documents=documents, at=NOON)
    assert multikey.key == jwk.key == KEY
    assert (multikey.method_id, multikey.controller) == (METHOD, DID)
    assert jwk.method_id == f"{METHOD}-jwk"
    assert not multikey.lacks_fragment
    assert documents.asked == [URL, URL]


def test_published_document_has_absolute_ids_and_never_two_key_forms_in_one_method():
    keys = [
        PublishedKey(f"{DID}#{k.thumbprint()}", k)
        for k in (LocalSigningKey.generate(a).public for a in Algorithm)
    ]
    published = did_document(DID, keys, also_known_as=["https://badges.example/campus/itip"])
    assert published["id"] == DID
    assert published["alsoKnownAs"] == ["https://badges.example/campus/itip"]
    types = [m["type"] for m in published["verificationMethod"]]
    assert types == [
        *("Multikey", "JsonWebKey") * 2,
        "JsonWebKey",
        "Multikey",
        "JsonWebKey",
    ]  # RSA has no Multikey
    for m in published["verificationMethod"]:
        assert m["controller"] == DID
        assert m["id"].startswith(f"{DID}#")
        assert ("publicKeyJwk" in m) != ("publicKeyMultibase" in m)
        assert "d" not in m.get("publicKeyJwk", {})
    assert published["assertionMethod"] == [m["id"] for m in published["verificationMethod"]]
    for key in keys:
        assert (
            resolve_method(jwt_method_id(key.id), documents=Served({URL: published}), at=NOON).key == key.key
        )


def test_did_document_lists_no_key_of_another_controller():
    with pytest.raises(ValueError, match="its own DID"):
        did_document(DID, [PublishedKey("did:web:badges.example#k", KEY)])


def test_a_retired_key_stays_and_a_revoked_key_ends_at_its_revocation():
    retired, revoked = KEY, LocalSigningKey.generate(Algorithm.EDDSA).public
    revoked_method = f"{DID}#{revoked.thumbprint()}"
    keys = [PublishedKey(METHOD, retired), PublishedKey(revoked_method, revoked, revoked_at=NOON)]
    documents = Served({URL: did_document(DID, keys)})
    assert resolve_method(METHOD, documents=documents, at=NOON).key == retired
    assert resolve_method(revoked_method, documents=documents, at=NOON - timedelta(seconds=1)).key == revoked
    for method_url in (revoked_method, jwt_method_id(revoked_method)):
        with pytest.raises(KeyNotResolved, match="key_revoked"):
            resolve_method(method_url, documents=documents, at=NOON)
    assert [key["kid"] for key in jwk_set(keys)["keys"]] == [jwt_method_id(METHOD)]


def test_the_jwk_set_names_the_issuer_and_use_of_each_key():
    """B-027, B-028"""
    (jwk,) = jwk_set([PublishedKey(METHOD, KEY)])["keys"]
    assert jwk == KEY.to_jwk() | {"kid": f"{METHOD}-jwk", "use": "sig", "alg": "EdDSA", "iss": DID}
    assert VerificationKey.from_jwk(jwk) == KEY


def test_https_controller_document_is_read_like_a_did_document():
    controller = "https://issuer.example/profile"
    url = f"{controller}#key-0"
    published = {
        "id": controller,
        "verificationMethod": [method(id=url, controller=controller)],
        "assertionMethod": [url],
    }
    resolved = resolve_method(url, documents=Served({controller: published}), at=NOON)
    assert (resolved.key, resolved.controller) == (KEY, controller)


def test_method_embedded_in_assertion_method_alone_is_found():
    published = document(verificationMethod=[], assertionMethod=[method()])
    assert resolve_method(METHOD, documents=Served({URL: published}), at=NOON).key == KEY


def test_a_key_in_the_fragment_is_never_taken_for_the_key():
    """B-051a: the forger writes his own key after the victim's address."""
    forged = f"https://issuer.example/profile#{KEY.to_multikey()}"
    published = {"id": "https://issuer.example/profile", "verificationMethod": [], "assertionMethod": []}
    assert reason_of(published, forged, "https://issuer.example/profile") == "key_not_found"
    with pytest.raises(DocumentUnavailable):
        resolve_method(forged, documents=NoDocuments(), at=NOON)


@for_each(
    ("changes", "reason"),
    [
        ({"id": "did:web:badges.example:campus:other"}, "key_document_malformed"),
        ({"id": None}, "key_document_malformed"),
        ({"verificationMethod": {}}, "key_document_malformed"),
        ({"assertionMethod": METHOD}, "key_document_malformed"),
        ({"verificationMethod": [], "assertionMethod": []}, "key_not_found"),
        ({"verificationMethod": ["x", None, 1]}, "key_not_found"),
        ({"verificationMethod": [method(id="#k")]}, "key_not_found"),
        ({"assertionMethod": []}, "key_not_for_assertion"),
        ({"assertionMethod": [], "authentication": [METHOD]}, "key_not_for_assertion"),
        ({"verificationMethod": [method(controller="did:web:other.example")]}, "key_not_bound_to_issuer"),
        (
            {"verificationMethod": [{k: v for k, v in method().items() if k != "controller"}]},
            "key_not_bound_to_issuer",
        ),
        (
            {"verificationMethod": [method(), method(controller="did:web:o.example")]},
            "key_document_malformed",
        ),
        ({"verificationMethod": [method(expires="2026-06-30T12:00:00Z")]}, "key_expired"),
        ({"verificationMethod": [method(revoked="2020-01-01T00:00:00Z")]}, "key_revoked"),
        ({"verificationMethod": [method(revoked="soon")]}, "key_document_malformed"),
        ({"verificationMethod": [method(revoked=None)]}, "key_document_malformed"),
        ({"verificationMethod": [method(publicKeyJwk=KEY.to_jwk())]}, "key_document_malformed"),
        ({"verificationMethod": [method(secretKeyMultibase="z3u2")]}, "key_unusable"),
        ({"verificationMethod": [method(publicKeyMultibase=SHORT_KEY)]}, "key_unusable"),
        ({"verificationMethod": [method(publicKeyMultibase=["z6Mk"])]}, "key_method_not_read"),
        ({"verificationMethod": [method(type=["Multikey"])]}, "key_method_not_read"),
        ({"verificationMethod": [method(type="EcdsaSecp256k1RecoveryMethod2020")]}, "key_method_not_read"),
        ({"verificationMethod": [method(type="JsonWebKey")]}, "key_method_not_read"),
    ],
)
def test_controller_document_that_does_not_answer_for_the_key_is_refused(changes, reason):
    """B-049, B-050"""
    assert reason_of(document(**changes)) == reason


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b"\xff", b'{"id":1,"id":2}', b"[" * 100_000, b" " * 70_000]
)
def test_controller_document_that_is_no_json_object_is_refused(body):
    documents = Served({})
    documents.documents[URL] = body
    with pytest.raises(KeyNotResolved, match="key_document_unreadable"):
        resolve_method(METHOD, documents=documents, at=NOON)


@for_each(
    ("method_url", "reason"),
    [
        ("", "key_reference_malformed"),
        ("k", "key_reference_malformed"),
        (DID, "key_reference_malformed"),
        (f"{DID}#", "key_reference_malformed"),
        (f"{DID}#a#b", "key_reference_malformed"),
        (f"{DID}?x=1#a", "key_reference_malformed"),
        (f"{METHOD}\n", "key_reference_malformed"),
        ("http://issuer.example/#a", "key_reference_malformed"),
        ("file:///etc/passwd#a", "key_reference_malformed"),
        ("../../etc/passwd", "key_reference_malformed"),
        ("' OR 1=1--", "key_reference_malformed"),
        ("https://issuer.example/" + "a" * 10_000 + "#k", "key_reference_malformed"),
        ("did:web:127.0.0.1#a", "key_reference_malformed"),
        ("did:web:a:..:b#a", "key_reference_malformed"),
        ("did:ebsi:zfEmvX5twhXjQJiCWsukvQA#a", "key_method_not_read"),
        (f"did:key:{SHORT_KEY}#{SHORT_KEY}", "key_unusable"),
        (f"{did_key(KEY)}#other", "key_not_found"),
        (f"{did_key(KEY)}#", "key_not_found"),
    ],
)
def test_a_reference_that_names_no_method_is_refused_without_a_fetch(method_url, reason):
    documents = Served({})
    with pytest.raises(KeyNotResolved) as refusal:
        resolve_method(method_url, documents=documents, at=NOON)
    assert refusal.value.reason == reason
    assert documents.asked == []


def test_did_key_is_expanded_without_a_document_and_a_bare_one_is_flagged():
    did = did_key(KEY)
    resolved = resolve_method(f"{did}#{KEY.to_multikey()}", documents=NoDocuments(), at=NOON)
    assert (resolved.key, resolved.controller, resolved.lacks_fragment) == (KEY, did, False)
    bare = resolve_method(did, documents=NoDocuments(), at=NOON)
    assert (bare.key, bare.controller, bare.lacks_fragment) == (KEY, did, True)


def test_outage_is_distinguished_from_a_refusal():
    with pytest.raises(DocumentUnavailable):
        resolve_method(METHOD, documents=Served({}), at=NOON)
