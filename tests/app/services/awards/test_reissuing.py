"""A name corrected: the same badge at the same address in a new edition, and what becomes of the earlier one."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from app.domain.awards import Visibility
from app.domain.campus.audit_log import Actor
from app.domain.messages import Letter
from app.domain.people import NameWish
from app.errors import Conflict, InvalidInput, NotAllowed
from app.services.accounts.sessions import SignedIn
from app.services.awards.awards import AwardRequest
from app.services.verification.verdicts import HeadlineKind, headline
from tests.app.web.accounts.test_learner_account import ask_for_letter, award_elsewhere, enter
from tests.support.house import COMMAND, House, listed
from tests.support.letters import send_all

ZOE = "Zoe N'Diaye; zoe@exemple.fr"


@pytest.fixture
def result(house: House):
    return house.award(ZOE)


def files(house: House, result) -> tuple[bytes, str]:
    with house.unit_of_work(reading=True) as services:
        document = services.awards.awards.document_of(result.lines[0].award_id)
        return document.embedded, document.token


def correct(house: House, result, given: str, family: str) -> int:
    with house.unit_of_work() as services:
        person = services.awards.record(result.lines[0].award_id).person
        return services.names.correct_in_campus(
            house.campus, person.id, given, family, by=Actor(house.admin.id)
        )


def kind(house: House, presented: bytes | str) -> HeadlineKind:
    with house.unit_of_work(reading=True) as services:
        return headline(services.verification.verify(presented)).kind


def test_a_corrected_name_is_a_newer_edition_at_the_same_address(house: House, result):
    old, _ = files(house, result)
    house.clock.move(days=3)
    assert correct(house, result, "Zoé", "N’Diaye") == 1
    new, _ = files(house, result)
    before, after = json.loads(old), json.loads(new)
    assert after["credentialSubject"]["identifier"][0]["identityHash"] == "Zoé N’Diaye"
    # the same badge, told newer by `validFrom`; the day it was given stays.
    for same in ("id", "awardedDate", "credentialStatus", "evidence"):
        assert after[same] == before[same]
    assert after["issuer"]["id"] == before["issuer"]["id"]
    assert after["credentialSubject"]["id"] == before["credentialSubject"]["id"]
    assert after["validFrom"] > before["validFrom"]


def test_the_earlier_files_say_that_they_were_replaced_and_not_that_they_were_withdrawn(house: House, result):
    earlier = files(house, result)
    correct(house, result, "Zoé", "N’Diaye")
    for old, new in zip(earlier, files(house, result), strict=True):
        assert kind(house, old) is HeadlineKind.REPLACED
        assert kind(house, new) is HeadlineKind.VALID
    with house.unit_of_work(reading=True) as services:
        answer = services.verification.verify(earlier[0])
        assert headline(answer).title().startswith("Authentique, mais remplacé le")
        assert services.verification.evidence_of(answer) is None


def test_both_editions_are_withdrawn_together(house: House, result):
    earlier = files(house, result)
    correct(house, result, "Zoé", "N’Diaye")
    with house.unit_of_work() as services:
        services.awards.revoke(house.campus, result.lines[0].award_id, "Erreur de liste.", by=COMMAND)
    for each in (*earlier, *files(house, result)):
        assert kind(house, each) is HeadlineKind.REVOKED


def test_the_log_holds_the_new_decision_and_proves_it(house: House, result):
    house.clock.move(hours=1)
    correct(house, result, "Zoé", "N’Diaye")
    award_id = result.lines[0].award_id
    with house.unit_of_work(reading=True) as services:
        answer = services.verification.verify_award(services.awards.record(award_id))
        proved = services.verification.evidence_of(answer)
        assert proved is not None
        assert proved.outcome.value == "proved", proved
        actions = [entry.action for entry, _ in services.people.history.list_of("award", award_id)]
        assert "reissue" in actions


def test_what_the_world_reads_is_the_newest_edition(house: House, result):
    award_id = result.lines[0].award_id
    with house.unit_of_work() as services:
        services.awards.set_visibility(award_id, Visibility.OPEN, by=COMMAND)
    client = house.client()
    path = f"/attributions/{award_id}"
    assert "Zoe N" in client.get(path).text
    correct(house, result, "Zoé", "N’Diaye")
    page = client.get(path).text
    assert "Zoé N’Diaye" in page
    assert "Zoe N" not in page
    assert client.get(f"{path}.json").content == files(house, result)[0]
    assert client.get(f"{path}.jwt").text == files(house, result)[1]


def test_a_list_with_the_former_name_still_finds_the_person(house: House):
    result = house.award("Zoé Martin; zoe@exemple.fr")
    correct(house, result, "Zoé", "Durand")
    for written in ("Zoé Martin; zoe@exemple.fr", "Zoé Durand; zoe@exemple.fr"):
        assert [line.outcome.value for line in house.award(written).lines] == ["already_held"]


def signed_in(house: House, address: str = "zoe@exemple.fr") -> SignedIn:
    client = house.client()
    (link,) = ask_for_letter(house, client, address)
    enter(client, link)
    with house.unit_of_work(reading=True) as services:
        return services.sessions.signed_in(client.cookies["sid"])


def test_the_person_changes_the_spelling_and_every_campus_signs_anew(house: House, result):
    there = award_elsewhere(house, ZOE)
    who = signed_in(house)
    with house.unit_of_work() as services:
        done = services.names.correct_mine(who, "Zoé", "N’Diaye", "")
    assert (done.reissued, done.asked) == (2, 0)
    for each in (result, there):
        assert json.loads(files(house, each)[0])["credentialSubject"]["identifier"][0]["identityHash"] == (
            "Zoé N’Diaye"
        )


def test_another_name_waits_for_each_campus_which_answers_for_its_own_badges(house: House, result):
    """Else a badge could be signed in the name of whoever its holder would like to be."""
    there = award_elsewhere(house, ZOE)
    who = signed_in(house)
    with house.unit_of_work() as services, pytest.raises(InvalidInput):
        services.names.correct_mine(who, "Zoé", "Durand", "")
    with house.unit_of_work() as services:
        assert services.names.correct_mine(who, "Zoé", "Durand", "Nom d’usage depuis mon mariage.").asked == 2
    before = files(house, result), files(house, there)
    assert b"Durand" not in before[0][0]
    with house.unit_of_work() as services:
        [(wish, before_it)] = services.names.waiting_in(house.campus)
        assert (wish.person_id, before_it) == (who.person.id, "Zoe N'Diaye")
        services.names.accept(house.campus, wish.id, by=Actor(house.admin.id))
    assert "Durand" in files(house, result)[0].decode()
    assert files(house, there) == before[1]
    with house.unit_of_work() as services, pytest.raises(Conflict):
        services.names.refuse(house.campus, wish.id, "Un autre nom.", by=Actor(house.admin.id))


def asked_for_durand(house: House) -> NameWish:
    who = signed_in(house)
    with house.unit_of_work() as services:
        services.names.correct_mine(who, "Zoé", "Durand", "Nom d’usage depuis mon mariage.")
    with house.unit_of_work(reading=True) as services:
        [(wish, _)] = services.names.waiting_in(house.campus)
        return wish


@pytest.mark.usefixtures("result")
def test_whoever_is_refused_a_name_is_told_why(house: House):
    wish = asked_for_durand(house)
    send_all(house.process.post)
    before = len(house.letters.letters)
    with house.unit_of_work() as services:
        reason = "Passez nous voir avec une pièce."
        services.names.refuse(house.campus, wish.id, reason, by=Actor(house.admin.id))
    send_all(house.process.post)
    [letter] = house.letters.letters[before:]
    assert letter.to == "zoe@exemple.fr"
    for said in ("« Zoé Durand »", "« Passez nous voir avec une pièce. »", "/compte/nom"):
        assert said in letter.text.replace("\xa0", " ")


@pytest.mark.usefixtures("result")
def test_no_name_is_refused_without_a_reason(house: House):
    wish = asked_for_durand(house)
    for reason in (" ", "x" * 301):
        with house.unit_of_work() as services, pytest.raises(InvalidInput):
            services.names.refuse(house.campus, wish.id, reason, by=Actor(house.admin.id))
    with house.unit_of_work(reading=True) as services:
        assert [each.id for each, _ in services.names.waiting_in(house.campus)] == [wish.id]


def test_a_campus_leaves_the_name_of_who_has_an_account_to_them(house: House, result):
    signed_in(house)
    with pytest.raises(NotAllowed, match="a confirmé son adresse"):
        correct(house, result, "Zoé", "Durand")


def test_the_holder_takes_their_name_out_of_a_badge_and_puts_it_back(house: House, result):
    award_id = result.lines[0].award_id
    for with_name, said in ((False, None), (True, "Zoe N'Diaye")):
        with house.unit_of_work() as services:
            record = services.awards.record(award_id)
            by = Actor(record.person.id)
            assert services.reissuing.choose_name(record.award, with_name, name=record.person.name, by=by)
        subject = json.loads(files(house, result)[0])["credentialSubject"]
        assert subject.get("identifier", [{}])[0].get("identityHash") == said
    with house.unit_of_work() as services:
        record = services.awards.record(award_id)
        assert not services.reissuing.choose_name(record.award, True, name=record.person.name, by=COMMAND)


def told(house: House) -> list[Letter]:
    """The letters that left since last asked."""
    post = house.process.post
    for envelope in post.due():
        post.send(envelope)
    left = list(house.letters.letters)
    house.letters.letters.clear()
    return left


def test_whoever_holds_a_corrected_badge_is_told_what_it_said_what_it_says_and_whom_to_ask(house: House):
    results = [house.award(ZOE), house.award(ZOE, badge=house.role, evidence="Elle a guidé le groupe.")]
    correct(house, results[0], "Zoé", "N’Diaye")
    (letter,) = told(house)
    assert (letter.to, letter.subject) == ("zoe@exemple.fr", "Votre nom est corrigé dans 2 badges")
    assert "« Zoé N’Diaye »" in letter.text.replace("\u00a0", " ")
    assert letter.text.replace("\u00a0", " ").count("Avant la correction : « Zoe N'Diaye »") == 2
    assert letter.reply_to == "itip@exemple.fr"
    assert "Répondez à cet e-mail" in letter.text
    for result in results:
        assert house.private_link(result) in letter.text


def test_two_corrections_that_wait_are_told_as_one_and_none_that_came_to_nothing(house: House, result):
    correct(house, result, "Zoé", "Ndiaye")
    house.clock.move(minutes=1)
    correct(house, result, "Zoé", "N’Diaye")
    (letter,) = told(house)
    said = letter.text.replace("\u00a0", " ")
    assert "« Zoé N’Diaye »" in said
    assert "Avant la correction : « Zoe N'Diaye »" in said
    assert "Ndiaye" not in said
    for family in ("Ndiaye", "N’Diaye"):
        house.clock.move(minutes=1)
        correct(house, result, "Zoé", family)
    assert told(house) == []


def test_a_badge_of_which_its_holder_has_not_heard_is_announced_as_it_is_now(house: House):
    result = house.award(ZOE, tells=True)
    correct(house, result, "Zoé", "N’Diaye")
    house.clock.move(hours=1)
    (letter,) = told(house)
    assert letter.subject == "Votre badge « Robotique pour tous »".replace("« ", "«\u00a0").replace(
        " »", "\u00a0»"
    )
    assert letter.to_name == "Zoé N’Diaye"


def test_a_correction_is_not_told_while_the_bulk_award_can_still_be_undone(house: House):
    request = AwardRequest(house.presence.badge.id, house.activity.id, lines=listed(ZOE), tells=False)
    with house.unit_of_work() as services:
        batch = services.bulk_awards.enqueue(
            house.campus, request, by=Actor(house.trainer.id), undo_for=timedelta(minutes=5)
        )
    with house.unit_of_work() as services:
        services.bulk_awards.process_chunk(batch.id)
        (award,) = services.stores.batches.standing_awards(batch.id, 2)
        services.names.correct_in_campus(
            house.campus, award.person_id, "Zoé", "N’Diaye", by=Actor(house.admin.id)
        )
    assert told(house) == []
    house.clock.move(minutes=6)
    (letter,) = told(house)
    assert letter.subject == "Votre nom est corrigé dans un badge"


def test_a_badge_withdrawn_since_is_not_told_as_corrected(house: House, result):
    correct(house, result, "Zoé", "N’Diaye")
    with house.unit_of_work() as services:
        services.awards.revoke(house.campus, result.lines[0].award_id, "Erreur de liste.", by=COMMAND)
    assert told(house) == []


def test_an_award_signed_with_plain_spaces_is_not_reissued(house: House, monkeypatch: pytest.MonkeyPatch):
    with monkeypatch.context() as before_no_break_spaces:
        before_no_break_spaces.setattr("app.domain.awards.open_badges.french", str)
        old = house.award(ZOE)
    plain, _ = files(house, old)
    assert "Rôle : apprenant" in plain.decode()
    with house.unit_of_work(reading=True) as services:
        record = services.awards.record(old.lines[0].award_id)
        assert services.reissuing.is_aligned(record)
        again = services.reissuing.document_as(record, services.reissuing.disclosed_of(record))
    assert "Rôle\u00a0: apprenant" in json.dumps(again, ensure_ascii=False)
    assert files(house, old)[0] == plain
