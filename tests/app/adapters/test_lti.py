"""Lists of a course platform that never end, and keys that it replaces."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from app.adapters.lti import LtiClient, make_tool_key, sign
from app.adapters.web_documents import WebDocuments
from app.adapters.web_documents.url_policy import Answer
from app.domain.campus.lti import (
    MOST_ROWS,
    GrantedToken,
    LaunchRefused,
    LineItem,
    LtiRegistration,
    PlatformDown,
    PlatformRefused,
    RequestBudget,
    ToolKey,
)
from sceau_credentials.values import FetchedDocument

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
ISSUER = "https://moodle.exemple"
PLATFORM = LtiRegistration("Moodle", ISSUER, "client", ("1",), ISSUER, ISSUER, ISSUER)
ITEM = LineItem(f"{ISSUER}/items/1", "Quiz", 20)


@dataclass
class EndlessPages(WebDocuments):
    """Every page of `rows` leads to another; each takes `seconds` of `now`."""

    rows: list[Any] = field(default_factory=list)
    seconds: float = 0.0
    filling: int = 0
    now: float = 0.0
    asked: int = 0

    def get(self, url: str, *, accept: str, headers: Mapping[str, str] | None = None) -> Answer:
        self.asked += 1
        self.now += self.seconds
        body = json.dumps(self.rows).encode() + b" " * self.filling
        return Answer(200, {"link": f'<{ISSUER}/items/{self.asked}>; rel="next"'}, body)


def granted(pages: EndlessPages) -> GrantedToken:
    return GrantedToken("secret", NOON, RequestBudget(lambda: pages.now))


@pytest.mark.parametrize(("fault", "most"), [({"seconds": 5.0}, 5), ({"filling": 1_000_000}, 12)])
def test_all_lists_of_a_visit_share_one_limit(fault: dict[str, Any], most: int) -> None:
    pages = EndlessPages(**fault)
    client, token = LtiClient(pages), granted(pages)
    with pytest.raises(PlatformDown):
        client.line_items(PLATFORM, token, f"{ISSUER}/items")
    assert pages.asked <= most
    asked = pages.asked
    with pytest.raises(PlatformDown):
        client.results(PLATFORM, token, ITEM)
    assert pages.asked == asked


def test_results_are_limited_to_the_number_of_members_of_the_course() -> None:
    row = {"userId": "eleve-1", "resultScore": 1, "resultMaximum": 20}
    pages = EndlessPages(rows=[row] * (MOST_ROWS // 2))
    with pytest.raises(PlatformRefused):
        LtiClient(pages).results(PLATFORM, granted(pages), ITEM)
    assert pages.asked == 3


def test_results_of_an_item_without_an_address_are_refused() -> None:
    pages = EndlessPages()
    with pytest.raises(PlatformRefused):
        LtiClient(pages).results(PLATFORM, granted(pages), LineItem("https://[", "Quiz", 20))
    assert pages.asked == 0


def test_a_list_with_too_many_pages_is_refused_as_a_whole() -> None:
    row = {"user_id": "eleve-1", "roles": ["Learner"], "status": "Active"}
    pages = EndlessPages(rows=[row])
    with pytest.raises(PlatformRefused, match="refusé"):
        LtiClient(pages).members(PLATFORM, granted(pages), f"{ISSUER}/members")
    assert pages.asked == 100


@dataclass
class OneNext(WebDocuments):
    """A first page that leads to `following`, and a second one without rows."""

    following: str = ""
    asked: list[str] = field(default_factory=list)

    def get(self, url: str, *, accept: str, headers: Mapping[str, str] | None = None) -> Answer:
        self.asked.append(url)
        link = {"link": f'<{self.following}>; rel="next"'} if len(self.asked) == 1 else {}
        return Answer(200, link, b'{"members": []}')


@pytest.mark.parametrize("following", ["/roster?page=2", "?page=2", f"{ISSUER}/roster?page=2"])
def test_next_page_may_be_a_relative_address(following: str) -> None:
    pages = OneNext(following=following)
    LtiClient(pages).members(
        PLATFORM, GrantedToken("s", NOON, RequestBudget(lambda: 0.0)), f"{ISSUER}/roster"
    )
    assert pages.asked == [f"{ISSUER}/roster", f"{ISSUER}/roster?page=2"]


@pytest.mark.parametrize(
    "following", ["https://autre.exemple/roster", "//autre.exemple", "http://moodle.exemple/r"]
)
def test_access_token_is_sent_to_no_other_host(following: str) -> None:
    pages = OneNext(following=following)
    with pytest.raises(PlatformRefused):
        LtiClient(pages).members(
            PLATFORM, GrantedToken("s", NOON, RequestBudget(lambda: 0.0)), f"{ISSUER}/roster"
        )
    assert pages.asked == [f"{ISSUER}/roster"]


@dataclass
class ReplacedKeys(WebDocuments):
    """The cached key set, and the one that the platform publishes now."""

    cached: bytes = b""
    published: bytes = b""
    asked: int = 0

    def fetch(self, url: str, *, accept: str = "application/json") -> FetchedDocument:
        self.asked += 1
        return FetchedDocument(url, self.cached)

    def doubt(self, url: str) -> None:
        self.cached = self.published


def test_launch_signed_by_a_new_key_under_the_old_name_is_read() -> None:
    old, new = (make_tool_key() for _ in range(2))
    sets = [json.dumps({"keys": [public | {"kid": "k1"}]}).encode() for _, public in (old, new)]
    about = "https://purl.imsglobal.org/spec/lti/claim/"
    claims = {
        "iss": ISSUER, "aud": "client", "sub": "eleve-1", "nonce": "n", "iat": int(NOON.timestamp()),
        "exp": int(NOON.timestamp()) + 60, f"{about}message_type": "LtiResourceLinkRequest", f"{about}version": "1.3.0",
        f"{about}deployment_id": "1", f"{about}context": {"id": "cours-1", "title": "Cuisine"},
        f"{about}resource_link": {"id": "lien-1"}, f"{about}target_link_uri": f"{ISSUER}/cours",
    }  # fmt: skip
    token = sign(claims, ToolKey("k1", new[0]))
    documents = ReplacedKeys(cached=sets[0], published=sets[1])
    assert LtiClient(documents).read_launch(PLATFORM, token, "n", at=NOON).subject == "eleve-1"
    assert documents.asked == 2
    with pytest.raises(LaunchRefused):
        LtiClient(ReplacedKeys(cached=sets[0], published=sets[0])).read_launch(PLATFORM, token, "n", at=NOON)
