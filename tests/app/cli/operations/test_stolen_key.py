"""`sceau keys stolen`: the key ends, what it signed is signed again, each holder is told once, whatever interrupts it."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from app.domain.awards import Award
from app.domain.campus.audit_log import Actor
from app.domain.messages import LetterState, Occasion, QueuedMessage
from app.services.awards.reissuing import StolenKeys
from app.services.verification.verdicts import HeadlineKind, headline
from tests.app.cli.conftest import Operator, Typed
from tests.support.house import House, build_house

TODAY = datetime.now(UTC).replace(microsecond=0)
ZOE, LEO = "Zoé Martin;zoe@exemple.fr", "Léo Petit;leo@exemple.fr"


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    # The command uses the machine's clock: awards are of some days ago.
    house = build_house(database_url, tmp_path, at=TODAY - timedelta(days=10))
    yield house
    house.close()


@pytest.fixture
def operator(stranger: Operator, house: House) -> Operator:
    stranger.works_with(house.process.settings)
    stranger.sets(SCEAU_LOCALE="en")
    return stranger


def key_of(house: House) -> str:
    with house.unit_of_work(reading=True) as services:
        return services.stores.campuses.active_key(house.campus.id).method_id


def stolen(operator: Operator, house: House, key: str, report: Path, *, days_ago: float = 5) -> Typed:
    since = (TODAY - timedelta(days=days_ago)).isoformat()
    return operator.types(
        "keys", "stolen", house.campus.slug, key, "--since", since, "--reason", "Sauvegarde perdue.", "--report", report
    )  # fmt: skip


def read_report(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text("utf-8-sig").splitlines(), delimiter=";"))


def notices(house: House) -> list[QueuedMessage]:
    with house.unit_of_work(reading=True) as services:
        query = select(QueuedMessage).where(QueuedMessage.occasion == Occasion.KEY_REPLACED)
        return list(services.stores.session.exec(query).all())


def document(house: House, award_id) -> bytes:
    with house.unit_of_work(reading=True) as services:
        return services.stores.awards.document_of(award_id).embedded


def announced(house: House) -> None:
    """Every letter so far has left."""
    with house.unit_of_work() as services:
        for letter in services.stores.session.exec(select(QueuedMessage)).all():
            letter.state, letter.sent_at = LetterState.SENT, house.clock.now


def test_what_the_key_signed_is_signed_again_and_each_holder_is_told_once(
    house: House, operator: Operator, tmp_path: Path
):
    first = [line.award_id for line in house.award(ZOE, LEO).lines]
    second = (
        house.award(ZOE, badge=house.role, evidence="A tenu le banc d’essai tout l’après-midi.")
        .lines[0]
        .award_id
    )
    announced(house)
    old_key, before = key_of(house), {each: document(house, each) for each in (*first, second)}
    done = stolen(operator, house, old_key, report := tmp_path / "vol.csv")
    assert done.code == 0, done.err
    assert key_of(house) != old_key
    house.clock.now = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=1)
    for award_id, old in before.items():
        new = json.loads(document(house, award_id))
        assert new["proof"]["verificationMethod"] == key_of(house)
        assert new["id"] == json.loads(old)["id"]
        assert new["credentialStatus"] == json.loads(old)["credentialStatus"]
        with house.unit_of_work(reading=True) as services:
            verdict = headline(services.verification.verify(document(house, award_id)))
        assert verdict.kind is HeadlineKind.VALID
    result = notices(house)
    assert sorted(each.address for each in result) == ["leo@exemple.fr", "zoe@exemple.fr", "zoe@exemple.fr"]
    assert len({each.envelope for each in result}) == 2, "one e-mail for each person"
    lines = read_report(report)
    assert [line["Signed badge"] for line in lines] == ["signed again"] * 3
    assert {line["E-mail"] for line in lines} == {"pending"}
    assert {line["After the theft"] for line in lines} == {"no"}
    assert report.stat().st_mode & 0o777 == 0o600


def test_interrupted_it_goes_on_and_tells_nobody_twice(
    house: House, operator: Operator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    house.award(ZOE, LEO)
    announced(house)
    old_key, whole = key_of(house), StolenKeys.sign_again
    monkeypatch.setattr("app.cli.operations.keys._HOLDERS_AT_ONCE", 1)
    calls = []

    def killed_at_the_second(*given, **named) -> int:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return whole(*given, **named)

    monkeypatch.setattr(StolenKeys, "sign_again", killed_at_the_second)
    report = tmp_path / "vol.csv"
    assert stolen(operator, house, old_key, report).code != 0
    assert not report.exists()
    assert len(notices(house)) == 1
    monkeypatch.setattr(StolenKeys, "sign_again", whole)
    for _ in range(2):
        assert stolen(operator, house, old_key, report).code == 0
        assert len(notices(house)) == 2
        assert [line["Signed badge"] for line in read_report(report)] == ["signed again"] * 2
    with house.unit_of_work(reading=True) as services:
        states = [key.state for key in services.campuses.keys_of(house.campus) if key.method_id == old_key]
        editions = services.stores.session.exec(select(Award.edition)).all()
    assert states == ["revoked"]
    assert editions == [2, 2]


def test_a_withdrawn_badge_stays_so_and_a_person_without_an_address_is_in_the_report(
    house: House, operator: Operator, tmp_path: Path
):
    withdrawn, alone = (line.award_id for line in house.award(ZOE, "Ana Sans-Adresse").lines)
    announced(house)
    with house.unit_of_work() as services:
        services.awards.revoke(house.campus, withdrawn, "Erreur de date.", by=Actor(label="tests"))
    old = document(house, withdrawn)
    assert stolen(operator, house, key_of(house), tmp_path / "vol.csv").code == 0
    assert document(house, withdrawn) == old
    lines = {line["Person"]: line for line in read_report(tmp_path / "vol.csv")}
    assert lines["Zoé Martin"]["Signed badge"] == "withdrawn, so not signed again"
    assert lines["Ana Sans-Adresse"]["Signed badge"] == "signed again"
    assert lines["Ana Sans-Adresse"]["E-mail"].startswith("none")
    assert alone


def test_badges_awarded_after_the_theft_are_marked(house: House, operator: Operator, tmp_path: Path):
    house.award(ZOE)
    house.clock.move(days=8)
    house.award(LEO)
    assert stolen(operator, house, key_of(house), tmp_path / "vol.csv").code == 0
    marked = {line["Person"]: line["After the theft"] for line in read_report(tmp_path / "vol.csv")}
    assert marked == {"Zoé Martin": "no", "Léo Petit": "yes"}


def test_a_badge_not_announced_yet_has_no_second_notice(house: House, operator: Operator, tmp_path: Path):
    house.award(ZOE, tells=True)
    assert stolen(operator, house, key_of(house), tmp_path / "vol.csv").code == 0
    assert notices(house) == []


def test_the_notice_names_campus_and_badge(house: House, operator: Operator, tmp_path: Path):
    house.award(ZOE)
    announced(house)
    assert stolen(operator, house, key_of(house), tmp_path / "vol.csv").code == 0
    house.clock.now = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=1)
    with house.unit_of_work() as services:
        (outgoing,) = [services.letters.take(each) for each in services.letters.due()]
    assert outgoing is not None
    assert outgoing.letter.subject == "Votre badge est signé de nouveau"
    assert "a peut-être été volée" in outgoing.letter.text
    assert house.presence.version.name in outgoing.letter.text


@pytest.mark.parametrize(
    "change", [{"key": "did:web:nulle.part#k1"}, {"days_ago": -1}, {"days_ago": 400}], ids=["unknown key", "to come", "before the key"]
)  # fmt: skip
def test_what_cannot_be_is_refused_and_changes_nothing(
    house: House, operator: Operator, tmp_path: Path, change
):
    house.award(ZOE)
    key = key_of(house)
    done = stolen(operator, house, **{"key": key, "report": tmp_path / "vol.csv", **change})
    assert done.code != 0
    assert key_of(house) == key
    assert os.listdir(tmp_path).count("vol.csv") == 0
