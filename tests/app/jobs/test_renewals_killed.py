"""A renewal is done exactly once, whenever servers and workers are killed and however often a reviewer presses."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from uuid import UUID

import httpx
from sqlmodel import select

from app.container import Services
from app.domain.activity_log import EntryKind, LogEntry, LogPayload
from app.domain.awards import Award, NewerDocument, SignedDocument
from app.domain.badges import BadgeKind
from app.domain.campus.audit_log import HistoryEntry
from app.domain.learners.requests import BadgeRequest, RequestState, RequestStep, Step
from app.domain.messages import LetterState, Occasion, QueuedMessage
from app.domain.people import Person
from app.jobs.kinds import LETTERS
from app.services.awards.awards import AwardRequest
from app.services.badges import Wording
from app.services.learners.requests import KnownRequest, RequestOutcome
from sceau_credentials.values import format_timestamp, parse_json_object
from tests.app.services.activity_log.test_integrity import checked
from tests.app.services.learners.test_requests import accepting, reviewer
from tests.support.app import COMMAND, App, build_app, listed
from tests.support.servers.post_office import PostOffice
from tests.torture.run import hurry_letters
from tests.torture.scene import Nest, Node, free_port, wait_until

KILLS = int(os.environ.get("SCEAU_TEST_KILLS", "4"))
"""`make test-long` gives each engine twenty, in a hundred renewals; `make torture` ten times that."""
RENEWALS = 5 * KILLS
DAYS = 90
PASSED = timedelta(days=70)
_TOKEN = re.compile(r'name="jeton" value="([^"]+)"')
ALREADY_DECIDED = 409


@dataclass
class Killed:
    """What was killed, and what came of it."""

    server: int = 0
    worker: int = 0
    unanswered: int = 0
    accepted: Counter[UUID] = field(default_factory=Counter)
    """How often an answer said that this request is accepted now."""
    worker_died_before: datetime = field(default_factory=lambda: datetime.now(UTC))


class Reviewing:
    """A reviewer in front of a browser, who presses twice at once and again where nothing answers."""

    def __init__(self, app: App, server: Node, killed: Killed) -> None:
        self.app, self.server, self.killed = app, server, killed
        self.browser = httpx.Client(
            base_url=server.url, headers={"accept": "text/html"}, timeout=60.0, trust_env=False
        )
        self.took = 0.1
        """Seconds of the last undisturbed renewal."""

    def sign_in(self) -> None:
        path = self.app.sign_in_path(reviewer_of(self.app))
        answer = self.browser.post(path, data={"jeton": _token_in(self.browser.get(path))})
        assert answer.status_code == 303, answer.text

    def see(self, request_id: UUID) -> str:
        return _token_in(self.browser.get(f"/gestion/itip/demandes/{request_id}"))

    def press(self, request_id: UUID, token: str) -> bool:
        """Whether an answer came."""
        fields = {"jeton": token, "raison": "Vu sur place.", "preuve": "A tenu le poste trois fois."}
        try:
            answer = self.browser.post(f"/gestion/itip/demandes/{request_id}/accepter", data=fields)
        except httpx.TransportError:
            self.killed.unanswered += 1
            return False
        if answer.status_code >= 500:
            self.killed.unanswered += 1
            return False
        assert answer.status_code in (303, ALREADY_DECIDED), f"{answer.status_code}: {answer.text[:2000]}"
        self.killed.accepted[request_id] += answer.status_code == 303
        return True

    def renew(self, request_id: UUID) -> None:
        token, begun = self.see(request_id), time.monotonic()
        assert self.press(request_id, token), self.server.log.read_text()[-2000:]
        self.took = time.monotonic() - begun

    def renew_while_killed(self, request_id: UUID, rng: Random) -> None:
        """The server dies at a random moment of two requests that do the same; then it is asked again."""
        token = self.see(request_id)
        with ThreadPoolExecutor(2) as hands:
            pressed = [hands.submit(self.press, request_id, token) for _ in range(2)]
            threading.Event().wait(rng.uniform(0, self.took))
            self.server.kill()
            answered = [each.result() for each in pressed]
        self.killed.server += 1
        start(self.server)
        if not any(answered) or rng.random() < 0.5:
            assert self.press(request_id, token)


def _token_in(page: httpx.Response) -> str:
    token = _TOKEN.search(page.text)
    assert token, f"no form: {page.status_code} {page.text[:300]}"
    return token[1]


def reviewer_of(app: App) -> Person:
    person_id = reviewer(app, "Paul").person_id
    assert person_id
    with app.unit_of_work(reading=True) as services:
        return services.people.people.get(person_id)


def start(server: Node) -> None:
    server.start()
    wait_until(lambda: _answers(server.url), f"the server does not start: see {server.log}", pause=0.02)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/live", timeout=2.0, trust_env=False, verify=False).is_success
    except httpx.TransportError:
        return False


def requests_of(app: App) -> list[UUID]:
    """Each holder of a badge that ends has asked for its renewal."""
    with app.unit_of_work() as services:
        wording = Wording(
            BadgeKind.ENGAGEMENT, "Secours", "Tient le poste.", "La personne a tenu le poste de secours.",
            validity_days=DAYS,
        )  # fmt: skip
        badge = services.badges.create(app.campus, wording, slug="secours", by=COMMAND).badge
    accepting(app, badge.id)
    people = listed(*(f"Zoé Martin;zoe.{number}@exemple.fr" for number in range(RENEWALS)))
    asked = AwardRequest(badge.id, app.activity.id, lines=people, evidence="A tenu le poste.", tells=False)
    with app.unit_of_work() as services:
        result = services.awards.award(app.campus, asked, by=COMMAND)
    app.clock.now = datetime.now(UTC)
    with app.unit_of_work() as services:
        holders = [services.awards.record(line.award_id).person for line in result.lines if line.award_id]
        return [_asked(services, badge.id, services.asking.known(person)).id for person in holders]


def _asked(services: Services, badge_id: UUID, known: KnownRequest) -> BadgeRequest:
    asks = RequestOutcome("", "", known.address, "J’ai tenu le poste trois fois cette année.")
    return services.asking.ask(badge_id, asks, known=known)


def test_every_renewal_is_done_exactly_once_whoever_is_killed_when(database_url: str, tmp_path: Path):
    rng, killed = Random(20261129), Killed()
    office, nest, port = PostOffice(), Nest(), free_port()
    office.start()
    base_url = f"http://localhost:{port}"
    app = build_app(database_url, tmp_path, base_url=base_url, at=datetime.now(UTC) - PASSED)
    env = {
        "SCEAU_BASE_URL": base_url,
        "SCEAU_DATABASE_URL": database_url,
        "SCEAU_DEVELOPMENT_DIR": str(tmp_path / "secrets"),
        "SCEAU_FETCH": "off",
        "SCEAU_SMTP_URL": f"smtp://127.0.0.1:{office.port}",
        "SCEAU_LETTERS_PER_MINUTE": "100000",
        "SCEAU_PORT": str(port),
        "SCEAU_WORK": "off",
    }
    server = Node("server", ["serve"], env, tmp_path / "server.log", nest, base_url)
    worker = Node("worker", ["work"], env, tmp_path / "worker.log", nest, works=True)
    awaited, dead = threading.Event(), threading.Event()

    def kill_worker() -> None:
        """Between the arrival of a letter about a renewal and the note that it left."""
        if awaited.is_set() and "est renouvelé" in str(office.received[-1]["Subject"]):
            os.kill(worker.pid, signal.SIGKILL)
            killed.worker += 1
            awaited.clear()
            dead.set()

    def revive_worker() -> None:
        if awaited.is_set():
            wait_until(dead.is_set, f"no letter leaves: see {worker.log}", pause=0.02)
        if dead.is_set():
            dead.clear()
            # Attempts are kept to the second: none of the next worker falls into the second of this death.
            second = datetime.now(UTC).replace(microsecond=0)
            wait_until(lambda: datetime.now(UTC) >= second + timedelta(seconds=1), pause=0.02)
            killed.worker_died_before = second + timedelta(seconds=1)
            worker.start()

    try:
        requests = requests_of(app)
        start(server)
        worker.start()
        reviewing = Reviewing(app, server, killed)
        reviewing.sign_in()
        office.on_letter = kill_worker
        for number, request_id in enumerate(requests):
            turn, rest = divmod(number * KILLS, RENEWALS)
            if rest < KILLS and turn % 2:
                reviewing.renew_while_killed(request_id, rng)
                continue
            if rest < KILLS or dead.is_set():
                revive_worker()
            if rest < KILLS:
                awaited.set()
            reviewing.renew(request_id)
        revive_worker()
        wait_until(
            lambda: not hurry_letters(app, attempted_before=killed.worker_died_before),
            "letters stay",
            pause=0.2,
        )
        assert (killed.server, killed.worker) == (KILLS // 2, KILLS - KILLS // 2)
        again = check_each_was_done_once(app, office, killed)
    finally:
        nest.close()
        app.close()
        office.stop()
    print(
        f"{KILLS} kills ({killed.server} of the server, {killed.worker} of the worker), {RENEWALS} renewals, "
        f"{killed.unanswered} requests without an answer, {again} e-mails that came again"
    )


def check_each_was_done_once(app: App, office: PostOffice, killed: Killed) -> int:
    """Returns how many e-mails arrived more than once, always under the same Message-ID."""
    assert checked(app) == []
    with app.unit_of_work(reading=True) as services:

        def rows(kind):
            return list(services.stores.session.exec(select(kind)).all())

        awards = {award.id: award for award in rows(Award)}
        firsts = {each.award_id: parse_json_object(each.embedded) for each in rows(SignedDocument)}
        newer, requests, steps = rows(NewerDocument), rows(BadgeRequest), rows(RequestStep)
        letters = [each for each in rows(QueuedMessage) if each.occasion == Occasion.RENEWED]
        history = Counter((each.noun, each.action, each.noun_id) for each in rows(HistoryEntry))
        decided = {each.number for each in rows(LogEntry) if each.kind is EntryKind.AWARD}
        logged = Counter(each.noun_id for each in rows(LogPayload) if each.number in decided)
    once = dict.fromkeys(awards, 1)
    assert len(awards) == len(requests) == RENEWALS
    assert Counter(each.award_id for each in newer) == once
    for edition in newer:
        award, first, document = (
            awards[edition.award_id],
            firsts[edition.award_id],
            parse_json_object(edition.embedded),
        )
        assert (award.edition, edition.edition, document["id"]) == (2, 2, first["id"])
        assert award.valid_until
        assert document["validUntil"] == format_timestamp(award.valid_until)
        ends = datetime.fromisoformat(str(first["validUntil"]))
        assert award.valid_until - ends == timedelta(days=DAYS)
    assert logged == dict.fromkeys(awards, 2), "one line for the award, one for its renewal"
    assert Counter(each.award_id for each in requests) == once
    assert {each.state for each in requests} == {RequestState.ACCEPTED}
    accepted = Counter(each.request_id for each in steps if each.step is Step.ACCEPTED)
    assert accepted == {each.id: 1 for each in requests}
    assert all(history["award", "reissue", award_id] == 1 for award_id in awards)
    assert all(history["request", "accepted", each.id] == 1 for each in requests)
    assert max(killed.accepted.values()) == 1, "a request was accepted twice"
    assert Counter(each.award_id for each in letters) == once
    assert {each.state for each in letters} == {LetterState.SENT}
    arrived = Counter(
        str(each["Message-ID"]) for each in office.received if "est renouvelé" in str(each["Subject"])
    )
    assert {name.strip("<>").partition(".")[0] for name in arrived} == {each.id.hex for each in letters}
    assert len(arrived) == RENEWALS
    assert sum(arrived.values()) - RENEWALS <= LETTERS.at_once * killed.worker, "sent again by the living"
    return sum(arrived.values()) - RENEWALS
