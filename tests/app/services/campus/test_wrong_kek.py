"""A key-encryption key that does not open the keys in the database stops whatever starts on it."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from app.adapters.secrets import Kek, KekUnusable, KeyVault
from app.domain.campus.campus import Network
from app.domain.campus.lti import LtiKey
from app.main import create_app
from tests.app.services.activity_log.test_activity_log import tamper
from tests.support.app import NOON, App


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
    """Each step of docs/operate/restore.md: at none of them does a process fail to sign or to read the journal."""
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
