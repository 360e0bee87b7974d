"""`sceau verify` reads a verification package: offline from what it holds, dated; else as the badge it holds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.container import Process
from app.domain.awards import Visibility
from sceau_credentials import verify
from sceau_credentials.keys import Algorithm, LocalSigningKey, VerificationKey
from sceau_credentials.package import open_package
from sceau_credentials.transparency_log.notes import WitnessKey
from tests.app.cli.conftest import Operator
from tests.support.demo import state_of

KEYS: dict[str, str] = {}
ISSUERS: dict[str, str] = {}
OTHER = LocalSigningKey.generate(Algorithm.EDDSA).public.to_multikey()


@pytest.fixture(scope="module")
def packages(demo: Process, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("packages")
    found = {}
    with demo.unit_of_work(reading=True) as services:
        for campus in services.campuses.list_all():
            for record in services.awards.list_in(campus, limit=1000):
                state = state_of(services, record)
                if state in ("valid", "revoked") and record.award.visibility is Visibility.OPEN:
                    found.setdefault(state, services.verification.package_of(record).body)
    for state, body in found.items():
        opened = open_package(body)
        report = verify(opened.badge, documents=opened.documents, at=opened.made_at)
        KEYS[state] = VerificationKey.from_jwk(report.key or {}).to_multikey()
        ISSUERS[state] = report.issuer or ""
        (folder / f"{state}.zip").write_bytes(body)
    return {state: folder / f"{state}.zip" for state in found}


@pytest.mark.parametrize(("state", "code", "words"), [("valid", 0, "Authentique"), ("revoked", 1, "Retiré")])
def test_a_package_is_answered_without_network_or_database_and_dated(
    stranger: Operator, packages: dict[str, Path], state: str, code: int, words: str
) -> None:
    for pin in (KEYS[state], f"{ISSUERS[state]}={KEYS[state]}"):
        answer = stranger.types("verify", "--offline", "--pin", pin, packages[state])
        assert answer.code == code, answer.out
        assert words in answer.out
        assert "D’après les seuls documents du paquet" in " ".join(answer.out.split())


@pytest.mark.parametrize("options", [[], ["--pin", "did:web:autre.example={key}"], ["--pin", OTHER]])
def test_a_package_whose_key_is_not_known_is_neither_good_nor_bad(
    stranger: Operator, packages: dict[str, Path], options: list[str]
) -> None:
    """Its own key document is no witness of itself."""
    given = [each.format(key=KEYS["valid"]) for each in options]
    answer = stranger.types("verify", "--offline", *given, packages["valid"])
    assert answer.code == 2, answer.out
    assert "rien n’authentifie ce paquet" in " ".join(answer.out.split())
    assert "Authentique" not in answer.out


@pytest.mark.parametrize("options", [["--pin", "bonjour"], ["--witness", "bonjour"]])
def test_a_key_that_cannot_be_read_is_a_malformed_question(
    stranger: Operator, packages: dict[str, Path], options: list[str]
) -> None:
    assert stranger.types("verify", "--offline", *options, packages["valid"]).code == 3


def test_programs_are_informed_when_its_documents_were_gathered(
    stranger: Operator, packages: dict[str, Path]
) -> None:
    pin = ("--pin", KEYS["valid"])
    result = json.loads(stranger.types("verify", "--offline", "--json", *pin, packages["valid"]).out)
    assert result["evidence"]["witnesses"] is None, "none is known here"
    assert result["evidence"]["witnessed"] == []
    assert (result["verdict"], result["packedAt"]) == ("valid", result["at"])


def test_with_a_network_the_documents_in_a_package_count_for_nothing(
    stranger: Operator, packages: dict[str, Path], tmp_path: Path
) -> None:
    """Whoever made the package could have put any key there."""
    answer = stranger.types("verify", "--documents", tmp_path, packages["valid"])
    assert answer.code == 2
    assert "paquet" not in answer.out


def test_a_damaged_package_is_an_unusable_source(stranger: Operator, packages: dict[str, Path]) -> None:
    broken = packages["valid"].with_name("broken.zip")
    broken.write_bytes(packages["valid"].read_bytes()[:-100])
    answer = stranger.types("verify", "--offline", broken)
    assert answer.code == 3
    assert "paquet de vérification" in answer.err


def test_the_proofs_of_the_log_are_in_the_package_and_checked_without_a_network(
    stranger: Operator, packages: dict[str, Path]
) -> None:
    pin = ("--pin", KEYS["valid"])
    result = json.loads(stranger.types("verify", "--offline", "--json", *pin, packages["valid"]).out)
    assert result["evidence"]["outcome"] == "proved"
    words = " ".join(stranger.types("verify", "--offline", *pin, packages["valid"]).out.split())
    assert "au journal du campus" in words


def test_a_known_witness_of_the_log_is_enough_and_another_is_not(
    stranger: Operator, packages: dict[str, Path], demo: Process
) -> None:
    with demo.unit_of_work(reading=True) as services:
        (witness,) = services.stores.log_watch.keys_of_witnesses()
    other = WitnessKey("autre.example", bytes(32)).public.to_vkey()
    for state, code in (("valid", 0), ("revoked", 1)):
        answer = stranger.types("verify", "--offline", "--witness", witness, packages[state])
        assert answer.code == code, answer.out
        assert stranger.types("verify", "--offline", "--witness", other, packages[state]).code == 2
