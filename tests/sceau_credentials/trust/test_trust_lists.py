"""A network's list is accepted only under the pinned key, never goes back, and hostile ones are refused by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from openvc.proof.di_jcs import EddsaJcsProofSuite

from sceau_credentials.errors import NotFitToSign
from sceau_credentials.keys import Algorithm, LocalSigningKey, Signer
from sceau_credentials.proofs.data_integrity import add_plain_proof
from sceau_credentials.trust import (
    Entry,
    GivenLabel,
    PinnedNetwork,
    Standing,
    TrustList,
    TrustListRefused,
    read_trust_list,
    sign_trust_list,
)
from tests.support.running.every import for_each

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
NETWORK = "did:web:reseau.exemple:reseau:bfc"
PAGE, CONTEXT = "https://reseau.exemple/reseau/bfc", "https://reseau.exemple/contextes/confiance-v1.jsonld"
KEY = LocalSigningKey.generate(Algorithm.EDDSA)
SIGNER = Signer(f"{NETWORK}#{KEY.public.thumbprint()}", KEY)
PINNED = PinnedNetwork(KEY.public, NETWORK)
ITIP = Entry(
    "did:web:itip.exemple",
    "Industrie Technologique",
    short_name="ITIP",
    domain="itip.exemple",
    keys=("k1",),
    since=NOON - timedelta(days=30),
    labels=(GivenLabel("https://reseau.exemple/labels/1", "excellence", NOON, NOON + timedelta(days=365)),),
)
EDITION = TrustList(
    "https://reseau.exemple/reseau/bfc/campus-reconnus.json",
    NETWORK,
    "Réseau de Bourgogne-Franche-Comté",
    7,
    NOON,
    NOON + timedelta(days=7),
    (ITIP, Entry("did:web:agt.exemple", "Goût", Standing.SUSPENDED, until=NOON)),
)


def signed(edition: TrustList = EDITION, signer: Signer = SIGNER) -> bytes:
    return sign_trust_list(edition, page=PAGE, context=CONTEXT, signer=signer, at=NOON)


def changed(change: Callable[[dict[str, Any]], object]) -> bytes:
    """A list that the network signed although its content is invalid."""
    document = json.loads(signed())
    change(document)
    return json.dumps(add_plain_proof(document, signer=SIGNER, created=NOON)).encode()


def refusal(data: bytes, **asked: Any) -> str:
    with pytest.raises(TrustListRefused) as refused:
        read_trust_list(data, PINNED, at=NOON, **asked)
    return refused.value.reason


def test_a_signed_list_reads_back_as_written():
    assert read_trust_list(signed(), PINNED, at=NOON, not_below=7) == EDITION


def test_another_implementation_accepts_the_signature():
    EddsaJcsProofSuite().verify(
        json.loads(signed()), public_key_jwk=KEY.public.to_jwk(), check_temporal=False
    )


def test_an_expired_edition_is_read_and_reported_as_expired():
    later = NOON + timedelta(days=8)
    assert not read_trust_list(signed(), PINNED, at=later).is_current(later)
    assert read_trust_list(signed(), PINNED, at=NOON).is_current(NOON)


def test_an_edition_older_than_the_known_one_is_refused():
    assert refusal(signed(), not_below=8) == "older_than_known"


def test_only_the_pinned_key_signs_for_the_network():
    other = LocalSigningKey.generate(Algorithm.EDDSA)
    assert refusal(signed(signer=Signer(SIGNER.verification_method, other))) == "not_signed_by_the_network"
    foreign = Signer("did:web:ailleurs.exemple#k", KEY)
    assert refusal(signed(signer=foreign)) == "not_signed_by_the_network"
    assert refusal(signed(replace(EDITION, issuer="did:web:ailleurs.exemple"))) == "other_network"


def test_a_list_changed_after_signing_is_refused():
    assert refusal(signed().replace(b'"suspended"', b'"recognised"')) == "not_signed_by_the_network"


def test_a_list_from_the_future_is_refused():
    ahead = replace(EDITION, valid_from=NOON + timedelta(hours=1))
    assert refusal(signed(ahead)) == "from_the_future"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda d: d["credentialSubject"]["issuers"].append(d["credentialSubject"]["issuers"][0]), "named_twice"),
        (lambda d: d["credentialSubject"].update(issuers=[{}] * 2_001), "too_many"),
        (lambda d: d["credentialSubject"].update(issuers=["did:web:itip.exemple"]), "malformed"),
        (lambda d: d["credentialSubject"].update(sequence=True), "malformed"),
        (lambda d: d["credentialSubject"].update(sequence=0), "malformed"),
        (lambda d: d["credentialSubject"]["issuers"][0].update(standing="blessed"), "malformed"),
        (lambda d: d["credentialSubject"]["issuers"][0].update(name="x" * 301), "malformed"),
        (lambda d: d["credentialSubject"]["issuers"][0].update(keyThumbprints="k1"), "malformed"),
        (lambda d: d["credentialSubject"]["issuers"][0]["labels"][0].update(validUntil="demain"), "malformed"),
        (lambda d: d.pop("validUntil"), "malformed"),
        (lambda d: d.update(type=["VerifiableCredential"]), "malformed"),
        (lambda d: d.update(issuer=NETWORK), "malformed"),
    ],
)  # fmt: skip
def test_an_invalid_list_is_refused_although_signed(change, reason):
    assert refusal(changed(change)) == reason


def test_malformed_and_huge_lists_are_refused_before_anything_is_checked():
    assert refusal(b"<html>") == "malformed"
    assert refusal(b'{"id": 1, "id": 2}') == "malformed"
    assert refusal(b" " * (1024 * 1024) + signed()) == "too_large"
    assert refusal(json.dumps({k: v for k, v in json.loads(signed()).items() if k != "proof"}).encode()) == (
        "not_signed_by_the_network"
    )


HIDDEN_OR_MARKUP = [
    "<b>Goût</b>",
    "Go\u200bût",
    "Goût\u202egnot",
    "Go\u00adût",
    "Goût\nTourisme",
    "Go\u0000ût",
]


@for_each("name", HIDDEN_OR_MARKUP)
@for_each(
    "named",
    [
        lambda name: replace(EDITION, name=name),
        lambda name: replace(EDITION, entries=(replace(ITIP, name=name),)),
        lambda name: replace(EDITION, entries=(replace(ITIP, short_name=name),)),
    ],
    ids=["network", "campus", "short name"],
)
def test_names_with_markup_or_hidden_characters_are_neither_signed_nor_read(
    named: Callable[[str], TrustList], name: str
):
    with pytest.raises(NotFitToSign):
        signed(named(name))

    def rewrite(document: dict[str, Any]) -> None:
        edition = named(name)
        document["name"] = edition.name
        entry = document["credentialSubject"]["issuers"][0]
        entry["name"], entry["shortName"] = edition.entries[0].name, edition.entries[0].short_name

    with pytest.raises(TrustListRefused):
        read_trust_list(changed(rewrite), PINNED, at=NOON)


def test_a_link_other_than_plain_https_is_not_signed():
    label = GivenLabel("javascript:alert(1)", "excellence", NOON, NOON + timedelta(days=1))
    with pytest.raises(NotFitToSign):
        signed(replace(EDITION, entries=(replace(ITIP, labels=(label,)),)))
