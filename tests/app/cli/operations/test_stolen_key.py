"""`sceau keys stolen`: the key ends, what it signed is signed again, each holder is told once, whatever interrupts it."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import Mock

import psycopg
import pytest
from sqlalchemy.exc import OperationalError
from sqlmodel import select

from app.domain.awards import Award
from app.domain.campus.audit_log import Actor
from app.domain.messages import LetterState, Occasion, QueuedMessage
from app.services.awards.reissuing import StolenKeys
from app.services.verification.verdicts import HeadlineKind, headline
from tests.app.cli.conftest import Operator, Typed
from tests.support.app import App, build_app

TODAY = datetime.now(UTC).replace(microsecond=0)
ZOE, LEO = "Zoé Martin;zoe@exemple.fr", "Léo Petit;leo@exemple.fr"


@pytest.fixture
def app(database_url: str, tmp_path: Path) -> Iterator[App]:
    # The command uses the machine's clock: awards are of some days ago.
    app = build_app(database_url, tmp_path, at=TODAY - timedelta(days=10))
    yield app
    app.close()


@pytest.fixture
def operator(stranger: Operator, app: App) -> Operator:
    stranger.works_with(app.process.settings)
    stranger.sets(SCEAU_LOCALE="en")
    return stranger


def key_of(app: App) -> str:
    with app.unit_of_work(reading=True) as services:
        return services.stores.campuses.active_key(app.campus.id).method_id


def stolen(operator: Operator, app: App, key: str, report: Path, *, days_ago: float = 5) -> Typed:
    since = (TODAY - timedelta(days=days_ago)).isoformat()
    return operator.types(
        "keys", "stolen", app.campus.slug, key, "--since", since, "--reason", "Sauvegarde perdue.", "--report", report
    )  # fmt: skip


def read_report(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text("utf-8-sig").splitlines(), delimiter=";"))


def notices(app: App) -> list[QueuedMessage]:
    with app.unit_of_work(reading=True) as services:
        query = select(QueuedMessage).where(QueuedMessage.occasion == Occasion.KEY_REPLACED)
        return list(services.stores.session.exec(query).all())


def document(app: App, award_id) -> bytes:
    with app.unit_of_work(reading=True) as services:
        return services.stores.awards.document_of(award_id).embedded


def announced(app: App) -> None:
    """Every letter so far has left."""
    with app.unit_of_work() as services:
        for letter in services.stores.session.exec(select(QueuedMessage)).all():
            letter.state, letter.sent_at = LetterState.SENT, app.clock.now


def test_what_the_key_signed_is_signed_again_and_each_holder_is_informed_once(
    app: App, operator: Operator, tmp_path: Path
):
    first = [line.award_id for line in app.award(ZOE, LEO).lines]
    second = (
        app.award(ZOE, badge=app.role, evidence="A tenu le banc d’essai tout l’après-midi.").lines[0].award_id
    )
    announced(app)
    old_key, before = key_of(app), {each: document(app, each) for each in (*first, second)}
    done = stolen(operator, app, old_key, report := tmp_path / "vol.csv")
    assert done.code == 0, done.err
    assert key_of(app) != old_key
    app.clock.now = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=1)
    for award_id, old in before.items():
        new = json.loads(document(app, award_id))
        assert new["proof"]["verificationMethod"] == key_of(app)
        assert new["id"] == json.loads(old)["id"]
        assert new["credentialStatus"] == json.loads(old)["credentialStatus"]
        with app.unit_of_work(reading=True) as services:
            verdict = headline(services.verification.verify(document(app, award_id)))
        assert verdict.kind is HeadlineKind.VALID
    result = notices(app)
    assert sorted(each.address for each in result) == ["leo@exemple.fr", "zoe@exemple.fr", "zoe@exemple.fr"]
    assert len({each.envelope for each in result}) == 2, "one e-mail for each person"
    lines = read_report(report)
    assert [line["Signed badge"] for line in lines] == ["signed again"] * 3
    assert {line["E-mail"] for line in lines} == {"pending"}
    assert {line["After the theft"] for line in lines} == {"no"}
    assert report.stat().st_mode & 0o777 == 0o600


def test_interrupted_it_goes_on_and_tells_nobody_twice(
    app: App, operator: Operator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    app.award(ZOE, LEO)
    announced(app)
    old_key, whole = key_of(app), StolenKeys.sign_again
    monkeypatch.setattr("app.cli.operations.keys._HOLDERS_AT_ONCE", 1)
    calls = []

    def killed_at_the_second(*given, **named) -> int:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return whole(*given, **named)

    monkeypatch.setattr(StolenKeys, "sign_again", killed_at_the_second)
    report = tmp_path / "vol.csv"
    assert stolen(operator, app, old_key, report).code != 0
    assert not report.exists()
    assert len(notices(app)) == 1
    monkeypatch.setattr(StolenKeys, "sign_again", whole)
    for _ in range(2):
        assert stolen(operator, app, old_key, report).code == 0
        assert len(notices(app)) == 2
        assert [line["Signed badge"] for line in read_report(report)] == ["signed again"] * 2
    with app.unit_of_work(reading=True) as services:
        states = [key.state for key in services.campuses.keys_of(app.campus) if key.method_id == old_key]
        editions = services.stores.session.exec(select(Award.edition)).all()
    assert states == ["revoked"]
    assert editions == [2, 2]


@pytest.mark.parametrize("first_is_kept", [True, False])
def test_people_merged_meanwhile_are_signed_again_and_in_the_report(
    app: App, operator: Operator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first_is_kept: bool
):
    app.award(ZOE, "Zoe Martin;zoe.martin@exemple.fr")
    announced(app)
    monkeypatch.setattr("app.cli.operations.keys._HOLDERS_AT_ONCE", 1)

    def merge() -> None:
        with app.unit_of_work() as services:
            first, second = sorted(set(services.stores.session.exec(select(Award.person_id)).all()))
            kept, other = (first, second) if first_is_kept else (second, first)
            reason = "Même date d’inscription, faute de frappe."
            services.merging.merge_in_campus(app.campus, kept, other, reason, by=Actor(app.admin.id))

    def with_progress(groups, _title):
        for number, group in enumerate(groups):
            if number == 1:
                merge()
            yield group

    monkeypatch.setattr("app.cli.operations.keys.with_progress", with_progress)
    assert stolen(operator, app, key_of(app), tmp_path / "vol.csv").code == 0
    assert [line["Signed badge"] for line in read_report(tmp_path / "vol.csv")] == ["signed again"] * 2


def test_a_withdrawn_badge_stays_so_and_a_person_without_an_address_is_in_the_report(
    app: App, operator: Operator, tmp_path: Path
):
    withdrawn, alone = (line.award_id for line in app.award(ZOE, "Ana Sans-Adresse").lines)
    announced(app)
    with app.unit_of_work() as services:
        services.awards.revoke(app.campus, withdrawn, "Erreur de date.", by=Actor(label="tests"))
    old = document(app, withdrawn)
    assert stolen(operator, app, key_of(app), tmp_path / "vol.csv").code == 0
    assert document(app, withdrawn) == old
    lines = {line["Person"]: line for line in read_report(tmp_path / "vol.csv")}
    assert lines["Zoé Martin"]["Signed badge"] == "withdrawn, so not signed again"
    assert lines["Ana Sans-Adresse"]["Signed badge"] == "signed again"
    assert lines["Ana Sans-Adresse"]["E-mail"].startswith("none")
    assert alone


def test_badges_awarded_after_the_theft_are_marked(app: App, operator: Operator, tmp_path: Path):
    app.award(ZOE)
    app.clock.move(days=8)
    app.award(LEO)
    assert stolen(operator, app, key_of(app), tmp_path / "vol.csv").code == 0
    marked = {line["Person"]: line["After the theft"] for line in read_report(tmp_path / "vol.csv")}
    assert marked == {"Zoé Martin": "no", "Léo Petit": "yes"}


def test_a_badge_not_announced_yet_has_no_second_notice(app: App, operator: Operator, tmp_path: Path):
    app.award(ZOE, tells=True)
    assert stolen(operator, app, key_of(app), tmp_path / "vol.csv").code == 0
    assert notices(app) == []


def test_a_deadlock_is_answered_with_a_sentence_and_the_command_completes_when_run_again(
    app: App, operator: Operator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    app.award(ZOE)
    key, report = key_of(app), tmp_path / "vol.csv"
    refusal = OperationalError("UPDATE award", None, psycopg.errors.DeadlockDetected("deadlock detected"))
    with monkeypatch.context() as patch:
        patch.setattr(StolenKeys, "sign_again", Mock(side_effect=refusal))
        crossed = stolen(operator, app, key, report)
    assert crossed.code == os.EX_TEMPFAIL
    assert "Run the same command again." in crossed.err
    assert "Traceback" not in crossed.err
    assert stolen(operator, app, key, report).code == 0
    assert [line["Signed badge"] for line in read_report(report)] == ["signed again"]


def test_the_notice_names_campus_and_badge(app: App, operator: Operator, tmp_path: Path):
    app.award(ZOE)
    announced(app)
    assert stolen(operator, app, key_of(app), tmp_path / "vol.csv").code == 0
    app.clock.now = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=1)
    with app.unit_of_work() as services:
        (outgoing,) = [services.letters.take(each) for each in services.letters.due()]
    assert outgoing is not None
    assert outgoing.letter.subject == "Votre badge est signé de nouveau"
    assert "a peut-être été volée" in outgoing.letter.text
    assert app.presence.version.name in outgoing.letter.text


@pytest.mark.parametrize(
    "change", [{"key": "did:web:nulle.part#k1"}, {"days_ago": -1}, {"days_ago": 400}], ids=["unknown key", "to come", "before the key"]
)  # fmt: skip
def test_what_cannot_be_is_refused_and_changes_nothing(app: App, operator: Operator, tmp_path: Path, change):
    app.award(ZOE)
    key = key_of(app)
    done = stolen(operator, app, **{"key": key, "report": tmp_path / "vol.csv", **change})
    assert done.code != 0
    assert key_of(app) == key
    assert os.listdir(tmp_path).count("vol.csv") == 0
