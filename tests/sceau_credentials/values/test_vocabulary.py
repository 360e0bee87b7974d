"""The published contexts have the published bytes, and no others may be named."""

from __future__ import annotations

import tomllib
from hashlib import sha256
from importlib.resources import files
from typing import Any

import pytest

from sceau_credentials.errors import DocumentUnavailable
from sceau_credentials.values import (
    CONTEXT_EXTENSIONS,
    CONTEXT_OB_3_0_3,
    CONTEXT_V1,
    CONTEXT_V2,
    allowed_context_array,
    context,
    known_context_urls,
)
from tests.support.running.every import for_each
from tests.support.shared_data import shared

FOLDER = files("sceau_credentials.canonical") / "contexts"
INDEX = tomllib.loads((FOLDER / "contexts.toml").read_text("utf-8"))["context"]
PINNED_BY_THE_STANDARDS = {
    "https://www.w3.org/ns/credentials/v2": "59955ced6697d61e03f2b2556febe5308ab16842846f5b586d7f1f7adec92734",
    "https://w3id.org/security/data-integrity/v2": "67f21e6e33a6c14e5ccfd2fc7865f7474fb71a04af7e94136cb399dfac8ae8f4",
    "https://w3id.org/security/multikey/v1": "ba2c182de2d92f7e47184bcca8fcf0beaee6d3986c527bf664c195bbc7c58597",
    "https://w3id.org/security/jwk/v1": "0f14b62f6071aafe00df265770ea0c7508e118247d79b7d861a406d2aa00bece",
    "https://www.w3.org/ns/cid/v1": "ea216ecc1cb02cd39b693dba2250141e270ba0bf95890be107dd9a9e8e43de85",
    "https://www.w3.org/ns/credentials/status/v1": (
        "fda5add353231e6a6884a46b12e6c75464281900cb348284d9c360f62381d9f7"
    ),
    CONTEXT_OB_3_0_3: "3d34f4d4ef1bce691106e63798beb5e7b862ba841423f5ee1e53ab7ddf3bca84",  # the newest
}


@for_each("entry", INDEX, ids=lambda entry: entry["file"])
def test_each_context_has_the_bytes_of_its_record(entry):
    assert sha256((FOLDER / entry["file"]).read_bytes()).hexdigest() == entry["sha256"]
    assert "@context" in context(entry["url"])
    assert entry["licence"]
    assert entry["origin"]


@pytest.mark.parametrize(("url", "digest"), PINNED_BY_THE_STANDARDS.items())
def test_contexts_that_a_standard_pins_are_those(url, digest):
    assert next(entry["sha256"] for entry in INDEX if entry["url"] == url) == digest


def test_every_file_has_a_record_and_every_record_a_file():
    present = {item.name for item in FOLDER.iterdir()} - {"contexts.toml", "README.md"}
    assert present == {entry["file"] for entry in INDEX}


def test_the_contexts_are_those_of_the_shared_reference_data():
    published = {
        sha256(path.read_bytes()).hexdigest() for path in shared("open-badges/contexts").rglob("*.json*")
    }
    assert {entry["sha256"] for entry in INDEX} <= published


def test_the_newest_open_badges_context_contains_the_terms_added_to_the_published_version():
    terms: Any = context(CONTEXT_OB_3_0_3)["@context"]
    assert {"jti", "endorsementJwt"} <= terms.keys()


def test_an_unknown_context_is_refused():
    with pytest.raises(DocumentUnavailable) as refusal:
        context("https://example.org/context")
    assert refusal.value.reason == "context_not_known"


@pytest.mark.parametrize(
    "urls",
    [
        [CONTEXT_V2],
        [CONTEXT_V2, CONTEXT_OB_3_0_3],
        [CONTEXT_V2, CONTEXT_OB_3_0_3, CONTEXT_EXTENSIONS],
        [CONTEXT_V2, CONTEXT_OB_3_0_3, "https://www.w3.org/ns/credentials/undefined-terms/v2"],
        [CONTEXT_V1, "https://purl.imsglobal.org/spec/ob/v3p0/context.json",
         "https://w3id.org/security/suites/ed25519-2020/v1"],
    ],
)  # fmt: skip
def test_contexts_made_for_credentials_may_be_named(urls):
    assert allowed_context_array(urls)


@pytest.mark.parametrize(
    "urls",
    [
        [],
        [CONTEXT_OB_3_0_3],
        [CONTEXT_OB_3_0_3, CONTEXT_V2],
        [CONTEXT_V2, CONTEXT_V1],
        [CONTEXT_V2, CONTEXT_OB_3_0_3, CONTEXT_OB_3_0_3],
        [CONTEXT_V2, "https://w3id.org/openbadges/v2"],
        [CONTEXT_V2, "https://www.w3.org/ns/did/v1"],
        [CONTEXT_V2, "https://example.org/context"],
        [CONTEXT_V2, "https://www.w3.org/ns/credentials/undefined-terms/v2", CONTEXT_OB_3_0_3],
        ["https://www.w3.org/ns/credentials/undefined-terms/v2"],
        [CONTEXT_V2, {"@vocab": "urn:x#"}],
        [CONTEXT_V2, None],
        [CONTEXT_V2, ["https://www.w3.org/ns/credentials/v2"]],
    ],
)
def test_other_contexts_and_other_orders_may_not(urls):
    assert not allowed_context_array(urls)


def _names_of(iri: str, urls: tuple[str, ...]) -> set[str]:
    """Terms, at any depth of these contexts, that stand for this IRI."""
    found: set[str] = set()

    def visit(terms: Any) -> None:
        prefixes = {name: value for name, value in terms.items() if isinstance(value, str)}
        for name, value in terms.items():
            target = value.get("@id") if isinstance(value, dict) else value
            if isinstance(target, str):
                prefix, colon, rest = target.partition(":")
                if colon and prefix in prefixes:
                    target = prefixes[prefix] + rest
                if target == iri:
                    found.add(name)
            if isinstance(value, dict) and isinstance(value.get("@context"), dict):
                visit(value["@context"])

    for url in urls:
        visit(context(url)["@context"])
    return found


@pytest.mark.parametrize("term", ["credentialStatus", "validUntil", "validFrom", "issuer", "expirationDate"])
def test_members_that_decide_validity_have_one_name_in_all_allowed_contexts(term):
    urls = tuple(entry["url"] for entry in INDEX if entry["role"] in ("base", "credential"))
    assert _names_of(f"https://www.w3.org/2018/credentials#{term}", urls) == {term}


def test_no_context_a_credential_may_use_drops_keys_of_maps():
    text = "".join(
        (FOLDER / entry["file"]).read_text("utf-8")
        for entry in INDEX
        if entry["role"] in ("base", "credential")
    )
    for keyword in (
        '"@container": "@index"',
        '"@container":"@index"',
        '"@nest"',
        '"@reverse"',
        '"@included"',
    ):
        assert keyword not in text


def test_known_urls_are_those_of_the_records():
    assert {entry["url"] for entry in INDEX} <= known_context_urls()
