"""The Node process that the interop tests of this folder share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.interop.node_peer import NodePeer, PeerUnavailable


@pytest.fixture(scope="session")
def node() -> Iterator[NodePeer]:
    try:
        peer = NodePeer()
    except PeerUnavailable as why:
        pytest.skip(str(why))
    with peer:
        yield peer
