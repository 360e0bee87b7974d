"""Delivery reports of several mail servers: which message came back, and the reason in our terms."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.mail.bounces import LONGEST, NotAReport, read_bounces
from app.domain.messages import Reason
from tests.support.servers.post_office import report

KEY = "0190a1b2c3d4e5f60718293a4b5c6d7e.0123456789abcdef0123"
ZOE = "zoe@exemple.org"


@pytest.mark.parametrize("shape", [{}, {"headers_only": True}, {"envelope": True}])
def test_report_names_the_message_and_the_reason(shape: dict[str, bool]):
    (bounce,) = read_bounces(report(KEY, ZOE, **shape))
    assert bounce.keys[0] == KEY
    assert bounce.reason is Reason.UNKNOWN_ADDRESS
    assert bounce.server_said.startswith("550 5.1.1 <zoe@exemple.org>")


@pytest.mark.parametrize(
    ("status", "said", "reason"),
    [
        ("5.1.1", "smtp; 550 5.1.1 No such user", Reason.UNKNOWN_ADDRESS),
        ("5.0.0", "smtp; 550 5.1.1 No such user", Reason.UNKNOWN_ADDRESS),
        ("5.0.0", "smtp; 550 No such user here", Reason.UNKNOWN_ADDRESS),
        ("5.1.2", "smtp; Host not found", Reason.UNKNOWN_ADDRESS),
        ("5.4.4", "X-Postfix; Host or domain name not found", Reason.UNKNOWN_ADDRESS),
        ("5.2.2", "smtp; 552 5.2.2 Mailbox full", Reason.MAILBOX_FULL),
        ("4.2.2", "smtp; 452 4.2.2 Over quota", Reason.MAILBOX_FULL),
        ("5.7.1", "smtp; 550 5.7.1 Message rejected as spam", Reason.BLOCKED),
        ("5.7.26", "smtp; 550-5.7.26 This mail is unauthenticated, DMARC", Reason.BLOCKED),
        ("4.4.7", "smtp; 451 4.4.7 Message expired", Reason.NO_ANSWER),
        ("4.4.1", "X-Postfix; connect to mx.exemple.org[203.0.113.7]:25: timed out", Reason.NO_ANSWER),
        ("5.6.0", "", Reason.REFUSED),
        ("", "", Reason.REFUSED),
        ("nonsense", "smtp; \x00\x1b[31m 554 Denied", Reason.BLOCKED),
    ],
)
def test_the_reason_follows_the_most_specific_code(status: str, said: str, reason: Reason):
    (bounce,) = read_bounces(report(KEY, ZOE, status=status, said=said))
    assert bounce.reason is reason
    assert bounce.server_said.isprintable()
    assert len(bounce.server_said) <= 300


@pytest.mark.parametrize("action", ["delayed", "delivered", "relayed", "expanded"])
def test_delay_or_success_is_not_a_bounce(action: str):
    assert read_bounces(report(KEY, ZOE, status="4.0.0", action=action)) == []


EXCHANGE = f"""\
From: <postmaster@exemple.org>
To: <rebonds@exemple.fr>
In-Reply-To: <{KEY}@exemple.fr>
References: <{KEY}@exemple.fr>
Subject: Non remis : Votre badge
Content-Type: multipart/report; report-type=delivery-status;
 boundary="_000_"
MIME-Version: 1.0

--_000_
Content-Type: multipart/alternative; differences=Content-Type; boundary="_111_"

--_111_
Content-Type: text/plain; charset="utf-8"

Votre message n'a pas pu =C3=AAtre remis.

--_111_--
--_000_
Content-Type: message/delivery-status

Reporting-MTA: dns;PR0P264MB0001.FRAP264.PROD.OUTLOOK.COM
Received-From-MTA: dns;mail.exemple.fr

Final-Recipient: rfc822;zoe@exemple.org
Action: failed
Status: 5.1.10
Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient zoe@exemple.org not
 found by SMTP address lookup

--_000_--
"""


def test_report_without_the_message_is_matched_by_its_reply_headers():
    (bounce,) = read_bounces(EXCHANGE.replace("\n", "\r\n").encode())
    assert (bounce.keys, bounce.reason) == ((KEY,), Reason.UNKNOWN_ADDRESS)
    assert "RecipientNotFound" in bounce.server_said


QUOTED = f"To: zoe@exemple.org\nMessage-ID: <{KEY}@exemple.fr>\nSubject: Votre badge\n\nBonjour,\n"
QMAIL = f"""\
Return-Path: <>
From: MAILER-DAEMON@mx3.exemple.org
To: rebonds@exemple.fr
Subject: failure notice

Hi. This is the qmail-send program at mx3.exemple.org.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<zoe@exemple.org>:
Sorry, no mailbox here by that name. (#5.1.1)

--- Below this line is a copy of the message.

{QUOTED}"""
EXIM = f"""\
X-Failed-Recipients: zoe@exemple.org
Auto-Submitted: auto-replied
From: Mail Delivery System <Mailer-Daemon@srv2.exemple.net>
Subject: Mail delivery failed: returning message to sender

This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  zoe@exemple.org
    SMTP error from remote mail server after RCPT TO:<zoe@exemple.org>:
    host mx.exemple.org [203.0.113.5]: 552 5.2.2 Over quota

------ This is a copy of the message, including all the headers. ------

{QUOTED}"""


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("report", "reason", "said"),
    [
        (QMAIL, Reason.UNKNOWN_ADDRESS, "Sorry, no mailbox here by that name. (#5.1.1)"),
        (EXIM, Reason.MAILBOX_FULL, "SMTP error from remote mail server after RCPT TO"),
    ],
    ids=["qmail", "Exim"],
)
def test_report_in_plain_text_is_read(report: str, reason: Reason, said: str, ends: str):
    (bounce,) = read_bounces(report.replace("\n", ends).encode())
    assert (bounce.keys, bounce.reason) == ((KEY,), reason)
    assert bounce.server_said.startswith(said)


def test_encoded_status_is_read():
    status = (
        f"Original-Envelope-Id: {KEY}\n\nFinal-Recipient: rfc822; {ZOE}\nAction: failed\nStatus: 5.2.2\n\n"
    )
    (bounce,) = read_bounces(
        b"Content-Type: multipart/report; report-type=delivery-status; boundary=x\n\n--x\n"
        b"Content-Type: message/global-delivery-status\nContent-Transfer-Encoding: base64\n\n"
        + base64.encodebytes(status.encode())
        + b"--x--\n"
    )
    assert (bounce.keys, bounce.reason) == ((KEY,), Reason.MAILBOX_FULL)


ABSENT = f"In-Reply-To: <{KEY}@exemple.fr>\nAuto-Submitted: auto-replied\nSubject: Absence\n\n"
DELAY = EXIM.replace("X-Failed-Recipients: zoe@exemple.org\n", "").replace("failed", "delayed")


@pytest.mark.parametrize(
    "content",
    [
        (ABSENT + "Je suis absente jusqu'au 7. 550 5.1.1").encode(),
        (ABSENT + QMAIL.replace("\n", "\n> ")).encode(),
        (ABSENT + "J'ai reçu ceci :\n\n" + QMAIL.partition("\n\n")[2]).encode(),
        ("X-Failed-Recipients: zoe@exemple.org\n" + ABSENT + "Bonjour").encode(),
        DELAY.encode(),
        b"",
        b"\x00" * 100,
        b"From: zoe@exemple.org\r\nSubject: Merci !\r\n\r\nBonjour",
        b"Content-Type: multipart/report; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\n5.1.1\r\n--x--",
        b"Content-Type: message/delivery-status\r\n\r\n",
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: message/rfc822\r\n\r\n"
        + report(KEY, ZOE)
        + b"\r\n--x--\r\n",
    ],
)
def test_other_mail_is_refused(content: bytes):
    """A report that a person forwards inside their own message is theirs, not the mail server's."""
    with pytest.raises(NotAReport):
        read_bounces(content)


@given(st.binary(max_size=400), st.integers(0, 1200), st.integers(0, 400))
def test_damaged_reports_are_read_or_refused(noise: bytes, at: int, cut: int):
    whole = report(KEY, ZOE)
    try:
        bounces = read_bounces(whole[:at] + noise + whole[at + cut :])
    except NotAReport:
        return
    for bounce in bounces:
        assert len(bounce.server_said) <= 300


def test_deeply_nested_report_is_read_in_bounded_time():
    nested = b"".join(
        b"Content-Type: multipart/report; boundary=b%d\r\n\r\n--b%d\r\n" % (level, level)
        for level in range(500)
    )
    with pytest.raises(NotAReport):
        read_bounces(nested)


@pytest.mark.parametrize(
    "content",
    [
        b"Content-Type: multipart/report" + b";" * 200_000 + b"\n\n",
        b"Content-Type: multipart/report" + b";\n " * 60_000 + b"\n\n",
        b"Content-Type: multipart/mixed; boundary=a\n\n--a\ncontent-type:multipart/mixed" + b";" * 190_000,
        b"Content-Type: message/rfc822\n\n" * 6_000,
    ],
)
def test_report_that_takes_the_parser_minutes_is_refused_unread(
    content: bytes, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("email.message_from_bytes", lambda *_, **__: pytest.fail("it was parsed"))
    with pytest.raises(NotAReport):
        read_bounces(content)


def test_only_the_beginning_of_a_report_is_read_for_few_keys_and_failures():
    whole = report(KEY, ZOE)
    (bounce,) = read_bounces(whole + b"".join(b"%032x.%020x\n" % (n, n) for n in range(60)))
    assert bounce.keys[0] == KEY
    assert len(bounce.keys) == 20
    assert read_bounces(whole + b" " * LONGEST)[0].reason is bounce.reason
    with pytest.raises(NotAReport):
        read_bounces(b" " * LONGEST + whole)
