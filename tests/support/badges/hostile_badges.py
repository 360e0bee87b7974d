"""Badges, tokens, pictures and lists that deceive or exhaust a verifier, each with the expected refusal."""

from __future__ import annotations

import base64
import copy
import gzip
import json
import zlib
from collections.abc import Callable, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any, NamedTuple

from sceau_credentials import bake_png, bake_svg
from sceau_credentials.keys import Algorithm, LocalSigningKey, encode_base64url, encode_multibase
from sceau_credentials.proofs.data_integrity import add_proof
from sceau_credentials.status_list import StatusList
from tests.sceau_credentials.baking.pictures import END, PIXELS, chunk, itxt, png
from tests.support.badges.credentials import DID, DID_URL, HOST, LIST_URL, NOON, Campus, badge_document
from tests.support.badges.forgery import CAMPUS, EMBEDDED, FORGER, SIGNED, resigned, token, with_proof
from tests.support.badges.pictures import PNG, SVG


class Hostile(NamedTuple):
    name: str
    presented: bytes | str
    refusal: str
    """check:reason"""
    served: Mapping[str, Any] = MappingProxyType({})
    """Overrides of published documents by URL; None removes a document."""


def _changed(change: Callable[[dict[str, Any]], Any], document: dict[str, Any]) -> dict[str, Any]:
    document = copy.deepcopy(document)
    change(document)
    return document


def _after(change: Callable[[dict[str, Any]], Any]) -> str:
    """The signed badge, changed after it was signed."""
    return json.dumps(_changed(change, EMBEDDED))


def _in_token(change: Callable[[dict[str, Any]], Any]) -> str:
    """A token of a badge changed before signing: valid signature, bad content."""
    return token(claims=_changed(change, badge_document()))


def _subject(document: dict[str, Any]) -> dict[str, Any]:
    return document["credentialSubject"]


def _achievement(document: dict[str, Any]) -> dict[str, Any]:
    return document["credentialSubject"]["achievement"]


def _signed_text(header: bytes, payload: bytes) -> str:
    """Arbitrary bytes with a valid signature of the campus."""
    signing_input = f"{encode_base64url(header)}.{encode_base64url(payload)}"
    return f"{signing_input}.{encode_base64url(CAMPUS.key.sign(signing_input.encode()))}"


_HEADER, _PAYLOAD, _SIGNATURE = SIGNED.token.split(".")
_HEAD = base64.urlsafe_b64decode(_HEADER + "==")
_BODY = base64.urlsafe_b64decode(_PAYLOAD + "==")
_KID = CAMPUS.jwt_signer.verification_method
_LATER = "2026-07-30T12:00:00Z"

TOKENS = [
    Hostile("algorithm none, no signature", token({"alg": "none"}, signature=b""), "proof:algorithm_not_allowed"),
    Hostile("algorithm none, a signature", token({"alg": "none"}), "proof:algorithm_not_allowed"),
    Hostile("algorithm None", token({"alg": "None"}), "proof:algorithm_not_allowed"),
    Hostile("algorithm in a list", token({"alg": ["EdDSA"]}), "proof:algorithm_not_allowed"),
    Hostile("algorithm missing", token({"alg": ...}), "proof:algorithm_not_allowed"),
    Hostile("shared secret", token({"alg": "HS256"}), "proof:algorithm_not_allowed"),
    Hostile("algorithm of another key", token({"alg": "RS256"}), "proof:algorithm_not_allowed"),
    Hostile("secp256k1", token({"alg": "ES256K"}), "proof:algorithm_not_allowed"),
    Hostile("P-384", token({"alg": "ES384"}), "proof:algorithm_not_allowed"),
    Hostile("P-521", token({"alg": "ES512"}), "proof:algorithm_not_allowed"),
    Hostile("encrypted token", token({"alg": "RSA-OAEP", "enc": "A256GCM"}), "proof:algorithm_not_allowed"),
    Hostile("P-256 key under an Ed25519 method", token({"alg": "ES256"}, key=LocalSigningKey.generate(Algorithm.ES256)), "proof:algorithm_not_allowed"),
    Hostile("critical extension", token({"crit": ["exp"]}), "proof:header_not_allowed"),
    Hostile("payload not encoded", token({"b64": False, "crit": ["b64"]}), "proof:header_not_allowed"),
    Hostile("key set of the token's choice", token({"jku": "https://evil.example/jwks"}), "proof:header_not_allowed"),
    Hostile("certificate address", token({"x5u": "https://169.254.169.254/"}), "proof:header_not_allowed"),
    Hostile("certificate chain", token({"x5c": ["MII"]}), "proof:header_not_allowed"),
    Hostile("compressed payload", token({"zip": "DEF"}), "proof:header_not_allowed"),
    Hostile("access token", token({"typ": "at+jwt"}), "proof:header_not_allowed"),
    Hostile("presentation", token({"typ": "vp+jwt"}), "proof:header_not_allowed"),
    Hostile("forged signature", token(key=FORGER.key), "proof:signature_mismatch"),
    Hostile("signature of zeros", token(signature=bytes(64)), "proof:signature_mismatch"),
    Hostile("identity point as signature", token(signature=b"\1" + bytes(63)), "proof:signature_mismatch"),
    Hostile("half a signature", token(signature=bytes(32)), "proof:signature_mismatch"),
    Hostile("signature and a half", token(signature=bytes(96)), "proof:signature_mismatch"),
    Hostile("endless signature", token(signature=bytes(20_000)), "proof:signature_mismatch"),
    Hostile("two parts", f"{_HEADER}.{_PAYLOAD}", "readable:unrecognised_format"),
    Hostile("four parts", f"{SIGNED.token}.{_SIGNATURE}", "readable:unrecognised_format"),
    Hostile("five parts, as encrypted ones have", f"{SIGNED.token}.a.b", "readable:unrecognised_format"),
    Hostile("detached payload", f"{_HEADER}..{_SIGNATURE}", "readable:malformed_jwt"),
    Hostile("padding", f"{SIGNED.token}==", "readable:malformed_jwt"),
    Hostile("line break inside", f"{_HEADER}.\n{_PAYLOAD}.{_SIGNATURE}", "readable:unrecognised_format"),
    Hostile("header twice", _signed_text(_HEAD[:-1] + b',"alg":"none"}', _BODY), "readable:malformed_jwt"),
    Hostile("issuer twice", _signed_text(_HEAD, b'{"iss":"did:web:evil.example",' + _BODY[1:]), "readable:malformed_jwt"),
    Hostile("badge twice", _signed_text(_HEAD, _BODY[:-1] + b',"credentialSubject":{}}'), "readable:malformed_jwt"),
    Hostile("payload a list", _signed_text(_HEAD, b"[" + _BODY + b"]"), "readable:malformed_jwt"),
    Hostile("payload in UTF-16", _signed_text(_HEAD, _BODY.decode().encode("utf-16")), "readable:malformed_jwt"),
    Hostile("byte order mark", _signed_text(_HEAD, b"\xef\xbb\xbf" + _BODY), "readable:malformed_jwt"),
    Hostile("two payloads", _signed_text(_HEAD, _BODY + _BODY), "readable:malformed_jwt"),
    Hostile("lone surrogate", _signed_text(_HEAD, _BODY[:-1] + b',"x":"\\ud800"}'), "readable:malformed_jwt"),
    Hostile("infinite expiry", _signed_text(_HEAD, _BODY[:-1] + b',"x":1e999}'), "readable:malformed_jwt"),
    Hostile("deep payload", _signed_text(_HEAD, _BODY[:-1] + b',"x":' + b"[" * 5_000 + b"]" * 5_000 + b"}"), "readable:too_large"),
    Hostile("large payload", _signed_text(_HEAD, _BODY[:-1] + b',"x":"' + b"x" * 600_000 + b'"}'), "readable:too_large"),
    Hostile("expired by its claim", token(claims={"exp": 1}), "proof:claims_disagree"),
    Hostile("issuer of the claim another", token(claims={"iss": "did:web:evil.example"}), "proof:claims_disagree"),
    Hostile("identifier of the claim another", token(claims={"jti": "urn:uuid:1"}), "proof:claims_disagree"),
    Hostile("holder of the claim another", token(claims={"sub": "urn:uuid:1"}), "proof:claims_disagree"),
    Hostile("beginning of the claim another", token(claims={"nbf": 1}), "proof:claims_disagree"),
    Hostile("second badge in a wrapper", token(claims={"vc": badge_document()}), "readable:malformed_jwt"),
    Hostile("presentation around it", token(claims={"vp": {"verifiableCredential": SIGNED.token}}), "readable:malformed_jwt"),
    Hostile("key of its own", token({"kid": ..., "jwk": FORGER.key.public.to_jwk()}, key=FORGER.key), "key:key_not_bound_to_issuer"),
    Hostile("key of its own under the issuer's method", token({"jwk": FORGER.key.public.to_jwk()}, key=FORGER.key), "key:key_not_bound_to_issuer"),
    Hostile("key of another campus", token({"kid": "did:web:evil.example#k"}, key=FORGER.key), "key:key_not_bound_to_issuer"),
    Hostile("key of another path on the same host", token({"kid": "did:web:badges.example:campus:itipx#k"}), "key:key_not_bound_to_issuer"),
    Hostile("key of a parent path", token({"kid": "did:web:badges.example#k"}), "key:key_not_bound_to_issuer"),
    Hostile("no key named", token({"kid": ...}), "key:key_reference_malformed"),
    Hostile("key not published", token({"kid": f"{DID}#other"}), "key:key_not_found"),
    Hostile("key reference with a line break", token({"kid": f"{_KID}\r\nHost: evil"}), "key:key_reference_malformed"),
    Hostile("private member in the brought key", token({"jwk": {**CAMPUS.key.public.to_jwk(), "d": "AA"}}), "key:key_not_bound_to_issuer"),
]  # fmt: skip

EMBEDDED_PROOFS = [
    Hostile("no proof", json.dumps(badge_document()), "proof:no_proof"),
    Hostile("proof null", _after(lambda d: d.update(proof=None)), "proof:proof_malformed"),
    Hostile("proof of text", _after(lambda d: d.update(proof="signed")), "proof:proof_malformed"),
    Hostile("name changed", _after(lambda d: d.update(name="Directeur")), "proof:signature_mismatch"),
    Hostile("result changed", _after(lambda d: _subject(d)["result"][0].update(value="4")), "proof:signature_mismatch"),
    Hostile("holder changed", _after(lambda d: _subject(d).update(id="urn:uuid:1")), "proof:signature_mismatch"),
    Hostile("holder's name changed", _after(lambda d: _subject(d)["identifier"][0].update(identityHash="Autre")), "proof:signature_mismatch"),
    Hostile("end removed", _after(lambda d: d.pop("validUntil")), "proof:signature_mismatch"),
    Hostile("end moved", _after(lambda d: d.update(validUntil="2099-01-01T00:00:00Z")), "proof:signature_mismatch"),
    Hostile("status removed", _after(lambda d: d.pop("credentialStatus")), "proof:signature_mismatch"),
    Hostile("status moved to another place", _after(lambda d: d["credentialStatus"].update(statusListIndex="1")), "proof:signature_mismatch"),
    Hostile("status moved to another list", _after(lambda d: d["credentialStatus"].update(statusListCredential="https://evil.example/1")), "proof:signature_mismatch"),
    Hostile("evidence removed", _after(lambda d: d["evidence"].pop()), "proof:signature_mismatch"),
    Hostile("issuer's name changed", _after(lambda d: d["issuer"].update(name="Ministère")), "proof:signature_mismatch"),
    Hostile("badge of another", _after(lambda d: _achievement(d).update(id=f"{HOST}/badges/autre/v1")), "proof:signature_mismatch"),
    Hostile("second subject", _after(lambda d: d.update(credentialSubject=[_subject(d), _subject(d)])), "schema:schema_violation"),
    Hostile("unknown member", _after(lambda d: _subject(d).update(grade="A+")), "proof:undefined_term"),
    Hostile("unknown type", _after(lambda d: _subject(d)["type"].append("Champion")), "proof:data_not_signed"),
    Hostile("null", _after(lambda d: d.update(description=None)), "schema:schema_violation"),
    Hostile("context of its own", _after(lambda d: d["@context"].append({"grade": "https://evil.example/g"})), "context:context_not_allowed"),
    Hostile("context for every word", _after(lambda d: d["@context"].append({"@vocab": "https://evil.example/"})), "context:context_not_allowed"),
    Hostile("context nobody holds", _after(lambda d: d["@context"].append("https://evil.example/c.json")), "context:context_not_held"),
    Hostile("contexts out of order", _after(lambda d: d["@context"].reverse()), "context:context_order"),
    Hostile("context twice", _after(lambda d: d["@context"].append(d["@context"][0])), "context:context_not_allowed"),
    Hostile("context of text", _after(lambda d: d.update({"@context": d["@context"][0]})), "context:context_order"),
    Hostile("context inside", _after(lambda d: _subject(d).update({"@context": {"role": "https://evil.example/r"}})), "context:context_not_allowed"),
    Hostile("context null inside", _after(lambda d: _subject(d).update({"@context": None})), "context:context_not_allowed"),
    Hostile("context deep inside", _after(lambda d: _achievement(d)["criteria"].update({"@context": {"narrative": "https://evil.example/n"}})), "context:context_not_allowed"),
    Hostile("integer no float holds", _after(lambda d: _subject(d).update(creditsEarned=10**350)), "proof:data_not_signed"),
    Hostile("identifier shaped like a keyword", _after(lambda d: d["evidence"][0].update(id="@any")), "schema:schema_violation"),
    Hostile("graph beside", _after(lambda d: d.update({"@graph": []})), "proof:data_not_signed"),
    Hostile("included node", _after(lambda d: d.update({"@included": [{"id": "urn:x", "name": "x"}]})), "proof:data_not_signed"),
    Hostile("reverse link", _after(lambda d: d.update({"@reverse": {}})), "proof:data_not_signed"),
    Hostile("compact name", _after(lambda d: d.update({"schema:name": "x"})), "proof:undefined_term"),
    Hostile("full name", _after(lambda d: d.update({"https://schema.org/name": "x"})), "proof:undefined_term"),
    Hostile("end hidden in another node", _after(lambda d: d["evidence"].append({"id": d["id"], "type": d["type"], "name": "x"})), "schema:schema_violation"),
    Hostile("purpose authentication", with_proof(proofPurpose="authentication"), "proof:proof_purpose"),
    Hostile("purpose missing", with_proof(proofPurpose=...), "proof:proof_malformed"),
    Hostile("proof of tomorrow", with_proof(created="2026-07-02T00:00:00Z"), "proof:proof_from_the_future"),
    Hostile("proof of no date", with_proof(created="2026-02-30T00:00:00Z"), "proof:proof_malformed"),
    Hostile("proof over", with_proof(expires="2026-06-01T00:00:00Z"), "proof:proof_expired"),
    Hostile("end of the proof moved", with_proof(expires=_LATER), "proof:signature_mismatch"),
    Hostile("date of the proof moved", with_proof(created="2026-06-30T11:00:00Z"), "proof:signature_mismatch"),
    Hostile("domain added", with_proof(domain="evil.example"), "proof:signature_mismatch"),
    Hostile("challenge added", with_proof(challenge="x"), "proof:signature_mismatch"),
    Hostile("suite of another key", with_proof(cryptosuite="ecdsa-rdfc-2019"), "proof:algorithm_not_allowed"),
    Hostile("suite of another canonical form", with_proof(cryptosuite="eddsa-jcs-2022"), "proof:signature_mismatch"),
    Hostile("suite unheard of", with_proof(cryptosuite="none"), "proof:proof_not_read"),
    Hostile("suite in a list", with_proof(cryptosuite=["eddsa-rdfc-2022"]), "proof:proof_malformed"),
    Hostile("proof of text values", with_proof(proofValue=""), "proof:proof_malformed"),
    Hostile("proof value in another base", with_proof(proofValue="m" + "A" * 86), "proof:proof_malformed"),
    Hostile("proof value of zeros", with_proof(proofValue="z" + "1" * 64), "proof:signature_mismatch"),
    Hostile("proof value with a letter base58 lacks", with_proof(proofValue="z0OIl"), "proof:proof_malformed"),
    Hostile("endless proof value", with_proof(proofValue="z" + "2" * 200_000), "proof:proof_malformed"),
    Hostile("member in the proof", with_proof(note="x"), "proof:undefined_term"),
    Hostile("context in the proof", with_proof(**{"@context": {"created": "https://evil.example/"}}), "proof:proof_malformed"),
    Hostile("chained to nothing", with_proof(previousProof="urn:uuid:1"), "proof:proof_malformed"),
    Hostile("chained to itself", with_proof(id="urn:uuid:1", previousProof="urn:uuid:1"), "proof:signature_mismatch"),
    Hostile("five hundred proofs", _after(lambda d: d.update(proof=[d["proof"]] * 500)), "proof:too_many_proofs"),
    Hostile("method in a list", with_proof(verificationMethod=[_KID]), "proof:proof_malformed"),
    Hostile("method embedded", with_proof(verificationMethod=CAMPUS.did_document["verificationMethod"][0]), "proof:proof_malformed"),
    Hostile("method of another campus", with_proof(verificationMethod="did:web:evil.example#k"), "key:key_not_bound_to_issuer"),
    Hostile("method is a key", with_proof(verificationMethod="did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"), "proof:signature_mismatch"),
    Hostile("method on the web", with_proof(verificationMethod="https://evil.example/key#1"), "key:key_not_bound_to_issuer"),
    Hostile("method is data", with_proof(verificationMethod="data:application/json,{}#k"), "proof:data_not_signed"),
    Hostile("method without fragment", with_proof(verificationMethod=DID), "key:key_reference_malformed"),
    Hostile("method of another path", with_proof(verificationMethod=f"{DID}/../x#k"), "key:key_not_bound_to_issuer"),
    Hostile("method with a query", with_proof(verificationMethod=f"{DID}?v=1#k"), "key:key_not_bound_to_issuer"),
    Hostile("forged", json.dumps(add_proof(badge_document(), signer=FORGER.signer, created=NOON)), "key:key_not_found"),
    Hostile("name twice", SIGNED.embedded.replace(b'"name":', b'"name":"Directeur","name":', 1), "readable:malformed_json"),
    Hostile("comment in JSON", b"/**/" + SIGNED.embedded, "readable:unrecognised_format"),
    Hostile("two documents", SIGNED.embedded * 2, "readable:malformed_json"),
    Hostile("comma at the end", SIGNED.embedded[:-1] + b",}", "readable:malformed_json"),
    Hostile("not a number", SIGNED.embedded[:-1] + b',"x":NaN}', "readable:malformed_json"),
    Hostile("infinite number", SIGNED.embedded[:-1] + b',"x":1e999}', "readable:malformed_json"),
    Hostile("endless number", SIGNED.embedded[:-1] + b',"x":' + b"9" * 100_000 + b"}", "readable:malformed_json"),
    Hostile("deep", SIGNED.embedded[:-1] + b',"x":' + b'{"a":' * 20_000 + b"1" + b"}" * 20_000 + b"}", "readable:too_large"),
    Hostile("large", SIGNED.embedded[:-1] + b',"x":"' + b"x" * 1_000_000 + b'"}', "readable:too_large"),
    Hostile("wide", SIGNED.embedded[:-1] + b',"x":[' + b"0," * 150_000 + b"0]}", "readable:too_large"),
    Hostile("many members", SIGNED.embedded[:-1] + b"".join(b',"x%d":1' % n for n in range(15_000)) + b"}", "proof:undefined_term"),
    Hostile("list around it", b"[" + SIGNED.embedded + b"]", "readable:not_an_open_badge_3"),
    Hostile("presentation around it", json.dumps({"type": "VerifiablePresentation", "verifiableCredential": EMBEDDED}), "readable:not_an_open_badge_3"),
    Hostile("a diploma of another kind", _after(lambda d: d.update(type=["VerifiableCredential"])), "readable:not_an_open_badge_3"),
    Hostile("thousands of nodes alike", json.dumps(resigned() | {"evidence": [{"type": ["Evidence"], "name": "e"}] * 3_000}), "proof:too_hard"),
]  # fmt: skip

# Valid signatures of the issuer over invalid or misleading content.
CONTENTS = [
    Hostile("not begun", _in_token(lambda d: d.update(validFrom=_LATER)), "validity:not_yet_valid"),
    Hostile("over", _in_token(lambda d: d.update(validFrom="2020-01-01T00:00:00Z", validUntil="2021-01-01T00:00:00Z")), "validity:expired"),
    Hostile("ends before it begins", _in_token(lambda d: d.update(validUntil="2020-01-01T00:00:00Z")), "validity:period_reversed"),
    Hostile("beginning without zone", _in_token(lambda d: d.update(validFrom="2026-06-30T12:00:00")), "schema:schema_violation"),
    Hostile("beginning of no calendar", _in_token(lambda d: d.update(validFrom="2026-02-30T12:00:00Z")), "schema:schema_violation"),
    Hostile("issuer missing", _in_token(lambda d: d.update(issuer=...)), "schema:schema_violation"),
    Hostile("issuer a list", _in_token(lambda d: d.update(issuer=[d["issuer"]])), "schema:schema_violation"),
    Hostile("issuer a script", _in_token(lambda d: d["issuer"].update(id="javascript:alert(1)")), "key:key_not_bound_to_issuer"),
    Hostile("issuer relative", _in_token(lambda d: d["issuer"].update(id="/campus/itip")), "schema:schema_violation"),
    Hostile("identifier relative", _in_token(lambda d: d.update(id="../1")), "schema:schema_violation"),
    Hostile("achievement missing", _in_token(lambda d: _subject(d).pop("achievement")), "schema:schema_violation"),
    Hostile("criteria missing", _in_token(lambda d: _achievement(d).pop("criteria")), "schema:schema_violation"),
    Hostile("subject missing", _in_token(lambda d: d.update(credentialSubject=...)), "schema:schema_violation"),
    Hostile("subject with no one named", _in_token(lambda d: (_subject(d).pop("id"), _subject(d).pop("identifier"))), "schema:schema_violation"),
    Hostile("evidence of text", _in_token(lambda d: d.update(evidence="https://a.example/")), "schema:schema_violation"),
    Hostile("schema nobody holds", _in_token(lambda d: d.update(credentialSchema=[{"id": "https://evil.example/s.json", "type": "1EdTechJsonSchemaValidator2019"}])), "schema:schema_not_held"),
    Hostile("status of an unknown kind", _in_token(lambda d: d["credentialStatus"].update(type="Always")), "status:status_type_not_read"),
    Hostile("status of an unknown purpose", _in_token(lambda d: d["credentialStatus"].update(statusPurpose="praise")), "status:status_purpose_not_read"),
    Hostile("status before the list", _in_token(lambda d: d["credentialStatus"].update(statusListIndex="-1")), "schema:schema_violation"),
    Hostile("status behind the list", _in_token(lambda d: d["credentialStatus"].update(statusListIndex="131072")), "status:status_index_out_of_range"),
    Hostile("status at no number", _in_token(lambda d: d["credentialStatus"].update(statusListIndex="0x10")), "schema:schema_violation"),
    Hostile("status index endless", _in_token(lambda d: d["credentialStatus"].update(statusListIndex="9" * 5_000)), "schema:schema_violation"),
    Hostile("status list on the machine itself", _in_token(lambda d: d["credentialStatus"].update(statusListCredential="file:///etc/passwd")), "status:status_entry_malformed"),
    Hostile("status list out of reach", _in_token(lambda d: d["credentialStatus"].update(statusListCredential="https://gone.example/1")), "status:status_list_unavailable"),
    Hostile("hundreds of status entries", _in_token(lambda d: d.update(credentialStatus=[{**d["credentialStatus"], "statusListCredential": f"https://a.example/{n}"} for n in range(100)])), "status:status_list_unavailable"),
]  # fmt: skip


def _list_subject(**changed: Any) -> dict[str, Any]:
    """The status list of the campus with a changed subject, signed again by the campus."""
    unsigned = {name: value for name, value in CAMPUS.status_list().items() if name != "proof"}
    subject = {n: v for n, v in (unsigned["credentialSubject"] | changed).items() if v is not ...}
    return add_proof(unsigned | {"credentialSubject": subject}, signer=CAMPUS.signer, created=NOON)


def _gzipped(data: bytes) -> str:
    return "u" + encode_base64url(gzip.compress(data))


_ZEROS = bytes(16_384)
_RAW = zlib.compressobj(wbits=-15)
_LISTS: dict[str, tuple[Any, str]] = {
    "revoked": (Campus(key=CAMPUS.key, revoked={94_567}).status_list(), "revoked"),
    "nothing there": (None, "status_list_unavailable"),
    "a page": (b"<html></html>", "status_list_malformed"),
    "nothing in it": (b"", "status_list_malformed"),
    "not UTF-8": (b"\xff\xfe", "status_list_malformed"),
    "a badge": (EMBEDDED, "status_list_malformed"),
    "a list twice": (json.dumps([CAMPUS.status_list()]).encode(), "status_list_malformed"),
    "unsigned": ({n: v for n, v in CAMPUS.status_list().items() if n != "proof"}, "status_list_not_authentic"),
    "changed": (CAMPUS.status_list() | {"name": "x"}, "status_list_not_authentic"),
    "forged": (Campus(key=FORGER.key).status_list(), "status_list_not_authentic"),
    "of another issuer": (CAMPUS.status_list(issuer="did:web:evil.example"), "status_list_of_another_issuer"),
    "another of the same issuer": (CAMPUS.status_list(id=f"{HOST}/statuts/2"), "status_list_malformed"),
    "of last week": (CAMPUS.status_list(at=NOON - timedelta(days=7)), "status_list_stale"),
    "of next week": (CAMPUS.status_list(at=NOON + timedelta(days=7)), "status_list_stale"),
    "of another purpose": (_list_subject(statusPurpose="suspension"), "status_purpose_differs"),
    "of no purpose": (_list_subject(statusPurpose=[]), "status_list_malformed"),
    "without bits": (_list_subject(encodedList=...), "status_list_malformed"),
    "bits of another type": (_list_subject(encodedList=[1, 0]), "status_list_malformed"),
    "bits without prefix": (_list_subject(encodedList=StatusList().encode()[1:]), "status_list_malformed"),
    "bits in another base": (_list_subject(encodedList="z" + StatusList().encode()[1:]), "status_list_malformed"),
    "bits not packed": (_list_subject(encodedList="u" + encode_base64url(_ZEROS)), "status_list_malformed"),
    "bits packed by zlib": (_list_subject(encodedList="u" + encode_base64url(zlib.compress(_ZEROS))), "status_list_malformed"),
    "bits packed raw": (_list_subject(encodedList="u" + encode_base64url(_RAW.compress(_ZEROS) + _RAW.flush())), "status_list_malformed"),
    "bits cut": (_list_subject(encodedList=_gzipped(_ZEROS)[:-8]), "status_list_malformed"),
    "bits packed twice over": (_list_subject(encodedList=_gzipped(_ZEROS) + _gzipped(b"\xff")[1:]), "status_list_malformed"),
    "few bits": (_list_subject(encodedList=_gzipped(bytes(1_000))), "status_list_too_short"),
    "bomb": (_list_subject(encodedList=_gzipped(bytes(200_000_000))), "status_list_malformed"),
    "large": (CAMPUS.status_list(name="x" * 2_000_000), "status_list_malformed"),
    "period unreadable": (CAMPUS.status_list(validUntil="demain"), "status_list_malformed"),
}  # fmt: skip
LISTS = [
    Hostile(name, SIGNED.embedded, f"status:{reason}", {LIST_URL: served})
    for name, (served, reason) in _LISTS.items()
]

_OTHER = Campus(did="did:web:evil.example")
_METHOD = CAMPUS.did_document["verificationMethod"][0]


def _keys(*methods: Any, **changed: Any) -> dict[str, Any]:
    return {**CAMPUS.did_document, "verificationMethod": list(methods), **changed}


_KEY_DOCUMENTS: dict[str, tuple[Any, str]] = {
    "nothing there": (None, "key_document_unavailable"),
    "a page": (b"<html>", "key_document_unreadable"),
    "of another": (_OTHER.did_document, "key_document_malformed"),
    "no methods": (_keys(), "key_not_found"),
    "methods of text": (_keys("x", 5, None), "key_not_found"),
    "not for badges": (_keys(_METHOD, assertionMethod=[], authentication=[_METHOD["id"]]), "key_not_for_assertion"),
    "revoked": (_keys({**_METHOD, "revoked": "2026-01-01T00:00:00Z"}), "key_revoked"),
    "over": (_keys({**_METHOD, "expires": "2026-01-01T00:00:00Z"}), "key_expired"),
    "controlled by another": (_keys({**_METHOD, "controller": "did:web:evil.example"}), "key_not_bound_to_issuer"),
    "key of low order": (_keys({**_METHOD, "publicKeyMultibase": "z6MkeTG3bFFSLYVU7VqhgZxqr6YzpaGrQtFMh1uvqGy1vDnP"}), "key_unusable"),
    "key of another length": (_keys({**_METHOD, "publicKeyMultibase": encode_multibase(b"\xed\x01" + bytes(31))}), "key_unusable"),
    "key kind unheard of": (_keys({**_METHOD, "type": "PerfectKey2030"}), "key_method_not_read"),
    "deep": (b'{"a":' * 50_000, "key_document_unreadable"),
    "large": (json.dumps(CAMPUS.did_document | {"x": "x" * 5_000_000}).encode(), "key_document_unreadable"),
}  # fmt: skip
KEY_DOCUMENTS = [
    Hostile(name, SIGNED.embedded, f"key:{reason}", {DID_URL: served})
    for name, (served, reason) in _KEY_DOCUMENTS.items()
]

_BAKED = bake_png(PNG, SIGNED.token)
_TOKEN_CHUNK = itxt(b"openbadgecredential", SIGNED.token.encode())
_DRAWN = bake_svg(SVG, SIGNED.token).decode()
PICTURES = [
    Hostile("forged token in a picture", bake_png(PNG, token(key=FORGER.key)), "proof:signature_mismatch"),
    Hostile("changed badge in a picture", bake_png(PNG, _after(lambda d: d.update(name="x"))), "proof:signature_mismatch"),
    Hostile("forged token in a drawing", bake_svg(SVG, token(key=FORGER.key)), "proof:signature_mismatch"),
    Hostile("unsigned badge in a drawing", bake_svg(SVG, json.dumps(badge_document())), "proof:no_proof"),
    Hostile("no badge", PNG, "readable:image_without_badge"),
    Hostile("no badge in a drawing", SVG, "readable:image_without_badge"),
    Hostile("two badges", png(_TOKEN_CHUNK, _TOKEN_CHUNK), "readable:image_ambiguous"),
    Hostile("second badge after the pixels", png(_TOKEN_CHUNK, end=_TOKEN_CHUNK + END), "readable:image_ambiguous"),
    Hostile("badge after the end", png(_TOKEN_CHUNK) + _TOKEN_CHUNK, "readable:image_not_read"),
    Hostile("archive behind the picture", _BAKED + b"PK\x03\x04", "readable:image_not_read"),
    Hostile("cut", _BAKED[:-20], "readable:image_not_read"),
    Hostile("one bit of the picture", _BAKED[:200] + bytes([_BAKED[200] ^ 1]) + _BAKED[201:], "readable:image_not_read"),
    Hostile("text bomb", png(itxt(b"openbadgecredential", zlib.compress(bytes(100_000_000)), b"\1\0")), "readable:image_not_read"),
    Hostile("many chunks", png(*[chunk(b"tEXt", b"a\0")] * 30_000), "readable:too_large"),
    Hostile("large text", png(itxt(b"openbadgecredential", b"x" * 900_000)), "readable:too_large"),
    Hostile("pixels apart", png(_TOKEN_CHUNK, pixels=PIXELS + _TOKEN_CHUNK + PIXELS), "readable:image_not_read"),
    Hostile("page in a picture", png(itxt(b"openbadgecredential", b"<html>")), "readable:unrecognised_format"),
    Hostile("link in a picture", png(itxt(b"openbadgecredential", b"https://evil.example/badge")), "readable:presented_is_url"),
    Hostile("entities", '<!DOCTYPE svg [<!ENTITY a "b">]>' + _DRAWN[_DRAWN.index("<svg") :], "readable:image_not_read"),
    Hostile("outside entity", '<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + _DRAWN[_DRAWN.index("<svg") :], "readable:image_not_read"),
    Hostile("laughs", "<!DOCTYPE svg [" + "".join(f'<!ENTITY a{n + 1} "{f"&a{n};" * 50}">' for n in range(8)) + "]>" + _DRAWN[_DRAWN.index("<svg") :], "readable:image_not_read"),
    Hostile("drawing of elements", f'<svg xmlns="http://www.w3.org/2000/svg">{"<g/>" * 200_000}</svg>', "readable:too_large"),
    Hostile("deep drawing", f'<svg xmlns="http://www.w3.org/2000/svg">{"<g>" * 50_000}', "readable:too_large"),
    Hostile("page", "<html><body>Badge</body></html>", "readable:image_not_read"),
    Hostile("another picture", b"\xff\xd8\xff\xe0\0\x10JFIF", "readable:image_without_badge"),
]  # fmt: skip
