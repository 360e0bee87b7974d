"""Each answer about an older badge, whole: its reason and every detail, and what the report holds beside the answers."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from app.credentials import Identity, Policy, Report, verify
from app.credentials.errors import DocumentUnavailable
from tests.credentials.legacy.older_issuer import (
    ASSERTION,
    CLASS,
    FOUR,
    ISSUER,
    KEY,
    NOON,
    PEM,
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
    key_document,
    published,
    revocations,
    signed_assertion,
)
from tests.support.documents import Documents

TOKEN = jws(signed_assertion())
UUID = signed_assertion()["id"]
LONG = f"{SITE}/" + "x" * 2001


def told(presented: Any, documents: Any = None, policy: Policy = FOUR) -> dict[str, Any]:
    text = presented if isinstance(presented, str) else json.dumps(presented)
    report = verify(text, documents=documents or published(), at=NOON, policy=policy)
    return {answer.id.value: (answer.reason, dict(answer.details)) for answer in report.checks}


def skipped(because: str, *questions: str) -> dict[str, Any]:
    return dict.fromkeys(questions, ("not_reached", {"because": because}))


PERIOD = ("in_force", {"valid_from": "2026-06-01T09:00:00Z", "valid_until": "2027-06-01T09:00:00Z"})
HOSTED = {
    "readable": ("open_badge_2", {}),
    "context": ("context_known", {}),
    "schema": ("schema_conforms", {}),
    "proof": ("hosted", {"url": ASSERTION}),
    "key": ("hosted_in_scope", {"url": ASSERTION}),
    "issuer": ("issuer_identified", {"domain": "badges.ancien.example"}),
    "validity": PERIOD,
    "status": ("still_hosted", {"url": ASSERTION}),
    "recipient": ("recipient_not_asked", {}),
}
SIGNED = HOSTED | {
    "proof": ("signature_holds", {}),
    "key": ("key_bound", {"method": KEY}),
    "status": ("not_revoked", {"url": REVOCATIONS}),
}
REST = ("context", "schema", "key", "issuer", "validity", "recipient")


def test_a_hosted_and_a_signed_badge_are_answered_whole() -> None:
    assert told(assertion()) == HOSTED
    assert told(TOKEN) == SIGNED


def report_on(presented: Any, documents: Any = None) -> Report:
    text = presented if isinstance(presented, str) else json.dumps(presented)
    return verify(text, documents=documents or published(), at=NOON, policy=FOUR)


def test_a_report_on_an_older_badge_holds_its_parts() -> None:
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


ASSERTION_1 = {
    "uid": "a1",
    "recipient": assertion()["recipient"],
    "badge": CLASS,
    "issuedOn": 1_780_000_000,
    "verify": {"type": "hosted", "url": ASSERTION},
}
CLASS_1 = {
    "name": "Soudure",
    "description": "x",
    "image": f"{SITE}/i.png",
    "criteria": f"{SITE}/c",
    "issuer": ISSUER,
}
ISSUER_1 = {"name": "Atelier d'autrefois", "url": SITE}
PAGES_1 = {ASSERTION: ASSERTION_1, CLASS: CLASS_1, ISSUER: ISSUER_1}


def test_a_badge_of_1_0_is_answered_whole_and_its_parts_are_named_by_their_addresses() -> None:
    assert told(ASSERTION_1, Documents(PAGES_1)) == HOSTED | {
        "readable": ("open_badge_1", {}),
        "context": ("context_not_used", {}),
        "validity": ("in_force", {"valid_from": "2026-05-28T20:26:40Z"}),
    }
    report = report_on(ASSERTION_1, Documents(PAGES_1))
    assert report.form == "open_badges_1"
    assert report.document == ASSERTION_1 | {
        "badge": CLASS_1 | {"id": CLASS, "issuer": ISSUER_1 | {"id": ISSUER}}
    }


def test_a_badge_of_1_1_has_words_and_one_of_1_0_need_not_have_any() -> None:
    page = ASSERTION_1 | {"@context": V1, "type": "Assertion", "id": ASSERTION}
    answers = told(page, Documents(PAGES_1 | {ASSERTION: page}))
    assert answers["context"] == ("context_known", {})
    assert answers["schema"] == ("schema_conforms", {})


def signed_1(url: str) -> Any:
    return jws(ASSERTION_1 | {"verify": {"type": "signed", "url": url}})


def test_a_signed_badge_of_1_0_is_answered_whole() -> None:
    url = f"{SITE}/key.pem"
    wanted: dict[str, str] = {}

    class Noting(Documents):
        def fetch(self, url: str, *, accept: str = "") -> Any:
            wanted[url] = accept
            return super().fetch(url, accept=accept)

    answers = told(signed_1(url), Noting(PAGES_1 | {url: PEM}))
    assert (answers["proof"], answers["key"]) == (("signature_holds", {}), ("key_bound", {"method": url}))
    assert answers["status"] == ("no_status_entry", {})
    assert wanted[url] == "text/plain, application/x-pem-file;q=0.9"
    padded = told(signed_1(url), Documents(PAGES_1 | {url: PEM + "\n" * (8 * 1024 - len(PEM))}))
    assert padded["key"] == ("key_bound", {"method": url})
    for served, cause in ((PEM + "\n" * 8 * 1024, "too_large"), (b"\xff" + PEM.encode(), "PEM")):
        answers = told(signed_1(url), Documents(PAGES_1 | {url: served}))
        assert answers["key"] == ("key_document_malformed", {"cause": cause})


def test_a_key_of_1_0_away_from_its_issuers_site_is_not_fetched() -> None:
    far = "https://elsewhere.example/" + "k" * 300
    documents = Documents(PAGES_1 | {far: PEM})
    assert told(signed_1(far), documents)["key"] == ("key_not_bound_to_issuer", {"cause": far[:300]})
    assert far not in documents.asked


def test_a_key_inside_the_profile_is_named_by_its_id_or_by_the_profile() -> None:
    keyless = {name: value for name, value in key_document().items() if name != "id"}
    for written, creator, method in ((key_document(), KEY, KEY), (keyless, None, f"{ISSUER}#publicKey")):
        by = {"type": "SignedBadge"} | ({"creator": creator} if creator else {})
        token = jws(signed_assertion() | {"verification": by})
        answers = told(token, published(issuer=issuer(publicKey=written), key=None))
        assert answers["key"] == ("key_bound", {"method": method})
    token = jws(signed_assertion() | {"verification": {"type": "SignedBadge"}})
    answers = told(token, published(issuer=issuer(publicKey=[7])))
    assert answers["key"] == ("key_document_malformed", {"cause": "publicKey"})


def test_of_two_keys_one_out_of_reach_may_be_the_one() -> None:
    away, other = f"{SITE}/away", f"{SITE}/other"
    token = jws(signed_assertion() | {"verification": {"type": "SignedBadge"}})
    for keys in ([away, other], [other, away]):
        documents = published(issuer=issuer(publicKey=keys)).with_({other: {"id": other}})
        assert told(token, documents)["key"] == (
            "key_document_unavailable",
            {"url": away, "cause": "not_found"},
        )
    held = published(issuer=issuer(publicKey=[other, KEY])).with_({other: {"id": other}})
    assert told(token, held, Policy(max_fetches=5))["key"] == ("key_bound", {"method": KEY})


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
            {"proof": ("hosted_differs", {"url": ASSERTION, "cause": "not_an_object"}),
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
def test_a_hosted_badge_that_does_not_hold_is_answered_whole(pages: Any, answers: Any) -> None:
    assert told(assertion(), published(**pages)) == {"readable": HOSTED["readable"], **answers}


def test_a_badge_that_is_gone_is_answered_whole() -> None:
    assert told(assertion(), Gone(published(), ASSERTION)) == {
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
        (assertion(), {"badge_class": "[]"}, ("not_an_object", "", "badge")),
        (assertion(), {"issuer": "x"}, ("malformed_json", "", "issuer")),
    ],
)
def test_a_part_of_the_wrong_shape_is_named_with_the_place(presented: Any, pages: Any, detail: Any) -> None:
    reason, details = told(presented, published(**pages))["schema"]
    assert reason == "schema_violation"
    assert details.keys() == {"cause", "pointer", "document"}
    assert details["document"] == detail[2]
    assert details["pointer"] == detail[1]


@pytest.mark.parametrize("page", ["assertion", "badge_class", "issuer"])
def test_a_mark_before_the_text_is_let_be(page: str) -> None:
    written = {"assertion": assertion, "badge_class": badge_class, "issuer": issuer}[page]()
    pages: Any = {page: b"\xef\xbb\xbf" + json.dumps(written).encode()}
    assert told(assertion(), published(**pages)) == HOSTED


def test_addresses_are_told_in_two_thousand_characters() -> None:
    cut = LONG[:2000]
    long = published().with_({LONG: assertion(id=LONG)})
    answers = told(assertion(id=LONG), long)
    assert [answers[each] for each in ("proof", "key", "status")] == [
        ("hosted", {"url": cut}),
        ("hosted_in_scope", {"url": cut}),
        ("still_hosted", {"url": cut}),
    ]
    assert told(assertion(id=LONG))["proof"] == ("hosted_unavailable", {"url": cut, "cause": "not_found"})
    for served, cause in (("[]", {"cause": "not_an_object"}), (assertion(), {})):
        answers = told(assertion(id=LONG), published().with_({LONG: served}))
        assert answers["proof"] == ("hosted_differs", {"url": cut} | cause)
    gone = told(assertion(id=LONG), Gone(published(), LONG))
    assert gone["proof"] == ("hosted_no_more", {"url": cut, "cause": "gone"})
    assert gone["status"] == ("revoked", {"url": cut})
    answers = told(assertion(), published(assertion=assertion(badge=LONG)))
    assert answers["schema"] == ("badge_class_unavailable", {"url": cut, "cause": "not_found"})
    listed = issuer(revocationList=LONG)
    assert told(TOKEN, published(issuer=listed))["status"] == (
        "status_list_unavailable",
        {"url": cut, "cause": "not_found"},
    )
    for served, reason, cause in (
        (revocations(id=LONG), "not_revoked", {}),
        (revocations(UUID, id=LONG), "revoked", {}),
        (revocations(), "status_list_malformed", {"cause": "another_id"}),
    ):
        answers = told(TOKEN, published(issuer=listed).with_({LONG: served}))
        assert answers["status"] == (reason, {"url": cut} | cause)


OPEN = ("key_not_at_hand", {})
FAR = f"{SITE}/k" + "x" * 300


@pytest.mark.parametrize(
    ("pages", "proof", "key"),
    [
        ({"key": None}, OPEN, ("key_document_unavailable", {"url": KEY, "cause": "not_found"})),
        ({"key": "[]"}, OPEN, ("key_document_malformed", {"cause": "not_an_object"})),
        ({"key": key_document(owner=SITE)}, OPEN, ("key_not_bound_to_issuer", {"cause": "id or owner"})),
        ({"issuer": issuer(publicKey=FAR)}, OPEN, ("key_not_bound_to_issuer", {"cause": KEY})),
        ({"issuer": issuer(publicKey=None)}, OPEN, ("key_not_bound_to_issuer", {"cause": KEY})),
    ],
)
def test_a_key_that_is_not_at_hand_is_named(pages: Any, proof: Any, key: Any) -> None:
    answers = told(TOKEN, published(**pages))
    assert (answers["proof"], answers["key"]) == (proof, key)
    assert [answers[each] for each in ("issuer", "status")] == [("not_reached", {"because": "proof"})] * 2


def test_the_name_of_a_foreign_key_is_told_in_three_hundred_characters() -> None:
    by = signed_assertion() | {"verification": {"type": "SignedBadge", "creator": FAR}}
    assert told(jws(by))["key"] == ("key_not_bound_to_issuer", {"cause": FAR[:300]})


def test_a_signature_that_does_not_hold_is_told_as_such() -> None:
    head, body, _ = TOKEN.split(".")
    answers = told(f"{head}.{body}.{'A' * 342}")
    assert answers["proof"] == ("signature_mismatch", {})
    assert answers["key"] == ("not_reached", {"because": "proof"})
    other = told(jws(signed_assertion(), typ=7))
    assert other["proof"] == ("header_not_allowed", {})


def test_a_signed_badge_outside_of_a_token_is_nobodys() -> None:
    documents = published()
    assert told(signed_assertion(), documents) == {
        "readable": HOSTED["readable"],
        "proof": ("no_proof", {}),
        **skipped("proof", *REST, "status"),
    }
    assert documents.asked == []


def test_a_badge_at_an_address_that_does_not_speak_for_its_issuer_is_asked_no_more() -> None:
    far = "https://elsewhere.example/1"
    documents = published().with_({far: assertion(id=far)})
    assert told(assertion(id=far), documents) == HOSTED | {
        "proof": ("hosted", {"url": far}),
        "key": ("hosted_out_of_scope", {"url": far}),
        **skipped("key", "issuer", "status"),
    }


@pytest.mark.parametrize(
    ("pages", "status"),
    [
        ({"revocations": revocations(UUID)}, ("revoked", {"url": REVOCATIONS})),
        ({"revocations": None}, ("status_list_unavailable", {"url": REVOCATIONS, "cause": "not_found"})),
        ({"revocations": "[]"}, ("status_list_malformed", {"url": REVOCATIONS, "cause": "not_an_object"})),
        ({"revocations": revocations(issuer=SITE)},
         ("status_list_of_another_issuer", {"url": REVOCATIONS, "cause": "another_issuer"})),
        ({"revocations": {"type": "x"}}, ("status_list_malformed", {"url": REVOCATIONS, "cause": "missing"})),
        ({"issuer": {name: value for name, value in issuer().items() if name != "revocationList"}},
         ("no_status_entry", {})),
    ],
)  # fmt: skip
def test_an_answer_of_a_revocation_list_is_told_whole(pages: Any, status: Any) -> None:
    assert told(TOKEN, published(**pages))["status"] == status


def test_who_leaves_the_status_out_is_told_so() -> None:
    left_out = Policy(max_fetches=4, check_status=False)
    assert told(TOKEN, policy=left_out)["status"] == ("status_left_out", {})
    assert told(assertion(), policy=left_out)["status"] == HOSTED["status"]


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
def test_an_answer_about_the_words_of_an_older_badge(contexts: Any, answer: Any) -> None:
    page = assertion(**{"@context": contexts})
    assert told(assertion(), published(assertion=page))["context"] == answer


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
    assert told(assertion(), documents, Policy(recipient=Identity(asked)))["recipient"] == answer


def test_documents_are_asked_for_in_the_words_of_linked_data_and_keys_as_text() -> None:
    wanted: dict[str, str] = {}

    class Noting(Documents):
        def fetch(self, url: str, *, accept: str = "") -> Any:
            wanted[url] = accept
            return super().fetch(url, accept=accept)

    told(assertion(), Noting(published().held))
    told(TOKEN, Noting(published().held))
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
def test_the_cause_of_an_outage_is_told(url: str, question: str, reason: str) -> None:
    answer = told(assertion(), Refusing(url, "timed_out"))[question]
    assert answer == (reason, {"url": url, "cause": "timed_out"})


def test_an_older_badge_is_judged_at_its_moment() -> None:
    late = NOON + timedelta(days=400)
    report = verify(json.dumps(assertion()), documents=published(), at=late, policy=FOUR)
    assert report.at == late
    assert {answer.id.value: answer.reason for answer in report.checks}["validity"] == "expired"
