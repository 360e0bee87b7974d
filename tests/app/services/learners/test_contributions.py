"""Contributions that people state: a trainer confirms them, the log has them with their files, badges use them as evidence."""

from __future__ import annotations

import uuid
from dataclasses import replace
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
from tests.support.app import COMMAND, App
from tests.support.handed import PDF, photo
from tests.support.running.every import for_each
from tests.support.servers.clamd import nobodys_port

TODAY = date(2026, 11, 24)
STATEMENT = ContributionStatement(
    "Le banc d’essai", "J’ai monté le banc d’essai et je l’ai expliqué aux autres.", PartKind.RESOURCE, TODAY,
    2.5, "https://exemple.fr/carnet",
)  # fmt: skip


@pytest.fixture
def zoe(app: App) -> Person:
    app.record("Zoé Martin;zoe@exemple.fr")
    with app.unit_of_work(reading=True) as services:
        ((_, person),) = services.activities.page(app.campus, app.activity.id).participants
        return person


def add(
    app: App,
    person: Person,
    *,
    statement: ContributionStatement = STATEMENT,
    activity: bool = True,
    pieces: bool = True,
) -> uuid.UUID:
    take = app.process.intake.take
    files = [take("banc.jpg", photo("JPEG"), words="Le banc"), take("plan.pdf", PDF)] if pieces else []
    with app.unit_of_work() as services:
        made = services.contributions.add(
            person, app.campus, statement, app.activity.id if activity else None, files, today=TODAY,
            by=Actor(person.id),
        )  # fmt: skip
        return made.id


def trainer(app: App) -> Actor:
    return Actor(app.trainer.id)


def confirm(app: App, contribution_id: uuid.UUID, **also) -> None:
    with app.unit_of_work() as services:
        services.contributions.confirm(app.campus, contribution_id, by=trainer(app), **also)


def payloads(app: App, person: Person, noun: str) -> list[LogPayload]:
    with app.unit_of_work(reading=True) as services:
        found = services.activity_log.store.payloads_about(person.id)
        return [each for each in found if each.noun == noun]


def state_of(app: App, contribution_id: uuid.UUID) -> ContributionState:
    with app.unit_of_work(reading=True) as services:
        return services.contributions.look(app.campus, contribution_id).contribution.state


def test_confirmed_contribution_is_logged_with_the_digest_of_each_file(app: App, zoe: Person):
    made = add(app, zoe)
    assert payloads(app, zoe, CONTRIBUTION) == []
    confirm(app, made, answer="Bravo.")
    (line,) = payloads(app, zoe, CONTRIBUTION)
    assert (line.facts["title"], line.facts["minutes"], line.facts["confirmed"]) == (
        STATEMENT.title,
        150,
        True,
    )
    assert line.facts["activity"] == app.activity.title
    pieces = payloads(app, zoe, ARTEFACT)
    with app.unit_of_work(reading=True) as services:
        files = services.contributions.look(app.campus, made).files
        kept = {sha256(services.files.files.content(file.id)).hexdigest() for file in files}
        entries = services.activity_log.store.numbered(line.log_id, [line.number])
    assert {each.facts["contentDigest"] for each in pieces if "contentDigest" in each.facts} == kept
    assert [each.facts["link"] for each in pieces if "link" in each.facts] == ["https://exemple.fr/carnet"]
    assert entries[0].kind is EntryKind.CONTRIBUTION


def test_person_asked_for_more_answers_and_removes_a_file(app: App, zoe: Person):
    made = add(app, zoe)
    app.clock.move(days=3)
    with app.unit_of_work() as services:
        services.contributions.ask_more(app.campus, made, "Combien d’élèves ?", by=trainer(app))
        with pytest.raises(Conflict):
            services.contributions.ask_more(app.campus, made, "Combien d’élèves ?", by=trainer(app))
    with app.unit_of_work() as services:
        old = services.contributions.look(app.campus, made).files[0]
        services.contributions.complete(
            zoe, app.campus, made, STATEMENT, None, [], without=[old.id], today=TODAY, by=Actor(zoe.id)
        )
    with app.unit_of_work(reading=True) as services:
        view = services.contributions.look(app.campus, made)
        assert view.contribution.state is ContributionState.WAITING
        assert view.contribution.waiting_since == app.clock.now
        assert len(view.files) == 1
        with pytest.raises(NotFound):
            services.files.files.content(old.id)


def changed(app: App, zoe: Person, made: uuid.UUID, **what) -> None:
    with app.unit_of_work() as services:
        services.contributions.complete(
            zoe, app.campus, made, replace(STATEMENT, **what), None, [], today=TODAY, by=Actor(zoe.id)
        )


@pytest.mark.parametrize("decision", ["confirm", "ask_more", "decline"])
@pytest.mark.parametrize(
    "what", [{"telling": "J’ai dirigé tout l’atelier."}, {"hours": 40}, {"links": ""}], ids=str
)
def test_decision_on_a_contribution_changed_meanwhile_is_refused(app: App, zoe: Person, decision: str, what):
    """Formerly a change between the page and « Confirmer » was attested unread."""
    made = add(app, zoe)
    with app.unit_of_work(reading=True) as services:
        seen = services.contributions.look(app.campus, made).seen
    changed(app, zoe, made, **what)
    words = "Combien d’élèves ?"
    with app.unit_of_work() as services, pytest.raises(Conflict, match="a changé depuis"):
        getattr(services.contributions, decision)(app.campus, made, words, seen=seen, by=trainer(app))
    with app.unit_of_work() as services:
        seen = services.contributions.look(app.campus, made).seen
        getattr(services.contributions, decision)(app.campus, made, words, seen=seen, by=trainer(app))
    assert state_of(app, made) is not ContributionState.WAITING


def test_declined_contribution_is_not_logged(app: App, zoe: Person):
    made = add(app, zoe)
    for reason in ("", "non"):
        with app.unit_of_work() as services, pytest.raises(InvalidInput):
            services.contributions.decline(app.campus, made, reason, by=trainer(app))
    with app.unit_of_work() as services:
        services.contributions.decline(app.campus, made, "C’était un autre groupe.", by=trainer(app))
    with pytest.raises(Conflict):
        confirm(app, made)
    assert payloads(app, zoe, CONTRIBUTION) == payloads(app, zoe, ARTEFACT) == []


def test_withdrawn_contribution_has_no_files(app: App, zoe: Person):
    made = add(app, zoe)
    for _ in range(2):
        with app.unit_of_work() as services:
            services.contributions.withdraw(zoe, app.campus, made, by=Actor(zoe.id))
    with app.unit_of_work(reading=True) as services:
        assert not services.files.files.of(FileNoun.CONTRIBUTION, made)
    with pytest.raises(Conflict):
        confirm(app, made)


def test_own_contribution_and_that_of_another_campus_cannot_be_confirmed(app: App, zoe: Person):
    made = add(app, zoe)
    with app.unit_of_work() as services:
        for by in (Actor(zoe.id), COMMAND):
            with pytest.raises(NotAllowed):
                services.contributions.confirm(app.campus, made, by=by)
        with pytest.raises(NotFound):
            services.contributions.confirm(app.other_campus, made, by=Actor(app.stranger.id))
        with pytest.raises(NotFound):
            services.contributions.mine(app.trainer, app.campus, made)
    assert state_of(app, made) is ContributionState.WAITING


@for_each(
    ("change", "said"),
    [
        ({"title": " "}, "titre"), ({"telling": "court"}, "phrase"), ({"done_on": date(2026, 11, 25)}, "venu"),
        ({"hours": 0.0}, "heures"), ({"hours": 5000.0}, "heures"), ({"links": "javascript:alert(1)"}, "https://"),
        ({"telling": "x" * 1001}, "1000"),
    ],
    ids=range(7),
)  # fmt: skip
def test_invalid_contribution_is_refused_with_a_reason_and_not_stored(
    app: App, zoe: Person, change: dict, said: str
):
    result = ContributionStatement(**{**vars(STATEMENT), **change})
    with pytest.raises(InvalidInput) as refused:
        add(app, zoe, statement=result, pieces=False)
    assert said in refused.value.sentence.format(**refused.value.values)
    with app.unit_of_work(reading=True) as services:
        assert not services.contributions.of_person(zoe, app.campus)


def test_contribution_to_an_activity_without_the_person_is_refused(app: App, zoe: Person):
    with app.unit_of_work() as services, pytest.raises(InvalidInput):
        services.contributions.add(
            zoe, app.campus, STATEMENT, uuid.uuid4(), [], today=TODAY, by=Actor(zoe.id)
        )


def test_contribution_cannot_be_confirmed_while_a_file_waits_for_the_scanner(app: App, zoe: Person):
    app.process.intake.scanner = Clamd(f"tcp://127.0.0.1:{nobodys_port()}")
    made = add(app, zoe)
    with pytest.raises(Conflict, match="attente d’analyse"):
        confirm(app, made)
    with app.unit_of_work() as services:
        for file in services.contributions.look(app.campus, made).files:
            services.files.scanned(file.id, clean=True, by=COMMAND)
            assert file.state is FileState.CLEAN
    confirm(app, made)


def test_correction_replaces_the_log_line_and_leaves_it_stored(app: App, zoe: Person):
    made = add(app, zoe)
    confirm(app, made)
    (before,) = payloads(app, zoe, CONTRIBUTION)
    with app.unit_of_work() as services:
        services.contributions.correct(
            app.campus, made, telling=STATEMENT.telling, hours=1.0, reason="Une heure, pas deux et demie.",
            by=trainer(app),
        )  # fmt: skip
    _, after = payloads(app, zoe, CONTRIBUTION)
    assert (after.facts["corrects"], after.facts["minutes"]) == (before.number, 60)
    assert before.facts["minutes"] == 150
    # The evidence of a new award is the corrected line.
    evidence = evidence_of(app, award(app))
    assert after.number in [entry.index for entry in evidence.entries]
    assert before.number not in [entry.index for entry in evidence.entries]


def award(app: App) -> uuid.UUID:
    award_id = app.award("Zoé Martin;zoe@exemple.fr").lines[0].award_id
    assert award_id is not None
    return award_id


def evidence_of(app: App, award_id: uuid.UUID) -> Evidence:
    with app.unit_of_work(reading=True) as services:
        return Evidence.from_bytes(services.evidence.document(award_id).body)


def test_contribution_is_evidence_of_an_award_and_its_holder_chooses_what_is_shown(app: App, zoe: Person):
    confirm(app, add(app, zoe))
    award_id = award(app)
    rests_on = {entry.index for entry in evidence_of(app, award_id).entries}
    lines = payloads(app, zoe, CONTRIBUTION) + payloads(app, zoe, ARTEFACT)
    assert {each.number for each in lines} <= rests_on
    photo_line = next(each for each in lines if each.facts.get("mediaType") == "image/jpeg")
    with app.unit_of_work(reading=True) as services:
        row = services.evidence.find(award_id)
        shown = services.evidence.openings(row)[photo_line.number].values
        assert shown["contentDigest"] == photo_line.facts["contentDigest"]
        assert "artefact" not in shown
        with pytest.raises(ClosedAward):
            services.shown_files.find(award_id, photo_line.number)
    with app.unit_of_work() as services:
        services.awards.set_visibility(award_id, Visibility.OPEN, by=Actor(zoe.id))
        with pytest.raises(NotFound):
            services.shown_files.find(award_id, photo_line.number)
        services.log_disputes.show(
            app.campus, award_id, {photo_line.number: DisclosedContent.ALL}, by=Actor(zoe.id)
        )
        file_id = services.shown_files.find(award_id, photo_line.number)
        assert (
            sha256(services.files.open_any(file_id).content).hexdigest() == photo_line.facts["contentDigest"]
        )
        services.log_disputes.show(
            app.campus, award_id, {photo_line.number: DisclosedContent.EXISTENCE}, by=Actor(zoe.id)
        )
        with pytest.raises(NotFound):
            services.shown_files.find(award_id, photo_line.number)


def test_contribution_without_an_activity_counts_for_the_chosen_badge(app: App, zoe: Person):
    made = add(app, zoe, activity=False, pieces=False)
    confirm(app, made, badge_id=app.role.badge.id)
    (line,) = payloads(app, zoe, CONTRIBUTION)
    assert line.number not in [entry.index for entry in evidence_of(app, award(app)).entries]
    result = app.award(
        "Zoé Martin;zoe@exemple.fr", badge=app.role, evidence="A monté le banc, et l’explique."
    )
    award_id = result.lines[0].award_id
    assert award_id is not None
    assert line.number in [entry.index for entry in evidence_of(app, award_id).entries]


def test_person_has_at_most_twenty_pending_contributions(app: App, zoe: Person):
    for _ in range(20):
        add(app, zoe, pieces=False)
    with pytest.raises(AppError, match="laissez-lui le temps"):
        add(app, zoe, pieces=False)


def test_disputed_line_waits_on_the_dashboard_until_it_is_answered(app: App, zoe: Person):
    made = add(app, zoe)
    confirm(app, made)
    (line,) = payloads(app, zoe, CONTRIBUTION)
    piece = payloads(app, zoe, ARTEFACT)[0]
    with app.unit_of_work() as services, pytest.raises(NotFound):
        services.log_disputes.dispute(zoe.id, app.campus, piece.number, "Ce n’est pas moi.", by=Actor(zoe.id))
    with app.unit_of_work() as services:
        services.log_disputes.dispute(zoe.id, app.campus, line.number, "Trois heures.", by=Actor(zoe.id))
        assert services.stores.contributions.count_waiting(app.campus.id, limit=10) == 1
        (view,) = services.contributions.disputed(app.campus, limit=10)
        (dispute,) = view.disputes
        services.log_disputes.answer(app.campus, dispute.id, "C’est corrigé.", by=trainer(app))
        assert not services.contributions.disputed(app.campus, limit=10)
        assert not services.contributions.look(app.campus, made).disputes


def test_declined_contribution_is_deleted_after_a_year_with_its_files(app: App, zoe: Person):
    declined, kept = add(app, zoe), add(app, zoe)
    with app.unit_of_work() as services:
        services.contributions.decline(app.campus, declined, "C’était un autre groupe.", by=trainer(app))
    confirm(app, kept)
    app.clock.move(days=364)
    for gone in (False, True):
        with app.unit_of_work() as services:
            services.contributions.forget_closed()
            left = {each.id for each in services.contributions.of_person(zoe, app.campus)}
            assert left == ({kept} if gone else {kept, declined})
            assert bool(services.files.files.of(FileNoun.CONTRIBUTION, declined)) is not gone
            assert services.files.files.of(FileNoun.CONTRIBUTION, kept)
        app.clock.move(days=2)
