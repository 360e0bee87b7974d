"""`sceau check` finds and names each kind of damage to what was signed, and nothing in a clean database."""

from __future__ import annotations

import uuid
from datetime import datetime
from itertools import pairwise

import pytest
from sqlalchemy import text

from app.container import IntegrityRun, last_check_of
from app.domain.activity_log import Damage, FoundLeaf
from app.services.activity_log.integrity import range_of
from tests.app.services.activity_log.test_activity_log import tamper
from tests.app.services.trust.test_endorsements import asked, signed
from tests.app.services.trust.test_label_status import given as given_label
from tests.app.services.trust.test_label_status import network
from tests.support.app import COMMAND, App
from tests.support.content.networks import NETWORK
from tests.support.content.restores import ADA, ROOF, given, withdraw

PEOPLE = (ROOF, ADA, "Zoé N’Diaye; zoe@exemple.fr")


def checked(app: App) -> list[FoundLeaf]:
    run = IntegrityRun(app.process)
    state = run.begin(by=COMMAND, anew=True)
    for each in run.run(state):
        state = each
    assert state.done_at is not None
    return [FoundLeaf(Damage(damage), where, detail) for damage, where, detail in state.faults]


def number(app: App, award_id: uuid.UUID) -> str:
    """The identifier as this database writes it in a statement."""
    return f"'{award_id.hex}'" if app.owner.dialect.name == "sqlite" else f"'{award_id}'"


@pytest.fixture
def awards(app: App) -> list[uuid.UUID]:
    def give() -> list[uuid.UUID]:
        found = [given(app, each, badge=app.role) for each in PEOPLE]
        withdraw(app, found[2])
        app.award("Luc Petit; luc@exemple.fr")
        return found

    return app.once((__name__, "awards"), give)


def test_clean_database_has_no_fault(app: App, awards: list[uuid.UUID]) -> None:
    with app.unit_of_work() as services:
        award = services.stores.awards.lock(awards[0])
        services.reissuing.choose_name(award, False, name="", by=COMMAND)
    assert checked(app) == []
    last = last_check_of(app.process)
    assert last is not None
    assert last.faults == 0


def flipped(column: str, engine: str) -> str:
    """SQL that changes one character of the signed value."""
    if engine == "sqlite":
        return f"CAST(replace(CAST({column} AS TEXT), 'urn:uuid:', 'urn:uuiD:') AS BLOB)"
    return f"convert_to(replace(convert_from({column}, 'UTF8'), 'urn:uuid:', 'urn:uuiD:'), 'UTF8')"


def test_changed_byte_of_a_credential_is_found_in_its_digest_and_its_signature(
    app: App, awards: list[uuid.UUID]
) -> None:
    r = number(app, awards[0])
    changed = flipped("embedded", app.owner.dialect.name)
    tamper(app, f"UPDATE signed_credential SET embedded = {changed} WHERE award_id = {r}")
    found = checked(app)
    where = str(awards[0])
    assert FoundLeaf(Damage.EMBEDDED_DIGEST, where) in found
    assert FoundLeaf(Damage.EMBEDDED_SIGNATURE, where) in found
    assert {each.where for each in found} == {where}


def test_changed_token_is_found(app: App, awards: list[uuid.UUID]) -> None:
    r = number(app, awards[1])
    tamper(app, f"UPDATE signed_credential SET token = token || 'A' WHERE award_id = {r}")
    found = {each.damage for each in checked(app)}
    assert Damage.TOKEN_DIGEST in found
    assert found & {Damage.TOKEN_SIGNATURE, Damage.UNREADABLE}


def test_credentials_swapped_between_rows_are_found_though_both_are_genuine(
    app: App, awards: list[uuid.UUID]
) -> None:
    one, two = (number(app, each) for each in awards[:2])
    for columns in ("embedded, embedded_digest", "token, token_digest"):
        names = columns.split(", ")
        values = ", ".join(
            f"{name} = (SELECT o.{name} FROM signed_credential o WHERE o.award_id IN ({one}, {two}) "
            "AND o.award_id <> signed_credential.award_id)"
            for name in names
        )
        swap(app, f"UPDATE signed_credential SET {values} WHERE award_id IN ({one}, {two})")
    assert {(each.damage, each.where) for each in checked(app)} == {
        (Damage.OTHER_AWARD, str(each)) for each in awards[:2]
    }


def swap(app: App, statement: str) -> None:
    with app.owner.begin() as connection:
        if connection.dialect.name == "sqlite":
            names = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'"))
            for (name,) in names.all():
                connection.execute(text(f"DROP TRIGGER {name}"))
            # SQLite updates row by row: the second would read the first after its change.
            connection.execute(text("CREATE TEMP TABLE before AS SELECT * FROM signed_credential"))
            connection.execute(text(statement.replace("FROM signed_credential o", "FROM before o")))
            connection.execute(text("DROP TABLE before"))
        else:
            connection.execute(text("SET session_replication_role = replica"))
            connection.execute(text(statement))
            connection.execute(text("SET session_replication_role = DEFAULT"))


@pytest.mark.parametrize(
    ("statement", "damage"),
    [
        ("UPDATE status_slot SET raised_at = NULL WHERE award_id = {withdrawn}", {Damage.STATE_DIFFERS, Damage.LIST_BIT}),
        ("UPDATE status_slot SET raised_at = '2026-11-24 12:00:00' WHERE award_id = {award}", {Damage.STATE_DIFFERS, Damage.LIST_BIT}),
        ("UPDATE award SET state = 'issued', revoked_at = NULL WHERE id = {withdrawn}", {Damage.STATE_DIFFERS}),
        ("UPDATE award SET holder_name = 'Somebody Else' WHERE id = {award}", {Damage.FACT_DIFFERS}),
        ("UPDATE award SET awarded_at = '2025-01-01 00:00:00' WHERE id = {award}", {Damage.FACT_DIFFERS}),
        ("UPDATE award SET subject_id = {withdrawn} WHERE id = {award}", {Damage.FACT_DIFFERS}),
        ("UPDATE status_slot SET position = position - 1 WHERE award_id = {award}", {Damage.OTHER_SLOT}),
        ("DELETE FROM status_slot WHERE award_id = {award}", {Damage.NO_SLOT}),
        ("DELETE FROM signed_credential WHERE award_id = {award}", {Damage.NO_DOCUMENT}),
        ("DELETE FROM log_entry WHERE number = 1 AND log_id = (SELECT log_id FROM award_evidence WHERE award_id = {award})", {Damage.LOG}),
        ("UPDATE badge_version SET picture_svg = picture_svg || ' ' WHERE id = (SELECT version_id FROM award WHERE id = {award})", {Damage.PICTURE_CHANGED}),
        ("UPDATE badge_version SET definition = {nothing} WHERE id = (SELECT version_id FROM award WHERE id = {award})", {Damage.DEFINITION_CHANGED}),
        ("UPDATE status_list SET token = token || 'A'", {Damage.LIST_SIGNATURE}),
    ],
    ids=["bit lowered", "bit raised", "state", "name", "date", "subject", "place", "no place", "no document",
         "log line", "picture", "definition", "list"],
)  # fmt: skip
def test_damage_to_rows_is_found_and_named(
    app: App, awards: list[uuid.UUID], statement: str, damage: set[Damage]
) -> None:
    nothing = "x'7b7d'" if app.owner.dialect.name == "sqlite" else r"'\x7b7d'"
    result = statement.format(award=number(app, awards[0]), withdrawn=number(app, awards[2]), nothing=nothing)
    tamper(app, result.replace(":00:00", "\\:00\\:00"))
    found = {each.damage for each in checked(app)}
    assert damage <= found
    assert found <= damage | {Damage.LOG, Damage.LIST_BIT, Damage.LIST_OLDER, Damage.COUNT_DIFFERS}


def test_check_that_was_interrupted_goes_on_and_counts_each_award_once(
    app: App, awards: list[uuid.UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.services.activity_log.integrity.AWARDS_IN_A_STEP", 1)
    run = IntegrityRun(app.process)
    state = run.begin(by=COMMAND)
    assert state.steps > len(awards)
    state = run.one_step(run.one_step(state))
    again = IntegrityRun(app.process)
    state = again.begin(by=COMMAND)
    assert state.done_steps == 2
    for each in again.run(state):
        state = each
    assert (state.checked["awards"], state.fault_count) == (len(awards) + 1, 0)


@pytest.mark.parametrize("ranges", [1, 2, 3, 7, 4096])
def test_ranges_cover_every_number_once(ranges: int) -> None:
    bounds = [range_of(step, ranges) for step in range(ranges)]
    assert bounds[0][0] == uuid.UUID(int=0)
    assert bounds[-1][1] == uuid.UUID(int=(1 << 128) - 1)
    assert all(one[1].int + 1 == two[0].int for one, two in pairwise(bounds))


def test_worker_checks_once_a_day(app: App, awards: list[uuid.UUID]) -> None:
    with app.unit_of_work(reading=True) as services:
        assert services.integrity.is_due()
    checked(app)
    with app.unit_of_work(reading=True) as services:
        assert not services.integrity.is_due()
    app.clock.move(days=1)
    with app.unit_of_work(reading=True) as services:
        assert services.integrity.is_due()


def test_check_dated_by_a_clock_running_ahead_is_not_believed(app: App, awards: list[uuid.UUID]) -> None:
    def last() -> datetime | None:
        found = last_check_of(app.process)
        return found.done_at if found else None

    checked(app)
    before = app.clock()
    app.clock.move(days=400)
    checked(app)
    assert last() == app.clock()
    app.clock.move(days=-398)
    assert last() == before
    with app.unit_of_work(reading=True) as services:
        assert services.integrity.is_due()
    checked(app)
    assert last() == app.clock()
    with app.unit_of_work(reading=True) as services:
        assert not services.integrity.is_due()


def test_readiness_and_metrics_give_the_last_check(app: App, awards: list[uuid.UUID]) -> None:
    client = app.client()
    assert client.get("/health/ready").json()["last_check"] is None
    tamper(app, f"UPDATE award SET holder_name = 'X' WHERE id = {number(app, awards[0])}")
    checked(app)
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()["last_check"]["faults"]) == (200, 1)


def test_check_compares_payloads_that_another_campus_may_not_read(app: App, awards: list[uuid.UUID]) -> None:
    """With row-level security, an unreadable line would count as erased."""
    tamper(
        app,
        "UPDATE log_payload SET facts = '{}' WHERE noun = 'award' AND number = "
        f"(SELECT decision FROM award_evidence WHERE award_id = {number(app, awards[0])})",
    )
    assert Damage.LOG in {each.damage for each in checked(app)}


def test_changed_documents_of_networks_and_organisations_are_found(app: App, awards: list[uuid.UUID]) -> None:
    network(app)
    one = given_label(app)
    said = signed(app, asked(app, awards[0]))
    with app.unit_of_work() as services:
        services.register.publish(services.register.network(NETWORK))
    assert checked(app) == []
    for table, column in (
        ("label", "embedded"),
        ("trust_edition", "body"),
        ("endorsement", "written"),
        ("endorsement", "token"),
    ):
        with app.owner.begin() as connection:
            kept = connection.execute(text(f"SELECT {column} FROM {table}")).scalar_one()
            if column == "token":
                changed: str | bytes = f"{kept[:-9]}AAAAAAAAA"
            else:
                changed = (
                    kept.replace("2026", "2027")
                    if isinstance(kept, str)
                    else bytes(kept).replace(b"2026", b"2027")
                )
            connection.execute(text(f"UPDATE {table} SET {column} = :changed"), {"changed": changed})
        assert [each.damage for each in checked(app)] == [Damage.DOCUMENT_SIGNATURE], (table, column)
        with app.owner.begin() as connection:
            connection.execute(text(f"UPDATE {table} SET {column} = :kept"), {"kept": kept})
    tamper(app, "UPDATE label SET issuer = 'did:web:elsewhere.example'")
    tamper(app, "UPDATE endorsement SET subject = 'urn:uuid:1'")
    assert sorted(checked(app)) == sorted(
        FoundLeaf(Damage.DOCUMENT_DIFFERS, f"{app.process.settings.base_url}{path}", "subject")
        for path in (f"/labels/{one.id}", f"/recommandations/{said.id}")
    )


def test_check_finds_a_lowered_status_bit_of_a_withdrawn_label(app: App) -> None:
    network(app)
    one = given_label(app)
    with app.unit_of_work() as services:
        services.register.withdraw_label(one.id, by=COMMAND)
    assert app.client().get(f"/reseau/{NETWORK}/statuts").status_code == 200
    assert checked(app) == []
    tamper(app, "UPDATE label SET withdrawn_at = NULL")
    assert [each.damage for each in checked(app)] == [Damage.PLACE_LOWERED]
