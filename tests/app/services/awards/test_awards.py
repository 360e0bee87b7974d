"""Awards by the service: a result for each line, each person once, signed bytes never change."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from app.domain.awards import AlreadyRevoked, LineOutcome, Visibility
from app.domain.badges import BadgeKind
from app.domain.campus.audit_log import Actor
from app.errors import InvalidInput, NotFound
from app.services.awards.awards import AwardRequest, BatchResult
from app.services.badges import Wording
from sceau_credentials.values import parse_json
from tests.support.app import App, asked_of, done_once, listed

pytestmark = pytest.mark.both_engines

FRENCH_EXPORT = (
    "Nom;Prénom;Courriel\r\n"
    '"Petit, dit Legrand";Zoé;zoe@exemple.fr\r\n'
    ";;\r\n"
    "MARTIN;Éric;eric.un@exemple.fr\r\n"
    "MARTIN;Éric;eric.deux@exemple.fr\r\n"
    "JAOUEN;Nolwenn;nolwenn@exemple,fr\r\n"
    "HADDAD;Yasmine;yasmine@exemple.fr\r\n"
)


BADGES = {"robotique": "presence", "acteur": "role", "semaine": "long_haul"}


def by_trainer(app: App) -> Actor:
    return Actor(person_id=app.trainer.id)


def request(app: App, text_: str, badge: str = "robotique", **more: object) -> AwardRequest:
    facts: dict[str, object] = {"activity_id": app.activity.id, "lines": tuple(listed(text_))} | more
    return AwardRequest(getattr(app, BADGES[badge]).badge.id, **facts)  # type: ignore[arg-type]


@done_once
def award(app: App, text_: str, badge: str = "robotique", **more: object) -> BatchResult:
    """The result of a list that the trainer awards in a separate transaction."""
    with app.unit_of_work() as services:
        return services.awards.award(app.campus, request(app, text_, badge, **more), by=by_trainer(app))


def outcomes(result: object) -> list[str]:
    return [
        line.outcome.value for line in sorted(result.lines, key=lambda line: line.family_name + line.address)
    ]  # type: ignore[attr-defined]


def test_every_line_of_a_french_export_has_a_result(app: App) -> None:
    award(app, "HADDAD;Yasmine;yasmine@exemple.fr")
    result = award(app, FRENCH_EXPORT)
    assert {(line.family_name, line.address): line.outcome.value for line in result.lines} == {
        ("Petit", "zoe@exemple.fr"): "awarded",
        ("Martin", "eric.un@exemple.fr"): "awarded",
        ("Martin", "eric.deux@exemple.fr"): "awarded",
        ("Jaouen", "nolwenn@exemple,fr"): "invalid_address",
        ("Haddad", "yasmine@exemple.fr"): "already_held",
    }


def test_the_same_list_again_changes_nothing(app: App) -> None:
    first = award(app, FRENCH_EXPORT)
    second = award(app, FRENCH_EXPORT)
    held = {line.award_id for line in first.lines if line.award_id}
    assert {line.outcome for line in second.lines} == {LineOutcome.ALREADY_HELD, LineOutcome.INVALID_ADDRESS}
    assert {line.award_id for line in second.lines if line.award_id} == held


def test_preview_has_the_result_of_the_award_and_writes_nothing(app: App) -> None:
    asked = request(app, FRENCH_EXPORT)
    with app.process.unit_of_work(reading=True) as services:
        preview = services.awards.preview(app.campus, asked, by=by_trainer(app))
    with app.process.unit_of_work(reading=True) as services:
        assert services.activities.page(app.campus, app.activity.id).participants == []
    result = award(app, FRENCH_EXPORT)
    assert len(preview.ready) == len(result.with_outcome(LineOutcome.AWARDED)) == 4


def test_award_of_one_person_reads_giver_badge_and_log_once(app: App) -> None:
    app.award("Ada Martin;ada@exemple.fr")
    with asked_of(app) as asked, app.unit_of_work() as services:
        services.awards.give(app.campus, request(app, "PETIT;Zoé;zoe@exemple.fr"), by=by_trainer(app))
    statements = [" ".join(statement.split()) for statement, _ in asked]
    once = (
        "FROM badge WHERE",
        "FROM badge_version WHERE",
        "FROM campus_log WHERE",
        "FROM log_checkpoint WHERE",
        "FROM person_address WHERE person_address.person_id =",
        "FROM person_merge WHERE person_merge.kept_id",
    )
    assert {each: sum(each in statement for statement in statements) for each in once} == dict.fromkeys(
        once, 1
    )


def test_people_present_are_awarded_without_a_typed_list(app: App) -> None:
    with app.process.unit_of_work() as services:
        lines = request(app, "Zoé Martin\nPaul Durand;paul@exemple.fr").lines
        services.activities.record(app.campus, app.activity.id, lines, by=by_trainer(app))
    result = award(app, "", everybody=True)
    assert outcomes(result) == ["awarded", "awarded"]
    assert outcomes(award(app, "", everybody=True)) == ["already_held", "already_held"]


def test_person_without_an_address_is_recorded_once_in_an_activity(app: App) -> None:
    first = award(app, "Marie-Ange d’Hérouville")
    again = award(app, "MARIE ANGE D'HEROUVILLE")
    assert outcomes(first) == ["awarded"]
    assert outcomes(again) == ["already_held"]


def test_person_recorded_by_name_stays_the_same_with_an_address(app: App) -> None:
    award(app, "Zoé Martin")
    assert outcomes(award(app, "Zoé Martin;z1@exemple.fr")) == ["already_held"]
    later = award(app, "Zoé Martin;z1@exemple.fr\nZoé Martin;z2@exemple.fr")
    assert outcomes(later) == ["already_held", "awarded"]


def test_award_does_not_choose_between_two_addresses_for_one_name(app: App) -> None:
    award(app, "Zoé Martin")
    later = award(app, "Zoé Martin;z1@exemple.fr\nZoé Martin;z2@exemple.fr")
    assert outcomes(later) == ["several_of_name", "several_of_name"]


def test_trainer_cannot_award_a_badge_to_themselves(app: App) -> None:
    result = award(app, "Anaïs Le Goff;le.goff@exemple.fr\nZoé Martin;zoe@exemple.fr")
    assert {line.given_name: line.outcome for line in result.lines} == {
        "Anaïs": LineOutcome.ONESELF,
        "Zoé": LineOutcome.AWARDED,
    }


def test_one_eligible_line_among_many_is_the_only_one_awarded(app: App) -> None:
    """Eligibility of each line uses its own hours, not those of the first (T02)."""
    lines = "Nom;Prénom;Courriel;Heures;Contribution\n" + "\n".join(
        f"Nom{number};Prénom;p{number}@exemple.fr;{12 if number == 7 else 3};Guide des nouveaux"
        for number in range(20)
    )
    result = award(app, lines, badge="semaine")
    assert [line.family_name for line in result.with_outcome(LineOutcome.AWARDED)] == ["Nom7"]
    assert len(result.with_outcome(LineOutcome.TOO_FEW_HOURS)) == 19


def test_concurrent_requests_award_each_line_once(app: App) -> None:
    text_ = "\n".join(f"BA{chr(97 + number)}O Ada;p{number}@exemple.fr" for number in range(12))
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: award(app, text_), range(4)))
    awarded = [line.award_id for result in results for line in result.with_outcome(LineOutcome.AWARDED)]
    assert len(awarded) == len(set(awarded)) == 12
    with app.process.unit_of_work(reading=True) as services:
        assert len(services.awards.list_in(app.campus)) == 12
        assert len(services.activities.page(app.campus, app.activity.id).participants) == 12


def test_the_same_person_on_two_lists_at_once_stays_one_person(app: App) -> None:
    badges = ("robotique", "semaine")
    with ThreadPoolExecutor(2) as pool:
        list(
            pool.map(
                lambda badge: award(
                    app, "Nom;Prénom;Courriel;Heures\nMartin;Zoé;zoe@exemple.fr;12", badge=badge
                ),
                badges,
            )
        )
    with app.process.unit_of_work(reading=True) as services:
        assert len({record.person.id for record in services.awards.list_in(app.campus)}) == 1


def test_repeated_idempotency_key_gives_the_first_result(app: App) -> None:
    def send(_: int) -> uuid.UUID:
        return award(app, "Zoé Martin;zoe@exemple.fr", idempotency_key="k-1").batch.id

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(send, range(4)))) == 1
    with pytest.raises(InvalidInput):
        award(app, "Paul Durand;paul@exemple.fr", idempotency_key="k-1")


def test_each_campus_has_separate_idempotency_keys(app: App) -> None:
    award(app, "Zoé Martin;zoe@exemple.fr", idempotency_key="k-1")
    with app.process.unit_of_work() as services:
        page = services.badges.create(
            app.other_campus,
            Wording(
                BadgeKind.BELONGING,
                "Membre",
                "Fait partie du campus.",
                "Accueillie et inscrite par le campus.",
            ),
            slug="membre",
            by=by_trainer(app),
        )
        asked = request(app, "Zoé Martin;zoe@exemple.fr", activity_id=None, idempotency_key="k-1")
        result = services.awards.award(
            app.other_campus,
            AwardRequest(page.badge.id, lines=asked.lines, idempotency_key="k-1"),
            by=Actor(label="token"),
        )
    assert outcomes(result) == ["awarded"]


def test_badge_or_activity_of_another_campus_is_not_found(app: App) -> None:
    for asked in (request(app, "Zoé Martin"), request(app, "Zoé Martin", activity_id=None)):
        with pytest.raises(NotFound), app.process.unit_of_work() as services:
            services.awards.award(app.other_campus, asked, by=by_trainer(app))


def test_award_is_valid_at_once_and_invalid_after_withdrawal(app: App) -> None:
    award_id = award(app, "Zoé Martin;zoe@exemple.fr").lines[0].award_id
    assert award_id
    assert verdict(app, award_id) == "valid"
    with app.process.unit_of_work() as services:
        services.awards.revoke(app.campus, award_id, "Erreur de personne.", by=by_trainer(app))
    assert verdict(app, award_id) == "invalid"
    with pytest.raises(AlreadyRevoked), app.process.unit_of_work() as services:
        services.awards.revoke(app.campus, award_id, "Encore une fois.", by=by_trainer(app))


def verdict(app: App, award_id: uuid.UUID) -> str:
    with app.process.unit_of_work(reading=True) as services:
        report = services.verification.verify_award(services.awards.record(award_id)).report
    assert report
    return report.verdict.value


def test_a_withdrawn_badge_may_be_given_again(app: App) -> None:
    award_id = award(app, "Zoé Martin;zoe@exemple.fr").lines[0].award_id
    assert award_id
    with app.process.unit_of_work() as services:
        services.awards.revoke(app.campus, award_id, "Erreur de date.", by=by_trainer(app))
    again = award(app, "Zoé Martin;zoe@exemple.fr")
    assert outcomes(again) == ["awarded"]
    assert again.lines[0].award_id != award_id


def test_a_later_version_leaves_earlier_awards_as_they_were(app: App) -> None:
    award_id = award(app, "Zoé Martin;zoe@exemple.fr").lines[0].award_id
    assert award_id
    page = app.presence
    with app.process.unit_of_work(reading=True) as services:
        before = services.publication.award_file(services.awards.record(award_id), "json").body
    with app.process.unit_of_work() as services:
        services.badges.revise(
            app.campus,
            page.badge.id,
            Wording(
                BadgeKind.PARTICIPATION,
                "Robotique pour toutes et tous",
                "Autre.",
                "La personne a fait autre chose.",
            ),
            by=by_trainer(app),
        )
    later = award(app, "Paul Durand;paul@exemple.fr")
    assert later.version.number == 2
    with app.process.unit_of_work(reading=True) as services:
        record = services.awards.record(award_id)
        assert services.publication.award_file(record, "json").body == before
        assert services.publication.newest_number(record) > record.version.number
    assert verdict(app, award_id) == "valid"


def test_signed_document_contains_no_address_and_no_person_id(app: App) -> None:
    result = award(app, "Zoé Martin;zoe@exemple.fr")
    with app.process.unit_of_work(reading=True) as services:
        record = services.awards.record(result.lines[0].award_id)  # type: ignore[arg-type]
        body = services.publication.award_file(record, "json").body.decode()
    assert "zoe@" not in body
    assert str(record.person.id) not in body
    assert "Zoé Martin" in body


def test_document_has_no_name_without_the_person_s_consent(app: App) -> None:
    first = award(app, "Zoé Martin;zoe@exemple.fr")
    with app.process.unit_of_work() as services:
        person = services.awards.record(first.lines[0].award_id).person  # type: ignore[arg-type]
        services.people.allow_name(person.id, False, by=by_trainer(app))
    second = award(app, "Zoé Martin;zoe@exemple.fr", badge="acteur", evidence="A guidé les nouveaux.")
    with app.process.unit_of_work(reading=True) as services:
        record = services.awards.record(second.lines[0].award_id)  # type: ignore[arg-type]
        document = parse_json(services.publication.award_file(record, "json").body)
    assert "identifier" not in document["credentialSubject"]  # type: ignore[index,call-overload]


def test_award_page_is_closed_until_its_holder_opens_it(app: App) -> None:
    award_id = award(app, "Zoé Martin;zoe@exemple.fr").lines[0].award_id
    assert award_id
    with app.process.unit_of_work(reading=True) as services, pytest.raises(Exception, match="fermée"):
        services.publication.open_award(award_id)
    with app.process.unit_of_work() as services:
        services.awards.set_visibility(award_id, Visibility.OPEN, by=by_trainer(app))
    with app.process.unit_of_work(reading=True) as services:
        assert services.publication.open_award(award_id).award.id == award_id


@pytest.mark.parametrize(
    "sabotage",
    [
        "UPDATE signed_credential SET token = 'x'",
        "DELETE FROM signed_credential",
        "UPDATE badge_version SET name = 'x' WHERE frozen_at IS NOT NULL",
        "DELETE FROM status_slot",
        "UPDATE status_slot SET position = position + 1",
        "UPDATE status_slot SET raised_at = NULL WHERE raised_at IS NOT NULL",
        "UPDATE history_entry SET action = 'x'",
        "DELETE FROM history_entry",
        "UPDATE campus SET slug = 'x' WHERE slug = 'itip'",
    ],
)
def test_database_refuses_to_change_immutable_rows(app: App, sabotage: str) -> None:
    award_id = award(app, "Zoé Martin;zoe@exemple.fr").lines[0].award_id
    with app.process.unit_of_work() as services:
        services.awards.revoke(app.campus, award_id, "Erreur de date.", by=by_trainer(app))  # type: ignore[arg-type]
    with pytest.raises(DatabaseError), app.owner.begin() as connection:
        connection.execute(text(sabotage))


def test_failed_write_leaves_no_row_of_the_award(app: App) -> None:
    """Bytes, slot, batch and history are written in one transaction (I01)."""
    with app.owner.begin() as connection:
        if connection.dialect.name == "sqlite":
            connection.execute(
                text(
                    "CREATE TRIGGER sabotage BEFORE INSERT ON award_batch BEGIN SELECT RAISE(ABORT, 'full'); END"
                )
            )
        else:
            connection.execute(text("ALTER TABLE award_batch ADD CONSTRAINT sabotage CHECK (1 = 0)"))
    with pytest.raises(DatabaseError):
        award(app, "Zoé Martin;zoe@exemple.fr")
    with app.owner.connect() as connection:
        for table in ("award", "signed_credential", "status_slot", "participation"):
            assert connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == 0


def test_history_has_action_and_actor_but_no_name(app: App) -> None:
    award_id = award(app, "Zoé Martin;zoe@exemple.fr").lines[0].award_id
    with app.owner.connect() as connection:
        rows = connection.execute(
            text("SELECT action, facts, actor_id FROM history_entry WHERE noun = 'award'")
        ).all()
    assert [row.action for row in rows] == ["award"]
    assert uuid.UUID(str(rows[0].actor_id)) == app.trainer.id
    assert "Zoé" not in str(rows[0].facts)
    assert award_id


def given(app: App, text: str, *, evidence: str = "") -> BatchResult:
    request = AwardRequest(
        app.presence.badge.id,
        activity_id=app.activity.id,
        lines=tuple(listed(text)),
        evidence=evidence,
    )
    with app.unit_of_work() as services:
        return services.awards.award(app.campus, request, by=Actor(person_id=app.trainer.id))


def test_name_with_decomposed_accents_is_awarded(app: App) -> None:
    result = given(app, "Lefe\u0300vre;Zoe\u0301;zoe@exemple.fr", evidence="Vu au tra\u0302vail.\u200b")
    assert [line.outcome for line in result.lines] == [LineOutcome.AWARDED]


def test_address_in_the_appreciation_is_refused_before_any_write(app: App) -> None:
    with pytest.raises(InvalidInput) as refused:
        given(app, "Lefèvre;Zoé;zoe@exemple.fr", evidence="Vu par paul@exemple.fr.")
    assert "adresse e-mail" in refused.value.sentence
    assert [line.outcome for line in given(app, "Lefèvre;Zoé;zoe@exemple.fr").lines] == [LineOutcome.AWARDED]
