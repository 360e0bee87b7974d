"""What somebody says they did: confirmed by a trainer, it stands in the log with its pieces, and a badge rests on it."""

from __future__ import annotations

import uuid
from datetime import date
from hashlib import sha256

import pytest

from app.adapters.uploads import Clamd
from app.domain.activities import PartKind
from app.domain.activities.files import FileNoun, FileState
from app.domain.activity_log import ARTEFACT, CONTRIBUTION, EntryKind, LogPayload
from app.domain.awards import Visibility
from app.domain.awards.open_badges import DisclosedContent
from app.domain.campus.audit_log import Actor
from app.domain.learners.portfolios import ContributionState, ContributionStatement
from app.domain.people import Person
from app.errors import AppError, Conflict, InvalidInput, NotAllowed, NotFound
from app.services.publishing import ClosedAward
from sceau_credentials.evidence.documents import Evidence
from tests.support.handed import PDF, photo
from tests.support.house import COMMAND, House
from tests.support.running.every import for_each
from tests.support.servers.clamd import nobodys_port

TODAY = date(2026, 11, 24)
TOLD = ContributionStatement(
    "Le banc d’essai", "J’ai monté le banc d’essai et je l’ai expliqué aux autres.", PartKind.RESOURCE, TODAY,
    2.5, "https://exemple.fr/carnet",
)  # fmt: skip


@pytest.fixture
def zoe(house: House) -> Person:
    house.record("Zoé Martin;zoe@exemple.fr")
    with house.unit_of_work(reading=True) as services:
        ((_, person),) = services.activities.page(house.campus, house.activity.id).participants
        return person


def add(
    house: House,
    person: Person,
    *,
    told: ContributionStatement = TOLD,
    activity: bool = True,
    pieces: bool = True,
) -> uuid.UUID:
    take = house.process.intake.take
    files = [take("banc.jpg", photo("JPEG"), words="Le banc"), take("plan.pdf", PDF)] if pieces else []
    with house.unit_of_work() as services:
        made = services.contributions.add(
            person, house.campus, told, house.activity.id if activity else None, files, today=TODAY,
            by=Actor(person.id),
        )  # fmt: skip
        return made.id


def trainer(house: House) -> Actor:
    return Actor(house.trainer.id)


def confirm(house: House, contribution_id: uuid.UUID, **also) -> None:
    with house.unit_of_work() as services:
        services.contributions.confirm(house.campus, contribution_id, by=trainer(house), **also)


def payloads(house: House, person: Person, noun: str) -> list[LogPayload]:
    with house.unit_of_work(reading=True) as services:
        found = services.activity_log.store.payloads_about(person.id)
        return [each for each in found if each.noun == noun]


def state_of(house: House, contribution_id: uuid.UUID) -> ContributionState:
    with house.unit_of_work(reading=True) as services:
        return services.contributions.look(house.campus, contribution_id).contribution.state


def test_confirmed_it_stands_in_the_log_with_the_digest_of_each_piece(house: House, zoe: Person):
    made = add(house, zoe)
    assert payloads(house, zoe, CONTRIBUTION) == []
    confirm(house, made, answer="Bravo.")
    (line,) = payloads(house, zoe, CONTRIBUTION)
    assert (line.facts["title"], line.facts["minutes"], line.facts["confirmed"]) == (TOLD.title, 150, True)
    assert line.facts["activity"] == house.activity.title
    pieces = payloads(house, zoe, ARTEFACT)
    with house.unit_of_work(reading=True) as services:
        files = services.contributions.look(house.campus, made).files
        kept = {sha256(services.files.files.content(file.id)).hexdigest() for file in files}
        entries = services.activity_log.store.numbered(line.log_id, [line.number])
    assert {each.facts["contentDigest"] for each in pieces if "contentDigest" in each.facts} == kept
    assert [each.facts["link"] for each in pieces if "link" in each.facts] == ["https://exemple.fr/carnet"]
    assert entries[0].kind is EntryKind.CONTRIBUTION


def test_asked_for_more_the_person_answers_and_takes_a_file_back(house: House, zoe: Person):
    made = add(house, zoe)
    house.clock.move(days=3)
    with house.unit_of_work() as services:
        services.contributions.ask_more(house.campus, made, "Combien d’élèves ?", by=trainer(house))
        with pytest.raises(Conflict):
            services.contributions.ask_more(house.campus, made, "Combien d’élèves ?", by=trainer(house))
    with house.unit_of_work() as services:
        old = services.contributions.look(house.campus, made).files[0]
        services.contributions.complete(
            zoe, house.campus, made, TOLD, None, [], without=[old.id], today=TODAY, by=Actor(zoe.id)
        )
    with house.unit_of_work(reading=True) as services:
        view = services.contributions.look(house.campus, made)
        assert view.contribution.state is ContributionState.WAITING
        assert view.contribution.waiting_since == house.clock.now
        assert len(view.files) == 1
        with pytest.raises(NotFound):
            services.files.files.content(old.id)


def test_declined_with_a_reason_it_never_enters_the_log(house: House, zoe: Person):
    made = add(house, zoe)
    for reason in ("", "non"):
        with house.unit_of_work() as services, pytest.raises(InvalidInput):
            services.contributions.decline(house.campus, made, reason, by=trainer(house))
    with house.unit_of_work() as services:
        services.contributions.decline(house.campus, made, "C’était un autre groupe.", by=trainer(house))
    with pytest.raises(Conflict):
        confirm(house, made)
    assert payloads(house, zoe, CONTRIBUTION) == payloads(house, zoe, ARTEFACT) == []


def test_taken_back_its_files_are_gone(house: House, zoe: Person):
    made = add(house, zoe)
    for _ in range(2):
        with house.unit_of_work() as services:
            services.contributions.withdraw(zoe, house.campus, made, by=Actor(zoe.id))
    with house.unit_of_work(reading=True) as services:
        assert not services.files.files.of(FileNoun.CONTRIBUTION, made)
    with pytest.raises(Conflict):
        confirm(house, made)


def test_nobody_confirms_their_own_and_no_campus_another_s(house: House, zoe: Person):
    made = add(house, zoe)
    with house.unit_of_work() as services:
        for by in (Actor(zoe.id), COMMAND):
            with pytest.raises(NotAllowed):
                services.contributions.confirm(house.campus, made, by=by)
        with pytest.raises(NotFound):
            services.contributions.confirm(house.other_campus, made, by=Actor(house.stranger.id))
        with pytest.raises(NotFound):
            services.contributions.mine(house.trainer, house.campus, made)
    assert state_of(house, made) is ContributionState.WAITING


@for_each(
    ("change", "said"),
    [
        ({"title": " "}, "titre"), ({"telling": "court"}, "phrase"), ({"done_on": date(2026, 11, 25)}, "venu"),
        ({"hours": 0.0}, "heures"), ({"hours": 5000.0}, "heures"), ({"links": "javascript:alert(1)"}, "https://"),
        ({"telling": "x" * 1001}, "1000"),
    ],
    ids=range(7),
)  # fmt: skip
def test_what_cannot_be_is_said_and_nothing_is_kept(house: House, zoe: Person, change: dict, said: str):
    result = ContributionStatement(**{**vars(TOLD), **change})
    with pytest.raises(InvalidInput) as refused:
        add(house, zoe, told=result, pieces=False)
    assert said in refused.value.sentence.format(**refused.value.values)
    with house.unit_of_work(reading=True) as services:
        assert not services.contributions.of_person(zoe, house.campus)


def test_an_activity_where_one_was_not_is_not_one_s_own(house: House, zoe: Person):
    with house.unit_of_work() as services, pytest.raises(InvalidInput):
        services.contributions.add(zoe, house.campus, TOLD, uuid.uuid4(), [], today=TODAY, by=Actor(zoe.id))


def test_while_a_file_waits_for_the_scanner_nobody_confirms(house: House, zoe: Person):
    house.process.intake.scanner = Clamd(f"tcp://127.0.0.1:{nobodys_port()}")
    made = add(house, zoe)
    with pytest.raises(Conflict, match="attente d’analyse"):
        confirm(house, made)
    with house.unit_of_work() as services:
        for file in services.contributions.look(house.campus, made).files:
            services.files.scanned(file.id, clean=True, by=COMMAND)
            assert file.state is FileState.CLEAN
    confirm(house, made)


def test_a_correction_takes_the_place_of_the_line_and_keeps_it(house: House, zoe: Person):
    made = add(house, zoe)
    confirm(house, made)
    (before,) = payloads(house, zoe, CONTRIBUTION)
    with house.unit_of_work() as services:
        services.contributions.correct(
            house.campus, made, telling=TOLD.telling, hours=1.0, reason="Une heure, pas deux et demie.",
            by=trainer(house),
        )  # fmt: skip
    _, after = payloads(house, zoe, CONTRIBUTION)
    assert (after.facts["corrects"], after.facts["minutes"]) == (before.number, 60)
    assert before.facts["minutes"] == 150
    # What is awarded now rests on the line that counts.
    evidence = evidence_of(house, award(house))
    assert after.number in [entry.index for entry in evidence.entries]
    assert before.number not in [entry.index for entry in evidence.entries]


def award(house: House) -> uuid.UUID:
    award_id = house.award("Zoé Martin;zoe@exemple.fr").lines[0].award_id
    assert award_id is not None
    return award_id


def evidence_of(house: House, award_id: uuid.UUID) -> Evidence:
    with house.unit_of_work(reading=True) as services:
        return Evidence.from_bytes(services.evidence.document(award_id).body)


def test_an_award_of_the_activity_rests_on_it_and_the_holder_chooses_what_is_shown(house: House, zoe: Person):
    confirm(house, add(house, zoe))
    award_id = award(house)
    rests_on = {entry.index for entry in evidence_of(house, award_id).entries}
    lines = payloads(house, zoe, CONTRIBUTION) + payloads(house, zoe, ARTEFACT)
    assert {each.number for each in lines} <= rests_on
    photo_line = next(each for each in lines if each.facts.get("mediaType") == "image/jpeg")
    with house.unit_of_work(reading=True) as services:
        row = services.evidence.find(award_id)
        shown = services.evidence.openings(row)[photo_line.number].values
        assert shown["contentDigest"] == photo_line.facts["contentDigest"]
        assert "artefact" not in shown
        with pytest.raises(ClosedAward):
            services.shown_files.find(award_id, photo_line.number)
    with house.unit_of_work() as services:
        services.awards.set_visibility(award_id, Visibility.OPEN, by=Actor(zoe.id))
        with pytest.raises(NotFound):
            services.shown_files.find(award_id, photo_line.number)
        services.log_disputes.show(
            house.campus, award_id, {photo_line.number: DisclosedContent.ALL}, by=Actor(zoe.id)
        )
        file_id = services.shown_files.find(award_id, photo_line.number)
        assert (
            sha256(services.files.open_any(file_id).content).hexdigest() == photo_line.facts["contentDigest"]
        )
        services.log_disputes.show(
            house.campus, award_id, {photo_line.number: DisclosedContent.EXISTENCE}, by=Actor(zoe.id)
        )
        with pytest.raises(NotFound):
            services.shown_files.find(award_id, photo_line.number)


def test_a_contribution_to_nothing_counts_for_the_badge_that_the_trainer_named(house: House, zoe: Person):
    made = add(house, zoe, activity=False, pieces=False)
    confirm(house, made, badge_id=house.role.badge.id)
    (line,) = payloads(house, zoe, CONTRIBUTION)
    assert line.number not in [entry.index for entry in evidence_of(house, award(house)).entries]
    result = house.award(
        "Zoé Martin;zoe@exemple.fr", badge=house.role, evidence="A monté le banc, et l’explique."
    )
    award_id = result.lines[0].award_id
    assert award_id is not None
    assert line.number in [entry.index for entry in evidence_of(house, award_id).entries]


def test_twenty_that_wait_are_enough(house: House, zoe: Person):
    for _ in range(20):
        add(house, zoe, pieces=False)
    with pytest.raises(AppError, match="laissez-lui le temps"):
        add(house, zoe, pieces=False)


def test_a_line_said_to_be_wrong_waits_on_the_desk_until_it_is_answered(house: House, zoe: Person):
    made = add(house, zoe)
    confirm(house, made)
    (line,) = payloads(house, zoe, CONTRIBUTION)
    piece = payloads(house, zoe, ARTEFACT)[0]
    with house.unit_of_work() as services, pytest.raises(NotFound):
        services.log_disputes.dispute(
            zoe.id, house.campus, piece.number, "Ce n’est pas moi.", by=Actor(zoe.id)
        )
    with house.unit_of_work() as services:
        services.log_disputes.dispute(zoe.id, house.campus, line.number, "Trois heures.", by=Actor(zoe.id))
        assert services.stores.contributions.count_waiting(house.campus.id, limit=10) == 1
        (view,) = services.contributions.disputed(house.campus, limit=10)
        (dispute,) = view.disputes
        services.log_disputes.answer(house.campus, dispute.id, "C’est corrigé.", by=trainer(house))
        assert not services.contributions.disputed(house.campus, limit=10)
        assert not services.contributions.look(house.campus, made).disputes


def test_what_was_declined_is_forgotten_after_a_year_with_its_files(house: House, zoe: Person):
    declined, kept = add(house, zoe), add(house, zoe)
    with house.unit_of_work() as services:
        services.contributions.decline(house.campus, declined, "C’était un autre groupe.", by=trainer(house))
    confirm(house, kept)
    house.clock.move(days=364)
    for gone in (False, True):
        with house.unit_of_work() as services:
            services.contributions.forget_closed()
            left = {each.id for each in services.contributions.of_person(zoe, house.campus)}
            assert left == ({kept} if gone else {kept, declined})
            assert bool(services.files.files.of(FileNoun.CONTRIBUTION, declined)) is not gone
            assert services.files.files.of(FileNoun.CONTRIBUTION, kept)
        house.clock.move(days=2)
