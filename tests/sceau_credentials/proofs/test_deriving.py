"""Base proofs and derived proofs (ECDSA 3.6): published vectors, another implementation, every subset."""

from __future__ import annotations

import copy
import hashlib
import json
from functools import cache

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given, settings
from hypothesis import strategies as st
from openvc.keys import P256SigningKey
from openvc.proof.ecdsa_sd import EcdsaSdProofSuite

from sceau_credentials import values
from sceau_credentials.canonical import canonical_nquads
from sceau_credentials.errors import MalformedInput, ProofError, UnsafeDocument, UnusableKey
from sceau_credentials.keys import Algorithm, Signer, VerificationKey, decode_multibase, encode_multibase
from sceau_credentials.proofs.data_integrity import verify_proofs
from sceau_credentials.proofs.selective_disclosure import (
    add_base_proof,
    decode_cbor,
    derive_proof,
    encode_cbor,
    mandatory_pointers,
    select_members,
)
from sceau_credentials.values import CONTEXT_OB_3_0_3, context, parse_timestamp
from tests.sceau_credentials.proofs.test_selective_disclosure import without_invented_names
from tests.sceau_credentials.signed import DID, NOON, KeyRing, credential
from tests.support.badges.credentials import badge_document
from tests.support.shared_data import shared

VECTORS = "open-badges/test-vectors/vc-di-ecdsa"
CREDENTIALS = {
    "employ": ("employMandatory", "employSelective"),
    "prc": ("prCredMandatory", "prCredSelective"),
}
CITIZENSHIP = "https://w3id.org/citizenship/v4rc1"
_ITS, _SCHEMA = "https://w3id.org/citizenship#", "https://schema.org/"
_DATE = "http://www.w3.org/2001/XMLSchema#dateTime"
TERMS = {
    **{name: _SCHEMA + name for name in ("Person", "givenName", "additionalName", "familyName", "gender")},
    **{
        name: _ITS + name
        for name in (
            "EmployablePerson",
            "EmploymentAuthorizationDocument",
            "EmploymentAuthorizationDocumentCredential",
            "PermanentResident",
            "PermanentResidentCard",
            "PermanentResidentCardCredential",
            "birthCountry",
            "commuterClassification",
            "employmentAuthorizationDocument",
            "lprCategory",
            "lprNumber",
            "permanentResidentCard",
        )
    },
    "identifier": _SCHEMA + "identifier",
    "image": {"@id": _SCHEMA + "image", "@type": "@id"},
    "birthDate": {"@id": _SCHEMA + "birthDate", "@type": _DATE},
    "residentSince": {"@id": _ITS + "residentSince", "@type": _DATE},
}
"""The terms of the published documents; comparison with the published statements proves them right."""
MANDATORY = ("/id", "/issuer", "/validFrom", "/credentialStatus", "/credentialSubject/achievement")
OPEN_BADGES = {CONTEXT_OB_3_0_3: context(CONTEXT_OB_3_0_3)}


class RepeatableKey:
    """A P-256 key that signs as RFC 6979 specifies, as the published vectors were made."""

    def __init__(self, multibase: str) -> None:
        number = decode_multibase(multibase)[2:]
        self._private = ec.derive_private_key(int.from_bytes(number, "big"), ec.SECP256R1())
        self.public = VerificationKey.of(self._private.public_key())

    def sign(self, message: bytes) -> bytes:
        found = self._private.sign(message, ec.ECDSA(SHA256(), deterministic_signing=True))
        return b"".join(part.to_bytes(32, "big") for part in decode_dss_signature(found))


@pytest.fixture
def citizenship(monkeypatch, tmp_path):
    written = json.dumps({"@context": {"@protected": True} | TERMS}).encode()
    (tmp_path / "citizenship.jsonld").write_bytes(written)
    pin = values._Pin(str(tmp_path / "citizenship.jsonld"), hashlib.sha256(written).hexdigest(), "credential")
    pins = {**values._pinned_contexts(), CITIZENSHIP: pin}
    monkeypatch.setattr(values, "_pinned_contexts", lambda: pins)
    monkeypatch.setattr(values, "known_context_urls", lambda: frozenset(pins))
    values._are_in_order.cache_clear()
    yield
    values._are_in_order.cache_clear()


class Published:
    def __init__(self, name: str) -> None:
        folder = shared(VECTORS)
        self.folder = folder / "ecdsa-sd-2023" / name
        self.mandatory, self.selective = (
            json.loads((folder / f"{each}.json").read_text()) for each in CREDENTIALS[name]
        )
        # prCredUnsigned.json has another description than the one that was signed.
        signed = self.read("addSignedSDBase.json")
        self.document = {name: value for name, value in signed.items() if name != "proof"}
        keys = json.loads((folder / "ecdsa-sd-2023" / "SDKeyMaterial.json").read_text())
        self.base_key = RepeatableKey(keys["baseKeyPair"]["secretKeyMultibase"])
        self.statement_key = RepeatableKey(keys["proofKeyPair"]["secretKeyMultibase"])
        self.label_key = bytes.fromhex(keys["hmacKeyString"])

    def read(self, file: str):
        return json.loads((self.folder / file).read_text())

    def base(self):
        options = self.read("addSignedSDBase.json")["proof"]
        return add_base_proof(
            self.document,
            self.mandatory,
            signer=Signer(options["verificationMethod"], self.base_key),
            created=parse_timestamp(options["created"]),
            statement_key=self.statement_key,
            label_key=self.label_key,
        )


@pytest.fixture(params=CREDENTIALS)
def published(request, citizenship):
    return Published(request.param)


def test_published_documents_have_the_published_statements(published):
    assert canonical_nquads(published.document) == "".join(published.read("addBaseDocCanon.json"))


def test_base_proof_is_the_published_one_byte_for_byte(published):
    assert published.base() == published.read("addSignedSDBase.json")


def test_derived_proof_is_the_published_one_byte_for_byte(published):
    derived = derive_proof(published.read("addSignedSDBase.json"), published.selective)
    assert derived == published.read("derivedRevealDocument.json")


def test_published_derived_proof_verifies(published):
    found = verify_proofs(
        published.read("derivedRevealDocument.json"), key_for=lambda _: published.base_key.public, at=NOON
    )
    assert found.accepted.discloses_part


# --- an Open Badge

RING = KeyRing()
SIGNER = RING.signer(Algorithm.ES256)
POINTERS = (
    "/name",
    "/description",
    "/validUntil",
    "/awardedDate",
    "/evidence",
    "/evidence/1",
    "/evidence/2/narrative",
    "/issuer/image",
    "/credentialSubject/identifier",
    "/credentialSubject/role",
    "/credentialSubject/result",
    "/credentialSubject/result/0/value",
    "/credentialSubject/activityStartDate",
    "/credentialSubject",
)


@cache
def based():
    return add_base_proof(badge_document(), MANDATORY, signer=SIGNER, created=NOON)


def believed(document):
    return verify_proofs(document, key_for=RING.key_for, at=NOON).accepted


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(POINTERS), unique=True))
def test_every_choice_of_a_holder_verifies_and_shows_that_choice(chosen):
    derived = derive_proof(based(), chosen)
    assert believed(derived).discloses_part
    shown = {name: value for name, value in derived.items() if name != "proof"}
    assert shown == select_members(badge_document(), [*MANDATORY, *chosen])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(POINTERS), unique=True), st.data())
def test_no_text_that_a_holder_shows_can_be_changed(chosen, data):
    derived = copy.deepcopy(derive_proof(based(), chosen))
    inside, name = data.draw(st.sampled_from(list(texts_in(derived))))
    inside[name] += "x"
    assert believed(derived) is None


def texts_in(value):
    """Where the texts are that a reader sees, and where any other text would be valid too."""
    for name, each in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(each, str) and name != "type" and not isinstance(value, list):
            yield value, name
        elif isinstance(each, dict | list) and name not in ("proof", "@context"):
            yield from texts_in(each)


def test_mandatory_members_are_shown_whatever_the_holder_chooses():
    derived = derive_proof(based(), [])
    assert derived["credentialStatus"] == badge_document()["credentialStatus"]
    assert derived["credentialSubject"].keys() == {"id", "type", "achievement"}
    assert mandatory_pointers(based()) == MANDATORY


def test_a_derived_proof_contains_no_trace_of_undisclosed_members():
    derived = derive_proof(based(), ["/name"])
    parts = cbor2.loads(decode_multibase(derived["proof"]["proofValue"], "u", max_length=10**6)[3:])
    label_key = cbor2.loads(decode_multibase(based()["proof"]["proofValue"], "u", max_length=10**6)[3:])[2]
    assert label_key not in cbor2.dumps(parts)
    assert len(parts[2]) == 1
    assert "Zoé" not in json.dumps(derived, ensure_ascii=False)


def test_each_base_proof_has_its_own_keys():
    proofs = [add_base_proof(credential(), ["/issuer"], signer=SIGNER, created=NOON) for _ in range(2)]
    parts = [cbor2.loads(decode_multibase(each["proof"]["proofValue"], "u")[3:]) for each in proofs]
    assert parts[0][1] != parts[1][1]
    assert parts[0][2] != parts[1][2]


def test_we_and_another_implementation_accept_each_other_s_derived_proofs():
    peer, jwk = EcdsaSdProofSuite(), SIGNER.key.public.to_jwk()
    for base, chosen in ((based(), "/evidence/1"), (small := small_base(), "/name")):
        derived = derive_proof(base, [chosen])
        peer.verify(derived, public_key_jwk=jwk, check_temporal=False, extra_contexts=OPEN_BADGES)
    theirs = peer.derive_proof(small, selective_pointers=["/name"], extra_contexts=OPEN_BADGES)
    assert believed(without_invented_names(theirs))


def small_base():
    """This peer cannot derive from the base proof of the large badge; Digital Bazaar's can (tests/interop)."""
    pointers = ["/issuer", "/credentialSubject/achievement"]
    return add_base_proof(credential(), pointers, signer=SIGNER, created=NOON)


def test_we_derive_from_the_base_proof_of_another_implementation():
    key = P256SigningKey.generate(f"{DID}#theirs")
    base = EcdsaSdProofSuite().add_base_proof(
        badge_document(),
        signing_key=key,
        verification_method=key.kid,
        mandatory_pointers=MANDATORY,
        created=NOON,
        extra_contexts=OPEN_BADGES,
    )
    derived = derive_proof(base, ["/evidence/0", "/name"])
    public = VerificationKey.from_jwk(key.public_jwk())
    assert verify_proofs(derived, key_for=lambda _: public, at=NOON).accepted
    assert [each["name"] for each in derived["evidence"]] == [badge_document()["evidence"][0]["name"]]


@pytest.mark.parametrize("pointer", ["name", "", "/nothing", "/name/more", "/evidence/9", "/evidence/-1"])
def test_pointer_that_leads_nowhere_is_refused(pointer):
    with pytest.raises(MalformedInput) as refused:
        derive_proof(based(), [pointer])
    assert (refused.value.reason, refused.value.pointer) == ("pointer", pointer)
    with pytest.raises(MalformedInput):
        add_base_proof(badge_document(), [pointer], signer=SIGNER, created=NOON)


def test_a_member_selected_as_a_whole_stays_whole_in_any_order():
    document = badge_document()
    for chosen in (["/evidence", "/evidence/0/name"], ["/evidence/0/name", "/evidence"]):
        assert select_members(document, chosen)["evidence"] == document["evidence"]


def test_pointer_escapes_are_read():
    assert select_members({"a/b": 1, "c~d": 2, "e": 3}, ["/a~1b", "/c~0d"]) == {"a/b": 1, "c~d": 2}


def test_a_key_of_another_kind_makes_no_base_proof():
    with pytest.raises(UnusableKey):
        add_base_proof(credential(), ["/issuer"], signer=RING.signer(), created=NOON)


def test_document_with_a_graph_inside_is_refused_rather_than_partly_signed():
    endorsement = {
        "@context": credential()["@context"],
        "id": "https://badges.example/avis/1",
        "type": ["VerifiableCredential", "EndorsementCredential"],
        "name": "Avis",
        "issuer": {"id": DID, "type": ["Profile"]},
        "validFrom": "2026-06-30T09:00:00Z",
        "credentialSubject": {"id": DID, "type": ["EndorsementSubject"]},
        "proof": {"type": "DataIntegrityProof", "cryptosuite": "eddsa-rdfc-2022"},
    }
    with pytest.raises(UnsafeDocument) as refused:
        add_base_proof(credential(endorsement=[endorsement]), ["/issuer"], signer=SIGNER, created=NOON)
    assert refused.value.reason == "not_selectively_disclosable"


def test_a_name_reserved_for_blank_nodes_is_refused():
    document = credential(id="urn:bnid:0")
    with pytest.raises(UnsafeDocument) as refused:
        add_base_proof(document, ["/issuer"], signer=SIGNER, created=NOON)
    assert (refused.value.reason, refused.value.pointer) == ("reserved_name", "/id")


def with_parts(change):
    parts = cbor2.loads(decode_multibase(based()["proof"]["proofValue"], "u", max_length=10**6)[3:])
    change(parts)
    value = encode_multibase(b"\xd9\x5d\x00" + cbor2.dumps(parts), "u")
    return based() | {"proof": based()["proof"] | {"proofValue": value}}


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (badge_document(), "no base proof"),
        (badge_document() | {"proof": {"cryptosuite": "eddsa-rdfc-2022"}}, "no base proof"),
        (badge_document() | {"proof": {"cryptosuite": "ecdsa-sd-2023"}}, "proofValue: not_text"),
        (with_parts(lambda parts: parts.pop()), "proofValue: cbor"),
        (with_parts(lambda parts: parts[3].pop()), "as many signatures as statements"),
        (with_parts(lambda parts: parts[3].append(b"short")), "proofValue: cbor"),
        (with_parts(lambda parts: parts[4].append(7)), "proofValue: cbor"),
        (with_parts(lambda parts: parts.__setitem__(0, b"short")), "proofValue: cbor"),
    ],
)
def test_an_invalid_base_proof_is_named(document, why):
    with pytest.raises(ProofError) as refused:
        derive_proof(document, [])
    assert (refused.value.reason, refused.value.detail) == ("proof_malformed", why)


def test_a_derived_proof_cannot_be_derived_from_again():
    with pytest.raises(ProofError) as refused:
        derive_proof(derive_proof(based(), []), [])
    assert refused.value.detail == "proofValue: not_a_base_proof"


@given(
    st.recursive(
        st.integers(0, 2**64 - 1) | st.binary(max_size=300) | st.text(max_size=40),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(st.integers(0, 2**64 - 1), st.binary(max_size=8), max_size=4)
        ),
        max_leaves=6,
    )
)
@settings(deadline=None)
def test_cbor_is_written_as_another_implementation_writes_it(value):
    written = encode_cbor(value)
    assert written == cbor2.dumps(value, canonical=True)
    try:
        assert decode_cbor(written, text=True) == value
    except MalformedInput:
        assert depth_of(value) > 4


def depth_of(value):
    return 1 + max(map(depth_of, value), default=0) if isinstance(value, list) else 1
