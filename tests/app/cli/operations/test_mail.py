"""`sceau mail`: reports of the mail server, as files and from a pipe."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from app.container import Process
from app.domain.messages import Letter
from app.services.accounts.sessions import Browser
from tests.app.cli.conftest import Operator
from tests.support.servers.post_office import report


class _Taking:
    def send(self, letter: Letter) -> None:
        self.key = letter.key


def sent_key(demo: Process) -> str:
    """The key of a message of the demo that left."""
    demo.mailer = taking = _Taking()
    with demo.visit() as services:
        envelope = services.sign_in.request("mireille.vuillemin@messagerie.example", Browser())
    assert envelope is not None
    demo.post.send(envelope)
    return taking.key


def test_reports_are_noted_whatever_else_lies_in_the_mailbox(
    operator: Operator, demo: Process, tmp_path: Path
):
    (tmp_path / "1.eml").write_bytes(report(sent_key(demo), "zoe@courriel.example"))
    (tmp_path / "2.eml").write_bytes(report("0" * 32 + "." + "0" * 20, "zoe@courriel.example"))
    (tmp_path / "3.eml").write_bytes(b"Subject: Merci\r\n\r\nBonjour")
    done = operator.types("mail", "bounces", *sorted(tmp_path.glob("*.eml")))
    assert done.code == 0, done.err
    assert "E-mails notés comme non distribués : 1." in done.err
    assert "que ce service ne connaît pas : 1." in done.err
    assert "pas des avis de non-distribution : 1." in done.err
    assert "courriel.example" not in done.out + done.err
    again = operator.types("mail", "bounces", tmp_path / "1.eml")
    assert "non distribués : 0." in again.err


def test_pipe_of_a_mail_server_keeps_the_report_while_the_database_is_away(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
):
    operator.sets(SCEAU_DATABASE_URL="postgresql+psycopg://nobody@127.0.0.1:1/none")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(report("x", "zoe@courriel.example"))))
    assert operator.types("mail", "bounces", "-").code == os.EX_TEMPFAIL


def test_file_that_is_not_there_is_named(operator: Operator):
    done = operator.types("mail", "bounces", "absent.eml")
    assert done.code == 3
    assert "absent.eml" in done.err


class Dns:
    def __init__(self, *names: str) -> None:
        self.names = names
        self.record = ""

    def texts(self, name: str) -> list[str]:
        return [self.record] if name in self.names else []


def test_records_to_publish_are_listed_with_what_the_dns_has(
    operator: Operator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    assert operator.types("mail", "dns").code == 3, "without a key"
    key = tmp_path / "dkim.pem"
    assert operator.types("mail", "make-key", key).code == 0
    assert operator.types("mail", "make-key", key).code == 3, "never overwritten"
    operator.sets(SCEAU_DKIM_KEY=f"file:{key}", SCEAU_MAIL_FROM="Sceau <sceau@service.example>")
    done = operator.types("mail", "sender", "itip", "badges@lycee.example")
    assert "partent de badges@lycee.example" in done.err
    dns = Dns("sceau._domainkey.service.example")
    monkeypatch.setattr("app.container.process.DnsTexts", lambda: dns)
    listed = operator.types("mail", "dns")
    rows = [line.split("\t") for line in listed.out.splitlines()]
    assert [(row[0], row[1], row[4]) for row in rows] == [
        ("", "sceau._domainkey.service.example", "other"),
        ("itip", "sceau._domainkey.lycee.example", "missing"),
    ]
    assert listed.code == 1
    dns.record, dns.names = rows[0][3], tuple(row[1] for row in rows)
    assert operator.types("mail", "dns").code == 0
    assert "partent de l’adresse du service" in operator.types("mail", "sender", "itip").err


def test_address_of_a_provider_is_refused_for_a_campus(operator: Operator):
    assert operator.types("mail", "sender", "itip", "campus@gmail.com").code == 1
