"""`sceau operator` and `sceau campus`: what is done for campuses without a browser."""

from __future__ import annotations

from app.container import Process
from app.domain.people import Role
from app.services.campus import Filter
from tests.app.cli.conftest import Operator


def test_a_campus_is_opened_suspended_and_opened_again(operator: Operator, demo: Process) -> None:
    made = operator.types(
        "campus", "create", "campus-essai", "--name", "Essai et mesure", "--short-name", "ESSAI",
        "--administrator", "ada@exemple.fr",
    )  # fmt: skip
    assert made.code == 0, made.err
    token = made.out.strip().rpartition("/")[2]
    with demo.unit_of_work(reading=True) as services:
        assert services.invitations.open(token).campus.slug == "campus-essai"
    again = operator.types("campus", "invite", "campus-essai", "--address", "ada@exemple.fr")
    assert (again.code, "déjà été envoyée" in again.err) == (1, True)
    for action, state in (("suspend", "suspendu"), ("resume", "ouvert")):
        assert operator.types("campus", action, "campus-essai").code == 0
        assert f"campus-essai\t{state}\t" in operator.types("campus", "list").out


def test_an_operator_is_named_listed_and_removed(operator: Operator, demo: Process) -> None:
    added = operator.types(
        "operator", "add", "--given", "Ada", "--family", "Roux", "--address", "roux@exemple.fr"
    )
    assert added.code == 0, added.err
    listed = operator.types("operator", "list").out.strip()
    identifier, name = listed.split("\t")
    assert name == "Ada Roux"
    assert operator.types("operator", "remove", identifier).code == 0
    assert operator.types("operator", "list").out == ""


def test_an_administrator_is_let_in_without_a_letter_and_the_history_says_so(
    operator: Operator, demo: Process
) -> None:
    made = operator.types("campus", "link", "itip")
    assert made.code == 0, made.err
    secret = made.out.strip().rpartition("/")[2]
    with demo.unit_of_work(reading=True) as services:
        campus = services.campuses.get("itip")
        [event] = [one for one in services.history.all(campus, Filter()) if one.entry.action == "hand_link"]
        assert services.sign_in.leads_to_work(secret)
        administrator = services.people.first_with_role(campus, Role.CAMPUS_ADMIN)
    assert administrator is not None
    assert (event.entry.noun_id, event.entry.actor_label) == (administrator.id, "command campus")
    stranger = operator.types("campus", "link", "itip", "--address", "personne@exemple.fr")
    assert (stranger.code, stranger.out) == (1, "")


def test_an_operator_who_reads_no_letter_is_let_in_and_nobody_else_is(operator: Operator) -> None:
    operator.types("operator", "add", "--given", "Ada", "--family", "Roux", "--address", "roux@exemple.fr")
    identifier = operator.types("operator", "list").out.partition("\t")[0]
    assert "/connexion/" in operator.types("operator", "link", identifier).out
    operator.types("operator", "remove", identifier)
    refused = operator.types("operator", "link", identifier)
    assert (refused.code, refused.out) == (1, "")
