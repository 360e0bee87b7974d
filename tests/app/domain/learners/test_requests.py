"""Requests as a state machine: whatever people do in whatever order, four eyes are four and what is over stays over."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from app.domain.badges import BadgeKind, BadgeVersion
from app.domain.learners.requests import (
    BadgeRequest,
    RequestState,
    add,
    agree,
    ask_more,
    check_link,
    check_reason,
    confirm,
    is_own,
    read_links,
    refuse,
    reviewers_needed,
    withdraw,
)
from app.errors import AppError, InvalidInput
from tests.support.running.examples import examples

ASKER, *REVIEWERS = [uuid.UUID(int=number) for number in range(1, 5)]
ADDRESS = "zoe@exemple.fr"
PEOPLE = st.sampled_from([(ASKER, ("autre@exemple.fr",)), *((each, (f"{each}@exemple.fr",)) for each in REVIEWERS),
                          (uuid.UUID(int=9), (ADDRESS,))])  # fmt: skip
"""The last one has another name, and one of the asker's own addresses."""
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


class Requests(RuleBasedStateMachine):
    @initialize(needed=st.sampled_from([1, 2]))
    def ask(self, needed: int) -> None:
        self.needed, self.at = needed, NOON
        self.request = BadgeRequest(
            campus_id=uuid.uuid4(), badge_id=uuid.uuid4(), family_name="Martin", given_name="Zoé",
            address=ADDRESS, narrative="J’ai animé deux ateliers.", created_at=NOON, waiting_since=NOON,
        )  # fmt: skip
        self.agreed: set[uuid.UUID] = set()
        self.content = "a"
        self.ended: tuple[RequestState, datetime | None] | None = None

    def attempt(self, action) -> bool:
        """Whether the rules let it be; a refused deed changes nothing."""
        before = self.request.model_dump()
        self.at += timedelta(hours=1)
        try:
            action()
        except AppError:
            assert self.request.model_dump() == before
            return False
        return True

    @rule()
    def confirmed(self) -> None:
        confirm(self.request, ASKER, at=self.at)

    @rule()
    def added(self) -> None:
        was = self.request.state
        done = self.attempt(lambda: add(self.request, at=self.at))
        assert done == (was in (RequestState.WAITING, RequestState.MORE))

    @rule()
    def withdrawn(self) -> None:
        over = self.request.state in (RequestState.ACCEPTED, RequestState.REFUSED)
        assert self.attempt(lambda: withdraw(self.request, at=self.at)) == (not over)

    @rule(who=PEOPLE)
    def agrees(self, who) -> None:
        person, addresses = who
        turn = self.request.state.waits_for_reviewers
        may = turn and not is_own(self.request, person, addresses) and person not in self.agreed
        done = self.attempt(
            lambda: agree(
                self.request, person, addresses, needed=self.needed, content=self.content, at=self.at
            )
        )
        assert done == may
        if done:
            self.agreed.add(person)
            enough = len(self.agreed) >= self.needed
            assert (self.request.state is RequestState.ACCEPTED) == enough

    @rule()
    def badge_rewritten(self) -> None:
        """Agreements to the badge as it was do not count."""
        self.content += "a"
        if not self.request.state.is_over:
            self.agreed.clear()

    @rule(who=PEOPLE)
    def asks_more(self, who) -> None:
        person, addresses = who
        if self.attempt(lambda: ask_more(self.request, person, addresses, at=self.at)):
            assert self.request.state is RequestState.MORE
            self.agreed.clear()

    @precondition(lambda self: self.at.hour % 5 == 0)
    @rule(who=PEOPLE)
    def refuses(self, who) -> None:
        person, addresses = who
        if self.attempt(lambda: refuse(self.request, person, addresses, at=self.at)):
            assert person in REVIEWERS

    @invariant()
    def what_is_over_stays_over(self) -> None:
        if getattr(self, "request", None) is None:
            return
        now = (self.request.state, self.request.decided_at)
        if self.ended is not None:
            assert now == self.ended
        elif self.request.state.is_over:
            assert self.request.decided_at is not None
            self.ended = now

    @invariant()
    def a_badge_is_given_by_enough_others(self) -> None:
        if getattr(self, "request", None) is None or self.request.state is not RequestState.ACCEPTED:
            return
        assert self.request.person_id == ASKER
        assert len(self.agreed) == self.needed
        assert self.agreed <= set(REVIEWERS)


Requests.TestCase.settings = settings(max_examples=examples(200), stateful_step_count=25, deadline=None)
TestRequests = Requests.TestCase


@pytest.mark.parametrize("kind", BadgeKind, ids=lambda kind: kind.value)
def test_four_eyes_look_at_a_competency_and_two_at_the_rest(kind: BadgeKind):
    version = BadgeVersion(badge_id=uuid.uuid4(), number=1, kind=kind, name="B", description="", criteria="",
                           created_at=NOON)  # fmt: skip
    assert reviewers_needed(version) == (2 if kind is BadgeKind.COMPETENCY else 1)


@pytest.mark.parametrize(
    "link",
    ["javascript:alert(1)", "data:text/html,x", "ftp://exemple.fr/a", "https://", "https://a b.fr", "exemple.fr",
     "https://moi@exemple.fr", "https://exemple.fr/\u202e", "https://[", "https://exemple.fr/" + "a" * 500],
    ids=range(10),
)  # fmt: skip
def test_what_is_no_web_address_is_no_link(link: str):
    with pytest.raises(InvalidInput):
        check_link(link)


def test_links_are_one_a_line_and_five_at_most():
    five = [f"https://exemple.fr/{number}" for number in range(5)]
    assert read_links("\n\n".join(five) + "\n ") == five
    with pytest.raises(InvalidInput):
        read_links("\n".join([*five, "https://exemple.fr/6"]))


def test_nobody_is_promised_that_a_reason_is_read_by_one_person_alone():
    with pytest.raises(InvalidInput) as refused:
        check_reason("non")
    assert "seule" not in refused.value.sentence
