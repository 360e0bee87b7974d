"""A key-encryption key or secret that is not the database's stops what starts on it."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from app.adapters.secrets import Kek, KekUnusable, KeyVault
from app.container import problems_of
from app.domain.campus.campus import Network
from app.domain.campus.lti import LtiKey
from app.errors import InvalidInput
from app.main import create_app
from app.services.publishing.status import SecretReplaced
from tests.app.services.activity_log.test_activity_log import tamper
from tests.support.app import COMMAND, NOON, App


def test_process_with_the_right_kek_starts(app: App) -> None:
    app.process.check()


def test_wrong_kek_stops_the_start_and_names_both_keys(app: App) -> None:
    right = app.process.vault.kek.id
    app.process.vault = KeyVault(Kek(b"\x07" * 32))
    with pytest.raises(KekUnusable) as refused:
        app.process.check()
    assert right in str(refused.value)
    assert app.process.vault.kek.id in str(refused.value)


def test_key_of_a_network_under_another_kek_stops_the_start(app: App) -> None:
    with app.unit_of_work() as services:
        network = Network(slug="reseau", name="Réseau")
        services.stores.campuses.add(network)
        services.network_signing.signers_of(network, at=NOON)
        row = services.network_signing.store.key_of(network.id)
        assert row is not None
        row.kek_id = "another"
    with pytest.raises(KekUnusable, match="another"):
        app.process.check()


def test_key_for_course_platforms_under_another_kek_stops_the_start(app: App) -> None:
    with app.unit_of_work() as services:
        services.stores.lti.save(
            LtiKey(
                campus_id=app.campus.id,
                sealed=b"sealed",
                kek_id="another",
                public_jwk={"kid": "1"},
                created_at=NOON,
            )
        )
    with pytest.raises(KekUnusable, match="another"):
        app.process.check()


@pytest.mark.both_engines
def test_damaged_sealed_key_is_named_and_stops_nothing(app: App) -> None:
    spoilt = "x'0100'" if app.owner.dialect.name == "sqlite" else r"'\x0100'"
    tamper(
        app,
        f"UPDATE signing_key SET sealed = {spoilt} WHERE method_id LIKE '%itip#%' AND purpose = 'credential'",
    )
    app.process.check()
    with app.unit_of_work(reading=True) as services:
        assert ["itip" in name for name in services.signing.keys_that_do_not_open()] == [True]


def test_server_does_not_start_with_the_wrong_kek(app: App) -> None:
    app.process.vault = KeyVault(Kek(b"\x07" * 32))
    with pytest.raises(KekUnusable), TestClient(create_app(process=app.process)):
        pass


def test_key_encryption_key_is_replaced_while_awards_go_on(app: App) -> None:
    """Each step of docs/operate/restore.md: processes can always sign and read the journal."""
    old, new = app.process.vault.kek, Kek(b"\x09" * 32)
    with app.unit_of_work() as services:
        network = Network(slug="reseau", name="Réseau")
        services.stores.campuses.add(network)
        services.network_signing.signers_of(network, at=NOON)
    sealed = KeyVault(old).seal_bytes(b"line", b"frame")

    def awards(name: str, vault: KeyVault) -> None:
        app.process.vault = vault
        app.process.check()
        assert app.award(f"{name} Martin; {name.lower()}@exemple.fr").lines[0].award_id is not None
        assert vault.open_bytes(sealed, b"frame") == b"line"
        with app.unit_of_work(reading=True) as services:
            assert services.signing.keys_that_do_not_open() == []

    awards("Ada", KeyVault(old, others=[new]))
    awards("Zoé", KeyVault(new, others=[old]))
    with app.unit_of_work() as services:
        before = services.stores.campuses.sealed_under()
        assert services.signing.rewrap() > 0
        assert services.network_signing.rewrap() == 1
        assert services.signing.rewrap() == services.network_signing.rewrap() == 0
        assert (before, services.stores.campuses.sealed_under()) == ({old.id}, {new.id})
    awards("Lou", KeyVault(old, others=[new]))
    awards("Eva", KeyVault(new, others=[old]))
    app.process.vault = KeyVault(new)
    app.process.check()
    app.process.vault = KeyVault(old)
    with pytest.raises(KekUnusable):
        app.process.check()


OTHER = b"another secret of thirty-two bytes"


def with_known_secret(app: App) -> bytes:
    with app.unit_of_work() as services:
        services.signing.note_secret(app.process.secret)
        services.signing.note_secret(OTHER)
    return app.process.secret


@pytest.mark.both_engines
def test_another_secret_than_the_first_process_had_stops_the_start_and_readiness(app: App) -> None:
    app.process.check()
    first = with_known_secret(app)
    app.process.check()
    app.process.secret = OTHER
    with pytest.raises(SecretReplaced, match="accept-secret"):
        app.process.check()
    with pytest.raises(SecretReplaced), TestClient(create_app(process=app.process)):
        pass
    assert any("SCEAU_SECRET" in problem for problem in problems_of(app.process))
    app.process.secret = first
    assert problems_of(app.process) == []


@pytest.mark.both_engines
def test_secret_that_is_accepted_replaces_the_first_once(app: App) -> None:
    first = with_known_secret(app)

    def accept(secret: bytes, reason: str = "Une copie a été lue.") -> bool:
        with app.unit_of_work() as services:
            return services.signing.accept_secret(secret, reason, at=NOON, by=COMMAND)

    with pytest.raises(InvalidInput):
        accept(OTHER, " ")
    app.process.check()
    assert [accept(OTHER), accept(OTHER), accept(first)] == [True, False, True]
    app.process.check()
    with app.unit_of_work(reading=True) as services:
        fingerprint = services.stores.signing_clock.find().secret_fingerprint
        events = [
            each.action
            for each, _ in services.stores.history.page_of_service(before=None, limit=9)
            if each.noun == "secret"
        ]
    assert fingerprint not in (None, first.hex(), first.decode("latin-1"))
    assert events == ["replace", "replace"]
