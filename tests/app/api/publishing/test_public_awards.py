"""One URL for each award: every form of it, byte for byte as it was signed."""

from __future__ import annotations

import uuid

import pytest
from fastapi.testclient import TestClient

from app.domain.awards import Visibility
from app.domain.campus.audit_log import Actor
from sceau_credentials.baking import unbake
from sceau_credentials.verification.report import Verdict
from sceau_credentials.verification.run_checks import verify
from tests.app.api.clients import closed_award, open_award, stored
from tests.support.app import App, build_app
from tests.support.running.every import for_each

UNKNOWN = uuid.UUID("5f7b0d4e-6e0b-4f3e-9c53-0d7c0e2f0b11")

FORMS = {
    "application/vc": "json",
    "application/vc+ld+json": "json",
    "application/ld+json": "json",
    "application/json": "json",
    "application/vc+jwt": "jwt",
    "text/plain": "jwt",
    "image/png": "png",
    "image/svg+xml": "svg",
}
EXTENSIONS = ("json", "jwt", "png", "svg")


def _essence(content_type: str) -> str:
    return content_type.partition(";")[0]


@pytest.mark.parametrize("media_type", FORMS)
def test_each_media_type_is_answered_with_the_stored_bytes(app: App, world: TestClient, media_type: str):
    award_id = open_award(app)
    answer = world.get(f"/attributions/{award_id}", headers={"accept": media_type})
    assert answer.status_code == 200
    assert _essence(answer.headers["content-type"]) == media_type
    assert answer.content == stored(app, award_id, FORMS[media_type])
    assert "Accept" in answer.headers["vary"]


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_each_extension_is_answered_with_the_stored_bytes(app: App, world: TestClient, extension: str):
    award_id = open_award(app)
    answer = world.get(f"/attributions/{award_id}.{extension}", headers={"accept": "text/html"})
    assert answer.status_code == 200
    assert answer.content == stored(app, award_id, extension)


@pytest.mark.parametrize("path", ["/attributions/{}.json", "/attributions/{}"])
def test_the_proof_is_an_array_where_that_is_asked_for(app: App, world: TestClient, path: str):
    address, json_only = path.format(open_award(app)), {"accept": "application/vc"}
    as_object = world.get(address, headers=json_only)
    as_array = world.get(f"{address}?proof=array", headers=json_only)
    assert as_array.json() == as_object.json() | {"proof": [as_object.json()["proof"]]}
    assert as_array.headers["etag"] != as_object.headers["etag"]
    assert world.get(f"{address}?proof=object", headers=json_only).content == as_object.content
    assert world.get(f"{address}?proof=list", headers=json_only).status_code == 422
    with app.unit_of_work(reading=True) as services:
        report = verify(as_array.content, documents=services.verification.documents, at=app.clock())
        assert report.verdict is Verdict.VALID


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_each_form_verifies_with_the_library_against_our_published_documents(
    app: App, world: TestClient, extension: str
):
    award_id = open_award(app)
    body = world.get(f"/attributions/{award_id}.{extension}").content
    with app.unit_of_work(reading=True) as services:
        report = verify(body, documents=services.verification.documents, at=app.clock())
    assert report.verdict.value == "valid"
    assert report.document is not None
    assert report.document["id"] == f"http://localhost:8000/attributions/{award_id}"


@pytest.mark.parametrize("extension", ["png", "svg"])
def test_a_picture_contains_the_exact_bytes_of_the_json_file(app: App, world: TestClient, extension: str):
    award_id = open_award(app)
    picture = world.get(f"/attributions/{award_id}.{extension}").content
    assert unbake(picture).text.encode() == stored(app, award_id, "json")


@pytest.mark.parametrize("database", ["sqlite_url", "postgres_url"])
def test_both_engines_serve_the_stored_bytes(database: str, request: pytest.FixtureRequest, tmp_path):
    if database == "postgres_url":
        request.applymarker(pytest.mark.postgres)
    app = build_app(request.getfixturevalue(database), tmp_path)
    award_id = open_award(app)
    client = app.client()
    for extension in EXTENSIONS:
        answer = client.get(f"/attributions/{award_id}.{extension}")
        assert answer.content == stored(app, award_id, extension)
    definition = client.get(f"/badges/{app.presence.badge.id}/v1", headers={"accept": "application/json"})
    assert definition.json()["id"].endswith("/v1")
    app.close()


# --- copies that clients cache


@pytest.mark.parametrize("accept", ["application/json", "text/plain", "image/png", "image/svg+xml"])
def test_a_client_with_a_current_copy_gets_304(app: App, world: TestClient, accept: str):
    address = f"/attributions/{open_award(app)}"
    first = world.get(address, headers={"accept": accept})
    strong = first.headers["etag"].removeprefix("W/")
    for known in (strong, f"W/{strong}", f'"other", {strong}', "*"):
        again = world.get(address, headers={"accept": accept, "if-none-match": known})
        assert again.status_code == 304
        assert again.content == b""
        assert again.headers["etag"] == first.headers["etag"]
        assert again.headers["cache-control"] == first.headers["cache-control"]
    other = world.get(address, headers={"accept": accept, "if-none-match": '"other"'})
    assert (other.status_code, other.content) == (200, first.content)


def test_two_forms_of_one_award_never_share_a_validator(app: App, world: TestClient):
    address = f"/attributions/{open_award(app)}"
    tags = [world.get(address, headers={"accept": accept}).headers["etag"] for accept in FORMS]
    assert len(set(tags)) == len(FORMS)


def test_a_copy_is_stale_within_a_minute(app: App, world: TestClient):
    for extension in EXTENSIONS:
        answer = world.get(f"/attributions/{open_award(app)}.{extension}")
        assert answer.headers["cache-control"] == "public, max-age=60"


@pytest.mark.parametrize("accept", FORMS)
def test_head_answers_like_get_without_the_body(app: App, world: TestClient, accept: str):
    address = f"/attributions/{open_award(app)}"
    got = world.get(address, headers={"accept": accept})
    head = world.head(address, headers={"accept": accept})
    assert head.status_code == 200
    assert head.content == b""
    for name in ("etag", "content-length", "content-type", "vary", "cache-control"):
        assert head.headers[name] == got.headers[name]


# --- who may read it


def test_pages_of_other_sites_may_read_the_document_and_not_the_picture(app: App, world: TestClient):
    address = f"/attributions/{open_award(app)}"
    for accept, form in FORMS.items():
        answer = world.get(address, headers={"accept": accept, "origin": "https://ailleurs.exemple"})
        assert answer.headers.get("access-control-allow-origin") == ("*" if form in ("json", "jwt") else None)
        assert "access-control-allow-credentials" not in answer.headers


def test_a_page_of_another_site_may_send_if_none_match(app: App, world: TestClient):
    asked = {"origin": "https://ailleurs.exemple", "access-control-request-method": "GET"}
    answer = world.options(f"/attributions/{open_award(app)}", headers=asked)
    assert answer.status_code == 204
    assert "If-None-Match" in answer.headers["access-control-allow-headers"]


@pytest.mark.parametrize("accept", FORMS)
def test_no_document_sets_a_cookie(app: App, world: TestClient, accept: str):
    answer = world.get(f"/attributions/{open_award(app)}", headers={"accept": accept})
    assert "set-cookie" not in answer.headers


def test_a_picture_opened_on_its_own_runs_no_script(app: App, world: TestClient):
    answer = world.get(f"/attributions/{open_award(app)}.svg")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "script-src" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("accept", FORMS)
def test_a_closed_award_is_refused_in_every_form(app: App, world: TestClient, accept: str):
    award_id = closed_award(app)
    answer = world.get(f"/attributions/{award_id}", headers={"accept": accept})
    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["kind"] == "ClosedAward"
    assert "Martin" not in answer.text


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_closing_an_award_closes_its_files_whatever_copy_the_client_names(
    app: App, world: TestClient, extension: str
):
    award_id = open_award(app)
    address = f"/attributions/{award_id}.{extension}"
    tag = world.get(address).headers["etag"]
    with app.unit_of_work() as services:
        services.awards.set_visibility(award_id, Visibility.CLOSED, by=Actor(label="holder"))
    assert world.get(address, headers={"if-none-match": tag}).status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        f"/attributions/{UNKNOWN}",
        f"/attributions/{UNKNOWN}.json",
        f"/attributions/{UNKNOWN}.png",
        f"/attributions/{UNKNOWN}.exe",
        "/attributions/1",
        "/attributions/1.json",
        "/attributions/..%2f..%2fetc",
        "/attributions/%00",
        "/attributions/",
    ],
)
def test_unknown_awards_and_forms_are_not_found(app: App, world: TestClient, path: str):
    answer = world.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "accept",
    [
        "text/csv",
        "application/json;q=0, */*;q=0",
        "image/webp",
        "application/json;q=nan",
        "application/json;q=-1",
    ],
)
def test_an_unavailable_form_answers_406(app: App, world: TestClient, accept: str):
    answer = world.get(f"/attributions/{open_award(app)}", headers={"accept": accept})
    assert answer.status_code == 406
    assert answer.headers["content-type"] == "application/problem+json"


@for_each(
    "accept",
    [
        "",
        "*/*",
        ",",
        ";",
        ";q=1",
        "*",
        "application/json;q=inf",
        "application/json;;;q",
        "a/b/c, application/json",
        "APPLICATION/JSON",
        'application/ld+json;profile="https://www.w3.org/ns/credentials/v2"',
        "x," * 40_000,
        "application/json" + ";q=1" * 10_000,
        "\u00e9/\u00e9, */*;q=0.1",
        "${jndi:ldap://x}, */*",
    ],
)
def test_no_accept_header_breaks_the_endpoint(app: App, world: TestClient, accept: str):
    answer = world.get(f"/attributions/{open_award(app)}", headers={"accept": accept.encode("latin-1")})
    assert answer.status_code in (200, 406)
