"""A crowd signs at once over HTTP, each sending twice: none is lost, none is counted twice."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.domain.campus.audit_log import Actor
from tests.support.app import App, build_app
from tests.support.running.examples import IS_LONG
from tests.support.servers.server import LiveServer, serving

PEOPLE = [f"Zoé{chr(97 + n // 20)} Lefèvre{chr(97 + n % 20)}" for n in range(200 if IS_LONG else 60)]
"""More than the server has threads and connections; two hundred in `make test-long`."""
COLOURS = re.compile(r'href="(/couleurs/[^"]+)"')
FIELD = re.compile(r'name="(jeton|billet)" value="([^"]+)"')


@pytest.fixture
def app(database_url: str, tmp_path: Path, listener: socket.socket) -> Iterator[App]:
    built = build_app(database_url, tmp_path, base_url=f"http://localhost:{listener.getsockname()[1]}")
    yield built
    built.close()


@pytest.fixture
def server(app: App, listener: socket.socket) -> Iterator[LiveServer]:
    with serving(app.process.settings, listener, process=app.process) as running:
        yield running


async def ask(phone: httpx.AsyncClient, method: str, path: str, **sent: Any) -> httpx.Response:
    """As a phone does: a connection that breaks is opened again."""
    for _ in range(20):
        with suppress(httpx.TransportError):
            return await phone.request(method, path, **sent)
    raise AssertionError(f"no answer to {method} {path}")


def test_people_who_sign_at_once_are_all_present_once(app: App, server: LiveServer) -> None:
    with app.unit_of_work() as services:
        services.rooms.open(app.campus, app.activity.id, capacity=None, by=Actor(app.trainer.id))
        code = services.rooms.glance(app.campus, app.activity.id).code

    async def sign(name: str) -> list[int]:
        given, family = name.split()
        async with httpx.AsyncClient(
            # Nothing is encrypted here, and reading the roots of trust costs each phone more than its requests.
            base_url=server.settings.base_url,
            timeout=300,
            trust_env=False,
            verify=False,
        ) as phone:
            shown = await ask(phone, "GET", f"/s/{code}")
            colours = await ask(phone, "GET", COLOURS.findall(shown.text)[0])
            fields = {**dict(FIELD.findall(shown.text)), "prenom": given, "nom": family}
            fields |= {"age": "plus", "accord": "oui", "ecoule": "5"}
            answers = await asyncio.gather(*(ask(phone, "POST", "/presence", data=fields) for _ in range(2)))
            return [shown.status_code, colours.status_code, *(each.status_code for each in answers)]

    async def everybody() -> list[list[int]]:
        return await asyncio.gather(*(sign(name) for name in PEOPLE))

    assert asyncio.run(everybody()) == [[200] * 4] * len(PEOPLE)
    with app.unit_of_work(reading=True) as services:
        page = services.rooms.page(app.campus, app.activity.id)
        there = services.activities.page(app.campus, app.activity.id).participants
    assert sorted(person.name for _, person in there) == sorted(PEOPLE)
    assert page.pulse.signed == len(page.entries) == len(PEOPLE)
