"""More than two hundred hostile badges through the full verifier: each refused for its reason, in bounded time and memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sceau_credentials.verification.report import CheckId, Outcome, Report, Verdict
from tests.support.badges.documents import Documents
from tests.support.badges.forgery import CAMPUS, SIGNED, asked
from tests.support.running.bounds import bounded
from tests.support.running.every import for_each

if TYPE_CHECKING:
    from tests.support.badges.hostile_badges import Hostile


def hostile() -> list[Any]:
    """Some are bombs that take a second to build."""
    from tests.support.badges import hostile_badges, laborious_badges

    families = {
        "token": hostile_badges.TOKENS,
        "proof": hostile_badges.EMBEDDED_PROOFS,
        "content": hostile_badges.CONTENTS,
        "list": hostile_badges.LISTS,
        "key": hostile_badges.KEY_DOCUMENTS,
        "picture": hostile_badges.PICTURES,
        "work": laborious_badges.LABORIOUS,
    }
    return [
        pytest.param(each, id=f"{family}: {each.name}")
        for family, members in families.items()
        for each in members
    ]


WORLD = CAMPUS.documents()


def world_of(hostile: Hostile) -> Documents:
    changed = {url: body for url, body in hostile.served.items() if body is not None}
    documents = WORLD.with_(changed)
    for url in hostile.served.keys() - changed.keys():
        documents = documents.without(url)
    return documents


def refused_by(report: Report) -> list[str]:
    wanting = (Outcome.FAILED, Outcome.UNKNOWN)
    return [f"{answer.id.value}:{answer.reason}" for answer in report.checks if answer.outcome in wanting]


@for_each("hostile", hostile)
def test_hostile_badge_is_refused_for_its_reason_in_a_second_and_64_mebibytes(hostile: Hostile) -> None:
    report = bounded(lambda: asked(hostile.presented, world_of(hostile)))
    assert report.verdict is not Verdict.VALID
    assert hostile.refusal in refused_by(report)
    assert [answer.id for answer in report.checks] == list(CheckId)


@for_each("hostile", hostile)
def test_a_hostile_badge_causes_no_request_except_to_its_issuer(hostile: Hostile) -> None:
    documents = world_of(hostile)
    asked(hostile.presented, documents)
    strange = {url for url in documents.asked if url not in WORLD.held}
    assert all(url.startswith(("https://gone.example/", "https://a.example/")) for url in strange)
    assert len(documents.asked) <= 3


def test_there_are_two_hundred_of_them_and_the_badge_they_derive_from_is_valid() -> None:
    assert len(hostile()) >= 200
    for presented in (SIGNED.embedded, SIGNED.token):
        assert asked(presented, WORLD).verdict is Verdict.VALID
