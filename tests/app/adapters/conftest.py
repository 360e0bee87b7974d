"""Another issuer's server on loopback with a fetcher that only knows this network; and the artist of the badges."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.adapters.badge_pictures import BadgeArtist
from app.adapters.badge_pictures.templates import Template, read_templates
from app.adapters.web_documents import WebDocuments
from tests.app.adapters.badge_pictures.orders import TEMPLATES
from tests.support.app import SettableClock
from tests.support.servers.hostile_server import Network, hostile_network

Fetcher = Callable[..., WebDocuments]


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    """No test contacts anything but the server."""
    with hostile_network(tmp_path) as made:
        yield made
        assert made.nothing_else_was_contacted


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
def fetcher(network: Network, clock: SettableClock) -> Fetcher:
    """Makes a fetcher in this network; arguments replace its parts."""

    def make(**changed: object) -> WebDocuments:
        made_of = {
            "clock": clock,
            "ssl_context": network.client_context,
            "resolve": network.resolve,
            "dial": network.dial,
        }
        return WebDocuments(**{**made_of, **changed})

    return make


@pytest.fixture(scope="module")
def artist() -> BadgeArtist:
    return BadgeArtist(TEMPLATES)


@pytest.fixture(scope="module")
def templates() -> dict[str, Template]:
    return read_templates(TEMPLATES)
