"""For any input the verifier returns a report, and no malformed input is valid."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sceau_credentials.verification.report import CheckId, Verdict
from tests.support.badges.credentials import DID_URL, JWKS_URL, LIST_URL, badge_document
from tests.support.badges.forgery import CAMPUS, EMBEDDED, SIGNED, asked, token
from tests.support.running.examples import examples


def test_duplicate_members_are_refused_before_anything_is_accepted() -> None:
    """C-022: one parser would show the first, another the last."""
    text = SIGNED.embedded.decode().replace(
        '"name":"Robotique pour tous"', '"name":"A","name":"Robotique pour tous"', 1
    )
    assert asked(text).check(CheckId.READABLE).details["cause"] == "duplicate_member"


def test_graphs_made_to_take_forever_are_given_up_soon() -> None:
    """T13: blank nodes that all point at each other."""
    document = badge_document()
    document["credentialSubject"]["result"] = [{"type": ["Result"], "value": "3"} for _ in range(300)]
    presented = json.dumps(document | {"proof": EMBEDDED["proof"]})
    report = asked(presented)
    assert report.verdict is not Verdict.VALID


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=examples(300), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(st.binary(max_size=300), st.text(max_size=300), JSON.map(json.dumps)))
def test_any_input_yields_a_report_that_answers_every_question(presented: bytes | str) -> None:
    documents = CAMPUS.documents()
    report = asked(presented, documents)
    assert report.verdict is not Verdict.VALID
    assert [answer.id for answer in report.checks] == list(CheckId)
    assert documents.asked == []
    json.dumps(report.to_document())


@settings(max_examples=examples(300), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(EMBEDDED)), JSON, st.booleans())
def test_a_badge_with_any_member_replaced_by_anything_yields_a_report(
    member: str, value: Any, signed_again: bool
) -> None:
    changed = EMBEDDED | {member: value}
    presented = json.dumps(changed)
    if signed_again:
        claims = {name: each for name, each in changed.items() if name != "proof"}
        presented = token(claims=claims)
    report = asked(presented)
    assert [answer.id for answer in report.checks] == list(CheckId)
    if value != EMBEDDED[member] and not signed_again and value != []:
        assert report.verdict is not Verdict.VALID


@settings(max_examples=examples(200), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(JSON)
def test_a_status_list_or_key_document_of_any_shape_yields_a_report(served: Any) -> None:
    body = json.dumps(served).encode()
    for url in (LIST_URL, DID_URL, JWKS_URL):
        report = asked(SIGNED.embedded, CAMPUS.documents(**{url: body}))
        assert (report.verdict is Verdict.VALID) == (url == JWKS_URL)
