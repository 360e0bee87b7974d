"""openbadgeslib and openvc-core: each accepts what we issue, and we what they issue.

They read the wall clock, so these badges are issued at the moment of the test.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)
from openbadgeslib.baking import ITXT_KEYWORD_OB3, SVG_ELEMENT_OB3, extract_png, extract_svg
from openbadgeslib.keys import public_jwk_from_pem
from openbadgeslib.ob3 import ldp
from openbadgeslib.ob3.credential import (
    Achievement,
    Alignment,
    Evidence,
    Issuer,
    OpenBadgeCredential,
)
from openbadgeslib.ob3.did import build_did_document
from openbadgeslib.ob3.signer import OB3Signer
from openbadgeslib.ob3.verifier import OB3VerificationError, OB3Verifier
from openvc import VerificationPolicy, signing_key_from_jwk, verify_credential, verify_signature
from openvc.did.base import DidDocument, parse_did_document
from openvc.errors import OpenvcError
from openvc.proof.data_integrity import DataIntegrityProofSuite
from openvc.proof.errors import ClaimsInvalid

from app.domain.campus.audit_log import Actor
from sceau_credentials import bake_png, bake_svg
from sceau_credentials.keys import Algorithm, LocalSigningKey, decode_base64url, encode_base64url
from sceau_credentials.proofs.vc_jwt import sign_jwt
from sceau_credentials.values import CONTEXT_OB_3_0_3, context, format_timestamp
from sceau_credentials.verification.report import CheckId, Verdict
from sceau_credentials.verification.run_checks import verify
from tests.app.api import clients
from tests.support.app import App
from tests.support.badges.credentials import DID, DID_URL, HOST, LIST_URL, Campus, badge_document
from tests.support.badges.documents import Documents
from tests.support.badges.pictures import PNG, SVG

EXTRA_CONTEXTS = {CONTEXT_OB_3_0_3: context(CONTEXT_OB_3_0_3)}
NOW = datetime.now(UTC).replace(microsecond=0)


def fresh_document() -> dict[str, Any]:
    return badge_document() | {
        "validFrom": format_timestamp(NOW),
        "awardedDate": format_timestamp(NOW),
        "validUntil": format_timestamp(NOW + timedelta(days=365)),
    }


def pem(key: LocalSigningKey) -> bytes:
    private = load_der_private_key(key.to_bytes(), None)
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def public_pem(key: LocalSigningKey) -> bytes:
    public = load_der_private_key(key.to_bytes(), None).public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def downloads(campus: Campus) -> Any:
    """openbadgeslib reads a status list only as a token, the second form it may be published in (D-014)."""
    unsigned = {name: value for name, value in campus.status_list(at=NOW).items() if name != "proof"}
    listed = sign_jwt(unsigned, signer=campus.jwt_signer).encode()
    held = {DID_URL: json.dumps(campus.did_document).encode(), LIST_URL: listed}
    return lambda url, *_, **__: held[url]


class DidResolver:
    """openvc-core's port for DIDs."""

    def __init__(self, campus: Campus) -> None:
        self._document = campus.did_document

    def supports(self, did: str) -> bool:
        return did == DID

    def resolve(self, did: str) -> DidDocument:
        return parse_did_document(self._document)


def verified_by_openvc(credential: Any, campus: Campus) -> Any:
    return verify_credential(
        credential,
        resolver=DidResolver(campus),
        resolve_status_list=lambda _: campus.status_list(at=NOW),
        policy=VerificationPolicy(expected_types=["OpenBadgeCredential"]),
        extra_contexts=EXTRA_CONTEXTS,
    )


CARRIERS = {
    "as is": lambda text: text,
    "png": lambda text: _text(extract_png(bake_png(PNG, text), keyword=ITXT_KEYWORD_OB3)),
    "svg": lambda text: _text(extract_svg(bake_svg(SVG, text), element=SVG_ELEMENT_OB3, text_fallback=True)),
}


def _text(extracted: Any) -> str:
    return extracted.decode() if isinstance(extracted, bytes) else extracted


@pytest.fixture(scope="module")
def campus() -> Campus:
    return Campus()


@pytest.mark.parametrize("carrier", CARRIERS)
def test_openbadgeslib_accepts_our_embedded_proof(carrier: str, campus: Campus) -> None:
    text = CARRIERS[carrier](campus.issue(fresh_document(), at=NOW).embedded.decode())
    verifier = ldp.OB3LdpVerifier.for_issuer_did(DID)
    accepted = verifier.verify(text, download=downloads(campus), check_status=True)
    assert accepted.achievement.name == "Robotique pour tous"


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_openbadgeslib_accepts_our_token(algorithm: Algorithm, carrier: str) -> None:
    campus = Campus(jwt_algorithm=algorithm)
    token = CARRIERS[carrier](campus.issue(fresh_document(), at=NOW).token)
    accepted = OB3Verifier.for_issuer_did(DID, downloads(campus)).verify(token)
    assert accepted.id == badge_document()["id"]


def test_openbadgeslib_reads_the_list_that_this_service_publishes(app: App) -> None:
    """From award to withdrawal with its own clock, over the addresses of the badge (D-014)."""
    app.clock.now = datetime.now(UTC).replace(microsecond=0)
    award_id = clients.open_award(app)
    with clients.anybody(app) as world:

        def download(url: str, *_: Any, **__: Any) -> bytes:
            path = url.replace("https://", "http://").removeprefix("http://localhost:8000")
            accept = "application/vc+jwt, application/json;q=0.5"
            return world.get(path, headers={"accept": accept}).content

        token = world.get(f"/attributions/{award_id}.jwt").text
        verifier = OB3Verifier.for_issuer_did(app.campus.did, download)
        assert verifier.verify(token, check_status=True, download=download).issuer.id == app.campus.did
        with app.unit_of_work() as services:
            services.awards.revoke(app.campus, award_id, "Erreur de date.", by=Actor(label="tests"))
        with pytest.raises(OB3VerificationError, match="'revocation' is set"):
            verifier.verify(token, check_status=True, download=download)


def test_openbadgeslib_refuses_our_badge_once_revoked_or_altered(campus: Campus) -> None:
    signed = campus.issue(fresh_document(), at=NOW)
    revoking = Campus(key=campus.key, revoked={94_567})
    verifier = ldp.OB3LdpVerifier.for_issuer_did(DID)
    with pytest.raises(OB3VerificationError):
        verifier.verify(signed.embedded, download=downloads(revoking), check_status=True)
    altered = signed.embedded.replace(b"Robotique", b"Robotik")
    with pytest.raises(OB3VerificationError):
        verifier.verify(altered, download=downloads(campus))


@pytest.mark.parametrize("carrier", CARRIERS)
def test_openvc_accepts_our_embedded_proof(carrier: str, campus: Campus) -> None:
    text = CARRIERS[carrier](campus.issue(fresh_document(), at=NOW).embedded.decode())
    result = verified_by_openvc(json.loads(text), campus)
    assert (result.issuer, result.credential["name"]) == (DID, "Robotique pour tous")


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize("algorithm", [Algorithm.EDDSA, Algorithm.ES256])  # it knows no RS256
def test_openvc_finds_the_key_of_our_token_and_its_signature_good(algorithm: Algorithm, carrier: str) -> None:
    """Its one-call verifier reads only tokens with a `vc` claim, which Open Badges 3.0 forbids (B-012)."""
    campus = Campus(jwt_algorithm=algorithm)
    token = CARRIERS[carrier](campus.issue(fresh_document(), at=NOW).token)
    signing_input, _, signature = token.rpartition(".")
    header = json.loads(decode_base64url(token.partition(".")[0]))
    method = DidResolver(campus).resolve(DID).key_by_kid(header["kid"])
    assert verify_signature(
        alg=header["alg"],
        public_jwk=method.public_key_jwk,
        signing_input=signing_input.encode(),
        signature=decode_base64url(signature),
    )
    with pytest.raises(ClaimsInvalid, match="no embedded `vc` object"):
        verified_by_openvc(token, campus)


def test_openvc_refuses_our_badge_once_revoked_or_altered(campus: Campus) -> None:
    signed = json.loads(campus.issue(fresh_document(), at=NOW).embedded)
    with pytest.raises(OpenvcError):
        verified_by_openvc(signed, Campus(key=campus.key, revoked={94_567}))
    with pytest.raises(OpenvcError):
        verified_by_openvc(signed | {"name": "Autre badge"}, campus)


def their_credential() -> OpenBadgeCredential:
    return OpenBadgeCredential(
        issuer=Issuer(id=DID, name="Campus d'à côté", url=f"{HOST}/campus"),
        recipient_id="urn:uuid:11111111-2222-4333-8444-555555555555",
        achievement=Achievement(
            id=f"{HOST}/badges/soudure",
            name="Soudure",
            description="Souder un assemblage en acier.",
            criteria_narrative="Deux cordons sans défaut.",
            image_url=f"{HOST}/badges/soudure.png",
            tags=["soudure"],
            alignments=[Alignment("Souder", "https://competences.example/rome/H2913", "ROME 4.0")],
        ),
        issuance_date=NOW,
        evidence=[Evidence(id=f"{HOST}/preuves/1", narrative="Pièce contrôlée.", name="Pièce")],
    )


def test_we_accept_an_embedded_proof_of_openbadgeslib(campus: Campus) -> None:
    signer = ldp.OB3LdpSigner(pem(campus.key), verification_method=campus.signer.verification_method)
    signed = signer.sign(their_credential())
    report = verify(json.dumps(signed), documents=campus.documents(), at=datetime.now(UTC))
    assert report.check(CheckId.PROOF).reason == "signature_holds", report.to_document()
    assert report.verdict is Verdict.VALID, report.to_document()


def as_array(signed: bytes) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(signed)
    return document | {"proof": [document["proof"]]}


def test_proof_as_an_object_is_read_by_all_and_as_an_array_by_all_but_one(campus: Campus) -> None:
    """Why the object is what we publish, and the array of the schema of July 2024 is `?proof=array`."""
    signed = campus.issue(fresh_document(), at=NOW).embedded
    verifier = ldp.OB3LdpVerifier.for_issuer_did(DID)
    for document in (json.loads(signed), as_array(signed)):
        accepted = verifier.verify(json.dumps(document), download=downloads(campus), check_status=True)
        assert accepted
        listed = campus.documents(**{LIST_URL: campus.status_list(at=NOW)})
        assert verify(json.dumps(document), documents=listed, at=NOW).verdict is Verdict.VALID
    assert verified_by_openvc(json.loads(signed), campus).issuer == DID
    with pytest.raises(OpenvcError, match="has no `proof`"):
        verified_by_openvc(as_array(signed), campus)


@pytest.mark.parametrize(
    "algorithm", [(Algorithm.EDDSA, "EdDSA"), (Algorithm.ES256, "ES256"), (Algorithm.RS256, "RS256")]
)
def test_we_accept_a_token_of_openbadgeslib_by_the_key_in_its_own_did_document(
    algorithm: tuple[Algorithm, str],
) -> None:
    """It brings `jwk` and no `kid`, and its key stands in did.json under the name that openbadgeslib gave it."""
    kind, name = algorithm
    campus = Campus(jwt_algorithm=kind)
    other = LocalSigningKey.generate(kind)
    keys = [
        ("key-0", public_jwk_from_pem(public_pem(other))),
        ("key-1", public_jwk_from_pem(public_pem(campus.jwt_key))),
    ]
    documents = Documents({DID_URL: build_did_document(DID, keys)})
    token = OB3Signer(pem(campus.jwt_key), name).sign(their_credential())
    report = verify(token, documents=documents, at=NOW)
    assert report.verdict is Verdict.VALID, report.to_document()
    assert report.verification_method == f"{DID}#key-1"
    stranger = OB3Signer(pem(LocalSigningKey.generate(kind)), name).sign(their_credential())
    report = verify(stranger, documents=documents, at=NOW)
    assert (report.verdict, report.check(CheckId.KEY).reason) == (Verdict.INVALID, "key_not_bound_to_issuer")


@pytest.mark.parametrize("container", ["png", "svg"])
def test_we_accept_a_picture_baked_by_openbadgeslib(container: str, campus: Campus) -> None:
    signer = ldp.OB3LdpSigner(pem(campus.key), verification_method=campus.signer.verification_method)
    picture = (
        signer.sign_into_png(their_credential(), PNG)
        if container == "png"
        else signer.sign_into_svg(their_credential(), SVG)
    )
    report = verify(picture, documents=campus.documents(), at=datetime.now(UTC))
    assert (report.container, report.verdict) == (container, Verdict.VALID), report.to_document()


@pytest.mark.parametrize(
    ("algorithm", "name"),
    [(Algorithm.EDDSA, "EdDSA"), (Algorithm.ES256, "ES256"), (Algorithm.RS256, "RS256")],
)
def test_we_accept_a_token_of_openbadgeslib(algorithm: Algorithm, name: str) -> None:
    """It brings its key along in the header; we believe it because the issuer's key set holds the same."""
    campus = Campus(jwt_algorithm=algorithm)
    token = OB3Signer(pem(campus.jwt_key), name).sign(their_credential())
    report = verify(token, documents=campus.documents(), at=NOW)
    assert report.verdict is Verdict.VALID, report.to_document()
    stranger = OB3Signer(pem(LocalSigningKey.generate(algorithm)), name).sign(their_credential())
    report = verify(stranger, documents=campus.documents(), at=NOW)
    assert (report.verdict, report.check(CheckId.KEY).reason) == (Verdict.INVALID, "key_not_bound_to_issuer")


def test_we_accept_an_embedded_proof_of_openvc(campus: Campus) -> None:
    private = load_der_private_key(campus.key.to_bytes(), None)
    jwk = campus.key.public.to_jwk() | {"d": encode_base64url(private.private_bytes_raw())}
    key = signing_key_from_jwk(jwk, campus.signer.verification_method)
    signed = DataIntegrityProofSuite().add_proof(
        fresh_document(),
        signing_key=key,
        verification_method=campus.signer.verification_method,
        created=NOW,
        extra_contexts=EXTRA_CONTEXTS,
    )
    documents = campus.documents(**{LIST_URL: campus.status_list(at=NOW)})
    assert verify(json.dumps(signed), documents=documents, at=NOW).verdict is Verdict.VALID
