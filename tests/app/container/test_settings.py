"""Settings that nobody may start with: each is refused in one sentence that says what to do."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from app.settings import Settings

SAFE = {
    "base_url": "https://badges.exemple.fr",
    "secret": "q7Vw3nT9xK2mR8pL5sJ1dF6gH4bN0cZyA",
    "kek": "file:/run/keys/sceau-kek",
}


@pytest.fixture(autouse=True)
def _nothing_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"SCEAU_{name.upper()}", raising=False)


def refusal(**change: object) -> str:
    with pytest.raises(ValidationError) as refused:
        Settings(**{**SAFE, **change})  # type: ignore[arg-type]
    (fault,) = refused.value.errors()
    return fault["msg"].removeprefix("Value error, ")


def test_safe_settings_start():
    settings = Settings(**SAFE)  # type: ignore[arg-type]
    assert not settings.is_local


def test_a_laptop_starts_with_no_settings_at_all():
    assert Settings().is_local


@pytest.mark.parametrize(
    ("change", "variable"),
    [
        ({"secret": ""}, "SCEAU_SECRET"),
        ({"secret": "short"}, "SCEAU_SECRET"),
        ({"secret": "change-me-change-me-change-me-change-me"}, "SCEAU_SECRET"),
        ({"secret": "ThisIsTheDefaultSecretOfTheExample1234567"}, "SCEAU_SECRET"),
        ({"kek": ""}, "SCEAU_KEK"),
        ({"base_url": "http://badges.exemple.fr"}, "SCEAU_BASE_URL"),
        ({"base_url": "http://localhost.exemple.fr"}, "SCEAU_BASE_URL"),
        ({"base_url": "http://127.0.0.1.nip.io"}, "SCEAU_BASE_URL"),
        ({"base_url": "https://badges.exemple.fr/sceau"}, "SCEAU_BASE_URL"),
        ({"base_url": "https://badges.exemple.fr?x=1"}, "SCEAU_BASE_URL"),
        ({"base_url": "https://badges.exemple.fr#x"}, "SCEAU_BASE_URL"),
        ({"base_url": "ftp://badges.exemple.fr"}, "SCEAU_BASE_URL"),
        ({"base_url": "badges.exemple.fr"}, "SCEAU_BASE_URL"),
        ({"base_url": ""}, "SCEAU_BASE_URL"),
        ({"base_url": "https://badges.exemple.fr "}, "SCEAU_BASE_URL"),
        ({"base_url": "https://badges.exemple.fr:99999"}, "SCEAU_BASE_URL"),
        (
            {"base_url": "https://Badges.exemple.fr"},
            "SCEAU_BASE_URL doit être https://badges.exemple.fr, comme les navigateurs l’envoient.",
        ),
        (
            {"base_url": "https://badges.exemple.fr:443/"},
            "SCEAU_BASE_URL doit être https://badges.exemple.fr, comme les navigateurs l’envoient.",
        ),
        (
            {"base_url": "https://moi:secret@badges.exemple.fr"},
            "SCEAU_BASE_URL doit être https://badges.exemple.fr, comme les navigateurs l’envoient.",
        ),
        (
            {"base_url": "https://épreuve.exemple.fr:8443"},
            "SCEAU_BASE_URL doit être https://xn--preuve-9ua.exemple.fr:8443, comme les navigateurs l’envoient.",
        ),
        ({"base_url": "https://"}, "SCEAU_BASE_URL"),
        ({"smtp_url": "smtp.exemple.fr"}, "SCEAU_SMTP_URL"),
        ({"smtp_url": "smtp.exemple.fr:587"}, "SCEAU_SMTP_URL"),
        ({"smtp_url": "https://smtp.exemple.fr"}, "SCEAU_SMTP_URL"),
        ({"smtp_url": "smtp://"}, "SCEAU_SMTP_URL"),
        ({"smtp_url": "smtp://smtp.exemple.fr:submission"}, "SCEAU_SMTP_URL"),
        ({"smtp_url": "smtp://badges:tr0mp/ette#@smtp.exemple.fr:587"}, "SCEAU_SMTP_URL"),
        ({"database_url": ""}, "SCEAU_DATABASE_URL"),
        ({"database_url": "sceau"}, "SCEAU_DATABASE_URL"),
        ({"database_url": "mysql://badges@exemple.fr/sceau"}, "SCEAU_DATABASE_URL"),
        ({"database_url": "postgresql+psycopg://badges@exemple.fr:port/sceau"}, "SCEAU_DATABASE_URL"),
        ({"owner_database_url": "exemple.fr"}, "SCEAU_OWNER_DATABASE_URL"),
        ({"work_database_url": "exemple.fr"}, "SCEAU_WORK_DATABASE_URL"),
        ({"mail_from": "badges"}, "SCEAU_MAIL_FROM"),
        ({"mail_from": "badges@"}, "SCEAU_MAIL_FROM"),
        ({"mail_bounces": "badges@exemple..fr"}, "SCEAU_MAIL_BOUNCES"),
        ({"trusted_proxies": "proxy.exemple.fr"}, "SCEAU_TRUSTED_PROXIES"),
        ({"trusted_proxies": "10.0.0.0/33"}, "SCEAU_TRUSTED_PROXIES"),
        ({"trusted_proxies": "*"}, "SCEAU_TRUSTED_PROXIES"),
        ({"time_zone": "Europe/Pariss"}, "SCEAU_TIME_ZONE"),
        ({"time_zone": ""}, "SCEAU_TIME_ZONE"),
        ({"time_zone": "/etc/localtime"}, "SCEAU_TIME_ZONE"),
        ({"wallet_redirects": "my wallet"}, "SCEAU_WALLET_REDIRECTS"),
    ],
)
def test_each_refusal_is_one_sentence_that_names_its_variable(change: dict[str, str], variable: str):
    sentence = refusal(**change)
    assert sentence.startswith(variable)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert len(sentence) < 160


@pytest.mark.parametrize(
    "accepted",
    [
        {"database_url": "postgresql+psycopg:///sceau"},
        {"database_url": "postgresql://badges:a/b?c#d@exemple.fr:5432/sceau"},
        {"database_url": "postgresql+psycopg://badges@/sceau?host=one:5432&host=two:5432"},
        {"mail_from": "Sceau de l’académie <badges@exemple.fr>"},
        {"mail_from": "badges@épreuve.exemple.fr"},
        {"trusted_proxies": "10.77.0.2, 10.20.0.0/16, ::1"},
        {"smtp_url": "smtp://badges:tr0mp%2Fette@smtp.exemple.fr"},
        {"wallet_redirects": "https://wallet.example/cb, wallet://cb, com.example.wallet:/cb"},
    ],
)
def test_settings_of_ordinary_installations_are_accepted(accepted: dict[str, str]):
    Settings(**{**SAFE, **accepted})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "name", ["development_dir", "log_anchors", "object_store_ca_file", "sign_in_services", "smtp_ca_file"]
)
def test_a_path_set_to_nothing_is_not_the_current_folder(name: str, monkeypatch: pytest.MonkeyPatch):
    before = getattr(Settings(), name)
    monkeypatch.setenv(f"SCEAU_{name.upper()}", "")
    assert getattr(Settings(), name) == before


@pytest.mark.parametrize("secret", ["x7Kq", "change-me-change-me-change-me-change-me"])
def test_a_refusal_never_repeats_the_secret(secret: str):
    assert secret not in refusal(secret=secret)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://badges.exemple.fr/", "https://badges.exemple.fr"),
        ("https://badges.exemple.fr:8443", "https://badges.exemple.fr:8443"),
    ],
)
def test_an_address_is_kept_without_its_final_slash(given: str, kept: str):
    assert Settings(**{**SAFE, "base_url": given}).base_url == kept  # type: ignore[arg-type]


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1:8000", "[::1]:8000"])
def test_this_very_machine_may_be_served_over_http(host: str):
    assert Settings(base_url=f"http://{host}").is_local


def test_settings_come_from_the_environment_and_never_change_afterwards(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SCEAU_PORT", "8123")
    settings = Settings()
    assert settings.port == 8123
    with pytest.raises(ValidationError):
        settings.port = 1  # type: ignore[misc]
