"""Erasure removes every byte of a person and leaves the proofs of other people valid; on both databases."""

from __future__ import annotations

import uuid
import zipfile
from datetime import date
from io import BytesIO

import pytest
from sqlalchemy import text
from sqlmodel import select

from app.container import Services
from app.db.campus.people import addresses_by_campus
from app.db.engine.schema import MIGRATION_LOCK
from app.db.people.privacy import NO_OWNER
from app.domain.accounts.sign_in import LINK_LIFE, Wish, mailbox_token
from app.domain.activities import Activity, ActivityKind
from app.domain.activities.check_in import Ticket
from app.domain.activities.listed_people import ListedPerson
from app.domain.activity_log import EntryKind
from app.domain.awards import Visibility
from app.domain.badges import BadgeKind
from app.domain.campus.audit_log import Actor, HistoryEntry
from app.domain.people import Role
from app.domain.people.consents import Erasure, StillWorksHere
from app.domain.trust import PeerWords
from app.errors import Gone, InvalidInput, NotFound, NotSignedIn, Unavailable
from app.services.activity_log.log_check import LogCheck
from app.services.awards.awards import AwardRequest, BatchResult
from app.services.badges import Wording
from app.services.learners.requests import RequestOutcome
from sceau_credentials.evidence.documents import Leaf, commit
from sceau_credentials.keys import decode_base64url
from sceau_credentials.transparency_log.notes import EntryProof
from sceau_credentials.values import parse_json_object, parse_timestamp
from tests.app.web.accounts.test_learner_account import award_elsewhere
from tests.support.app import COMMAND, App, listed
from tests.support.content.somebody import everything, forms_of
from tests.support.handed import taken

ZOE, LEO = "Quévreux-Ñandú Zoélie;zoelie.q@courriel.exemple", "N’Diaye Léo;leo@exemple.fr"
NAME, ADDRESS = "Quévreux-Ñandú", "zoelie.q@courriel.exemple"
STORY = "J’ai réparé seule le bras articulé devant la classe entière."
PIECE = b"%PDF-1.7\n1 0 obj carnet-de-zoelie\n"
SAID = "Elle a tenu la table des capteurs, avec une patience remarquable."
CONTESTED = "Je suis restée jusqu’à la fin, demandez à mon binôme."


def person_of(app: App, result: BatchResult, position: int = 0) -> uuid.UUID:
    with app.unit_of_work(reading=True) as services:
        return services.awards.record(result.lines[position].award_id).person.id


def erase(app: App, award_id: uuid.UUID, *, everywhere: bool = True) -> list[Erasure]:
    wish = Wish.ERASURE_EVERYWHERE if everywhere else Wish.ERASURE_HERE
    with app.unit_of_work() as services:
        token = mailbox_token(app.process.secret, award_id, app.clock.now, wish)
        return services.erasures.confirm(token)


def deliver(app: App) -> None:
    with app.unit_of_work(reading=True) as services:
        due = [*services.letters.awaited(), *services.letters.due()]
    for envelope in due:
        app.process.post.send(envelope)


def test_program_with_an_older_schema_refuses_erasure_export_and_merge(app: App) -> None:
    """It would leave the data of newer tables: it may serve pages, but not erase, export or merge."""
    awarded = app.award(ZOE)
    award_id, person_id = awarded.lines[0].award_id, person_of(app, awarded)
    with app.owner.begin() as connection:
        [ours] = connection.execute(text("SELECT version_num FROM alembic_version")).scalars()
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Unavailable, match="version plus récente"):
        erase(app, award_id)
    with app.unit_of_work() as services, pytest.raises(Unavailable):
        services.archive.make(person_id)
    with app.unit_of_work() as services, pytest.raises(Unavailable):
        services.stores.merges.hand_over(app.trainer.id, person_id)
    assert person_of(app, awarded) == person_id
    with app.owner.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :ours"), {"ours": ours})
    assert erase(app, award_id)


@pytest.mark.postgres
def test_erasure_is_refused_while_a_migration_runs(app: App) -> None:
    award_id = app.award(ZOE).lines[0].award_id
    if app.owner.dialect.name != "postgresql":
        pytest.skip("on SQLite a migration writes alone")
    with app.owner.begin() as connection:
        connection.execute(text(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"))
        with pytest.raises(Unavailable):
            erase(app, award_id)
    assert erase(app, award_id)


def test_check_finds_a_log_line_about_an_erased_person(app: App) -> None:
    app.award(ZOE)
    with app.unit_of_work() as services:
        assert services.stores.integrity.lines_about_nobody() == []
    with app.owner.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO log_payload (log_id, number, noun, noun_id, about_id, key, facts) "
                "SELECT log_id, number + 1000, noun, noun_id, :gone, key, facts "
                "FROM log_payload WHERE about_id IS NOT NULL"
            ),
            {"gone": uuid.uuid4().hex if app.owner.dialect.name == "sqlite" else uuid.uuid4()},
        )
    with app.unit_of_work() as services:
        assert services.stores.integrity.lines_about_nobody()


def accepting(services: Services, app: App) -> uuid.UUID:
    badge = services.badges.badges.get(app.long_haul.badge.id)
    badge.accepts_requests = True
    services.badges.badges.add(badge)
    return badge.id


def live(app: App) -> tuple[BatchResult, uuid.UUID]:
    """A learner who used every function; the result of their award and their identifier."""
    with app.unit_of_work() as services:
        services.rooms.open(app.campus, app.activity.id, capacity=None, by=Actor(app.trainer.id))
    with app.unit_of_work(reading=True) as services:
        code = services.rooms.page(app.campus, app.activity.id).code
        door = services.rooms.access(code, "phone")
    family, given = ZOE.partition(";")[0].split()
    with app.unit_of_work() as services:
        ticket = Ticket(door.room.id, "phone", app.clock.now)
        services.rooms.sign(ticket, ListedPerson(1, given_name=given, family_name=family, address=ADDRESS))
    result = app.award(ZOE, LEO, badge=app.role, evidence=SAID, tells=True)
    award_id = result.lines[0].award_id
    assert award_id is not None
    person_id = person_of(app, result)
    with app.unit_of_work() as services:
        services.people.open_private_link(app.private_link(result).removeprefix("/recevoir/"))
        services.awards.set_visibility(award_id, Visibility.OPEN, by=Actor(person_id))
        services.delivery.claim(award_id, by=Actor(person_id))
        line = services.personal_log.lines(person_id, {app.campus.id})[-1]
        services.log_disputes.dispute(person_id, app.campus, line.number, CONTESTED, by=Actor(person_id))
        asked = RequestOutcome(given, family, ADDRESS, STORY, "https://exemple.fr/carnet-de-zoelie")
        token = services.asking.token_of(services.asking.ask(accepting(services, app), asked))
        services.asking.confirm(token)
        services.asking.complete(token, files=[taken("carnet-de-zoelie.pdf", PIECE)])
    # A list with a refused line contains their name too, though it matched no person.
    app.award(f"{family} {given};", badge=app.long_haul)
    return result, person_id


def signed(app: App, award_id: uuid.UUID | None, address: str, signature: str) -> uuid.UUID:
    """A recommendation of another person's badge, which its holder shows."""
    assert award_id is not None
    with app.unit_of_work() as services:
        record = services.awards.record(award_id)
        peers, holder = services.peer_recommendations, Actor(record.person.id)
        services.awards.set_visibility(award_id, Visibility.OPEN, by=holder)
        asked = peers.ask(record, address, "", refused=False, by=holder)
        words = PeerWords("Il a réglé le robot avec soin.", signature)
        row = peers.write(peers.write_token(asked.id), words, language="fr")
        peers.accept(record, row.id, by=holder)
        return row.id


def recommended(app: App, award_id: uuid.UUID | None) -> list[str]:
    with app.unit_of_work(reading=True) as services:
        shown = services.peer_recommendations.shown_about(services.awards.record(award_id))
    return [each.signature for each in shown]


def test_erasure_leaves_no_byte_of_the_person(app: App) -> None:
    result, person_id = live(app)
    signed(app, result.lines[1].award_id, ADDRESS, f"Zoélie {NAME}, du même groupe")
    needles = [NAME, "Zoélie", ADDRESS, STORY, "carnet-de-zoelie", CONTESTED, person_id]
    before = list(everything(app))
    for needle in needles:
        assert any(form in content for form in forms_of(needle) for _, content in before), needle
    erase(app, result.lines[0].award_id)
    left = {
        (where, str(needle))
        for where, content in everything(app)
        for needle in needles
        for form in forms_of(needle)
        if form in content
    }
    assert left == set()
    assert recommended(app, result.lines[1].award_id) == []


def test_recommendation_by_another_person_of_a_shared_mailbox_stays(app: App) -> None:
    """In a family or a workshop, the name identifies the signer."""
    result = app.award(ZOE, LEO, f"Quévreux-Ñandú Anouk;{ADDRESS}")
    award_id = result.lines[1].award_id
    signed(app, award_id, ADDRESS, "Anouk Quévreux-Ñandú")
    with app.unit_of_work() as services:
        mine = services.archive.make(person_of(app, result)).body
    with zipfile.ZipFile(BytesIO(mine)) as archive:
        assert "donnees/peer_recommendation.json" not in archive.namelist()
    erase(app, result.lines[0].award_id)
    assert recommended(app, award_id) == ["Anouk Quévreux-Ñandú"]


def test_erasure_leaves_other_badges_proved_and_the_log_consistent(app: App) -> None:
    result, _ = live(app)
    erase(app, result.lines[0].award_id)
    with app.unit_of_work(reading=True) as services:
        answer = services.verification.verify_award(services.awards.record(result.lines[1].award_id))
        assert answer.report.verdict.value == "valid"
        assert services.verification.with_evidence(answer).evidence.proved is not None
        log = services.activity_log.store.find(app.campus.id)
        key = app.log_key(services)
        assert list(LogCheck(services.activity_log.store, log, [key], app.process.anchors).run()) == []


def test_saved_copy_of_an_erased_badge_reads_as_withdrawn(app: App) -> None:
    result = app.award(ZOE)
    award_id = result.lines[0].award_id
    with app.unit_of_work(reading=True) as services:
        saved = services.awards.awards.document_of(award_id).embedded
    erase(app, award_id)
    with app.unit_of_work(reading=True) as services:
        report = services.verification.verify(saved).report
        assert report.verdict.value == "invalid"
        assert [each.id.value for each in report.checks if each.outcome.value == "failed"] == ["status"]
        with pytest.raises(Gone, match="à la demande de la personne"):
            services.awards.record(award_id)


def test_erasure_proof_links_its_reference_to_a_signed_checkpoint(app: App) -> None:
    result, person_id = live(app)
    (erasure,) = erase(app, result.lines[0].award_id)
    with app.unit_of_work(reading=True) as services:
        answered = services.erasure_proofs.get(erasure.id)
        body = services.erasure_proofs.document(answered).body
        key = app.log_key(services)
    document = parse_json_object(body)
    assert answered.is_signed
    assert document["reference"] == document["log"]["says"]["reference"] == erasure.reference
    assert document["erased"]["badges"] == 1
    line = document["log"]
    commitment = commit(line["says"], decode_base64url(line["key"]))
    leaf = Leaf(EntryKind.ERASURE.value, parse_timestamp(line["at"]), commitment)
    proof = EntryProof.from_text(line["proof"])
    assert proof.holds_for(leaf.hash())
    assert proof.checkpoint.signed_by([key])
    for needle in (NAME, ADDRESS, person_id, result.lines[0].award_id):
        assert not any(form in body for form in forms_of(needle))


def test_history_keeps_the_action_without_its_erased_actor(app: App) -> None:
    result, person_id = live(app)
    erase(app, result.lines[0].award_id)
    with app.unit_of_work(reading=True) as services:
        rows = services.stores.session.exec(select(HistoryEntry)).all()
    assert person_id not in {row.actor_id for row in rows} | {row.noun_id for row in rows}
    opened = [row for row in rows if (row.noun, row.action) == ("award", "open")]
    assert [(row.actor_id, row.actor_label) for row in opened] == [(None, "somebody forgotten")]
    assert [row.noun for row in rows if row.action == "erase"] == ["erasure"]
    assert NO_OWNER not in {row.actor_id for row in rows}
    awarded = [row for row in rows if (row.noun, row.action) == ("award", "award")]
    assert {row.actor_id for row in awarded} == {app.trainer.id}


def test_erasure_at_one_campus_leaves_the_data_of_another(app: App) -> None:
    result = app.award(ZOE)
    person_id = person_of(app, result)
    elsewhere = _award_elsewhere(app, ZOE)
    with app.unit_of_work() as services:
        erasure = services.erasures.process_chunk(
            app.campus, person_id, "Lettre reçue, identité vérifiée.", by=Actor(app.admin.id)
        )
        assert erasure.reference.startswith("EFF-")
    with app.unit_of_work(reading=True) as services:
        assert NAME in services.awards.record(elsewhere).person.name
        assert services.stores.personal_data.campuses_of(person_id) == {app.other_campus.id}
        with pytest.raises(Gone):
            services.awards.record(result.lines[0].award_id)
    with app.unit_of_work() as services, pytest.raises(NotFound):
        services.erasures.process_chunk(app.campus, person_id, "Une seconde fois.", by=Actor(app.admin.id))
    erase(app, elsewhere, everywhere=False)
    assert not [where for where, content in everything(app) if ADDRESS.encode() in content]


def test_erasure_everywhere_has_a_reference_for_each_campus(app: App) -> None:
    first = app.award(ZOE).lines[0].award_id
    second = _award_elsewhere(app, ZOE)
    done = erase(app, first)
    assert {each.campus_id for each in done} == {app.campus.id, app.other_campus.id}
    assert len({each.reference for each in done}) == 2
    with app.unit_of_work(reading=True) as services:
        for award_id in (first, second):
            with pytest.raises(Gone):
                services.awards.record(award_id)
        assert len(services.erasure_proofs.of_request(done[0].id)) == 2


def test_erasure_refuses_a_person_who_still_works_for_a_campus(app: App) -> None:
    with app.unit_of_work() as services, pytest.raises(StillWorksHere):
        services.erasures.process_chunk(
            app.campus, app.trainer.id, "Départ annoncé par lettre.", by=Actor(app.admin.id)
        )
    with app.unit_of_work(reading=True) as services:
        assert services.stores.people.get(app.trainer.id).family_name == "Le Goff"


def test_erasure_request_of_a_holder_who_works_for_a_campus_is_refused(app: App) -> None:
    record_id = app.award(ZOE).lines[0].award_id
    with app.unit_of_work() as services:
        record = services.awards.record(record_id)
        services.people.memberships.give(app.campus, record.person, Role.TRAINER, by=COMMAND)
    with app.unit_of_work() as services, pytest.raises(StillWorksHere, match="Vous travaillez encore"):
        services.erasures.ask(services.awards.record(record_id), everywhere=True)


def test_badges_given_by_an_erased_trainer_stay_valid(app: App) -> None:
    kept = app.award(LEO).lines[0].award_id
    with app.unit_of_work() as services:
        other = services.people.add_staff(
            app.campus,
            given_name="Zoélie",
            family_name=NAME,
            address=ADDRESS,
            role=Role.TRAINER,
            by=COMMAND,
        )
        request = AwardRequest(
            app.role.badge.id, app.activity.id, lines=listed(LEO), evidence=SAID, tells=False
        )
        given = services.awards.award(app.campus, request, by=Actor(other.id)).lines[0].award_id
        services.team.remove(app.campus, other.id, by=Actor(app.admin.id))
    with app.unit_of_work() as services:
        services.erasures.process_chunk(
            app.campus, other.id, "Lettre reçue, identité vérifiée.", by=Actor(app.admin.id)
        )
    with app.unit_of_work(reading=True) as services:
        for award_id in (kept, given):
            record = services.awards.record(award_id)
            assert services.verification.verify_award(record).report.verdict.value == "valid"
        assert record.award.awarded_by is None


@pytest.mark.parametrize("reason", ["", "Oui", "Demande de Zoelie.", f"Écrit par {ADDRESS}", "x" * 301])
def test_erasure_refuses_a_reason_that_is_too_short_or_names_a_person(app: App, reason: str) -> None:
    person_id = person_of(app, app.award(ZOE))
    with app.unit_of_work() as services, pytest.raises(InvalidInput):
        services.erasures.process_chunk(app.campus, person_id, reason, by=Actor(app.admin.id))


def test_erasure_waits_until_the_person_confirms_by_the_link(app: App) -> None:
    award_id = app.award(ZOE).lines[0].award_id
    with app.unit_of_work() as services:
        assert services.erasures.ask(services.awards.record(award_id), everywhere=True)
    deliver(app)
    (letter,) = app.letters.letters
    token = letter.text.partition("/effacement/")[2].split()[0]
    with app.unit_of_work(reading=True) as services:
        record, everywhere = services.erasures.asked(token)
        assert (record.award.id, everywhere) == (award_id, True)
    app.clock.now += LINK_LIFE
    for bad in (token, token[:-1] + ("0" if token[-1] != "0" else "1"), "rien", token.replace(".t.", ".c.")):
        with app.unit_of_work() as services, pytest.raises(NotSignedIn):
            services.erasures.confirm(bad)
    with app.unit_of_work(reading=True) as services:
        assert services.awards.record(award_id)


def test_person_without_an_address_asks_the_campus_for_erasure(app: App) -> None:
    award_id = app.award("Quévreux Zoélie").lines[0].award_id
    with app.unit_of_work() as services:
        assert not services.erasures.ask(services.awards.record(award_id), everywhere=True)


def _award_elsewhere(app: App, person: str) -> uuid.UUID:
    with app.unit_of_work() as services:
        wording = Wording(
            BadgeKind.BELONGING, "Membre du campus", "Est du campus.", "La personne est venue au campus."
        )
        badge = services.badges.create(app.other_campus, wording, slug="membre", by=COMMAND)
        activity = services.activities.create(
            Activity(
                kind=ActivityKind.WORKSHOP, title="Atelier du goût", starts_on=date(2026, 11, 20),
                ends_on=date(2026, 11, 20), hours=2,
            ),
            [app.other_campus],
            by=COMMAND,
        )  # fmt: skip
        request = AwardRequest(badge.badge.id, activity.id, lines=listed(person), tells=False)
        result = services.awards.award(app.other_campus, request, by=Actor(app.stranger.id))
    assert result.lines[0].award_id
    return result.lines[0].award_id


def test_portfolio_stays_after_erasure_at_one_campus_and_is_gone_after_both(app: App) -> None:
    result, elsewhere = app.award(ZOE), award_elsewhere(app, ZOE)
    here, there = result.lines[0].award_id, elsewhere.lines[0].award_id
    assert here is not None
    assert there is not None
    with app.unit_of_work() as services:
        portfolio = services.portfolios.start(services.awards.record(here).person, [])
    erase(app, here, everywhere=False)
    with app.unit_of_work(reading=True) as services:
        assert services.portfolios.get(portfolio.id).person_id == portfolio.person_id
    erase(app, there)
    with app.unit_of_work(reading=True) as services, pytest.raises(Gone):
        services.portfolios.get(portfolio.id)


def in_activity_of_one_that_asks_another(app: App) -> uuid.UUID:
    """Zoélie's award for an activity that the other campus was asked to organise and has not accepted."""
    with app.unit_of_work() as services:
        activity = services.activities.create(
            Activity(
                kind=ActivityKind.WORKSHOP, title="Atelier à deux", hours=3,
                starts_on=date(2026, 11, 20), ends_on=date(2026, 11, 20),
            ),
            [app.campus, app.other_campus], by=COMMAND,
        )  # fmt: skip
        request = AwardRequest(app.presence.badge.id, activity.id, lines=listed(ZOE), tells=False)
        (line,) = services.awards.award(app.campus, request, by=COMMAND).lines
        assert line.award_id is not None
        return line.award_id


def test_campus_that_was_only_asked_is_not_among_those_with_data(app: App) -> None:
    award_id = in_activity_of_one_that_asks_another(app)
    with app.unit_of_work(reading=True) as services:
        record = services.awards.record(award_id)
        with services.stores.own_addresses.tenant_scope.across_campuses():
            assert services.archive.personal.campuses_of(record.person.id) == {app.campus.id}
            standing = services.stores.merges.standing(record.person.id, has_account=False, works=False)
            assert standing.campuses == {app.campus.id}
            assert addresses_by_campus(services.stores.session, record.person.id).keys() == {app.campus.id}
            assert services.stores.program_lists.met(app.other_campus.id, [record.person.id]) == set()
    assert [each.campus_id for each in erase(app, award_id)] == [app.campus.id]


def test_erasure_at_a_campus_that_was_only_asked_leaves_the_activity_of_the_other(app: App) -> None:
    award_id = in_activity_of_one_that_asks_another(app)
    elsewhere = award_elsewhere(app, ZOE).lines[0].award_id
    assert elsewhere is not None
    erase(app, elsewhere, everywhere=False)
    with app.unit_of_work(reading=True) as services:
        record = services.awards.record(award_id)
        assert record.activity is not None
        there = services.stores.activities.participants(record.activity.id)
        assert [person.id for _, person in there] == [record.person.id]
