"""The Node process that the interop tests of this folder share, and a server for their wallets."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from shutil import copyfile

import pytest

from app.domain.core import whole_second
from tests.interop.node_peer import NodePeer, PeerUnavailable
from tests.support.app import App, build_app
from tests.support.servers.server import LiveServer, serving


@pytest.fixture(scope="session")
def node() -> Iterator[NodePeer]:
    try:
        peer = NodePeer()
    except PeerUnavailable as why:
        pytest.skip(str(why))
    with peer:
        yield peer


@pytest.fixture(scope="module")
def wallet_server(
    migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[App, LiveServer]]:
    folder = tmp_path_factory.mktemp("wallets")
    (beside := folder / "database").mkdir()
    database = Path(copyfile(migrated_sqlite, beside / "sceau.sqlite"))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        app = build_app(
            f"sqlite:///{database}", folder, base_url=f"http://localhost:{listener.getsockname()[1]}"
        )
        # Their client compares requests with the clock of the machine.
        app.clock.now = whole_second(datetime.now(UTC))
        with serving(app.process.settings, listener, process=app.process) as live:
            yield app, live
        app.close()
