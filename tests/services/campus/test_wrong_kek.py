"""A key-encryption key that does not open the keys in the database stops whatever starts on it."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from app.adapters.secrets import Kek, KekUnusable, KeyVault
from app.domain.campus.campus import Network
from app.main import create_app
from tests.services.activity_log.test_activity_log import tamper
from tests.support.house import NOON, House


def test_process_with_the_right_kek_starts(house: House) -> None:
    house.process.check()


def test_wrong_kek_stops_the_start_and_names_both_keys(house: House) -> None:
    right = house.process.vault.kek.id
    house.process.vault = KeyVault(Kek(b"\x07" * 32))
    with pytest.raises(KekUnusable) as refused:
        house.process.check()
    assert right in str(refused.value)
    assert house.process.vault.kek.id in str(refused.value)


def test_key_of_a_network_under_another_kek_stops_the_start(house: House) -> None:
    with house.unit_of_work() as services:
        network = Network(slug="reseau", name="Réseau")
        services.stores.campuses.add(network)
        services.network_signing.signers_of(network, at=NOON)
        row = services.network_signing.store.key_of(network.id)
        assert row is not None
        row.kek_id = "another"
    with pytest.raises(KekUnusable, match="another"):
        house.process.check()


def test_damaged_sealed_key_is_named_and_stops_nothing(house: House) -> None:
    spoilt = "x'0100'" if house.owner.dialect.name == "sqlite" else r"'\x0100'"
    tamper(
        house,
        f"UPDATE signing_key SET sealed = {spoilt} WHERE method_id LIKE '%itip#%' AND purpose = 'credential'",
    )
    house.process.check()
    with house.unit_of_work(reading=True) as services:
        assert ["itip" in name for name in services.signing.keys_that_do_not_open()] == [True]


def test_server_does_not_start_with_the_wrong_kek(house: House) -> None:
    house.process.vault = KeyVault(Kek(b"\x07" * 32))
    with pytest.raises(KekUnusable), TestClient(create_app(process=house.process)):
        pass
