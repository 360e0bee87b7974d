"""How many of our own files and functions one request enters: an award, an award's page, a verification."""

from __future__ import annotations

import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

from httpx import Response

from app.db.engine import session
from app.domain.awards import Visibility
from tests.app.web.awards.awarding_steps import GIVE, preview
from tests.support.app import COMMAND, build_app
from tests.support.forms import form_with

OURS = ("/app/", "/sceau_credentials/")


class Entered:
    """Notes functions that are entered by any thread that starts from now on."""

    def __init__(self, root: Path) -> None:
        self.root = f"{root}/"
        self.seen: set[tuple[str, str]] | None = None
        threading.setprofile(self._note)
        sys.setprofile(self._note)

    def _note(self, frame: FrameType, event: str, _argument: object) -> None:
        if event != "call" or self.seen is None:
            return
        file = frame.f_code.co_filename
        is_ours = file.startswith(self.root) and any(ours in file for ours in OURS)
        if is_ours and "site-packages" not in file:
            self.seen.add((file, frame.f_code.co_qualname))

    def count(self, ask: Callable[[], Response]) -> tuple[int, int]:
        self.seen = found = set()
        try:
            answer = ask()
        finally:
            self.seen = None
        assert answer.status_code in (200, 303), answer.text
        return len({file for file, _ in found}), len(found)

    def stop(self) -> None:
        sys.setprofile(None)
        threading.setprofile(None)


def requests_entered(root: Path) -> Iterator[tuple[str, int, int]]:
    """(request, files, functions); each the first of its kind for its person or badge, in a process that served others.

    Comprehensions and lambdas count as functions.
    """
    entered = Entered(root)
    with tempfile.TemporaryDirectory() as folder:
        (database := Path(folder) / "database").mkdir()
        url = f"sqlite:///{database / 'sceau.sqlite'}"
        session.upgrade(url)
        app = build_app(url, Path(folder))
        try:
            trainer, anyone = app.client(app.trainer), app.client()
            award = f"/gestion/itip/activites/{app.activity.id}/attribuer"

            def give(person: str) -> tuple[int, int]:
                page = preview(trainer, award, app.presence, liste=person)
                return entered.count(lambda: form_with(page, "cle").press(trainer, page, GIVE))

            give("MARTIN Chloé")
            yield "one award from a list on the page", *give("RIVOIRE Malo")
            one, other = (app.award(person).lines[0].award_id for person in ("FAYE Awa", "ROY Tom"))
            with app.unit_of_work() as services:
                for award_id in filter(None, (one, other)):
                    services.awards.set_visibility(award_id, Visibility.OPEN, by=COMMAND)
            anyone.get(f"/attributions/{one}")
            yield "an award's page", *entered.count(lambda: anyone.get(f"/attributions/{other}"))
            files = [
                anyone.get(f"/attributions/{each}", headers={"accept": "application/json"}).content
                for each in (one, other)
            ]
            sent = {"content-type": "application/json", "accept": "application/json"}
            anyone.post("/api/v1/verify", content=files[0], headers=sent)
            yield (
                "POST /api/v1/verify",
                *entered.count(lambda: anyone.post("/api/v1/verify", content=files[1], headers=sent)),
            )
        finally:
            entered.stop()
            app.close()
