"""Nobody gets into a campus by way of what a list of participants says."""

from __future__ import annotations

from datetime import date, timedelta

from app.domain.activities import Activity, ActivityKind
from app.domain.campus.audit_log import Actor
from app.domain.people import Role
from tests.support.house import COMMAND, House, listed, send

OWN = "jean.dupont@exemple.fr"
FOREIGN = "mechant@ailleurs.example"


def list_at_the_other_campus(house: House, *lists: str) -> None:
    """A trainer of the other campus records these lists, one after the other, in an activity there."""
    workshop = Activity(
        kind=ActivityKind.WORKSHOP, title="Dégustation", starts_on=date(2026, 11, 24),
        ends_on=date(2026, 11, 24), created_at=house.clock.now,
    )  # fmt: skip
    by = Actor(house.stranger.id)
    with house.unit_of_work() as services:
        activity = services.activities.create(workshop, [house.other_campus], by=by)
        for each in lists:
            services.activities.record(house.other_campus, activity.id, listed(each), by=by)


def hire(house: House, *, given_name: str = "Jean", family_name: str = "Dupont"):
    with house.unit_of_work() as services:
        return services.people.add_staff(
            house.campus, given_name=given_name, family_name=family_name, address=OWN, role=Role.TRAINER,
            by=COMMAND,
        )  # fmt: skip


def test_an_address_that_a_trainer_listed_signs_nobody_in(house: House):
    """Somebody recorded by name, then with an address, then with another, is hired later under the first."""
    list_at_the_other_campus(house, "DUPONT Jean", f"DUPONT Jean; {OWN}", f"DUPONT Jean; {FOREIGN}")
    hire(house)

    send(house.client(), "/connexion", {"adresse": FOREIGN})
    assert house.letters.letters == []

    send(house.client(), "/connexion", {"adresse": OWN})
    assert [letter.to for letter in house.letters.letters] == [OWN]


def test_who_works_here_no_more_gets_no_letter_and_hides_nobody_who_does(house: House):
    gone = hire(house)
    with house.unit_of_work() as services:
        [(membership, _)] = services.people.people.memberships_of(gone.id)
        membership.until = house.clock.now
    send(house.client(), "/connexion", {"adresse": OWN})
    assert house.letters.letters == []

    hire(house, given_name="Jeanne")
    send(house.client(), "/connexion", {"adresse": OWN})
    [letter] = house.letters.letters
    assert "Jeanne Dupont" in letter.text


def test_who_works_here_from_tomorrow_gets_no_letter_today(house: House):
    person = hire(house)
    with house.unit_of_work() as services:
        [(membership, _)] = services.people.people.memberships_of(person.id)
        membership.since = house.clock.now + timedelta(days=1)
    send(house.client(), "/connexion", {"adresse": OWN})
    assert house.letters.letters == []


class RefusingMailer:
    """An SMTP server that knows the addressee and says so in its refusal."""

    def send(self, letter) -> None:
        raise OSError(f"550 no mailbox for {letter.to}")


def test_a_letter_that_cannot_leave_names_nobody_in_the_log(house: House, capfd, caplog):
    house.process.mailer = RefusingMailer()
    answer = send(house.client(), "/connexion", {"adresse": "le.goff@exemple.fr"})
    assert answer.status_code == 200
    written = capfd.readouterr()
    assert "le.goff@exemple.fr" not in written.out + written.err + caplog.text
