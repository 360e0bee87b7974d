"""A campus signs only names that it wrote or accepted, whatever the order of what a person does."""

from __future__ import annotations

import json
import random
import uuid
from dataclasses import dataclass, field

import pytest

from app.domain.accounts.sessions import Proof
from app.domain.awards import reissue
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.people import name_key
from app.errors import Conflict, InvalidInput
from app.services.accounts.sessions import Browser
from app.services.awards.awards import AwardRequest
from app.services.awards.reissuing import name_in
from tests.app.web.accounts.test_learner_account import award_elsewhere
from tests.support.app import COMMAND, App, send

ZOE = "Zoé N’Diaye; zoe@exemple.fr"
WHY = "Nom d’usage depuis mon mariage."


@dataclass
class Learner:
    """A person with an account, their operations, and the operations of campuses on their names."""

    app: App
    person_id: uuid.UUID = field(init=False)
    address: str = "zoe@exemple.fr"

    def start(self, award_id: uuid.UUID | None) -> Learner:
        assert award_id is not None
        with self.app.unit_of_work() as services:
            person = services.awards.record(award_id).person
            services.sign_in.own_addresses.verify(person, self.address, at=self.app.clock())
            self.person_id = person.id
        return self

    def who(self, services):
        entered = services.sessions.enter(self.person_id, Proof.LINK, Browser())
        return services.sessions.signed_in(entered.secret)

    def rename(self, given: str, family: str) -> int:
        """Return the number of campuses that were asked."""
        with self.app.unit_of_work() as services:
            return services.names.correct_mine(self.who(services), given, family, WHY).asked

    def put(self, award_id: uuid.UUID | None, with_name: bool) -> None:
        with self.app.unit_of_work() as services:
            record = services.awards.record(award_id)
            services.reissuing.choose_name(
                record.award, with_name, name=record.person.name, by=Actor(self.person_id)
            )

    def answer(self, campus: Campus, *, accept: bool) -> bool:
        with self.app.unit_of_work() as services:
            for wish, _before in services.names.waiting_in(campus):
                if accept:
                    services.names.accept(campus, wish.id, by=COMMAND)
                else:
                    services.names.refuse(campus, wish.id, "Ce n’est pas votre nom.", by=COMMAND)
                return True
            return False

    def name(self) -> str:
        with self.app.unit_of_work(reading=True) as services:
            return services.stores.people.get(self.person_id).name


def signed(app: App, award_id: uuid.UUID | None) -> str | None:
    with app.unit_of_work(reading=True) as services:
        return name_in(json.loads(services.awards.awards.document_of(award_id).embedded))


def award_again(app: App, line: str, badge=None) -> uuid.UUID | None:
    """Award another badge at the app's campus."""
    return app.award(line, badge=badge or app.role, evidence="A guidé le groupe.").lines[0].award_id


@pytest.fixture
def award_id(app: App) -> uuid.UUID | None:
    return app.award(ZOE).lines[0].award_id


@pytest.fixture
def zoe(app: App, award_id: uuid.UUID | None) -> Learner:
    return Learner(app).start(award_id)


def test_name_removed_and_another_taken_comes_back_as_the_campus_wrote_it(app: App, zoe, award_id):
    zoe.put(award_id, False)
    assert zoe.rename("Albert", "Einstein") == 1, "the badge contained a name: its campus is asked"
    assert zoe.name() == "Zoé N’Diaye"
    zoe.put(award_id, True)
    assert signed(app, award_id) == "Zoé N’Diaye"


def test_badge_that_never_contained_a_name_gets_the_one_of_its_list(app: App):
    result = app.award(ZOE)
    zoe = Learner(app).start(result.lines[0].award_id)
    with app.unit_of_work() as services:
        services.people.allow_name(zoe.person_id, False, by=COMMAND)
        services.awards.revoke(app.campus, result.lines[0].award_id, "Erreur de liste.", by=COMMAND)
    later = award_again(app, ZOE)
    assert signed(app, later) is None
    assert zoe.rename("Albert", "Einstein") == 0, "no valid badge ever contained a name"
    zoe.put(later, True)
    assert signed(app, later) == "Zoé N’Diaye"
    page = app.client(_person(app, zoe)).get(f"/mes-badges/{later}/confidentialite").text
    assert "Le campus vous connaît sous le nom" in page
    # The present name may be asked of that campus, and is accepted like any other.
    assert zoe.rename("Albert", "Einstein") == 1
    assert zoe.answer(app.campus, accept=True)
    assert signed(app, later) == "Albert Einstein"
    with pytest.raises(InvalidInput):
        zoe.rename("Albert", "Einstein")


def _person(app: App, learner: Learner):
    with app.unit_of_work(reading=True) as services:
        return services.stores.people.get(learner.person_id)


def test_badge_of_a_merged_record_has_its_own_name_only(app: App):
    result = app.award("Inès Martin; famille@exemple.fr", "Zoé Martin; famille@exemple.fr")
    ines, own = (line.award_id for line in result.lines)
    zoe = Learner(app, address="famille@exemple.fr").start(own)
    with app.unit_of_work(reading=True) as services:
        other = services.awards.record(ines).person
    with app.unit_of_work() as services:
        services.merging.merge_mine(zoe.who(services), other.id)
    for with_name in (True, False, True):
        zoe.put(ines, with_name)
    assert signed(app, ines) == "Inès Martin"
    assert zoe.rename("Zoë", "MARTIN") == 0
    assert (signed(app, ines), signed(app, own)) == ("Inès Martin", "Zoë MARTIN")
    zoe.put(ines, False)
    zoe.put(ines, True)
    assert signed(app, ines) == "Inès Martin"


def test_campus_that_refused_a_name_signs_it_neither_before_nor_after_another_accepts(
    app: App, zoe, award_id
):
    there = award_elsewhere(app, ZOE).lines[0].award_id
    assert zoe.rename("Zoé", "Durand") == 2
    assert zoe.answer(app.campus, accept=False)
    assert zoe.answer(app.other_campus, accept=True)
    assert (zoe.name(), signed(app, there)) == ("Zoé Durand", "Zoé Durand")
    for with_name in (True, False, True):
        zoe.put(award_id, with_name)
    assert signed(app, award_id) == "Zoé N’Diaye"
    everybody = AwardRequest(
        app.role.badge.id, app.activity.id, everybody=True, evidence="A guidé.", tells=False
    )
    by = Actor(app.trainer.id)
    with app.unit_of_work(reading=True) as services:
        preview = services.awards.preview(app.campus, everybody, by=by)
        assert preview.sample is not None
        assert preview.sample.holder_name == "Zoé N’Diaye", "chosen in the activity, not written"
    with app.unit_of_work() as services:
        (line,) = services.awards.award(app.campus, everybody, by=by).lines
    assert signed(app, line.award_id) == "Zoé N’Diaye"


def test_campus_that_writes_another_name_in_its_list_signs_that_one(app: App, zoe, award_id):
    award_elsewhere(app, ZOE)
    zoe.rename("Zoé", "Durand")
    zoe.answer(app.other_campus, accept=True)
    assert signed(app, award_again(app, "Zoé Durand; zoe@exemple.fr")) == "Zoé Durand"
    assert signed(app, award_id) == "Zoé N’Diaye"


def test_list_with_the_former_name_signs_it_for_a_person_whom_the_campus_knows_by_no_other(app: App, zoe):
    award_elsewhere(app, "Zoé N’Diaye; zoe@exemple.fr")
    with app.unit_of_work() as services:
        for campus_id in (app.campus.id, app.other_campus.id):
            for award in services.awards.awards.standing_of_person(zoe.person_id, campus_id):
                if campus_id == app.campus.id:
                    services.awards.revoke(app.campus, award.id, "Erreur de liste.", by=COMMAND)
    zoe.rename("Zoé", "Durand")
    zoe.answer(app.other_campus, accept=True)
    assert zoe.name() == "Zoé Durand"
    assert signed(app, award_again(app, ZOE)) == "Zoé N’Diaye"


def test_name_accepted_while_the_badge_has_none_is_the_one_that_comes_back(app: App, zoe, award_id):
    zoe.put(award_id, False)
    zoe.rename("Zoé", "Durand")
    zoe.answer(app.campus, accept=True)
    assert signed(app, award_id) is None
    zoe.put(award_id, True)
    assert signed(app, award_id) == "Zoé Durand"


def test_correction_by_the_campus_is_the_name_that_comes_back(app: App, award_id):
    with app.unit_of_work() as services:
        person = services.awards.record(award_id).person
        services.names.correct_in_campus(app.campus, person.id, "Zoé", "Sow", by=Actor(app.admin.id))
    zoe = Learner(app).start(award_id)
    zoe.put(award_id, False)
    zoe.put(award_id, True)
    assert signed(app, award_id) == "Zoé Sow"


def test_badge_without_a_known_name_waits_for_its_campus(app: App, zoe, award_id):
    zoe.put(award_id, False)
    with app.unit_of_work() as services:
        services.awards.awards.lock(award_id).accepted_name = ""
    with pytest.raises(Conflict, match="pas encore accepté votre nom"):
        zoe.put(award_id, True)
    page = app.client(_person(app, zoe)).get(f"/mes-badges/{award_id}/confidentialite").text
    assert "Écrire mon nom dans ce badge" not in page
    assert zoe.rename("Zoé", "N’Diaye") == 1
    assert zoe.answer(app.campus, accept=True)
    zoe.put(award_id, True)
    assert signed(app, award_id) == "Zoé N’Diaye"


def test_reissue_refuses_a_name_that_the_campus_does_not_know(app: App, award_id):
    with app.unit_of_work(reading=True) as services:
        award = services.awards.record(award_id).award
        with pytest.raises(ValueError, match="neither wrote nor accepted"):
            reissue(award, "Albert Einstein", at=app.clock())
        assert award.holder_name == "Zoé N’Diaye"


def test_campus_sees_which_names_it_replaces_and_answers_for_those_alone(app: App, zoe):
    zoe.rename("Zoé", "Durand")
    admin = app.client(app.admin)
    path = "/gestion/itip/repertoire/noms"
    assert "Zoé N’Diaye" in admin.get(path).text
    with app.unit_of_work(reading=True) as services:
        [(wish, before)] = services.names.waiting_in(app.campus)
    assert before == "Zoé N’Diaye"
    form = {"reponse": "oui", "avant": "Inès Martin"}
    answer = send(admin, f"{path}/{wish.id}", form, seen_on=path)
    assert answer.status_code == 409
    assert "ont changé entre-temps" in answer.text
    assert zoe.name() == "Zoé N’Diaye"
    assert send(admin, f"{path}/{wish.id}", form | {"avant": before}, seen_on=path).status_code == 303
    assert zoe.name() == "Zoé Durand"


def test_account_page_names_the_campuses_that_know_another_name(app: App, zoe):
    award_elsewhere(app, ZOE)
    client = app.client(_person(app, zoe))
    assert "sous un autre nom" not in client.get("/compte/nom").text
    zoe.rename("Zoé", "Durand")
    zoe.answer(app.other_campus, accept=True)
    page = client.get("/compte/nom").text
    assert "sous un autre nom" in page
    assert "« Zoé N’Diaye »" in page.replace("\u00a0", " ")


NAMES = (("Zoé", "N’Diaye"), ("ZOE", "NDIAYE"), ("Zoé", "Durand"), ("Durand", "Zoe"), ("Albert", "Einstein"))


@pytest.mark.parametrize("seed", range(6))
def test_no_order_of_steps_signs_a_name_that_the_campus_neither_wrote_nor_accepted(app: App, seed: int):
    chance = random.Random(seed)
    result = app.award(ZOE, "Inès Martin; zoe@exemple.fr")
    own, ines = (line.award_id for line in result.lines)
    there = award_elsewhere(app, ZOE).lines[0].award_id
    zoe = Learner(app).start(own)
    campuses = {own: app.campus, ines: app.campus, there: app.other_campus}
    allowed = {own: "Zoé N’Diaye", ines: "Inès Martin", there: "Zoé N’Diaye"}
    with app.unit_of_work(reading=True) as services:
        sister = services.awards.record(ines).person.id
    mine = {own, there}
    for _ in range(14):
        match chance.choice(["put", "put", "put", "rename", "rename", "accept", "refuse", "merge", "again"]):
            case "put":
                zoe.put(chance.choice(sorted(mine, key=str)), chance.random() < 0.6)
            case "rename":
                given, family = chance.choice(NAMES)
                try:
                    zoe.rename(given, family)
                except InvalidInput:
                    assert zoe.name() == f"{given} {family}"
            case "accept" | "refuse" as answered:
                campus = chance.choice([app.campus, app.other_campus])
                if zoe.answer(campus, accept=answered == "accept") and answered == "accept":
                    allowed |= {one: zoe.name() for one in mine if campuses[one] == campus}
            case "merge" if ines not in mine:
                with app.unit_of_work() as services:
                    zoe.person_id = services.merging.merge_mine(zoe.who(services), sister).id
                mine.add(ines)
            case "again" if len(mine) < 5:
                badge = app.role
                line = app.award(ZOE, badge=badge, evidence="A guidé le groupe.").lines[0]
                if line.award_id not in allowed and line.award_id is not None:
                    mine.add(line.award_id)
                    campuses[line.award_id] = app.campus
                    allowed[line.award_id] = allowed[own]
        app.clock.move(minutes=1)
        for one, name in allowed.items():
            found = signed(app, one)
            assert found is None or name_key(found, "") == name_key(name, ""), (seed, found, name)
