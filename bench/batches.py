"""Sign one badge for many, each step against the bare signature; rebuild a status list; parse the largest
document."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import cycle
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from app.container.process import collect_rarely
from bench.credentials import OURS
from bench.measuring.measure import Row, Turn, interleaved, repeating, rows
from bench.measuring.node import in_node, node_key, node_peer
from bench.measuring.targets import FLOOR, NODE
from sceau_credentials import OpenBadgeCredential, Policy, verify
from sceau_credentials.canonical.templates import Template
from sceau_credentials.issuing import Batch
from sceau_credentials.issuing.slots import extract
from sceau_credentials.keys import Algorithm, LocalSigningKey, encode_multibase
from sceau_credentials.proofs.data_integrity import add_proof, digest, digest_of_options, proof_options
from sceau_credentials.status_list import StatusList, status_entry, status_list_credential
from sceau_credentials.values import JsonObject, dump_json
from tests.support.badges.credentials import HOST, LIST_URL, NOON, Campus, badge_document

_LIST_SIZE = 131_072


def run() -> list[Row]:
    collect_rarely()  # as every server process does
    secret = Ed25519PrivateKey.generate()
    key = LocalSigningKey.from_bytes(secret.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))
    campus = Campus(Algorithm.EDDSA, key=key)
    bare = repeating(lambda: secret.sign(bytes(64)))
    with node_peer() as node:
        theirs = in_node(
            node,
            NODE,
            operation="signDataIntegrity",
            credential=badge_document(),
            key=node_key(secret, campus),
            created="2026-06-30T12:00:00Z",
        )

        signing = {OURS: repeating(_embedded_alone(campus)), **theirs, FLOOR: bare}
        whole = {OURS: repeating(_both_forms(campus)), FLOOR: bare}
        renewed = {OURS: repeating(_status_list(campus)), FLOOR: bare}
        return [
            *rows("in a batch: one embedded proof, signing alone", interleaved(signing), ours=OURS),
            *rows("in a batch: both forms, linted and checked", interleaved(whole), ours=OURS),
            *rows("status list: flip, compress, sign", interleaved(renewed), ours=OURS),
            *rows("verify the largest document", interleaved({OURS: _largest(campus)}), ours=OURS),
        ]


def people_of_one_badge() -> Iterator[JsonObject]:
    """One badge for people with different personal data."""
    shared = OpenBadgeCredential.from_document(badge_document()).to_document()
    people = [_credential_of(shared, number) for number in range(2_000)]
    return cycle(people)


def _credential_of(shared: Any, number: int) -> JsonObject:
    subject = shared["credentialSubject"]
    name = subject["identifier"][0] | {"identityHash": f"Zoé Lefèvre-N'Diaye {number}"}
    return {
        **shared,
        "id": f"{HOST}/attributions/{uuid.uuid4()}",
        "credentialSubject": subject | {"id": f"urn:uuid:{uuid.uuid4()}", "identifier": [name]},
        "credentialStatus": status_entry(LIST_URL, number),
    }


def _embedded_alone(campus: Campus) -> Callable[[], bytes]:
    """Canonicalise by template, hash, sign, write: the exact steps timed for the other library."""
    people, signer = people_of_one_badge(), campus.signer
    first = next(people)
    template = Template(extract(first).marked)
    options = proof_options(signer, NOON)
    configuration = digest_of_options(first, options)

    def sign() -> bytes:
        document = next(people)
        data = configuration + digest(template.canonical_bytes(extract(document).values))
        proof = options | {"proofValue": encode_multibase(signer.key.sign(data))}
        return dump_json(document | {"proof": proof})

    return sign


def _both_forms(campus: Campus) -> Callable[[], object]:
    people = people_of_one_badge()
    batch = Batch(signer=campus.signer, jwt_signer=campus.jwt_signer, at=NOON)
    return lambda: batch.issue(next(people))


def _status_list(campus: Campus) -> Callable[[], bytes]:
    bits = StatusList(_LIST_SIZE)
    places = random.Random(7).sample(range(_LIST_SIZE), _LIST_SIZE // 100)  # noqa: S311 - no secret
    for place in places:
        bits.set(place)
    flipped = cycle(places)

    def renew() -> bytes:
        place = next(flipped)
        bits.set(place, not bits.get(place))
        document = status_list_credential(
            LIST_URL,
            issuer=campus.did,
            status_list=bits,
            purpose="revocation",
            valid_from=NOON,
            valid_until=NOON + timedelta(days=7),
            ttl=timedelta(minutes=5),
        )
        return dump_json(add_proof(document, signer=campus.signer, created=NOON))

    return renew


def _largest(campus: Campus) -> Turn:
    """As many items of evidence as the limit on a document's members permits."""
    document: Any = badge_document()
    document["evidence"] = [
        {"type": ["Evidence"], "name": f"Pièce {number}", "narrative": "Vue."} for number in range(2_800)
    ]
    written = dump_json(add_proof(document, signer=campus.signer, created=NOON))
    documents, policy = campus.documents(), Policy(check_status=False)
    report = verify(written, documents=documents, at=NOON, policy=policy)
    assert report.document is not None, report.to_document()["checks"]
    return repeating(lambda: verify(written, documents=documents, at=NOON, policy=policy))
