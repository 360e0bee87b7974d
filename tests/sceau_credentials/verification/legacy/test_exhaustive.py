"""Full answers about an older badge: reason and every detail, and the other parts of the report."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from sceau_credentials import Identity, Policy, verify
from sceau_credentials.errors import DocumentUnavailable
from tests.sceau_credentials.verification.legacy.answers import (
    HOSTED,
    LONG,
    PERIOD,
    REST,
    SIGNED,
    TOKEN,
    UUID,
    answers_of,
    report_on,
    skipped,
)
from tests.sceau_credentials.verification.legacy.older_issuer import (
    ASSERTION,
    CLASS,
    ISSUER,
    KEY,
    NOON,
    REVOCATIONS,
    SIGNING_KEY,
    SITE,
    V1,
    V2,
    Gone,
    assertion,
    badge_class,
    issuer,
    jws,
    published,
    revocations,
    signed_assertion,
)
from tests.support.badges.documents import Documents


def test_a_hosted_and_a_signed_badge_get_full_answers() -> None:
    assert answers_of(assertion()) == HOSTED
    assert answers_of(TOKEN) == SIGNED


def test_a_report_on_an_older_badge_contains_its_parts() -> None:
    whole = assertion() | {"badge": badge_class() | {"issuer": issuer()}}
    hosted = report_on(assertion(name="presented"))
    assert hosted.document == whole
    assert hosted.presented == assertion(name="presented")
    assert (hosted.issuer, hosted.verification_method, hosted.key) == (ISSUER, ASSERTION, None)
    assert (hosted.container, hosted.form, hosted.at) == ("json", "open_badges_2", NOON)
    signed = report_on(TOKEN)
    assert signed.document == signed_assertion() | {"badge": whole["badge"]}
    assert (signed.verification_method, signed.key) == (KEY, SIGNING_KEY.public.to_jwk())
    assert (signed.container, signed.form) == ("jwt", "open_badges_2")
    broken = report_on(TOKEN, published(key=None))
    assert (broken.document, broken.key, broken.issuer) == (None, None, ISSUER)
    nothing = report_on(assertion(), published(assertion=None))
    assert (nothing.issuer, nothing.verification_method) == (None, None)


@pytest.mark.parametrize(
    ("pages", "answers"),
    [
        (
            {"assertion": None},
            {"proof": ("hosted_unavailable", {"url": ASSERTION, "cause": "not_found"}),
             **skipped("proof", *REST, "status")},
        ),
        (
            {"assertion": "[]"},
            {"proof": ("hosted_unavailable", {"url": ASSERTION, "cause": "not_an_object"}),
             **skipped("proof", *REST, "status")},
        ),
        (
            {"assertion": {"id": ASSERTION, "revoked": True}},
            {"proof": ("hosted_no_more", {"url": ASSERTION, "cause": "revoked"}),
             "status": ("revoked", {"url": ASSERTION}), **skipped("proof", *REST)},
        ),
        ({"assertion": assertion(revoked=True)}, HOSTED | {"status": ("revoked", {"url": ASSERTION})}),
        ({"assertion": assertion(revoked="yes")}, HOSTED),
        (
            {"assertion": assertion(id=f"{SITE}/2")},
            {"proof": ("hosted_differs", {"url": ASSERTION}), **skipped("proof", *REST, "status")},
        ),
        (
            {"assertion": signed_assertion()},
            {"proof": ("hosted_differs", {"url": ASSERTION}), **skipped("proof", *REST, "status")},
        ),
        (
            {"badge_class": None},
            {"schema": ("badge_class_unavailable", {"url": CLASS, "cause": "not_found"}),
             "context": HOSTED["context"], "validity": PERIOD, "recipient": HOSTED["recipient"],
             "proof": HOSTED["proof"], **skipped("schema", "key", "issuer", "status")},
        ),
        (
            {"issuer": None},
            {"issuer": ("issuer_profile_unavailable", {"url": ISSUER, "cause": "not_found"}),
             "context": HOSTED["context"], "validity": PERIOD, "recipient": HOSTED["recipient"],
             "proof": HOSTED["proof"], **skipped("issuer", "key", "schema", "status")},
        ),
    ],
)  # fmt: skip
def test_an_invalid_hosted_badge_gets_a_full_answer(pages: Any, answers: Any) -> None:
    assert answers_of(assertion(), published(**pages)) == {"readable": HOSTED["readable"], **answers}


def test_a_removed_badge_gets_a_full_answer() -> None:
    assert answers_of(assertion(), Gone(published(), ASSERTION)) == {
        "readable": HOSTED["readable"],
        "proof": ("hosted_no_more", {"url": ASSERTION, "cause": "gone"}),
        "status": ("revoked", {"url": ASSERTION}),
        **skipped("proof", *REST),
    }


@pytest.mark.parametrize(
    ("presented", "pages", "detail"),
    [
        (assertion(badge=7), {"assertion": assertion(badge=7)}, ("wrong_type", "/badge", "assertion")),
        (jws(signed_assertion(badge=7)), {}, ("wrong_type", "/badge", "assertion")),
        (assertion(), {"badge_class": badge_class(name=7)}, ("wrong_type", "/name", "badge")),
        (assertion(), {"issuer": issuer(name=7)}, ("wrong_type", "/name", "issuer")),
    ],
)
def test_a_part_of_the_wrong_shape_is_named_with_its_pointer(presented: Any, pages: Any, detail: Any) -> None:
    reason, details = answers_of(presented, published(**pages))["schema"]
    assert reason == "schema_violation"
    assert details.keys() == {"cause", "pointer", "document"}
    assert details["document"] == detail[2]
    assert details["pointer"] == detail[1]


@pytest.mark.parametrize("page", ["assertion", "badge_class", "issuer"])
def test_a_byte_order_mark_is_ignored(page: str) -> None:
    written = {"assertion": assertion, "badge_class": badge_class, "issuer": issuer}[page]()
    pages: Any = {page: b"\xef\xbb\xbf" + json.dumps(written).encode()}
    assert answers_of(assertion(), published(**pages)) == HOSTED


def test_addresses_are_cut_to_two_thousand_characters() -> None:
    cut = LONG[:2000]
    long = published().with_({LONG: assertion(id=LONG)})
    answers = answers_of(assertion(id=LONG), long)
    assert [answers[each] for each in ("proof", "key", "status")] == [
        ("hosted", {"url": cut}),
        ("hosted_in_scope", {"url": cut}),
        ("still_hosted", {"url": cut}),
    ]
    assert answers_of(assertion(id=LONG))["proof"] == (
        "hosted_unavailable",
        {"url": cut, "cause": "not_found"},
    )
    for served, answer in (
        ("[]", ("hosted_unavailable", {"url": cut, "cause": "not_an_object"})),
        (assertion(), ("hosted_differs", {"url": cut})),
    ):
        assert answers_of(assertion(id=LONG), published().with_({LONG: served}))["proof"] == answer
    gone = answers_of(assertion(id=LONG), Gone(published(), LONG))
    assert gone["proof"] == ("hosted_no_more", {"url": cut, "cause": "gone"})
    assert gone["status"] == ("revoked", {"url": cut})
    answers = answers_of(assertion(), published(assertion=assertion(badge=LONG)))
    assert answers["schema"] == ("badge_class_unavailable", {"url": cut, "cause": "not_found"})
    listed = issuer(revocationList=LONG)
    assert answers_of(TOKEN, published(issuer=listed))["status"] == (
        "status_list_unavailable",
        {"url": cut, "cause": "not_found"},
    )
    for served, reason, cause in (
        (revocations(id=LONG), "not_revoked", {}),
        (revocations(UUID, id=LONG), "revoked", {}),
        (revocations(), "status_list_malformed", {"cause": "another_id"}),
    ):
        answers = answers_of(TOKEN, published(issuer=listed).with_({LONG: served}))
        assert answers["status"] == (reason, {"url": cut} | cause)


@pytest.mark.parametrize(
    ("contexts", "answer"),
    [
        (V2, ("context_known", {})),
        ([V2, V1], ("context_known", {})),
        ([V2, "https://x.example/" + "y" * 483],
         ("context_not_held", {"url": ("https://x.example/" + "y" * 483)[:500]})),
        ([V2, {"name": "https://x.example/"}], ("context_not_allowed", {})),
        ([V2, "https://x.example/", {}], ("context_not_allowed", {})),
    ],
)  # fmt: skip
def test_an_answer_about_the_context_of_an_older_badge(contexts: Any, answer: Any) -> None:
    page = assertion(**{"@context": contexts})
    assert answers_of(assertion(), published(assertion=page))["context"] == answer


@pytest.mark.parametrize(
    ("recipient", "asked", "answer"),
    [
        ({}, "zoe@ecole.example", ("recipient_matches", {"type": "emailAddress"})),
        ({}, "zoe@autre.example", ("recipient_differs", {"type": "emailAddress"})),
        ({"type": ["x", "email"]}, "zoe@ecole.example", ("recipient_matches", {"type": "emailAddress"})),
        (
            {"type": [["email"], 7, "email"]},
            "zoe@ecole.example",
            ("recipient_matches", {"type": "emailAddress"}),
        ),
        ({"type": "url"}, "zoe@ecole.example", ("recipient_not_named", {"type": "emailAddress"})),
    ],
)
def test_an_answer_about_the_recipient_of_an_older_badge(recipient: Any, asked: str, answer: Any) -> None:
    whole = assertion()["recipient"] | recipient
    documents = published(assertion=assertion(recipient=whole))
    assert answers_of(assertion(), documents, Policy(recipient=Identity(asked)))["recipient"] == answer


def test_documents_are_requested_as_linked_data_and_keys_as_text() -> None:
    wanted: dict[str, str] = {}

    class Noting(Documents):
        def fetch(self, url: str, *, accept: str = "") -> Any:
            wanted[url] = accept
            return super().fetch(url, accept=accept)

    answers_of(assertion(), Noting(published().held))
    answers_of(TOKEN, Noting(published().held))
    assert wanted == dict.fromkeys(
        (ASSERTION, CLASS, ISSUER, KEY, REVOCATIONS), "application/ld+json, application/json;q=0.9"
    )


class Refusing(Documents):
    """A site that answers one address with this cause."""

    def __init__(self, url: str, cause: str) -> None:
        super().__init__(published().held)
        self._url, self._cause = url, cause

    def fetch(self, url: str, *, accept: str = "application/json") -> Any:
        if url == self._url:
            raise DocumentUnavailable(url, self._cause)
        return super().fetch(url, accept=accept)


@pytest.mark.parametrize(
    ("url", "question", "reason"),
    [
        (ASSERTION, "proof", "hosted_unavailable"),
        (CLASS, "schema", "badge_class_unavailable"),
        (ISSUER, "issuer", "issuer_profile_unavailable"),
    ],
)
def test_the_cause_of_an_outage_is_reported(url: str, question: str, reason: str) -> None:
    answer = answers_of(assertion(), Refusing(url, "timed_out"))[question]
    assert answer == (reason, {"url": url, "cause": "timed_out"})


def test_an_older_badge_is_judged_at_the_time_of_verification() -> None:
    late = NOON + timedelta(days=400)
    report = verify(json.dumps(assertion()), documents=published(), at=late)
    assert report.at == late
    assert {answer.id.value: answer.reason for answer in report.checks}["validity"] == "expired"
