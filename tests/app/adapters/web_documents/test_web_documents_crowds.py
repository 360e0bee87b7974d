"""Concurrent requests (T16): one URL is fetched once, and no slow or broken host holds up the others."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Event

import pytest

from app.adapters.web_documents import Flights
from app.adapters.web_documents.url_policy import Deadline, Hosts, Limits, RefusalReason, Refused
from sceau_credentials.errors import DocumentUnavailable
from tests.support.servers.hostile_server import Conversation, answer

URL = "https://issuer.example/did.json"
PATIENCE = 10.0


class Seconds:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class SaysWhenWaiting(Deadline):
    """Sets the event when its remaining time is read, immediately before the wait."""

    def __init__(self, waiting: Event) -> None:
        super().__init__(PATIENCE, lambda: 0.0)
        self.waiting = waiting

    def remaining(self) -> float:
        self.waiting.set()
        return super().remaining()


@pytest.mark.parametrize("fails", [False, True])
def test_concurrent_requests_for_one_document_share_its_answer(fails: bool):
    flights: Flights[str] = Flights()
    begun, go_on, waiting = Event(), Event(), Event()
    flown: list[str] = []

    def fly(name: str) -> str:
        flown.append(name)
        begun.set()
        assert go_on.wait(PATIENCE)
        if fails:
            raise Refused(RefusalReason.TOO_LARGE)
        return name

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(flights.join, "question", lambda: fly("first"), SaysWhenWaiting(Event()))
        assert begun.wait(PATIENCE)
        second = pool.submit(flights.join, "question", lambda: fly("second"), SaysWhenWaiting(waiting))
        assert waiting.wait(PATIENCE)
        go_on.set()
        outcomes = [future.exception(PATIENCE) or future.result() for future in (first, second)]
    assert flown == ["first"]
    assert [str(outcome) for outcome in outcomes] == (["too_large"] * 2 if fails else ["first"] * 2)
    assert flights.join("question", lambda: "later", SaysWhenWaiting(Event())) == "later"


def test_one_request_too_many_is_refused_at_once(network, fetcher):
    go_on = Event()

    def hold(talk: Conversation) -> None:
        go_on.wait(PATIENCE)
        answer()(talk)

    network.server.scripts["/did.json"] = hold
    documents = fetcher(limits=Limits(present=1))
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(documents.fetch, URL)
        assert network.server.asked.wait(PATIENCE)
        with pytest.raises(DocumentUnavailable, match="busy"):
            documents.fetch("https://other.example/did.json")
        go_on.set()
        assert held.result(PATIENCE).body == b"{}"


def soon() -> Deadline:
    times = iter([0.0, 0.0])
    return Deadline(0.01, lambda: next(times))


def test_one_host_never_takes_all_slots():
    hosts = Hosts(Limits(at_once=3, at_once_per_host=2), Seconds())
    with ExitStack() as places:
        for _ in range(2):
            places.enter_context(hosts.place("slow.example", soon()))
        with pytest.raises(Refused, match="busy"), hosts.place("slow.example", soon()):
            pass
        places.enter_context(hosts.place("other.example", soon()))
        with pytest.raises(Refused, match="busy"), hosts.place("third.example", soon()):
            pass
    with hosts.place("slow.example", soon()):
        pass


@pytest.mark.parametrize("fails", [False, True])
def test_a_waiting_request_gets_its_slot_unless_the_host_was_closed_meanwhile(fails: bool):
    hosts = Hosts(Limits(at_once_per_host=1, failures=1), Seconds())
    waiting = Event()

    def take_a_place() -> str:
        with hosts.place("slow.example", SaysWhenWaiting(waiting)):
            return "a place"

    with ThreadPoolExecutor(1) as pool:
        try:
            with hosts.place("slow.example", soon()):
                second = pool.submit(take_a_place)
                assert waiting.wait(PATIENCE)
                if fails:
                    raise Refused(RefusalReason.TIMEOUT)
        except Refused:
            pass
        # Before its own deadline: it was woken.
        outcome = second.exception(PATIENCE / 2) or second.result()
    assert str(outcome) == ("unreachable" if fails else "a place")


def test_a_host_with_error_answers_is_not_a_failing_host(network, fetcher):
    documents = fetcher()
    network.server.scripts["/did.json"] = answer(content_encoding="gzip")
    for _ in range(5):
        with pytest.raises(DocumentUnavailable, match="compressed"):
            documents.fetch(URL)


def test_a_failing_host_is_not_contacted_for_a_while(network, fetcher):
    seconds, tried = Seconds(), []

    def dial(address: str, port: int, timeout: float):
        tried.append(address)
        raise ConnectionRefusedError

    documents = fetcher(monotonic=seconds, dial=dial)

    def fail() -> None:
        with pytest.raises(DocumentUnavailable, match="unreachable"):
            documents.fetch(URL)

    for _ in range(5):
        fail()
    assert len(tried) == 3
    seconds.now += 30
    fail()
    fail()
    assert len(tried) == 4


def test_a_host_that_answers_again_is_reopened(network, fetcher):
    seconds, is_down = Seconds(), [True]

    def dial(address: str, port: int, timeout: float):
        if is_down[0]:
            raise ConnectionRefusedError
        return network.dial(address, port, timeout)

    network.server.scripts["/did.json"] = answer(cache_control="no-store")
    documents = fetcher(monotonic=seconds, dial=dial)
    for _ in range(2):
        with pytest.raises(DocumentUnavailable):
            documents.fetch(URL)
    is_down[0] = False
    documents.fetch(URL)
    is_down[0] = True
    for _ in range(2):
        with pytest.raises(DocumentUnavailable):
            documents.fetch(URL)
    is_down[0] = False
    assert documents.fetch(URL).body == b"{}"


def test_a_missing_page_does_not_close_its_host(network, fetcher):
    network.server.scripts["/did.json"] = answer()
    documents = fetcher()
    for number in range(5):
        with pytest.raises(DocumentUnavailable, match="not_found"):
            documents.fetch(f"https://issuer.example/{number}")
    assert documents.fetch(URL).body == b"{}"
