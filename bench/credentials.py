"""Issue and verify one credential in both forms, against other libraries and against bare Ed25519."""

from __future__ import annotations

import base64
import copy
import json
import uuid
from datetime import UTC, datetime, timedelta
from itertools import count, cycle
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from nacl.bindings import crypto_sign_open
from openbadgeslib.ob3 import ldp
from openbadgeslib.ob3.credential import OpenBadgeCredential as TheirCredential
from openbadgeslib.ob3.signer import OB3Signer
from openbadgeslib.ob3.verifier import OB3Verifier

from app.container.process import collect_rarely
from bench.measuring.measure import Row, Turn, interleaved, repeating, rows
from bench.measuring.node import in_node, node_key, node_peer
from bench.measuring.targets import FLOOR, NODE, PYTHON
from sceau_credentials import OpenBadgeCredential, Policy, issue, verify
from sceau_credentials.keys import Algorithm, LocalSigningKey
from sceau_credentials.proofs.data_integrity import add_proof
from sceau_credentials.proofs.vc_jwt import sign_jwt
from sceau_credentials.status_list import status_entry
from sceau_credentials.values import dump_json, format_timestamp
from tests.interop.node_peer import NodePeer
from tests.support.badges.credentials import HOST, LIST_URL, Campus, badge_document
from tests.support.badges.documents import Documents

OURS = "Sceau"
JOSE = "jose"
QUICK_FLOOR = "Ed25519 alone, libsodium"

# The peers are given the key and check no status list, so neither do we; unlike them we find the key in the
# issuer's document, parse the model and run all other checks.
_PEOPLE = 5_000  # more than any cache shared by several badges
_WITHOUT_STATUS = Policy(check_status=False)


def _as_bytes(documents: Documents) -> Documents:
    """Bytes, as in a cache of fetched documents."""
    return Documents({url: dump_json(held) for url, held in documents.held.items()})


def run() -> list[Row]:
    collect_rarely()  # as every server process does
    with node_peer() as node:
        return _Bench(node).rows()


class _Bench:
    def __init__(self, node: NodePeer | None) -> None:
        self._node = node
        self._at = datetime.now(UTC).replace(microsecond=0)
        self._document = badge_document() | {
            "validFrom": format_timestamp(self._at),
            "awardedDate": format_timestamp(self._at),
            "validUntil": format_timestamp(self._at + timedelta(days=365)),
        }
        self._secret = Ed25519PrivateKey.generate()
        key = LocalSigningKey.from_bytes(
            self._secret.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        )
        self._campus = Campus(Algorithm.EDDSA, key=key)
        self._documents = _as_bytes(self._campus.documents())
        self._signed = self._campus.issue(self._document, at=self._at)
        self._embedded = json.loads(self._signed.embedded)
        people = [self._badge_of(number) for number in range(_PEOPLE)]
        self._class = cycle(
            [dump_json(add_proof(each, signer=self._campus.signer, created=self._at)) for each in people]
        )
        self._class_in_tokens = cycle([sign_jwt(each, signer=self._campus.jwt_signer) for each in people])
        self._people = cycle(people)
        if node is not None:
            node.publish(self._campus.did_document)

    def rows(self) -> list[Row]:
        return [
            *rows("sign, embedded proof", interleaved(self._issue_embedded()), ours=OURS),
            *rows("sign, token", interleaved(self._issue_token()), ours=OURS),
            *rows("issue, both forms, linted and read back", interleaved(self._issue_whole()), ours=OURS),
            *rows("verify, embedded proof", interleaved(self._verify_embedded()), ours=OURS),
            *rows("verify, token", interleaved(self._verify_token()), ours=OURS),
            *rows("verify, each of an achievement never seen", interleaved(self._verify_unseen()), ours=OURS),
        ]

    def _badge_of(self, number: int) -> dict[str, Any]:
        """The badge as one learner of the class has it."""
        document = copy.deepcopy(self._document)
        subject = document["credentialSubject"]
        subject["id"] = f"urn:uuid:{uuid.uuid4()}"
        subject["identifier"][0]["identityHash"] = f"Zoé Lefèvre-N'Diaye {number}"
        return document | {
            "id": f"{HOST}/attributions/{uuid.uuid4()}",
            "credentialStatus": status_entry(LIST_URL, number),
        }

    def _verify_unseen(self) -> dict[str, Turn]:
        """No cache helps from one badge to the next: as many achievements as credentials."""
        signer, written = self._campus.signer, []
        for number in range(_PEOPLE):
            document = self._badge_of(number)
            document["issuer"]["description"] += f" {number}"
            document["credentialSubject"]["achievement"]["description"] += f" {number}"
            written.append(dump_json(add_proof(document, signer=signer, created=self._at)))
        unseen = cycle(written)
        floors = self._floors_of_verifying(bytes(64))
        return {OURS: repeating(lambda: self._verified(next(unseen))), FLOOR: floors[FLOOR]}

    def _issue_embedded(self) -> dict[str, Turn]:
        signer, pem = self._campus.signer, self._pem()
        theirs = ldp.OB3LdpSigner(pem, verification_method=signer.verification_method)
        credential = TheirCredential.from_vc_document(self._document)
        return {
            OURS: repeating(lambda: add_proof(next(self._people), signer=signer, created=self._at)),
            PYTHON: repeating(lambda: theirs.sign(credential)),
            f"{PYTHON}, its unguarded step": repeating(
                lambda: ldp.add_data_integrity_proof(self._document, pem, signer.verification_method)
            ),
            **in_node(
                self._node,
                NODE,
                operation="signDataIntegrity",
                credential=self._document,
                key=node_key(self._secret, self._campus),
                created=format_timestamp(self._at),
            ),
            FLOOR: self._floor_of_signing(bytes(64)),
        }

    def _issue_token(self) -> dict[str, Turn]:
        signer, theirs = self._campus.jwt_signer, OB3Signer(self._pem(), "EdDSA")
        payload = json.loads(base64.urlsafe_b64decode(self._signed.token.split(".")[1] + "=="))
        return {
            OURS: repeating(lambda: sign_jwt(next(self._people), signer=signer)),
            PYTHON: repeating(lambda: theirs.sign_payload(payload)),
            **in_node(
                self._node,
                JOSE,
                operation="signJwt",
                payload=payload,
                header={"alg": "EdDSA", "typ": "JWT", "kid": signer.verification_method},
                jwk=self._private_jwk(),
            ),
            FLOOR: self._floor_of_signing(self._signing_input()),
        }

    def _issue_whole(self) -> dict[str, Turn]:
        """For different learners, each credential created just before and issued once, as in an award."""
        numbers = count()
        signer, jwt_signer = self._campus.signer, self._campus.jwt_signer

        def turn(times: int) -> float:
            made = [OpenBadgeCredential.from_document(self._badge_of(next(numbers))) for _ in range(times)]
            issued = iter(made)
            return repeating(lambda: issue(next(issued), signer=signer, jwt_signer=jwt_signer, at=self._at))(
                times
            )

        return {OURS: turn, FLOOR: self._floor_of_signing(bytes(64))}

    def _verify_embedded(self) -> dict[str, Turn]:
        theirs = ldp.OB3LdpVerifier(self._public_pem())
        return {
            OURS: repeating(lambda: self._verified(next(self._class))),
            PYTHON: repeating(lambda: theirs.verify(self._signed.embedded)),
            **in_node(
                self._node,
                NODE,
                operation="verifyDataIntegrity",
                credential=self._embedded,
                at=format_timestamp(self._at),
            ),
            **self._floors_of_verifying(bytes(64)),
        }

    def _verify_token(self) -> dict[str, Turn]:
        theirs = OB3Verifier(self._public_pem())
        return {
            OURS: repeating(lambda: self._verified(next(self._class_in_tokens))),
            PYTHON: repeating(lambda: theirs.verify(self._signed.token)),
            **in_node(
                self._node,
                JOSE,
                operation="verifyJwt",
                token=self._signed.token,
                jwk=self._campus.key.public.to_jwk(),
            ),
            **self._floors_of_verifying(self._signing_input()),
        }

    def _verified(self, presented: bytes | str) -> None:
        report = verify(presented, documents=self._documents, at=self._at, policy=_WITHOUT_STATUS)
        if report.document is None:
            raise AssertionError(report.to_document())

    def _signing_input(self) -> bytes:
        """The signing input of a token: the longest part of the work for a bare key too."""
        return self._signed.token.rpartition(".")[0].encode()

    def _floor_of_signing(self, message: bytes) -> Turn:
        return repeating(lambda: self._secret.sign(message))

    def _floors_of_verifying(self, message: bytes) -> dict[str, Turn]:
        public, signature = self._secret.public_key(), self._secret.sign(message)
        raw, signed = public.public_bytes_raw(), signature + message
        return {
            FLOOR: repeating(lambda: public.verify(signature, message)),
            QUICK_FLOOR: repeating(lambda: crypto_sign_open(signed, raw)),
        }

    def _pem(self) -> bytes:
        private = load_der_private_key(self._campus.key.to_bytes(), None)
        return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def _public_pem(self) -> Any:
        return self._secret.public_key()

    def _private_jwk(self) -> dict[str, Any]:
        secret = base64.urlsafe_b64encode(self._secret.private_bytes_raw()).rstrip(b"=").decode()
        return self._campus.key.public.to_jwk() | {"d": secret}
