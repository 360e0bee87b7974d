"""Signing keys in a PKCS#11 token, with SoftHSM."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from app.adapters.secrets import Hsm, HsmAddress, Kek, KekUnusable, KeyVault, SealedFor, hsm_in, pin_from
from app.container import problems_of
from app.domain.campus.campus import CampusSettings, KeyPurpose, KeyState
from app.errors import Conflict, Unavailable
from tests.support.app import COMMAND, App

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
PIN, TOKEN = "8642", "sceau"
OWNER = SealedFor("campus 1", "", "EdDSA", "credential")

pytestmark = pytest.mark.skipif(not MODULE.exists(), reason="needs SoftHSM (apt-get install softhsm2)")


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HsmAddress]:
    """The library reads its configuration once per process."""
    folder = tmp_path_factory.mktemp("hsm")
    (folder / "tokens").mkdir()
    (folder / "conf").write_text(f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\n")
    os.environ["SOFTHSM2_CONF"] = str(folder / "conf")
    made = ["softhsm2-util", "--init-token", "--free", "--label", TOKEN, "--pin", PIN, "--so-pin", "12345678"]
    subprocess.run(made, check=True, capture_output=True)
    (folder / "pin").touch(mode=0o600)
    (folder / "pin").write_text(PIN + "\n")
    yield HsmAddress(TOKEN, MODULE, f"file:{folder}/pin")
    del os.environ["SOFTHSM2_CONF"]


@pytest.fixture
def hsm(token: HsmAddress) -> Iterator[Hsm]:
    opened = Hsm(token, PIN)
    yield opened
    opened.close()


def test_key_made_in_the_token_signs_and_is_found_again(hsm: Hsm) -> None:
    made = hsm.generate("itip")
    hsm.close()
    found = hsm.find(made.id, "itip")
    assert found.public.thumbprint() == made.public.thumbprint()
    assert made.public.verify(found.sign(b"message"), b"message")


def test_private_half_cannot_be_extracted_from_the_token(hsm: Hsm) -> None:
    from pkcs11 import Attribute, AttributeSensitive

    made = hsm.generate("itip")
    private = hsm._private_half(hsm._opened(), made.id, "itip")
    assert (private[Attribute.SENSITIVE], private[Attribute.EXTRACTABLE]) == (True, False)
    with pytest.raises(AttributeSensitive):
        private[Attribute.VALUE]


def test_reference_moved_to_another_owner_opens_nothing(hsm: Hsm) -> None:
    vault = KeyVault(Kek(b"k" * 32), hsm=hsm)
    stored = vault.store(vault.generate(OWNER), OWNER)
    assert vault.open(stored.sealed, OWNER, kek_id=stored.kek_id).sign(b"x")
    other = SealedFor("campus 2", "", "EdDSA", "credential")
    with pytest.raises(Unavailable):
        vault.open(stored.sealed, other, kek_id=stored.kek_id)
    with pytest.raises(Unavailable):
        KeyVault(Kek(b"k" * 32)).open(stored.sealed, OWNER, kek_id=stored.kek_id)


def test_threads_sign_at_the_same_time(hsm: Hsm) -> None:
    made = hsm.generate("itip")
    with ThreadPoolExecutor(6) as threads:
        signed = list(threads.map(lambda n: (made.sign(b"%d" % n), b"%d" % n), range(60)))
    assert all(made.public.verify(signature, message) for signature, message in signed)


def test_a_refused_pin_is_sent_once_and_locks_no_token(
    token: HsmAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = Hsm(token, "0000")
    for _ in range(5):
        with pytest.raises(Unavailable, match="refuse le code secret"):
            wrong.check()
    right = Hsm(token, PIN)
    right.check()
    right.close()


def test_a_token_that_disappeared_is_found_when_it_is_back(hsm: Hsm, token: HsmAddress) -> None:
    made = hsm.generate("itip")
    tokens = Path(token.pin_source.removeprefix("file:")).parent / "tokens"
    tokens.rename(tokens.with_name("unplugged"))
    tokens.mkdir()
    hsm._begin_anew()
    with pytest.raises(Unavailable, match="ne répond pas"):
        hsm.check()
    tokens.rmdir()
    tokens.with_name("unplugged").rename(tokens)
    hsm.check()
    assert made.public.verify(made.sign(b"again"), b"again")


@pytest.mark.parametrize(
    "uri",
    [
        "softhsm",
        "pkcs11:",
        "pkcs11:token=sceau",
        "pkcs11:token=sceau?module-path=/x.so",
        f"pkcs11:token={'x' * 33}?module-path=/x.so&pin-source=env:PIN",
    ],
)
def test_malformed_address_of_a_token_is_refused(uri: str) -> None:
    with pytest.raises(KekUnusable):
        hsm_in(uri)


def test_pin_that_others_can_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pin").write_text(PIN)
    (tmp_path / "pin").chmod(0o644)
    with pytest.raises(KekUnusable, match="chmod 600"):
        pin_from(f"file:{tmp_path}/pin")


@pytest.fixture
def app_with_hsm(app: App, token: HsmAddress) -> Iterator[App]:
    """An installation with campus keys that were moved to the token."""
    app.award("Ada Martin")
    app.process.vault = KeyVault(app.process.vault.kek, hsm=Hsm(token, PIN))
    with app.unit_of_work() as services:
        moved = services.signing.keys_for_hsm()
        assert {key.purpose for key, _ in moved} == {KeyPurpose.CREDENTIAL, KeyPurpose.ACTIVITY_LOG}
        for key, campus in moved:
            services.campus_keys.retire(campus, key.id, reason="Un module de clés.", by=COMMAND)
        assert services.signing.keys_for_hsm() == []
    yield app
    app.process.vault.hsm.close()


def active_keys(app: App) -> set[str]:
    with app.unit_of_work(reading=True) as services:
        keys = services.campuses.keys_of(app.campus)
        return {key.kek_id for key in keys if key.state is KeyState.ACTIVE}


def test_a_campus_with_moved_keys_awards_and_continues_after_a_restart(app_with_hsm: App) -> None:
    app = app_with_hsm
    assert active_keys(app) == {f"pkcs11:{TOKEN}"}
    app.award("Zoé Petit")
    app.process.vault.hsm.close()
    app.process.vault = KeyVault(app.process.vault.kek, hsm=Hsm(app.process.vault.hsm.address, PIN))
    app.process.check_secrets()
    assert app.award("Lou Blanc").lines[0].award_id
    with app.unit_of_work(reading=True) as services:
        assert services.signing.keys_that_do_not_open() == []
    with app.unit_of_work() as services:
        services.signing.rewrap()
    assert active_keys(app) == {f"pkcs11:{TOKEN}"}
    assert problems_of(app.process) == []


def test_campus_creates_no_key_outside_the_token(app_with_hsm: App) -> None:
    with app_with_hsm.unit_of_work() as services:
        wanted = replace(CampusSettings.of(services.campuses.get("itip")), selective_disclosure=True)
        with pytest.raises(Conflict, match="module matériel"):
            services.campuses.change_settings("itip", wanted, by=COMMAND)
    assert active_keys(app_with_hsm) == {f"pkcs11:{TOKEN}"}


def test_service_without_the_token_of_its_keys_does_not_start(app_with_hsm: App) -> None:
    app = app_with_hsm
    vault, app.process.vault = app.process.vault, KeyVault(app.process.vault.kek)
    with pytest.raises(KekUnusable, match="SCEAU_HSM"):
        app.process.check_secrets()
    app.process.vault = vault


def test_refused_pin_makes_the_service_unready_and_awards_nothing(app_with_hsm: App) -> None:
    app = app_with_hsm
    vault = app.process.vault
    vault.hsm.close()
    app.process.vault = KeyVault(vault.kek, hsm=Hsm(vault.hsm.address, "0000"))
    app.process.check_secrets()
    [problem] = problems_of(app.process)
    assert "refuse le code secret" in problem
    with pytest.raises(Unavailable):
        app.award("Zoé Petit")
    assert app.client().get("/campus/itip").status_code == 200
