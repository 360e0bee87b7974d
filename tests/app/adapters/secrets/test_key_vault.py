"""Sealed keys open only for their own campus, name and master key, and are never stored unencrypted."""

from __future__ import annotations

import base64
import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from app.adapters.secrets import Kek, KekUnusable, KeyVault, SealedFor, kek_from, make_secret_file
from app.container import Process
from app.errors import AppError, Unavailable
from app.language import speaking
from sceau_credentials.keys import Algorithm, LocalSigningKey
from tests.support.app import App

KEK = Kek(bytes(range(32)))
OWNER = SealedFor("itip", "did:web:exemple.fr:campus:itip#k1", "EdDSA", "credential")


@pytest.fixture
def key() -> LocalSigningKey:
    return LocalSigningKey.generate(Algorithm.EDDSA)


@pytest.fixture
def sealed(key: LocalSigningKey) -> bytes:
    return KeyVault(KEK).seal(key, OWNER)


def test_a_sealed_key_opens_for_its_owner_and_signs(key: LocalSigningKey, sealed: bytes):
    opened = KeyVault(KEK).open(sealed, OWNER, kek_id=KEK.id)
    assert key.public.verify(opened.sign(b"badge"), b"badge")


@pytest.mark.parametrize("field", ["campus", "method_id", "algorithm", "purpose"])
def test_a_sealed_key_moved_elsewhere_does_not_open(sealed: bytes, field: str):
    """Write access to the database does not suffice to give one campus's key to another (T35)."""
    with pytest.raises(Unavailable):
        KeyVault(KEK).open(sealed, replace(OWNER, **{field: "autre"}), kek_id=KEK.id)


def test_another_master_key_opens_nothing(sealed: bytes):
    other = Kek(bytes(32))
    with pytest.raises(Unavailable):
        KeyVault(other).open(sealed, OWNER, kek_id=KEK.id)
    with pytest.raises(Unavailable):
        KeyVault(other).open(sealed, OWNER, kek_id=other.id)


def test_an_older_version_of_the_master_key_is_not_taken_for_the_newer(sealed: bytes):
    with pytest.raises(Unavailable):
        KeyVault(replace(KEK, version=2)).open(sealed, OWNER, kek_id=KEK.id)


def test_any_changed_byte_is_detected(sealed: bytes):
    for place in range(1, len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises(Unavailable):
            KeyVault(KEK).open(bytes(changed), OWNER, kek_id=KEK.id)


@pytest.mark.parametrize("length", [0, 1, 20, 45, 60])
def test_a_truncated_key_does_not_open(sealed: bytes, length: int):
    with pytest.raises(Unavailable):
        KeyVault(KEK).open(sealed[:length], OWNER, kek_id=KEK.id)


def test_a_seal_of_an_unknown_format_does_not_open(sealed: bytes):
    with pytest.raises(Unavailable):
        KeyVault(KEK).open(b"\x02" + sealed[1:], OWNER, kek_id=KEK.id)


def test_the_same_key_is_never_sealed_to_the_same_bytes(key: LocalSigningKey):
    vault = KeyVault(KEK)
    assert len({vault.seal(key, OWNER) for _ in range(20)}) == 20


def test_the_name_of_a_master_key_reveals_nothing_of_it():
    assert KEK.id != Kek(bytes(32)).id
    assert KEK.secret.hex()[:8] not in KEK.id


def test_a_master_key_is_not_shown_by_accident():
    assert KEK.secret.hex() not in repr(KEK)
    assert repr(KEK.secret) not in repr(KEK)


# --- where the master key is stored


@pytest.fixture
def kek_file(tmp_path: Path) -> Path:
    path = tmp_path / "secrets" / "kek"
    make_secret_file(path)
    return path


def test_a_master_key_that_only_its_owner_reads_is_used(kek_file: Path, tmp_path: Path):
    assert stat.S_IMODE(kek_file.stat().st_mode) == 0o600
    assert len(kek_from(f"file:{kek_file}", database_folder=tmp_path / "var").secret) == 32


def test_an_existing_master_key_is_never_overwritten(kek_file: Path):
    before = kek_file.read_text()
    make_secret_file(kek_file)
    assert kek_file.read_text() == before


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o644, 0o660, 0o602])
def test_a_master_key_that_others_may_read_or_write_is_refused(kek_file: Path, mode: int):
    kek_file.chmod(mode)
    with pytest.raises(KekUnusable, match="chmod 600"):
        kek_from(f"file:{kek_file}", database_folder=None)


@pytest.mark.parametrize("folder", ["secrets", "."])
def test_a_master_key_beside_the_database_is_refused(kek_file: Path, tmp_path: Path, folder: str):
    with pytest.raises(KekUnusable, match="à côté de la base"):
        kek_from(f"file:{kek_file}", database_folder=tmp_path / folder)


def test_a_link_from_elsewhere_to_a_master_key_beside_the_database_is_refused(kek_file: Path, tmp_path: Path):
    (tmp_path / "link").symlink_to(kek_file)
    with pytest.raises(KekUnusable, match="à côté de la base"):
        kek_from(f"file:{tmp_path / 'link'}", database_folder=kek_file.parent)


@pytest.mark.parametrize(
    ("language", "words"),
    [("fr", "à côté de la base"), ("en", "beside the database"), ("es", "junto a la base")],
)
def test_a_refused_master_key_is_explained_in_the_language_of_the_operator(
    kek_file: Path, language: str, words: str
):
    with speaking(language), pytest.raises(KekUnusable, match=words):
        kek_from(f"file:{kek_file}", database_folder=kek_file.parent)


def test_a_master_key_that_an_editor_saved_with_a_byte_order_mark_is_read(kek_file: Path):
    kek = kek_from(f"file:{kek_file}", database_folder=None)
    kek_file.write_bytes(b"\xef\xbb\xbf" + kek_file.read_bytes() + b"\r\n")
    assert kek_from(f"file:{kek_file}", database_folder=None).id == kek.id


@pytest.mark.parametrize(
    "source", ["", "/run/kek", "vault:x", "file:/nowhere/at/all", "env:SCEAU_TEST_NO_SUCH_VARIABLE"]
)
def test_a_source_that_gives_no_master_key_is_refused(source: str):
    with pytest.raises(KekUnusable):
        kek_from(source, database_folder=None)


@pytest.mark.parametrize("secret", [b"", bytes(16), bytes(31), bytes(33)])
def test_a_master_key_of_another_length_is_refused_without_being_shown(kek_file: Path, secret: bytes):
    written = base64.b64encode(secret).decode()
    kek_file.write_text(written)
    with pytest.raises(KekUnusable) as refused:
        kek_from(f"file:{kek_file}", database_folder=None)
    assert not written or written not in str(refused.value)


def test_a_master_key_that_is_not_base64_is_refused_without_being_shown(kek_file: Path):
    kek_file.write_text("not/base64!")
    with pytest.raises(KekUnusable) as refused:
        kek_from(f"file:{kek_file}", database_folder=None)
    assert "not/base64!" not in str(refused.value)


# --- in the database


def private_forms(process: Process) -> list[bytes]:
    """Every campus's private key in forms that could have been stored by mistake."""
    forms = []
    with process.unit_of_work(reading=True) as services:
        for row, campus in services.campuses.keys():  # noqa: SIM118 - a service, not a dict
            owner = SealedFor(str(campus.id), row.method_id, row.algorithm, row.purpose.value)
            opened = process.vault.open(row.sealed, owner, kek_id=row.kek_id)
            assert isinstance(opened, LocalSigningKey)
            der = opened.to_bytes()
            for raw in (der, der[-32:]):
                encodings = (raw, raw.hex().encode(), base64.b64encode(raw), base64.urlsafe_b64encode(raw))
                forms += [encoded.rstrip(b"=") for encoded in encodings]
    return forms


def test_no_private_key_is_unencrypted_in_the_database_files(app: App):
    app.award("Zoé Martin;zoe@exemple.fr")
    forms = private_forms(app.process)
    assert len(forms) == 32
    folder = Path(str(app.process.engine.url.database)).parent
    files = [path.read_bytes() for path in folder.iterdir()]
    assert any(b"did:web:localhost" in data for data in files)
    assert [form for form in forms if any(form in data for data in files)] == []
    assert [data for data in files if app.process.vault.kek.secret in data] == []


def test_a_campus_cannot_sign_with_a_key_moved_from_another(app: App):
    """Two rows swapped with write access to the database (T35)."""
    with app.process.engine.begin() as connection:
        sealed = connection.execute(
            text("SELECT sealed FROM signing_key WHERE campus_id <> :id AND purpose = 'credential'"),
            {"id": app.campus.id.hex},
        ).scalar_one()
        connection.execute(
            text("UPDATE signing_key SET sealed = :sealed WHERE campus_id = :id"),
            {"sealed": sealed, "id": app.campus.id.hex},
        )
    with pytest.raises(AppError):
        app.award("Zoé Martin;zoe@exemple.fr")
    with app.unit_of_work(reading=True) as services:
        assert services.awards.list_in(app.campus) == []


def test_a_process_refuses_a_master_key_it_finds_beside_its_database(app: App):
    folder = Path(str(app.process.engine.url.database)).parent
    make_secret_file(folder / "kek")
    settings = app.process.settings.model_copy(update={"kek": f"file:{folder / 'kek'}"})
    with pytest.raises(KekUnusable):
        Process(settings)
    assert os.path.exists(folder / "kek")
