"""A corrected name makes a new edition of the badge at the same address and replaces the earlier one."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from datetime import timedelta

import pytest

from app.domain.activities import Activity, Plan
from app.domain.awards import Visibility
from app.domain.awards.open_badges import Disclosed, DisclosedContent
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import CampusSettings
from app.domain.messages import Letter
from app.domain.people import NameWish
from app.errors import Conflict, InvalidInput, NotAllowed
from app.services.accounts.sessions import SignedIn
from app.services.awards.awards import AwardRequest
from app.services.verification.verdicts import HeadlineKind, headline
from sceau_credentials.values import JsonObject
from tests.app.web.accounts.test_learner_account import ask_for_letter, award_elsewhere, enter
from tests.support.app import COMMAND, App, listed
from tests.support.letters import send_all

ZOE = "Zoe N'Diaye; zoe@exemple.fr"


@pytest.fixture
def result(app: App):
    return app.award(ZOE)


def files(app: App, result) -> tuple[bytes, str]:
    with app.unit_of_work(reading=True) as services:
        document = services.awards.awards.document_of(result.lines[0].award_id)
        return document.embedded, document.token


def correct(app: App, result, given: str, family: str) -> int:
    with app.unit_of_work() as services:
        person = services.awards.record(result.lines[0].award_id).person
        return services.names.correct_in_campus(app.campus, person.id, given, family, by=Actor(app.admin.id))


def kind(app: App, presented: bytes | str) -> HeadlineKind:
    with app.unit_of_work(reading=True) as services:
        return headline(services.verification.verify(presented)).kind


def test_a_corrected_name_is_a_newer_edition_at_the_same_address(app: App, result):
    old, _ = files(app, result)
    app.clock.move(days=3)
    assert correct(app, result, "Zoé", "N’Diaye") == 1
    new, _ = files(app, result)
    before, after = json.loads(old), json.loads(new)
    assert after["credentialSubject"]["identifier"][0]["identityHash"] == "Zoé N’Diaye"
    # the same badge with a later `validFrom`; the award date is unchanged.
    for same in ("id", "awardedDate", "credentialStatus", "evidence"):
        assert after[same] == before[same]
    assert after["issuer"]["id"] == before["issuer"]["id"]
    assert after["credentialSubject"]["id"] == before["credentialSubject"]["id"]
    assert after["validFrom"] > before["validFrom"]


def test_earlier_files_read_as_replaced_and_not_as_withdrawn(app: App, result):
    earlier = files(app, result)
    correct(app, result, "Zoé", "N’Diaye")
    for old, new in zip(earlier, files(app, result), strict=True):
        assert kind(app, old) is HeadlineKind.REPLACED
        assert kind(app, new) is HeadlineKind.VALID
    with app.unit_of_work(reading=True) as services:
        answer = services.verification.verify(earlier[0])
        assert headline(answer).title().startswith("Authentique, mais remplacé le")
        assert services.verification.with_evidence(answer).evidence is None


def test_both_editions_are_withdrawn_together(app: App, result):
    earlier = files(app, result)
    correct(app, result, "Zoé", "N’Diaye")
    with app.unit_of_work() as services:
        services.awards.revoke(app.campus, result.lines[0].award_id, "Erreur de liste.", by=COMMAND)
    for each in (*earlier, *files(app, result)):
        assert kind(app, each) is HeadlineKind.REVOKED


def test_the_log_holds_the_new_decision_and_proves_it(app: App, result):
    app.clock.move(hours=1)
    correct(app, result, "Zoé", "N’Diaye")
    award_id = result.lines[0].award_id
    with app.unit_of_work(reading=True) as services:
        answer = services.verification.verify_award(services.awards.record(award_id))
        proved = services.verification.with_evidence(answer).evidence
        assert proved is not None
        assert proved.outcome.value == "proved", proved
        actions = [entry.action for entry, _ in services.people.history.list_of("award", award_id)]
        assert "reissue" in actions


def test_public_files_are_the_newest_edition(app: App, result):
    award_id = result.lines[0].award_id
    with app.unit_of_work() as services:
        services.awards.set_visibility(award_id, Visibility.OPEN, by=COMMAND)
    client = app.client()
    path = f"/attributions/{award_id}"
    assert "Zoe N" in client.get(path).text
    correct(app, result, "Zoé", "N’Diaye")
    page = client.get(path).text
    assert "Zoé N’Diaye" in page
    assert "Zoe N" not in page
    assert client.get(f"{path}.json").content == files(app, result)[0]
    assert client.get(f"{path}.jwt").text == files(app, result)[1]


def test_a_list_with_the_former_name_still_finds_the_person(app: App):
    result = app.award("Zoé Martin; zoe@exemple.fr")
    correct(app, result, "Zoé", "Durand")
    for written in ("Zoé Martin; zoe@exemple.fr", "Zoé Durand; zoe@exemple.fr"):
        assert [line.outcome.value for line in app.award(written).lines] == ["already_held"]


def signed_in(app: App, address: str = "zoe@exemple.fr") -> SignedIn:
    client = app.client()
    (link,) = ask_for_letter(app, client, address)
    enter(client, link)
    with app.unit_of_work(reading=True) as services:
        return services.sessions.signed_in(client.cookies["sid"])


def test_the_person_changes_the_spelling_and_every_campus_signs_anew(app: App, result):
    there = award_elsewhere(app, ZOE)
    who = signed_in(app)
    with app.unit_of_work() as services:
        done = services.names.correct_mine(who, "Zoé", "N’Diaye", "")
    assert (done.reissued, done.asked) == (2, 0)
    for each in (result, there):
        assert json.loads(files(app, each)[0])["credentialSubject"]["identifier"][0]["identityHash"] == (
            "Zoé N’Diaye"
        )


def test_other_name_waits_for_each_campus_to_accept_it_for_its_badges(app: App, result):
    """Otherwise a holder could have a badge signed for any name they choose."""
    there = award_elsewhere(app, ZOE)
    who = signed_in(app)
    with app.unit_of_work() as services, pytest.raises(InvalidInput):
        services.names.correct_mine(who, "Zoé", "Durand", "")
    with app.unit_of_work() as services:
        assert services.names.correct_mine(who, "Zoé", "Durand", "Nom d’usage depuis mon mariage.").asked == 2
    before = files(app, result), files(app, there)
    assert b"Durand" not in before[0][0]
    with app.unit_of_work() as services:
        [(wish, before_it)] = services.names.waiting_in(app.campus)
        assert (wish.person_id, before_it) == (who.person.id, "Zoe N'Diaye")
        services.names.accept(app.campus, wish.id, by=Actor(app.admin.id))
    assert "Durand" in files(app, result)[0].decode()
    assert files(app, there) == before[1]
    with app.unit_of_work() as services, pytest.raises(Conflict):
        services.names.refuse(app.campus, wish.id, "Un autre nom.", by=Actor(app.admin.id))


def asked_for_durand(app: App) -> NameWish:
    who = signed_in(app)
    with app.unit_of_work() as services:
        services.names.correct_mine(who, "Zoé", "Durand", "Nom d’usage depuis mon mariage.")
    with app.unit_of_work(reading=True) as services:
        [(wish, _)] = services.names.waiting_in(app.campus)
        return wish


@pytest.mark.usefixtures("result")
def test_person_with_a_refused_name_reads_the_reason(app: App):
    wish = asked_for_durand(app)
    send_all(app.process.post)
    before = len(app.letters.letters)
    with app.unit_of_work() as services:
        reason = "Passez nous voir avec une pièce."
        services.names.refuse(app.campus, wish.id, reason, by=Actor(app.admin.id))
    send_all(app.process.post)
    [letter] = app.letters.letters[before:]
    assert letter.to == "zoe@exemple.fr"
    for said in ("« Zoé Durand »", "« Passez nous voir avec une pièce. »", "/compte/nom"):
        assert said in letter.text.replace("\xa0", " ")


@pytest.mark.usefixtures("result")
def test_no_name_is_refused_without_a_reason(app: App):
    wish = asked_for_durand(app)
    for reason in (" ", "x" * 301):
        with app.unit_of_work() as services, pytest.raises(InvalidInput):
            services.names.refuse(app.campus, wish.id, reason, by=Actor(app.admin.id))
    with app.unit_of_work(reading=True) as services:
        assert [each.id for each, _ in services.names.waiting_in(app.campus)] == [wish.id]


def test_campus_cannot_correct_the_name_of_a_person_with_an_account(app: App, result):
    signed_in(app)
    with pytest.raises(NotAllowed, match="a confirmé son adresse"):
        correct(app, result, "Zoé", "Durand")


def test_the_holder_takes_their_name_out_of_a_badge_and_puts_it_back(app: App, result):
    award_id = result.lines[0].award_id
    for with_name, said in ((False, None), (True, "Zoe N'Diaye")):
        with app.unit_of_work() as services:
            record = services.awards.record(award_id)
            by = Actor(record.person.id)
            assert services.reissuing.choose_name(record.award, with_name, name=record.person.name, by=by)
        subject = json.loads(files(app, result)[0])["credentialSubject"]
        assert subject.get("identifier", [{}])[0].get("identityHash") == said
    with app.unit_of_work() as services:
        record = services.awards.record(award_id)
        assert not services.reissuing.choose_name(record.award, True, name=record.person.name, by=COMMAND)


def sent_letters(app: App) -> list[Letter]:
    """The letters sent since the last call."""
    post = app.process.post
    for envelope in post.due():
        post.send(envelope)
    left = list(app.letters.letters)
    app.letters.letters.clear()
    return left


def test_holder_of_a_corrected_badge_reads_both_names_and_a_contact(app: App):
    results = [app.award(ZOE), app.award(ZOE, badge=app.role, evidence="Elle a guidé le groupe.")]
    correct(app, results[0], "Zoé", "N’Diaye")
    (letter,) = sent_letters(app)
    assert (letter.to, letter.subject) == ("zoe@exemple.fr", "Votre nom est corrigé dans 2 badges")
    assert "« Zoé N’Diaye »" in letter.text.replace("\u00a0", " ")
    assert letter.text.replace("\u00a0", " ").count("Avant la correction : « Zoe N'Diaye »") == 2
    assert letter.reply_to == "itip@exemple.fr"
    assert "Répondez à cet e-mail" in letter.text
    for result in results:
        assert app.private_link(result) in letter.text


def test_pending_corrections_are_reported_once_and_ineffective_ones_never(app: App, result):
    correct(app, result, "Zoé", "Ndiaye")
    app.clock.move(minutes=1)
    correct(app, result, "Zoé", "N’Diaye")
    (letter,) = sent_letters(app)
    said = letter.text.replace("\u00a0", " ")
    assert "« Zoé N’Diaye »" in said
    assert "Avant la correction : « Zoe N'Diaye »" in said
    assert "Ndiaye" not in said
    for family in ("Ndiaye", "N’Diaye"):
        app.clock.move(minutes=1)
        correct(app, result, "Zoé", family)
    assert sent_letters(app) == []


def test_badge_not_yet_announced_is_announced_in_its_newest_edition(app: App):
    result = app.award(ZOE, tells=True)
    correct(app, result, "Zoé", "N’Diaye")
    app.clock.move(hours=1)
    (letter,) = sent_letters(app)
    assert letter.subject == "Votre badge « Robotique pour tous »".replace("« ", "«\u00a0").replace(
        " »", "\u00a0»"
    )
    assert letter.to_name == "Zoé N’Diaye"


def test_a_correction_is_not_reported_while_the_bulk_award_can_still_be_undone(app: App):
    request = AwardRequest(app.presence.badge.id, app.activity.id, lines=listed(ZOE), tells=False)
    with app.unit_of_work() as services:
        batch = services.bulk_awards.enqueue(
            app.campus, request, by=Actor(app.trainer.id), undo_for=timedelta(minutes=5)
        )
    with app.unit_of_work() as services:
        services.bulk_awards.process_chunk(batch.id)
        (award,) = services.stores.batches.standing_awards(batch.id, 2)
        services.names.correct_in_campus(
            app.campus, award.person_id, "Zoé", "N’Diaye", by=Actor(app.admin.id)
        )
    assert sent_letters(app) == []
    app.clock.move(minutes=6)
    (letter,) = sent_letters(app)
    assert letter.subject == "Votre nom est corrigé dans un badge"


def test_a_badge_withdrawn_since_is_not_reported_as_corrected(app: App, result):
    correct(app, result, "Zoé", "N’Diaye")
    with app.unit_of_work() as services:
        services.awards.revoke(app.campus, result.lines[0].award_id, "Erreur de liste.", by=COMMAND)
    assert sent_letters(app) == []


def test_an_award_signed_with_plain_spaces_is_not_reissued(app: App, monkeypatch: pytest.MonkeyPatch):
    with monkeypatch.context() as before_no_break_spaces:
        before_no_break_spaces.setattr("app.domain.awards.open_badges.french", str)
        old = app.award(ZOE)
    plain, _ = files(app, old)
    assert "Rôle : apprenant" in plain.decode()
    with app.unit_of_work(reading=True) as services:
        record = services.awards.record(old.lines[0].award_id)
        assert services.reissuing.is_aligned(record)
        again = services.reissuing.document_as(record, services.reissuing.disclosed_of(record))
    assert "Rôle\u00a0: apprenant" in json.dumps(again, ensure_ascii=False)
    assert files(app, old)[0] == plain


def practising(app: App, *codes: str) -> None:
    """Create these competencies for the activity."""
    with app.unit_of_work() as services:
        framework = services.competencies.framework(app.campus, code="vrai", name="Le VRAI", by=COMMAND)
        made = [
            services.competencies.create(
                app.campus, framework, code=code, statement=f"Pratiquer {code}", levels=[], by=COMMAND
            )
            for code in codes
        ]
        services.activity_plans.amend(
            app.campus,
            app.activity.id,
            Activity(**app.activity.model_dump()),
            Plan(competencies=[each.id for each in made]),
            by=COMMAND,
        )


def amend_everything(app: App) -> None:
    """Activity, plan, competency and name of the campus."""
    day = app.activity.starts_on - timedelta(days=30)
    other = {"title": "Autre titre", "place": "Ailleurs", "starts_on": day, "ends_on": day, "hours": 9.0}
    with app.unit_of_work() as services:
        for competency, _ in services.competencies.list_of(app.campus):
            services.competencies.amend(
                app.campus, competency.id, statement="Autre chose", levels=[], by=COMMAND
            )
        services.activity_plans.amend(
            app.campus,
            app.activity.id,
            Activity(**{**app.activity.model_dump(), **other}),
            Plan(),
            by=COMMAND,
        )
        settings = CampusSettings.of(services.campuses.get("itip"))
        services.campuses.change_settings("itip", replace(settings, name="Bois et forêt"), by=COMMAND)


def newer_document(app: App, award_id: uuid.UUID, level: DisclosedContent) -> JsonObject:
    """The document of a new signature at this disclosure level."""
    with app.unit_of_work(reading=True) as services:
        return services.reissuing.document_as(
            services.awards.record(award_id), Disclosed(activity=level, grounds=level, assessment=level)
        )


@pytest.mark.parametrize("level", DisclosedContent)
def test_reissued_badge_has_its_first_facts_despite_later_amendments(app: App, level: DisclosedContent):
    practising(app, "VRAI-1", "VRAI-2")
    award_id = app.award(ZOE, badge=app.role, evidence="A aidé trois groupes.").lines[0].award_id
    assert award_id
    before = newer_document(app, award_id, level)
    amend_everything(app)
    assert newer_document(app, award_id, level) == before


def test_content_disclosed_again_is_the_logged_content(app: App):
    award_id = app.award(ZOE).lines[0].award_id
    assert award_id

    def choose(level: DisclosedContent) -> JsonObject:
        app.clock.move(days=1)
        with app.unit_of_work() as services:
            row = services.evidence.find(award_id)
            assert row is not None
            services.log_disputes.show(app.campus, award_id, dict.fromkeys(row.entries, level), by=COMMAND)
        with app.unit_of_work(reading=True) as services:
            return json.loads(services.awards.awards.document_of(award_id).embedded)

    whole = choose(DisclosedContent.ALL)
    choose(DisclosedContent.EXISTENCE)
    amend_everything(app)
    again = choose(DisclosedContent.ALL)
    assert (again["evidence"], again["credentialSubject"]) == (whole["evidence"], whole["credentialSubject"])
    assert app.activity.title in json.dumps(again["evidence"], ensure_ascii=False)
    with app.unit_of_work(reading=True) as services:
        assert services.portfolios.shown_activity(services.awards.record(award_id)) == app.activity.title
