"""Simulated trainers: they award badges, double-click, retry without an answer, undo and revoke."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event, Lock, Thread
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx

from tests.support.forms import DRAFT, Form, form_with
from tests.torture.scene import LONG_ENOUGH, Scene

_TOKEN = re.compile(r'name="jeton" value="([^"]+)"')
_TICKS = re.compile(r'name="attribution" value="([^"]+)"')
Sizes = Sequence[tuple[int, int, int]]
"""Sizes of lists: minimum, maximum, weight."""
MANY_LETTERS = 90
OF_ALL_SIZES: Sizes = ((1, 50, 4), (51, MANY_LETTERS, 4), (501, 620, 1))
"""Processed in the request, by a worker, and by a worker in several chunks."""
HOUR_HAS_PASSED = (422,)
"""The planned time passed during retries: nothing is planned, and the page states it."""
FEW: Sizes = ((1, 20, 1), (51, 60, 1))


@dataclass
class Promise:
    """One requested bulk award, and what the received answers acknowledge of it."""

    badge_id: UUID
    people: list[str]
    batches: set[UUID] = field(default_factory=set)
    """Batches in the received answers; exactly one, for any number of submissions."""
    undone: bool = False
    presses: int = 0


@dataclass
class Board:
    """State shared by all trainers."""

    promises: list[Promise] = field(default_factory=list)
    withdrawn: set[UUID] = field(default_factory=set)
    unanswered: int = 0
    """Number of requests without an answer or with a server error."""
    next_person: int = 0
    lock: Lock = field(default_factory=Lock)

    def new_people(self, count: int) -> range:
        with self.lock:
            first, self.next_person = self.next_person, self.next_person + count
        return range(first, first + count)

    def acknowledged(self) -> list[Promise]:
        return [promise for promise in self.promises if promise.batches]


class Trainer(Thread):
    """Runs until `stopping` is set; finishes what it has begun."""

    def __init__(self, scene: Scene, board: Board, rng: random.Random, *, pause: float, sizes: Sizes) -> None:
        super().__init__(daemon=True)
        self.scene, self.board, self.rng = scene, board, rng
        self.pause, self.sizes = pause, sizes
        self.stopping = Event()
        self.trouble: BaseException | None = None
        self.browser = httpx.Client(
            headers={"accept": "text/html", "host": scene.host}, timeout=60.0, trust_env=False
        )
        self.award = f"/gestion/itip/activites/{scene.app.activity.id}/attribuer"

    def run(self) -> None:
        try:
            self._sign_in()
            while not self.stopping.is_set():
                self._give()
                self.stopping.wait(self.rng.uniform(0, self.pause))
        except BaseException as error:
            self.trouble = error

    # --- actions

    def _sign_in(self) -> None:
        app = self.scene.app

        def enter() -> httpx.Response:
            return self._sent(app.sign_in_path(app.admin), {})

        self._until_answered(enter)

    def _give(self) -> None:
        promise = self._enqueue()
        later = self.rng.random() < 0.1
        page = self._until_answered(
            lambda: self._sent(
                self.award,
                {"badge": str(promise.badge_id), "qui": "liste", "liste": "\n".join(promise.people)},
            )
        )
        form = form_with(page, "cle")
        gesture = ("geste", "attribuer")
        if later:
            form.fill(quand=self._in_seconds(self.rng.randint(2, 6)))
            gesture = ("geste", "plus-tard")
        self.board.promises.append(promise)
        if not self._press(promise, form, gesture):
            return
        (batch,) = promise.batches
        mood = self.rng.random()
        if later or mood < 0.1:
            return
        if mood < 0.25:
            self._undo(promise, batch)
        elif mood < 0.5:
            self._hand_over(batch)
            if mood < 0.4:
                self._withdraw(batch)

    def _enqueue(self) -> Promise:
        """A list of people: most are new, some may already have the badge. It contains no doubtful lines."""
        app, rng = self.scene.app, self.rng
        shortest, longest, _ = rng.choices(self.sizes, [often for *_, often in self.sizes])[0]
        badge = rng.choices((app.presence, self.scene.always), (3, 2))[0].badge.id
        new = self.board.new_people(rng.randint(shortest, longest))
        known = rng.sample(range(new.start), min(new.start, rng.randint(0, 8)))
        # Most people of the longest lists have no address: these test awards, not letters.
        with_address = 0.05 if len(new) > MANY_LETTERS else 0.8
        lines = [_line(number, rng.random() < with_address) for number in (*new, *known)]
        rng.shuffle(lines)
        return Promise(badge, lines)

    def _press(self, promise: Promise, form: Form, gesture: tuple[str, str]) -> bool:
        """Submit until an answer arrives, except for a few trainers who give up; whether the award was acknowledged."""
        patient = self.rng.random() > 0.05
        twice = self.rng.random() < 0.3
        answers: list[httpx.Response | None] = []
        fields = {**form.fields, gesture[0]: [gesture[1]]}

        def press() -> httpx.Response:
            promise.presses += 1
            return self._post(self.award, fields)

        if twice:
            with ThreadPoolExecutor(2) as hands:
                answers = list(
                    hands.map(lambda press: self._answer_of(press, HOUR_HAS_PASSED), (press, press))
                )
        if all(answer is None for answer in answers):
            answers = [
                self._until_answered(press, HOUR_HAS_PASSED)
                if patient
                else self._answer_of(press, HOUR_HAS_PASSED)
            ]
        promise.batches.update(
            _batch_in(answer) for answer in answers if answer is not None and answer.is_redirect
        )
        return bool(promise.batches)

    def _undo(self, promise: Promise, batch: UUID) -> None:
        """Undo at a random time within the undo period."""
        self.stopping.wait(self.rng.uniform(0, 1.5))
        answer = self._until_answered(lambda: self._decided(batch, "annuler"), also=(409,))
        promise.undone = answer.status_code == 303

    def _hand_over(self, batch: UUID) -> None:
        deadline = time.monotonic() + LONG_ENOUGH
        while time.monotonic() < deadline:
            if self._until_answered(lambda: self._decided(batch, "remettre"), also=(409,)).status_code == 303:
                return
            self.stopping.wait(0.5)

    def _withdraw(self, batch: UUID) -> None:
        """Revoke some awards of a batch for one reason, retrying until an answer arrives."""
        page = self._until_answered(
            lambda: self.browser.get(f"{self._anywhere()}/gestion/itip/retraits/nouveau?lot={batch}")
        )
        there = _TICKS.findall(page.text)
        if not there:
            return
        some = self.rng.sample(there, self.rng.randint(1, len(there)))
        form = form_with(page, "motif").fill(lesquels="coches", attribution=some, motif="Erreur de liste.")
        self._until_answered(lambda: self._post(form.action, form.fields))
        self.board.withdrawn.update(map(UUID, some))

    def _decided(self, batch: UUID, deed: str) -> httpx.Response:
        # The form token is the same on all pages of a session.
        return self._sent(f"/gestion/itip/resultats/{batch}/{deed}", {}, seen_on=self.award)

    def _in_seconds(self, seconds: int) -> str:
        later = datetime.now(ZoneInfo(self.scene.app.campus.time_zone)) + timedelta(seconds=seconds)
        return later.replace(tzinfo=None).isoformat(timespec="seconds")

    # --- requests

    def _sent(self, path: str, fields: dict[str, str], *, seen_on: str = "") -> httpx.Response:
        shown = self.browser.get(self._anywhere() + (seen_on or path))
        token = _TOKEN.search(shown.text)
        if token is None:
            shown.raise_for_status()
            raise AssertionError(f"no form on {seen_on or path}: {shown.status_code} {shown.text[:300]}")
        return self._post(path, {"jeton": token[1], **fields})

    def _post(self, path: str, fields: dict) -> httpx.Response:
        answer = self.browser.post(self._anywhere() + path, data=fields)
        draft = DRAFT.search(answer.headers.get("location", ""))
        return self.browser.get(self._anywhere() + draft.string) if draft else answer

    def _anywhere(self) -> str:
        """A random web server, as chosen by a load balancer."""
        return self.rng.choice(self.scene.webs).url

    def _answer_of(
        self, deed: Callable[[], httpx.Response], also: tuple[int, ...] = ()
    ) -> httpx.Response | None:
        """None without an answer or on a server error; any other unexpected status fails the run."""
        try:
            answer = deed()
        except (httpx.TransportError, httpx.HTTPStatusError):
            answer = None
        if answer is None or answer.status_code >= 500:
            with self.board.lock:
                self.board.unanswered += 1
            return None
        assert answer.status_code in (200, 303, *also), (
            f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {answer.text[-3000:]}"
        )
        return answer

    def _until_answered(
        self, deed: Callable[[], httpx.Response], also: tuple[int, ...] = ()
    ) -> httpx.Response:
        deadline = time.monotonic() + LONG_ENOUGH
        while (answer := self._answer_of(deed, also)) is None:
            assert time.monotonic() < deadline, "the servers do not answer any more"
            time.sleep(0.1)
        return answer


def _line(number: int, has_address: bool) -> str:
    family = "KER" + "".join("ABCDEFGHIJ"[int(digit)] for digit in str(number))
    return f"{family} Zoé" + (f";p{number}@exemple.fr" if has_address else "")


def _batch_in(answer: httpx.Response) -> UUID:
    return UUID(answer.headers["location"].rpartition("/")[2])
