"""The Node implementations as contenders, where available."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.measuring.measure import Turn
from sceau_credentials.keys import encode_multibase
from tests.interop.node_peer import NodePeer, PeerUnavailable
from tests.support.badges.credentials import Campus


@contextmanager
def node_peer() -> Iterator[NodePeer | None]:
    try:
        peer = NodePeer()
    except PeerUnavailable as why:
        print(f"  without the Node peers: {why}")
        yield None
        return
    with peer:
        yield peer


def in_node(node: NodePeer | None, name: str, **job: Any) -> dict[str, Turn]:
    """A contender of that name, timed inside its own process; none without Node."""
    if node is None:
        return {}
    answer = node.call(**job)
    if isinstance(answer, dict) and answer.get("verified") is False:
        raise AssertionError(answer)
    return {name: lambda times: float(node.call("time", job=job, times=times))}


def node_key(secret: Ed25519PrivateKey, campus: Campus) -> dict[str, Any]:
    """The campus's key as the Node libraries read it."""
    raw = bytes([0x80, 0x26]) + secret.private_bytes_raw()  # L-011: the multicodec of a secret key
    return {
        "@context": "https://w3id.org/security/multikey/v1",
        "id": campus.signer.verification_method,
        "type": "Multikey",
        "controller": campus.did,
        "publicKeyMultibase": campus.key.public.to_multikey(),
        "secretKeyMultibase": encode_multibase(raw),
    }
