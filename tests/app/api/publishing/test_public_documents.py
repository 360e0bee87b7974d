"""Definitions, profiles, keys and status lists: everything needed to verify a badge, and nothing else."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from app.domain.campus.audit_log import Actor
from app.domain.publishing import LIST_LIFE
from sceau_credentials.dids import did_web_document_url
from sceau_credentials.keys import VerificationKey
from sceau_credentials.proofs.vc_jwt import parse_compact_jws, verify_jws
from sceau_credentials.status_list import StatusList, read_list, read_token_list
from sceau_credentials.values import FetchedDocument, JsonObject, parse_json
from sceau_credentials.verification.report import CheckId
from sceau_credentials.verification.run_checks import verify
from tests.app.api.clients import closed_award, open_award
from tests.support.app import App
from tests.support.running.every import for_each

UNKNOWN = uuid.UUID("5f7b0d4e-6e0b-4f3e-9c53-0d7c0e2f0b11")

HOSTS = [
    "evil.example",
    "evil.example:8000",
    "localhost:8000.evil.example",
    "localhost:8000@evil.example",
    "evil.example/x?",
    "localhost:8001",
    "127.0.0.1",
    "[::1]",
    "xn--vil-cma.example",
    "localhost:8000,evil.example",
    "evil.example\t",
    "${host}",
]


@pytest.fixture(scope="module")
def award_id(app: App) -> uuid.UUID:
    return open_award(app)


@pytest.fixture(scope="module")
def credential(app: App, world: TestClient, award_id: uuid.UUID) -> JsonObject:
    return world.get(f"/attributions/{award_id}.json").json()


@pytest.fixture(scope="module")
def addresses(app: App, credential: JsonObject) -> dict[str, str]:
    """Every public document except the award itself: path -> first media type offered."""
    badge = f"/badges/{app.presence.badge.id}"
    return {
        f"{badge}/v1": "application/ld+json",
        badge: "application/ld+json",
        "/campus/itip": "application/ld+json",
        "/campus/itip/did.json": "application/did+json",
        "/.well-known/did.json": "application/did+json",
        "/.well-known/jwks.json": "application/jwk-set+json",
        _path(credential["credentialStatus"]["statusListCredential"]): "application/vc",
    }


def _path(address: str) -> str:
    return address.removeprefix("http://localhost:8000")


class OverHttp:
    """As the verifier of a stranger: requests each document that it needs from this service over HTTP."""

    def __init__(self, client: TestClient) -> None:
        self.client = client
        self.asked: list[str] = []

    def fetch(self, url: str, *, accept: str = "application/json") -> FetchedDocument:
        self.asked.append(url)
        path = url.replace("https://", "http://", 1).removeprefix("http://localhost:8000")
        answer = self.client.get(path, headers={"accept": accept})
        assert answer.status_code == 200, url
        return FetchedDocument(url, answer.content)


def test_a_stranger_can_verify_a_badge_with_the_public_documents_alone(
    app: App, world: TestClient, award_id: uuid.UUID
):
    documents = OverHttp(world)
    for extension in ("json", "jwt", "png", "svg"):
        body = world.get(f"/attributions/{award_id}.{extension}").content
        assert verify(body, documents=documents, at=app.clock()).verdict.value == "valid"
    assert {url.split("/")[3] for url in documents.asked} == {"campus", "statuts"}


def test_every_public_document_is_cacheable_shareable_and_revalidated(
    world: TestClient, addresses: dict[str, str]
):
    for path, media_type in addresses.items():
        answer = world.get(path)
        assert answer.status_code == 200, path
        assert answer.headers["content-type"] == media_type
        assert answer.headers["access-control-allow-origin"] == "*"
        age = 60 if path.startswith("/statuts/") else 300
        assert answer.headers["cache-control"] == f"public, max-age={age}", (
            "a withdrawal is seen within a minute"
        )
        assert "set-cookie" not in answer.headers
        assert world.get(path, headers={"if-none-match": answer.headers["etag"]}).status_code == 304
        assert world.head(path).headers["etag"] == answer.headers["etag"]
        assert world.options(path).status_code == 204


def test_a_drawing_is_compressed_for_clients_that_accept_it(world: TestClient, app: App):
    path = f"/badges/{app.presence.badge.id}/v1/image.svg"
    whole = world.get(path, headers={"accept-encoding": "identity"})
    pressed = world.get(path, headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in whole.headers
    assert pressed.headers["content-encoding"] == "gzip"
    assert pressed.content == whole.content
    assert int(pressed.headers["content-length"]) < len(whole.content) / 2
    assert pressed.headers["etag"] == f"W/{whole.headers['etag']}"
    assert "Accept-Encoding" in whole.headers["vary"]
    for known in (whole, pressed):
        assert world.get(path, headers={"if-none-match": known.headers["etag"]}).status_code == 304


def test_every_public_document_is_json_for_clients_that_accept_json(
    world: TestClient, addresses: dict[str, str]
):
    for path in addresses:
        for accept in ("application/json", "application/json, text/plain, */*"):
            answer = world.get(path, headers={"accept": accept})
            assert answer.headers["content-type"] == "application/json", path
            assert "Accept" in answer.headers["vary"]
            assert answer.content == world.get(path).content


def test_an_unknown_form_answers_406(world: TestClient, addresses: dict[str, str]):
    for path in addresses:
        assert world.get(path, headers={"accept": "text/csv"}).status_code == 406, path


@pytest.mark.parametrize("host", HOSTS)
def test_a_foreign_host_header_changes_nothing_in_any_document(
    world: TestClient, addresses: dict[str, str], award_id: uuid.UUID, host: str
):
    """URLs come from the configuration, never from the request (T27, M12)."""
    forged = {"host": host, "x-forwarded-host": host, "forwarded": f"host={host}", "x-original-host": host}
    for path in (*addresses, f"/attributions/{award_id}.json", f"/attributions/{award_id}.jwt"):
        answer = world.get(path, headers=forged)
        assert answer.content == world.get(path).content
        assert host.strip() not in answer.headers.get("location", "")


@pytest.mark.parametrize("host", HOSTS)
def test_no_redirect_goes_to_a_foreign_host_header(world: TestClient, host: str):
    """A path with an extra slash is not found; the framework would redirect to the Host of the request."""
    answer = world.get("/campus/itip/", headers={"host": host, "accept": "application/json"})
    assert host not in answer.headers.get("location", "")


def test_two_host_headers_change_nothing(world: TestClient):
    answer = world.get(
        "/campus/itip/did.json", headers=[("host", "localhost:8000"), ("host", "evil.example")]
    )
    assert answer.json()["id"] == "did:web:localhost%3A8000:campus:itip"


# --- keys


def test_the_key_of_the_proof_is_in_the_campus_s_own_document(world: TestClient, credential: JsonObject):
    method_id = credential["proof"]["verificationMethod"]
    did = credential["issuer"]["id"]
    assert method_id.partition("#")[0] == did
    assert did_web_document_url(did) == "https://localhost:8000/campus/itip/did.json"
    document = world.get("/campus/itip/did.json").json()
    assert document["id"] == did
    assert method_id in document["assertionMethod"]
    method = next(each for each in document["verificationMethod"] if each["id"] == method_id)
    assert method["controller"] == did
    assert (
        VerificationKey.from_multikey(method["publicKeyMultibase"]).thumbprint()
        == method_id.partition("#")[2]
    )


def test_the_key_set_names_each_key_with_its_issuer(world: TestClient, app: App):
    keys = world.get("/.well-known/jwks.json").json()["keys"]
    assert {key["kid"].partition("#")[0] for key in keys} == {app.campus.did, app.other_campus.did}
    assert all("d" not in key for key in keys)


def test_the_service_itself_signs_requests_for_badges_and_no_badge(world: TestClient):
    document = world.get("/.well-known/did.json").json()
    assert document["id"] == "did:web:localhost%3A8000"
    assert document["authentication"] == [each["id"] for each in document["verificationMethod"]]
    assert document["assertionMethod"] == []
    assert all("d" not in each.get("publicKeyJwk", {}) for each in document["verificationMethod"])


# --- definitions, profiles, pictures


def test_the_definition_is_the_achievement_of_the_credential(world: TestClient, credential: JsonObject):
    achievement = credential["credentialSubject"]["achievement"]
    definition = world.get(_path(achievement["id"])).json()
    assert {name: value for name, value in definition.items() if name != "@context"} == achievement


def test_the_current_definition_names_the_url_of_its_version(world: TestClient, app: App):
    answer = world.get(f"/badges/{app.presence.badge.id}")
    assert answer.headers["content-location"] == answer.json()["id"]


def test_a_badge_without_awards_has_no_definition_yet(world: TestClient, app: App):
    for path in (f"/badges/{app.long_haul.badge.id}", f"/badges/{app.long_haul.badge.id}/v1"):
        assert world.get(path).status_code == 404


def test_the_profile_is_the_issuer_of_the_credential(world: TestClient, credential: JsonObject):
    profile = world.get("/campus/itip").json()
    assert {name: value for name, value in profile.items() if name != "@context"} == credential["issuer"]


@pytest.mark.parametrize(("form", "start"), [("png", b"\x89PNG"), ("svg", b"<svg")])
def test_the_picture_of_a_version_contains_no_badge(world: TestClient, app: App, form: str, start: bytes):
    answer = world.get(f"/badges/{app.presence.badge.id}/v1/image.{form}")
    assert answer.content.lstrip().startswith(start)
    assert b"openbadge" not in answer.content
    assert "access-control-allow-origin" not in answer.headers
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"


@for_each(
    "path",
    [
        f"/badges/{UNKNOWN}",
        f"/badges/{UNKNOWN}/v1",
        f"/badges/{UNKNOWN}/v0",
        f"/badges/{UNKNOWN}/v99999999999999999999999",
        f"/badges/{UNKNOWN}/v1/image.png",
        f"/statuts/{UNKNOWN}",
        "/badges/x",
        "/badges/x/v1",
        "/statuts/x",
        "/campus/rien",
        "/campus/%00",
        "/campus/ITIP",
        "/campus/rien/did.json",
        "/campus/%2e%2e/did.json",
        "/.well-known/rien",
    ],
)
def test_unknown_documents_are_not_found(world: TestClient, path: str):
    answer = world.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"


# --- status lists


def test_a_withdrawal_is_in_the_next_published_list(app: App, world: TestClient):
    award_id = open_award(app)
    body = world.get(f"/attributions/{award_id}.json").content
    path = _path(parse_json(body)["credentialStatus"]["statusListCredential"])  # type: ignore[index,call-overload]
    before = world.get(path)
    with app.unit_of_work() as services:
        services.awards.revoke(app.campus, award_id, "Erreur de date.", by=Actor(label="tests"))
    after = world.get(path, headers={"if-none-match": before.headers["etag"]})
    assert after.status_code == 200
    assert verify(body, documents=OverHttp(world), at=app.clock()).verdict.value == "invalid"


def test_a_list_is_a_token_for_clients_that_read_only_tokens(app: App, world: TestClient):
    """D-014: the same bits, signed by the same campus, and equally current."""
    award_id = open_award(app)
    body = world.get(f"/attributions/{award_id}.json").content
    path = _path(parse_json(body)["credentialStatus"]["statusListCredential"])  # type: ignore[index,call-overload]
    answer = world.get(path, headers={"accept": "application/vc+jwt"})
    assert answer.headers["content-type"] == "application/vc+jwt"
    token = parse_compact_jws(answer.text)
    listed = world.get(path).json()
    assert {name: token.payload[name] for name in listed if name != "proof"} == {
        name: value for name, value in listed.items() if name != "proof"
    }
    assert token.header["typ"] == "vc+jwt"
    with app.unit_of_work() as services:
        services.awards.revoke(app.campus, award_id, "Erreur de date.", by=Actor(label="tests"))
    again = world.get(path, headers={"accept": "application/vc+jwt", "if-none-match": answer.headers["etag"]})
    assert again.status_code == 200
    source = OverHttp(world)

    class Tokens:
        def fetch(self, url: str, *, accept: str = "") -> FetchedDocument:
            wanted = "application/vc+jwt" if _path(url) == path else accept
            return source.fetch(url, accept=wanted)

    report = verify(body, documents=Tokens(), at=app.clock())
    assert report.check(CheckId.STATUS).reason == "revoked"


def test_status_list_token_shows_a_withdrawal_with_the_bitstring_list(app: App, world: TestClient):
    award_id = open_award(app)
    entry = world.get(f"/attributions/{award_id}.json").json()["credentialStatus"]
    path, index = f"{_path(entry['statusListCredential'])}.statuslist", int(entry["statusListIndex"])

    def read() -> StatusList:
        answer = world.get(path)
        assert answer.headers["content-type"] == "application/statuslist+jwt"
        assert answer.headers["cache-control"] == "public, max-age=60"
        assert answer.headers["access-control-allow-origin"] == "*"
        token = parse_compact_jws(answer.text)
        assert token.header["typ"] == "statuslist+jwt"
        assert token.payload["ttl"] == 60
        bitstring = world.get(path.removesuffix(".statuslist"), headers={"accept": "application/json"})
        assert bitstring.headers["cache-control"] == "public, max-age=60"
        assert bitstring.json()["credentialSubject"]["ttl"] == 60_000, "in milliseconds"
        (key,) = (
            each for each in world.get("/.well-known/jwks.json").json()["keys"] if each["kid"] == token.kid
        )
        known = {name: value for name, value in key.items() if name not in ("kid", "issuer", "iss")}
        verify_jws(token, VerificationKey.from_jwk(known), kinds=("statuslist+jwt",))
        return read_token_list(token.payload, url=f"http://localhost:8000{path}")

    assert not read().get(index)
    with app.unit_of_work() as services:
        services.awards.revoke(app.campus, award_id, "Erreur de date.", by=Actor(label="tests"))
    after = read()
    assert after.get(index)
    listed = read_list(world.get(_path(entry["statusListCredential"])).json()).status_list
    assert after.to_bytes() == listed.to_bytes()
    assert world.get(f"/statuts/{UNKNOWN}.statuslist").status_code == 404


def test_a_list_about_to_expire_is_signed_again_when_it_is_read(app: App, world: TestClient):
    award_id = closed_award(app)
    with app.unit_of_work(reading=True) as services:
        body = services.publication.award_file(services.awards.record(award_id), "json").body
    path = _path(parse_json(body)["credentialStatus"]["statusListCredential"])  # type: ignore[index,call-overload]
    first = world.get(path).json()
    app.clock.move(seconds=LIST_LIFE.total_seconds() * 3)
    again = world.get(path).json()
    assert again["validUntil"] > first["validUntil"]
    assert (
        verify(body, documents=OverHttp(world), at=app.clock() + timedelta(seconds=1)).verdict.value
        == "valid"
    )
