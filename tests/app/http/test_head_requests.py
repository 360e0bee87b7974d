"""HEAD requests of a mail scanner or a link checker, against a real server."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from http.client import HTTPConnection

import pytest

from tests.support.app import App
from tests.support.servers.server import serving


@pytest.fixture
def connection(app: App) -> Iterator[HTTPConnection]:
    with socket.create_server(("localhost", 0)) as listener:
        port = listener.getsockname()[1]
        settings = app.process.settings.model_copy(update={"base_url": f"http://localhost:{port}"})
        with serving(settings, listener, process=app.process):
            opened = HTTPConnection("localhost", port, timeout=20)
            # All requests use this connection: after a failure the server closes it.
            opened.auto_open = 0
            opened.connect()
            yield opened
            opened.close()


@pytest.mark.parametrize("path", ["/aide", "/connexion", "/static/nothing", "/couleurs/itip.css"])
def test_head_is_answered_without_a_body_and_the_connection_stays_usable(
    connection: HTTPConnection, path: str
):
    for method in ("HEAD", "GET", "HEAD"):
        connection.request(method, path, headers={"accept": "text/html"})
        answer = connection.getresponse()
        body = answer.read()
        assert int(answer.headers["content-length"]) > 0
        assert bool(body) is (method == "GET")
