"""Delivery of badges without e-mail: links, codes, another address, and delivery states."""

from __future__ import annotations

import pytest

from app.domain.campus.audit_log import Actor
from app.domain.messages import Handed, LetterState
from app.errors import Conflict, InvalidInput, NotFound
from tests.support.app import App
from tests.support.letters import awarded, letters_of, send_all

ZOE = "Zoé Martin;zoe@exemple.fr"


def state_of(app: App, award_id) -> Handed:
    with app.unit_of_work(reading=True) as services:
        (delivery,) = services.delivery.of([services.awards.record(award_id)])
        return delivery.handed.state


def code_for(app: App, award_id) -> str:
    with app.unit_of_work() as services:
        codes = services.delivery.codes_for([services.awards.record(award_id)])
        return codes[award_id].code


def test_delivery_state_changes_until_the_person_claims_the_badge(app, office, post):
    (award_id,) = awarded(app, ZOE)
    seen = [state_of(app, award_id)]
    send_all(post)
    seen.append(state_of(app, award_id))
    with app.unit_of_work() as services:
        services.delivery.link_opened(award_id)
    seen.append(state_of(app, award_id))
    with app.unit_of_work() as services:
        services.delivery.claim(award_id, by=Actor(label="tests"))
    seen.append(state_of(app, award_id))
    with app.unit_of_work() as services:
        services.awards.revoke(app.campus, award_id, "Erreur de personne.", by=Actor(app.admin.id))
    seen.append(state_of(app, award_id))
    assert seen == [Handed.WAITING, Handed.SENT, Handed.OPENED, Handed.CLAIMED, Handed.REVOKED]


def test_person_without_an_address_gets_a_slip(app):
    (line,) = app.award("Zoé Martin").lines
    assert state_of(app, line.award_id) is Handed.SLIP


def test_a_refused_address_is_replaced_and_the_award_stays(app, office, post):
    office.answers["zoe@exemple.fr"].append("550 5.1.1 No such user")
    (award_id,) = awarded(app, ZOE)
    send_all(post)
    assert state_of(app, award_id) is Handed.REFUSED
    with app.unit_of_work() as services:
        services.delivery.write_again(
            app.campus, award_id, " Zoe.Martin@Exemple.FR ", by=Actor(app.trainer.id)
        )
    send_all(post)
    assert office.recipients == ["zoe.martin@exemple.fr"]
    assert state_of(app, award_id) is Handed.SENT
    assert len(letters_of(app, award_id)) == 2
    with app.unit_of_work(reading=True) as services:
        person = services.awards.record(award_id).person
        assert services.people.people.addresses_of([person.id]) == {person.id: "zoe.martin@exemple.fr"}
        assert "write_again" in [each.action for each in services.awards.history_of(app.campus, award_id)]


def test_writing_again_replaces_the_letter_that_waits(app, office, post):
    (award_id,) = awarded(app, ZOE)
    with app.unit_of_work() as services:
        services.delivery.write_again(app.campus, award_id, "z@exemple.fr", by=Actor(app.trainer.id))
    send_all(post)
    assert office.recipients == ["z@exemple.fr"]
    assert [each.state for each in letters_of(app, award_id)] == [LetterState.CANCELLED, LetterState.SENT]


def test_no_letter_for_an_invalid_address_or_a_withdrawn_badge(app):
    (award_id,) = awarded(app, ZOE)
    by = Actor(app.trainer.id)
    with pytest.raises(InvalidInput), app.unit_of_work() as services:
        services.delivery.write_again(app.campus, award_id, "zoe(at)exemple", by=by)
    with app.unit_of_work() as services:
        services.awards.revoke(app.campus, award_id, "Erreur de personne.", by=by)
    with pytest.raises(Conflict), app.unit_of_work() as services:
        services.delivery.write_again(app.campus, award_id, "zoe@exemple.fr", by=by)


def test_another_campus_cannot_renew_a_link_or_send_a_letter(app):
    (award_id,) = awarded(app, ZOE)
    by = Actor(app.stranger.id)
    with pytest.raises(NotFound), app.unit_of_work() as services:
        services.delivery.renew_link(app.other_campus, award_id, by=by)
    with pytest.raises(NotFound), app.unit_of_work() as services:
        services.delivery.write_again(app.other_campus, award_id, "z@exemple.fr", by=by)


def test_renewed_link_closes_the_old_one_and_its_session(app):
    result = app.award(ZOE)
    award_id = result.lines[0].award_id
    old = app.private_link(result)
    client = app.client()
    assert client.get(old).status_code == 303
    assert client.get(f"/mes-badges/{award_id}").status_code == 200
    old_code = code_for(app, award_id)

    with app.unit_of_work() as services:
        services.delivery.renew_link(app.campus, award_id, by=Actor(app.trainer.id))

    refused = client.get(old)
    assert refused.status_code == 404
    assert "remplacé par le campus" in refused.text
    assert client.get(f"/mes-badges/{award_id}").status_code == 401
    with app.unit_of_work(reading=True) as services:
        record = services.awards.record(award_id)
        new = services.letters.private_link_of(record).removeprefix(services.addresses.base_url)
    assert new != old
    assert client.get(new).status_code == 303
    with pytest.raises(NotFound), app.unit_of_work() as services:
        services.delivery.find_by_code(old_code)


def test_code_opens_its_badge_once(app):
    (award_id,) = awarded(app, ZOE)
    code = code_for(app, award_id)
    with app.unit_of_work() as services:
        assert services.delivery.find_by_code(code.lower()).award.id == award_id
        opened = services.delivery.claim_by_code(code)
        assert opened.session.award_id == award_id
    assert state_of(app, award_id) is Handed.CLAIMED
    with pytest.raises(NotFound, match="déjà servi"), app.unit_of_work() as services:
        services.delivery.claim_by_code(code)


def test_expired_code_is_valid_again_after_a_new_print(app):
    (award_id,) = awarded(app, ZOE)
    code = code_for(app, award_id)
    app.clock.move(days=61)
    with pytest.raises(NotFound, match="n’est plus bon"), app.unit_of_work() as services:
        services.delivery.find_by_code(code)
    assert code_for(app, award_id) == code
    with app.unit_of_work() as services:
        assert services.delivery.find_by_code(code).award.id == award_id


def test_no_code_for_a_withdrawn_or_claimed_badge(app):
    first, second = awarded(app, ZOE, "Lucas Bernard;lucas@exemple.fr")
    by = Actor(app.trainer.id)
    with app.unit_of_work() as services:
        services.awards.revoke(app.campus, first, "Erreur de personne.", by=by)
        services.delivery.claim(second, by=by)
        records = [services.awards.record(award_id) for award_id in (first, second)]
        assert services.delivery.codes_for(records) == {}


def test_withdrawal_is_notified_to_people_notified_of_the_award(app, office, post):
    result, untold = awarded(app, ZOE, "Lucas Bernard;lucas@exemple.fr")
    post.send(letters_of(app, result)[0].envelope)
    with app.unit_of_work() as services:
        awards = [services.awards.record(award_id).award for award_id in (result, untold)]
        for award in awards:
            services.awards.revoke(app.campus, award.id, "Inscrit par erreur.", by=Actor(app.admin.id))
        services.letters.tell_of_withdrawal(awards)
        services.letters.tell_of_withdrawal(awards)
    send_all(post)
    assert office.recipients == ["zoe@exemple.fr", "zoe@exemple.fr"]
    assert "a été retiré" in office.received[1]["Subject"]
    assert "Inscrit par erreur." in str(office.received[1].get_body(("plain",)).get_content())


def test_withdrawal_is_notified_to_people_who_get_the_announcement_meanwhile(app, office, post):
    award_id, _ = awarded(app, ZOE, "Lucas Bernard;lucas@exemple.fr")
    with app.unit_of_work() as services:
        services.letters.take(letters_of(app, award_id)[0].envelope)
    with app.unit_of_work() as services:
        award = services.awards.record(award_id).award
        services.awards.revoke(app.campus, award_id, "Inscrit par erreur.", by=Actor(app.admin.id))
        services.letters.tell_of_withdrawal([award])
    send_all(post)
    assert sorted(office.recipients) == ["lucas@exemple.fr", "zoe@exemple.fr"]
    assert "a été retiré" in office.received[office.recipients.index("zoe@exemple.fr")]["Subject"]
