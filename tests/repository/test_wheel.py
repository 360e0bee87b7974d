"""The built wheel migrates, loads the demo and serves from an empty folder, without the repository."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import zipfile
from pathlib import Path

import httpx
import pytest

from tests.support.databases.engines import ENGINES
from tests.support.running.examples import in_turn

REPOSITORY = Path(__file__).resolve().parents[2]
CONNECT_ATTEMPTS = 600
SET_UP = """
import gc, sys
gc.set_threshold(20_000, 50, 100)
import app
from app.cli.__main__ import main
from app.container import Process
from app.settings import Settings
from demo.seeder import print_links

assert app.__file__.startswith(sys.argv[1]), "the repository must not be what is imported"
for words in (["migrate"], ["demo", "load"]):
    try:
        main(words)
    except SystemExit as ended:
        assert not ended.code, words
print_links(Process(Settings()))
gc.freeze()
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What an installer unpacks; the dependencies are those of this environment."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder],
        cwd=REPOSITORY, check=True, capture_output=True,
    )  # fmt: skip
    (wheel,) = folder.glob("sceau-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


# The migrations and the demo on PostgreSQL have their own tests.
@pytest.mark.parametrize("engine_name", in_turn(ENGINES, 0))
def test_wheel_migrates_loads_the_demo_and_serves_in_an_empty_folder(
    engine_name: str, installed: Path, tmp_path: Path, request: pytest.FixtureRequest
):
    if engine_name == "sqlite":
        (tmp_path / "database").mkdir()
        url = f"sqlite:///{tmp_path}/database/sceau.sqlite"
    else:
        url = request.getfixturevalue("empty_postgres_url")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (empty := tmp_path / "empty").mkdir()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("SCEAU_")},
        "PYTHONPATH": str(installed),
        "SCEAU_BASE_URL": f"http://localhost:{port}",
        "SCEAU_PORT": str(port),
        "SCEAU_DATABASE_URL": url,
        "SCEAU_DEVELOPMENT_DIR": str(tmp_path / "secrets"),
    }

    # One process for these: each that starts reads a thousand modules.
    set_up = subprocess.run(
        [sys.executable, "-c", SET_UP, str(installed)],
        cwd=empty, env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert set_up.returncode == 0, set_up.stdout + set_up.stderr
    with subprocess.Popen(
        [sys.executable, "-m", "app.cli", "serve"],
        cwd=empty, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as server:  # fmt: skip
        try:
            transport = httpx.HTTPTransport(retries=CONNECT_ATTEMPTS)
            with httpx.Client(
                base_url=f"http://localhost:{port}",
                headers={"accept": "text/html"},
                transport=transport,
                follow_redirects=True,
                timeout=60,
            ) as client:
                _check_pages(client, set_up.stdout)
        finally:
            server.terminate()


def _check_pages(client: httpx.Client, links: str) -> None:
    assert client.get("/health/ready").status_code == 200
    campus = client.get("/campus/itip")
    badge = re.search(r"/badges/[0-9a-f-]{36}", campus.text)
    assert badge, "the campus shows its badges"
    picture = re.search(r'src="(/badges/[^"]+)"', client.get(badge[0]).text)
    assert picture
    assert client.get(picture[1]).headers["content-type"].startswith("image/")
    # Where npm has installed it here, the wheel holds it.
    has_reader = (REPOSITORY / "app/http/static/qr/decode.js").exists()
    assert ("qr/decode.js" in client.get("/verifier").text) is has_reader
    private = re.search(r"/recevoir/\S+", links)
    assert private, "the demo has a badge to open"
    mine = client.get(private[0])
    assert mine.status_code == 200
    assert client.get(f"{mine.url.path}/badge.pdf").content.startswith(b"%PDF")
