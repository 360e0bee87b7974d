"""`python -m tests.lighthouse`: what Lighthouse says of the main public pages of the demo and of a learner's badge; 1 where one
of them is below 95. The last column is the largest contentful paint on its slow 4G, in milliseconds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx

from app.db.engine import session
from app.settings import Settings
from demo.seeder import CAMPUS
from tests.journeys.screenshots import free_listener
from tests.support.demo_pages import demo_links
from tests.support.servers.browser import FLAGS, chromium_path
from tests.support.servers.server import LiveServer, sceau, serving

LEAST = 95
DRIVER = Path(__file__).parent / "driver.mjs"
CATEGORIES = ("performance", "accessibility", "best practices")


def main() -> int:
    chromium = chromium_path()
    if chromium is None:
        sys.exit("no Chromium: install Debian's package chromium, or name one in SCEAU_TEST_CHROMIUM")
    with tempfile.TemporaryDirectory() as scratch, free_listener() as listener:
        settings = Settings(
            base_url=f"http://localhost:{listener.getsockname()[1]}",
            database_url=f"sqlite:///{scratch}/database/sceau.sqlite",
            development_dir=Path(scratch) / "secrets",
            fetch=False,
        )
        session.upgrade(settings.database_url)
        sceau(settings, "demo", "load")
        with serving(settings, listener) as server:
            return _print(_pages(server), chromium)


def _pages(server: LiveServer) -> dict[str, str]:
    """A shut award is not among them: it answers 403, and Lighthouse looks at nothing that does.

    The learner's page comes first: cookies that another page set would replace the one sent with it.
    """
    links = demo_links(server)
    return {
        "learner's badge": _signed_in(links.private),
        "first page": server.url("/"),
        "checking a badge": server.url("/verifier"),
        "open award": links.open_award,
        "withdrawn award": links.revoked_award,
        "is it this person": f"{links.open_award}/personne",
        "campus": server.url(f"/campus/{CAMPUS}"),
        "activity log": server.url(f"/campus/{CAMPUS}/journal"),
        "badge": links.definition,
        "portfolio": links.portfolio,
        "asking for a badge": links.asking,
        "signing in": server.url("/connexion"),
        "help": server.url("/aide"),
    }


def _signed_in(link: str) -> str:
    """The page that a learner's link opens, and the cookie that it leaves."""
    with httpx.Client(follow_redirects=True) as client:
        page = client.get(link)
        return f"{page.url}\t{'; '.join(f'{name}={value}' for name, value in client.cookies.items())}"


def _print(pages: dict[str, str], chromium: str) -> int:
    print(f"{'':20}" + "".join(f"{each:>16}" for each in (*CATEGORIES, "paint")))
    worst = 100
    for name, found in zip(pages, _judged(list(pages.values()), chromium), strict=True):
        print(
            f"{name:20}" + "".join(f"{each:>16}" for each in (*found["scores"], found["largest"])), flush=True
        )
        for trouble in filter(None, (*found["lost"], found["trouble"])):
            print(f"    {trouble}")
        worst = min(worst, *found["scores"])
    return 0 if worst >= LEAST else 1


def _judged(addresses: Sequence[str], chromium: str) -> Iterator[dict[str, Any]]:
    result = {**os.environ, "CHROME_PATH": chromium, "CHROME_FLAGS": "\n".join(FLAGS)}
    with subprocess.Popen(
        ["node", str(DRIVER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=result
    ) as driver:
        assert driver.stdin is not None
        assert driver.stdout is not None
        driver.stdin.write("\n".join(addresses) + "\n")
        driver.stdin.close()
        yield from map(json.loads, driver.stdout)


if __name__ == "__main__":
    sys.exit(main())
