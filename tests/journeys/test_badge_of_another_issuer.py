"""An employer brings a badge that another organisation signed: its key and its list are fetched, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from app.adapters.web_documents import WebDocuments
from app.adapters.web_documents.url_policy import Limits
from app.container import Process
from app.services.verification.answers import Answer
from app.services.verification.verdicts import HeadlineKind, headline
from sceau_credentials.dids import resolve_method
from sceau_credentials.errors import DocumentUnavailable, KeyNotResolved
from sceau_credentials.proofs.data_integrity import add_proof
from sceau_credentials.verification.findings import Reason
from sceau_credentials.verification.report import CheckId, Verdict
from tests.support.app import App
from tests.support.badges.credentials import HOST, NOON, Campus, badge_document
from tests.support.badges.forgery import token
from tests.support.servers.hostile_server import Network, answer, hostile_network

DID_PATH, LIST_PATH = "/campus/itip/did.json", "/statuts/1"


@dataclass
class Employer:
    """Verifies with the services of the house, which reach the world through the network of the test."""

    app: App
    network: Network
    issuer: Campus = field(default_factory=Campus)

    def __post_init__(self) -> None:
        self.documents = WebDocuments(
            clock=self.app.clock,
            limits=Limits(seconds=2.0),
            ssl_context=self.network.client_context,
            resolve=self.network.resolve,
            dial=self.network.dial,
        )
        self.process = Process(self.app.process.settings, clock=self.app.clock, beyond=self.documents)
        self.publish()

    def publish(self) -> None:
        did, listed = self.issuer.did_document, self.issuer.status_list(at=self.app.clock())
        self.network.server.scripts[DID_PATH] = answer(json.dumps(did), content_type="application/did+json")
        self.network.server.scripts[LIST_PATH] = answer(json.dumps(listed), content_type="application/vc")

    def ask(self, presented: bytes | str) -> Answer:
        with self.process.unit_of_work(reading=True) as services:
            return services.verification.verify(presented)


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    with hostile_network(tmp_path) as made:
        yield made
        assert made.nothing_else_was_contacted


@pytest.fixture
def employer(app: App, network: Network) -> Iterator[Employer]:
    made = Employer(app, network)
    yield made
    made.process.engine.dispose()


@pytest.mark.parametrize("form", ["embedded", "token"])
def test_a_badge_of_a_stranger_is_genuine_and_its_issuer_is_not_known_here(employer: Employer, form: str):
    result = employer.ask(getattr(employer.issuer.issue(), form))
    assert result.report is not None
    assert result.report.verdict is Verdict.VALID
    assert result.campus is None
    assert headline(result).kind is HeadlineKind.UNKNOWN_ISSUER
    assert result.report.check(CheckId.ISSUER).details["domain"] == "badges.example"
    assert employer.network.server.paths == [DID_PATH, LIST_PATH]


def test_a_badge_that_the_stranger_withdrew_is_withdrawn(employer: Employer):
    badge = employer.issuer.issue().embedded
    employer.issuer.revoked.add(94_567)
    employer.publish()
    result = employer.ask(badge)
    assert headline(result).kind is HeadlineKind.REVOKED


def test_without_the_strangers_server_nothing_is_said_for_or_against_the_badge(employer: Employer):
    badge = employer.issuer.issue().embedded
    employer.network.server.close()
    result = employer.ask(badge)
    assert result.report is not None
    assert result.report.verdict is Verdict.UNDETERMINED
    key = result.report.check(CheckId.KEY)
    assert (key.reason, key.details["cause"]) == (Reason.KEY_DOCUMENT_UNAVAILABLE, "unreachable")
    assert headline(result).kind is HeadlineKind.UNVERIFIABLE


@pytest.mark.parametrize("path", [DID_PATH, LIST_PATH])
def test_a_page_of_apology_in_place_of_a_document_spoils_no_badge(employer: Employer, path: str):
    employer.network.server.scripts[path] = answer("<p>Maintenance</p>", content_type="text/html")
    result = employer.ask(employer.issuer.issue().embedded)
    assert result.report is not None
    assert result.report.verdict is Verdict.UNDETERMINED


def test_who_verifies_twice_is_noticed_once(employer: Employer):
    """T48: within the list's time to live the issuer does not learn how often its badges are looked at."""
    first = employer.ask(employer.issuer.issue().embedded)
    employer.app.clock.move(minutes=4)
    second = employer.ask(employer.issuer.issue().token)
    assert [result.report and result.report.verdict for result in (first, second)] == [Verdict.VALID] * 2
    assert employer.network.server.paths == [DID_PATH, LIST_PATH]
    assert employer.network.resolved == ["badges.example"] * 2


def test_a_list_is_never_believed_longer_than_it_allows(employer: Employer):
    badge = employer.issuer.issue().embedded
    employer.ask(badge)
    employer.issuer.revoked.add(94_567)
    employer.publish()
    employer.app.clock.move(minutes=15)
    assert headline(employer.ask(badge)).kind is HeadlineKind.REVOKED


def test_of_all_addresses_in_a_badge_only_key_and_list_are_fetched(employer: Employer):
    """T49: pictures, evidence, schemas, refreshing and terms stay unread, and unfollowed."""
    badge = badge_document()
    badge |= {
        "refreshService": {"id": f"{HOST}/refresh", "type": "https://kinds.example/Refresh"},
        "credentialSchema": [{"id": f"{HOST}/schema.json", "type": "JsonSchema"}],
        "termsOfUse": {"id": f"{HOST}/terms", "type": "https://kinds.example/Terms"},
        "image": {"id": f"{HOST}/badge.png", "type": "Image"},
    }
    signed = add_proof(badge, signer=employer.issuer.signer, created=NOON)
    result = employer.ask(json.dumps(signed))
    assert result.report is not None
    assert json.dumps(badge).count(HOST) > 9
    assert employer.network.server.paths == [DID_PATH, LIST_PATH]


@pytest.mark.parametrize(
    "header",
    [
        {"jku": "https://169.254.169.254/keys"},
        {"x5u": "https://badges.example/chain.pem"},
        {"kid": "https://169.254.169.254/latest/meta-data/"},
        {"kid": "https://127.0.0.1/did.json#key"},
        {"kid": "../../etc/passwd"},
        {"kid": "did:web:localhost#key"},
        {"kid": "did:web:other.example#key"},
        {"kid": "' OR 1=1--"},
        {"kid": "k" * 10_000},
    ],
)
def test_a_token_cannot_send_us_anywhere_but_to_its_issuer(employer: Employer, header: dict[str, str]):
    """T07."""
    result = employer.ask(token(header))
    assert result.report is not None
    assert result.report.verdict is not Verdict.VALID
    assert set(employer.network.server.paths) <= {"/.well-known/jwks.json"}
    assert set(employer.network.resolved) <= {"badges.example"}


@pytest.mark.parametrize(
    "did",
    [
        "did:web:127.0.0.1",
        "did:web:localhost",
        "did:web:localhost%3A8080",
        "did:web:127.0.0.1%3A6379",
        "did:web:2130706433",
        "did:web:0x7f.1",
        "did:web:169.254.169.254:latest:meta-data",
        "did:web:%5B%3A%3A1%5D",
        "did:web:evil%2F@good.example",
        "did:web:user%40good.example",
        "did:web:a.example:..:..:b",
        "did:web:a.example:%2e%2e:b",
        "did:web:a%00b.example",
        "did:web:a.example?x",
        "did:web:a.example%3A22",
        "did:web:a.example%3Ax",
        "did:web:",
        "did:web::a",
        "did:web:" + ".".join("a" * 300),
        "did:web:１２７.0.0.1",
    ],
)
def test_no_did_leads_to_a_place_that_is_none_of_its_business(employer: Employer, did: str):
    """T17."""
    with pytest.raises((KeyNotResolved, DocumentUnavailable)):
        resolve_method(f"{did}#key", documents=employer.documents, at=NOON)
    assert employer.network.resolved == []
