"""A campus chooses the sender address of its e-mails: a code, a DNS record, then every message."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest

from app.domain.campus.sender import MailIdentity
from app.domain.messages import Letter
from app.services.accounts.sessions import Browser
from tests.support.app import COMMAND, App, send
from tests.support.letters import awarded, send_all

HERE = "/gestion/itip/courrier"
ADDRESS = "badges@lycee.exemple"
RECORD = "v=DKIM1; k=rsa; p=MIIBIjAN"


class Dns:
    def __init__(self) -> None:
        self.published: dict[str, Sequence[str] | None] = {}

    def texts(self, name: str) -> Sequence[str] | None:
        return self.published.get(name, ())


@pytest.fixture
def dns(app: App) -> Dns:
    app.process.mail_identity = MailIdentity("sceau@service.exemple", "sceau", RECORD)
    app.process.mail_records = dns = Dns()
    return dns


def letters(app: App) -> list[Letter]:
    send_all(app.process.post)
    found = list(app.letters.letters)
    app.letters.letters.clear()
    return found


def confirmed(app: App, admin) -> None:
    send(admin, f"{HERE}/adresse", {"adresse": ADDRESS}, seen_on=HERE)
    (letter,) = letters(app)
    code = re.search(r"[A-Z2-7]{4}-[A-Z2-7]{4}", letter.text)
    assert code
    assert letter.to == ADDRESS
    answer = send(admin, f"{HERE}/code", {"code": code[0].lower()}, seen_on=HERE)
    assert answer.status_code == 303


def test_messages_leave_from_the_campus_once_its_record_is_published(app: App, dns: Dns):
    admin = app.client(app.admin)
    confirmed(app, admin)
    page = admin.get(HERE).text
    assert "sceau._domainkey.lycee.exemple" in page
    assert RECORD in page
    assert "Pas encore publié" in page
    assert "L’adresse du service est en service" in page
    awarded(app, "Zoé Martin;zoe@exemple.fr")
    assert [letter.sender for letter in letters(app)] == [""]

    dns.published["sceau._domainkey.lycee.exemple"] = [RECORD]
    dns.published["_dmarc.lycee.exemple"] = ["v=DMARC1; p=quarantine"]
    assert "quarantine" in admin.get(HERE).text
    assert send(admin, f"{HERE}/service", seen_on=HERE).status_code == 303
    awarded(app, "Lucas Bernard;lucas@exemple.fr")
    assert [letter.sender for letter in letters(app)] == [ADDRESS]
    with app.process.visit() as services:
        services.sign_in.request("le.goff@exemple.fr", Browser())
    assert [letter.sender for letter in letters(app)] == [""], "signing in is the service's own affair"

    dns.published.clear()
    assert "L’enregistrement ne se lit plus" in admin.get(HERE).text
    send(admin, f"{HERE}/retrait", seen_on=HERE)
    awarded(app, "Emma Petit;emma@exemple.fr")
    assert [letter.sender for letter in letters(app)] == [""]


def test_address_is_not_used_without_its_record(app: App, dns: Dns):
    admin = app.client(app.admin)
    confirmed(app, admin)
    for published in ((), ["v=DKIM1; p=other"], None):
        dns.published["sceau._domainkey.lycee.exemple"] = published
        answer = send(admin, f"{HERE}/service", seen_on=HERE)
        assert answer.status_code == 409
        assert "DKIM ne se lit pas encore" in answer.text
    awarded(app, "Zoé Martin;zoe@exemple.fr")
    assert [letter.sender for letter in letters(app)] == [""]


def test_address_is_not_used_before_its_code(app: App, dns: Dns):
    admin = app.client(app.admin)
    dns.published["sceau._domainkey.lycee.exemple"] = [RECORD]
    send(admin, f"{HERE}/adresse", {"adresse": ADDRESS}, seen_on=HERE)
    answer = send(admin, f"{HERE}/code", {"code": "AAAA-AAAA"}, seen_on=HERE)
    assert answer.status_code == 422
    assert "pas le bon" in answer.text
    assert send(admin, f"{HERE}/service", seen_on=HERE).status_code == 409


def test_another_address_is_confirmed_anew(app: App, dns: Dns):
    admin = app.client(app.admin)
    confirmed(app, admin)
    dns.published["sceau._domainkey.lycee.exemple"] = [RECORD]
    send(admin, f"{HERE}/service", seen_on=HERE)
    send(admin, f"{HERE}/adresse", {"adresse": "direction@lycee.exemple"}, seen_on=HERE)
    letters(app)
    awarded(app, "Zoé Martin;zoe@exemple.fr")
    assert [letter.sender for letter in letters(app)] == [""]


@pytest.mark.parametrize("typed", ["", "badges", "campus@gmail.com"])
def test_address_that_cannot_serve_is_refused_and_stays_typed(app: App, dns: Dns, typed: str):
    answer = send(app.client(app.admin), f"{HERE}/adresse", {"adresse": typed}, seen_on=HERE)
    assert answer.status_code == 422
    assert f'value="{typed}"' in answer.text


def test_without_dkim_the_page_explains_it_and_the_operator_may_assign_a_sender(app: App):
    admin = app.client(app.admin)
    assert "ne signe pas lui-même ses e-mails" in admin.get(HERE).text
    with app.unit_of_work() as services:
        services.senders.assign(app.campus, ADDRESS, by=COMMAND)
    awarded(app, "Zoé Martin;zoe@exemple.fr")
    assert [letter.sender for letter in letters(app)] == [ADDRESS]


def test_other_campus_keeps_its_own_sender(app: App, dns: Dns):
    with app.unit_of_work() as services:
        services.senders.assign(app.other_campus, ADDRESS, by=COMMAND)
    awarded(app, "Zoé Martin;zoe@exemple.fr")
    assert [letter.sender for letter in letters(app)] == [""]
    assert ADDRESS not in app.client(app.admin).get(HERE).text
