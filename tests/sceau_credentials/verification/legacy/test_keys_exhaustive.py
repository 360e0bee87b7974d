"""Keys, lists and contexts of older badges: full answers, for 2.0 and for 1.x."""

from __future__ import annotations

from typing import Any

import pytest

from sceau_credentials import Policy
from tests.sceau_credentials.verification.legacy.answers import (
    HOSTED,
    REST,
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
    PEM,
    REVOCATIONS,
    SITE,
    V1,
    assertion,
    issuer,
    jws,
    key_document,
    published,
    revocations,
    signed_assertion,
)
from tests.support.badges.documents import Documents

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


def test_a_badge_of_1_0_gets_a_full_answer_and_its_parts_are_named_by_their_addresses() -> None:
    assert answers_of(ASSERTION_1, Documents(PAGES_1)) == HOSTED | {
        "readable": ("open_badge_1", {}),
        "context": ("context_not_used", {}),
        "validity": ("in_force", {"valid_from": "2026-05-28T20:26:40Z"}),
    }
    report = report_on(ASSERTION_1, Documents(PAGES_1))
    assert report.form == "open_badges_1"
    assert report.document == ASSERTION_1 | {
        "badge": CLASS_1 | {"id": CLASS, "issuer": ISSUER_1 | {"id": ISSUER}}
    }


def test_a_badge_of_1_1_has_a_context_and_one_of_1_0_need_not_have_any() -> None:
    page = ASSERTION_1 | {"@context": V1, "type": "Assertion", "id": ASSERTION}
    answers = answers_of(page, Documents(PAGES_1 | {ASSERTION: page}))
    assert answers["context"] == ("context_known", {})
    assert answers["schema"] == ("schema_conforms", {})


def signed_1(url: str) -> Any:
    return jws(ASSERTION_1 | {"verify": {"type": "signed", "url": url}})


def test_a_signed_badge_of_1_0_gets_a_full_answer() -> None:
    url = f"{SITE}/key.pem"
    wanted: dict[str, str] = {}

    class Noting(Documents):
        def fetch(self, url: str, *, accept: str = "") -> Any:
            wanted[url] = accept
            return super().fetch(url, accept=accept)

    answers = answers_of(signed_1(url), Noting(PAGES_1 | {url: PEM}))
    assert (answers["proof"], answers["key"]) == (("signature_holds", {}), ("key_bound", {"method": url}))
    assert answers["status"] == ("no_status_entry", {})
    assert wanted[url] == "text/plain, application/x-pem-file;q=0.9"
    padded = answers_of(signed_1(url), Documents(PAGES_1 | {url: PEM + "\n" * (8 * 1024 - len(PEM))}))
    assert padded["key"] == ("key_bound", {"method": url})
    for served, cause in ((PEM + "\n" * 8 * 1024, "too_large"), (b"\xff" + PEM.encode(), "PEM")):
        answers = answers_of(signed_1(url), Documents(PAGES_1 | {url: served}))
        assert answers["key"] == ("key_document_malformed", {"cause": cause})


def test_a_key_of_1_0_away_from_its_issuers_site_is_not_fetched() -> None:
    far = "https://elsewhere.example/" + "k" * 300
    documents = Documents(PAGES_1 | {far: PEM})
    assert answers_of(signed_1(far), documents)["key"] == ("key_not_bound_to_issuer", {"cause": far[:300]})
    assert far not in documents.asked


def test_a_key_inside_the_profile_is_named_by_its_id_or_by_the_profile() -> None:
    keyless = {name: value for name, value in key_document().items() if name != "id"}
    for written, creator, method in ((key_document(), KEY, KEY), (keyless, None, f"{ISSUER}#publicKey")):
        by = {"type": "SignedBadge"} | ({"creator": creator} if creator else {})
        token = jws(signed_assertion() | {"verification": by})
        answers = answers_of(token, published(issuer=issuer(publicKey=written), key=None))
        assert answers["key"] == ("key_bound", {"method": method})
    token = jws(signed_assertion() | {"verification": {"type": "SignedBadge"}})
    answers = answers_of(token, published(issuer=issuer(publicKey=[7])))
    assert answers["key"] == ("key_document_malformed", {"cause": "publicKey"})


def test_of_two_keys_an_unreachable_one_may_be_the_right_one() -> None:
    away, other = f"{SITE}/away", f"{SITE}/other"
    token = jws(signed_assertion() | {"verification": {"type": "SignedBadge"}})
    for keys in ([away, other], [other, away]):
        documents = published(issuer=issuer(publicKey=keys)).with_({other: {"id": other}})
        assert answers_of(token, documents)["key"] == (
            "key_document_unavailable",
            {"url": away, "cause": "not_found"},
        )
    held = published(issuer=issuer(publicKey=[other, KEY])).with_({other: {"id": other}})
    assert answers_of(token, held, Policy(max_fetches_signed_older=5))["key"] == (
        "key_bound",
        {"method": KEY},
    )


OPEN = ("key_not_at_hand", {})
FAR = f"{SITE}/k" + "x" * 300


@pytest.mark.parametrize(
    ("pages", "proof", "key"),
    [
        ({"key": None}, OPEN, ("key_document_unavailable", {"url": KEY, "cause": "not_found"})),
        ({"key": "[]"}, OPEN, ("key_document_unreadable", {"cause": "not_an_object"})),
        ({"key": key_document(owner=SITE)}, OPEN, ("key_not_bound_to_issuer", {"cause": "id or owner"})),
        ({"issuer": issuer(publicKey=FAR)}, OPEN, ("key_not_bound_to_issuer", {"cause": KEY})),
        ({"issuer": issuer(publicKey=None)}, OPEN, ("key_not_bound_to_issuer", {"cause": KEY})),
    ],
)
def test_an_unavailable_key_is_named(pages: Any, proof: Any, key: Any) -> None:
    answers = answers_of(TOKEN, published(**pages))
    assert (answers["proof"], answers["key"]) == (proof, key)
    assert [answers[each] for each in ("issuer", "status")] == [("not_reached", {"because": "proof"})] * 2


def test_the_name_of_a_foreign_key_is_cut_to_three_hundred_characters() -> None:
    by = signed_assertion() | {"verification": {"type": "SignedBadge", "creator": FAR}}
    assert answers_of(jws(by))["key"] == ("key_not_bound_to_issuer", {"cause": FAR[:300]})


def test_an_invalid_signature_is_reported_as_such() -> None:
    head, body, _ = TOKEN.split(".")
    answers = answers_of(f"{head}.{body}.{'A' * 342}")
    assert answers["proof"] == ("signature_mismatch", {})
    assert answers["key"] == ("not_reached", {"because": "proof"})
    other = answers_of(jws(signed_assertion(), typ=7))
    assert other["proof"] == ("header_not_allowed", {})


def test_a_signed_badge_outside_of_a_token_has_no_signer() -> None:
    documents = published()
    assert answers_of(signed_assertion(), documents) == {
        "readable": HOSTED["readable"],
        "proof": ("no_proof", {}),
        **skipped("proof", *REST, "status"),
    }
    assert documents.asked == []


def test_a_badge_outside_its_issuers_scope_is_not_checked_further() -> None:
    far = "https://elsewhere.example/1"
    documents = published().with_({far: assertion(id=far)})
    assert answers_of(assertion(id=far), documents) == HOSTED | {
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
def test_an_answer_of_a_revocation_list_is_exhaustive(pages: Any, status: Any) -> None:
    assert answers_of(TOKEN, published(**pages))["status"] == status


def test_skipping_the_status_is_reported() -> None:
    left_out = Policy(check_status=False)
    assert answers_of(TOKEN, policy=left_out)["status"] == ("status_left_out", {})
    assert answers_of(assertion(), policy=left_out)["status"] == HOSTED["status"]
