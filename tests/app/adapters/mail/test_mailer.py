"""Letters arrive complete at an SMTP server; kinds of refusals are distinguished; a password is never sent in clear."""

from __future__ import annotations

import base64
import email
import email.policy
import io
import re
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import getaddresses, parseaddr
from html import escape as html_escape
from pathlib import Path
from threading import Event, Thread
from typing import cast
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.adapters.mail import SmtpMailer, TerminalMailer, message_of, one_line, plain_text
from app.domain.messages import (
    Letter,
    LetterDelayed,
    LetterFile,
    LetterPicture,
    LetterRefused,
    Reason,
)
from tests.support.servers.post_office import HANG_UP, PASSWORD, USER, PostOffice, make_certificate

SENDER = "sceau@exemple.fr"
ZOE = "zoe@exemple.fr"
LETTER = Letter(ZOE, "Votre lien de connexion à Sceau", "Bonjour Zoé,\n\nhttp://localhost/connexion/x\n")
PNG = b"\x89PNG\r\n\x1a\nsmall"


@pytest.fixture
def opened() -> Iterator[Callable[..., PostOffice]]:
    running: list[PostOffice] = []

    def open_one(**traits: object) -> PostOffice:
        office = PostOffice(**traits)  # type: ignore[arg-type]
        office.start()
        running.append(office)
        return office

    yield open_one
    for office in running:
        office.stop()


@pytest.fixture
def office(opened: Callable[..., PostOffice]) -> PostOffice:
    return opened()


@pytest.fixture
def mailer(office: PostOffice) -> Iterator[SmtpMailer]:
    made = SmtpMailer(f"smtp://127.0.0.1:{office.port}", sender=SENDER)
    yield made
    made.close()


def test_a_letter_arrives_with_its_accents(office: PostOffice, mailer: SmtpMailer):
    mailer.send(LETTER)

    (received,) = office.received
    assert received["From"] == SENDER
    assert received["To"] == ZOE
    assert received["Subject"] == LETTER.subject
    assert received["Auto-Submitted"] == "auto-generated"
    assert received["Date"].datetime is not None
    assert received.get_content().splitlines() == LETTER.text.splitlines()


def test_text_and_html_are_alternatives_with_the_picture_embedded(office: PostOffice, mailer: SmtpMailer):
    html = '<html><body><img src="cid:badge" alt="Badge"><p>Bonjour Zoé</p></body></html>'
    mailer.send(
        Letter(
            ZOE,
            "Votre badge",
            "Bonjour Zoé",
            html=html,
            to_name="Zoé Čapek-D’Œuvre",
            sender_name="Campus ITIP, Le Creusot",
            reply_to="itip@exemple.fr",
            key="awarded.4f0c",
            unsubscribe_url="https://sceau.example/rappels/x",
            language="fr",
            pictures=(LetterPicture("badge", PNG),),
        )
    )

    (received,) = office.received
    assert received.get_content_type() == "multipart/alternative"
    plain, related = received.iter_parts()
    assert plain.get_content().strip() == "Bonjour Zoé"
    page, picture = related.iter_parts()
    assert page.get_content().strip() == html
    assert picture["Content-ID"] == "<badge>"
    assert picture.get_content() == PNG
    (sender,), (to,) = received["From"].addresses, received["To"].addresses
    assert (sender.display_name, sender.addr_spec) == ("Campus ITIP, Le Creusot", SENDER)
    assert (to.display_name, to.addr_spec) == ("Zoé Čapek-D’Œuvre", ZOE)
    assert received["Reply-To"] == "itip@exemple.fr"
    assert received["Message-ID"] == "<awarded.4f0c@exemple.fr>"
    assert received["List-Unsubscribe"] == "<https://sceau.example/rappels/x>"
    assert received["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_two_letters_without_a_key_are_two_messages(office: PostOffice, mailer: SmtpMailer):
    mailer.send(LETTER)
    mailer.send(LETTER)
    first, second = (message["Message-ID"] for message in office.received)
    assert first != second


def test_many_letters_are_sent_through_one_connection(office: PostOffice, mailer: SmtpMailer):
    for _ in range(5):
        mailer.send(LETTER)
    assert (len(office.received), office.connections) == (5, 1)


def test_an_idle_connection_is_not_reused(office: PostOffice):
    moments = iter([0.0, 60.0, 60.0])
    mailer = SmtpMailer(f"smtp://127.0.0.1:{office.port}", sender=SENDER, now=lambda: next(moments))
    mailer.send(LETTER)
    mailer.send(LETTER)
    assert (len(office.received), office.connections) == (2, 2)
    mailer.close()


def test_a_letter_is_sent_after_the_server_hung_up(office: PostOffice, mailer: SmtpMailer):
    office.after_data.append(HANG_UP)
    with pytest.raises(LetterDelayed) as trouble:
        mailer.send(LETTER)
    assert trouble.value.reason is Reason.NO_ANSWER
    mailer.send(LETTER)
    assert office.connections == 2


def test_a_server_that_hangs_up_on_an_address_is_tried_again_later(office: PostOffice, mailer: SmtpMailer):
    office.answers[ZOE].append(HANG_UP)
    with pytest.raises(LetterDelayed):
        mailer.send(LETTER)
    assert office.received == []
    mailer.send(LETTER)
    assert len(office.received) == 1


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("550 5.1.1 No such user here", Reason.UNKNOWN_ADDRESS),
        ("550 No such user here", Reason.UNKNOWN_ADDRESS),
        ("550 5.2.1 Mailbox disabled", Reason.UNKNOWN_ADDRESS),
        ("552 5.2.2 Mailbox full", Reason.MAILBOX_FULL),
        ("552 Requested mail action aborted: exceeded storage allocation", Reason.MAILBOX_FULL),
        ("552 Mailbox full, this message would exceed its quota", Reason.MAILBOX_FULL),
        ("552 Message size exceeds fixed limit", Reason.REFUSED),
        ("552 Message exceeds maximum fixed size", Reason.REFUSED),
        ("552 5.3.4 Message too big for system", Reason.REFUSED),
        ("550 5.7.1 Message refused by policy", Reason.BLOCKED),
        ("554 Blocked", Reason.BLOCKED),
        ("550 5.6.9 Something else", Reason.REFUSED),
    ],
)
def test_a_refusal_is_permanent_and_gives_its_reason(
    office: PostOffice, mailer: SmtpMailer, answer: str, reason: Reason
):
    office.answers[ZOE].append(answer)
    with pytest.raises(LetterRefused) as trouble:
        mailer.send(LETTER)
    assert trouble.value.reason is reason
    assert trouble.value.server_said == answer
    mailer.send(LETTER)
    assert office.connections == 1, "one refused address does not cost the connection"


@pytest.mark.parametrize(
    "answer",
    [
        "554 5.7.1 <zoe@exemple.fr>: Relay access denied",
        "550 5.7.1 Unable to relay",
        "530 5.7.0 Authentication required",
        "553 5.7.1 <sceau@exemple.fr>: Sender address rejected: not owned by user",
        "554 5.7.1 <h[192.0.2.1]>: Client host rejected: Access denied",
        "550 5.1.8 Sender domain does not exist",
        "503 5.5.1 Bad sequence of commands",
        "banana",
    ],
)
def test_a_server_that_refuses_the_sender_at_any_step_is_a_problem_of_ours(
    office: PostOffice, mailer: SmtpMailer, answer: str
):
    office.answers[ZOE].append(answer)
    office.after_data.append(answer)
    for _ in range(2):
        with pytest.raises(LetterDelayed) as trouble:
            mailer.send(LETTER)
        assert trouble.value.reason is Reason.OUR_SERVER
    mailer.send(LETTER)
    assert len(office.received) == 1


@pytest.mark.parametrize(
    ("seconds", "sent"), [(0.2, b"2"), (0.2, b"220-Wait\r\n"), (60, b"220-Wait\r\n" * 5000)]
)
def test_an_endless_greeting_is_a_delay(seconds: float, sent: bytes):
    with socket.create_server(("127.0.0.1", 0)) as tarpit:

        def answer() -> None:
            connection, _ = tarpit.accept()
            with connection, suppress(OSError):
                while not over.wait(0.01):
                    connection.sendall(sent)

        over, talking = Event(), Thread(target=answer, daemon=True)
        talking.start()
        mailer = SmtpMailer(f"smtp://127.0.0.1:{tarpit.getsockname()[1]}", sender=SENDER, timeout=seconds)
        with ThreadPoolExecutor() as pool:
            sending = pool.submit(mailer.send, LETTER)
            try:
                with pytest.raises(LetterDelayed) as trouble:
                    sending.result(timeout=10)
            finally:
                over.set()
        talking.join(5)
    assert trouble.value.reason is Reason.NO_ANSWER


def test_greylisting_is_a_delay_and_the_next_attempt_arrives(office: PostOffice, mailer: SmtpMailer):
    office.answers[ZOE].append("451 4.7.1 Greylisted, try again in five minutes")
    with pytest.raises(LetterDelayed) as trouble:
        mailer.send(LETTER)
    assert trouble.value.reason is Reason.LATER
    assert "five minutes" in trouble.value.server_said
    mailer.send(LETTER)
    assert len(office.received) == 1


def test_the_content_may_be_refused_permanently_or_temporarily(office: PostOffice, mailer: SmtpMailer):
    office.after_data.extend(["554 5.7.1 Looks like spam", "452 4.3.1 Out of space"])
    with pytest.raises(LetterRefused):
        mailer.send(LETTER)
    with pytest.raises(LetterDelayed):
        mailer.send(LETTER)
    assert office.received == []


@pytest.mark.parametrize(
    "answer", ["552 5.3.4 Message size exceeds fixed limit", "552 Message size exceeds maximum permitted"]
)
def test_message_larger_than_a_server_accepts_is_refused_permanently(
    office: PostOffice, mailer: SmtpMailer, answer: str
):
    office.to_sender.append(answer)
    with pytest.raises(LetterRefused) as trouble:
        mailer.send(LETTER)
    assert (trouble.value.reason, trouble.value.server_said) == (Reason.REFUSED, answer)


@pytest.mark.parametrize(
    "answer",
    [
        "552 5.2.2 Sender mailbox over quota",
        "552 Requested mail action aborted: exceeded storage allocation",
        "550 5.7.1 Daily sending limit reached",
        "553 5.1.8 Sender domain does not exist",
    ],
)
def test_server_that_refuses_our_own_address_is_a_problem_of_ours(
    office: PostOffice, mailer: SmtpMailer, answer: str
):
    """No recipient's address is marked as wrong because the campus's account is full."""
    office.to_sender.append(answer)
    with pytest.raises(LetterDelayed) as trouble:
        mailer.send(LETTER)
    assert trouble.value.reason is Reason.OUR_SERVER
    mailer.send(LETTER)
    assert len(office.received) == 1


def test_a_closed_port_is_a_delay():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(LetterDelayed) as trouble:
        SmtpMailer(f"smtp://127.0.0.1:{port}", sender=SENDER).send(LETTER)
    assert trouble.value.reason is Reason.NO_ANSWER


def test_a_silent_server_is_a_delay_after_the_time_limit():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        mailer = SmtpMailer(f"smtp://127.0.0.1:{silent.getsockname()[1]}", sender=SENDER, timeout=0.05)
        with pytest.raises(LetterDelayed) as trouble:
            mailer.send(LETTER)
    assert trouble.value.reason is Reason.NO_ANSWER


def test_a_server_that_hangs_up_after_the_text_is_a_delay_and_the_retry_has_the_same_identifier(
    office: PostOffice, mailer: SmtpMailer
):
    office.after_data.append(HANG_UP)
    letter = replace(LETTER, key="message-1")
    with pytest.raises(LetterDelayed) as trouble:
        mailer.send(letter)
    assert trouble.value.reason is Reason.NO_ANSWER
    mailer.send(letter)
    assert {message["Message-ID"] for message in office.received} == {"<message-1@exemple.fr>"}
    assert len(office.received) == 2


def test_a_password_is_sent_encrypted(opened: Callable[..., PostOffice], tmp_path: Path):
    certificate = make_certificate(tmp_path)
    office = opened(certificate=certificate, needs_password=True)
    mailer = SmtpMailer(
        f"smtp://{USER}:{quote(PASSWORD, safe='')}@127.0.0.1:{office.port}",
        sender=SENDER,
        ca_file=certificate,
    )
    mailer.send(LETTER)
    assert (office.signed_in, len(office.received)) == ([USER], 1)
    mailer.close()


def test_a_wrong_password_is_a_problem_of_ours_and_not_the_recipients(
    opened: Callable[..., PostOffice], tmp_path: Path
):
    certificate = make_certificate(tmp_path)
    office = opened(certificate=certificate, needs_password=True)
    mailer = SmtpMailer(f"smtp://{USER}:faux@127.0.0.1:{office.port}", sender=SENDER, ca_file=certificate)
    with pytest.raises(LetterDelayed) as trouble:
        mailer.send(LETTER)
    assert trouble.value.reason is Reason.OUR_SERVER
    assert "faux" not in trouble.value.server_said


def test_a_password_is_not_sent_to_a_server_that_does_not_encrypt(office: PostOffice):
    mailer = SmtpMailer(f"smtp://zoe:mot-de-passe@127.0.0.1:{office.port}", sender=SENDER)
    with pytest.raises(LetterDelayed) as trouble:
        mailer.send(LETTER)
    assert trouble.value.reason is Reason.OUR_SERVER
    assert (office.signed_in, office.received) == ([], [])


def test_a_password_is_not_sent_to_a_server_with_an_untrusted_certificate(
    opened: Callable[..., PostOffice], tmp_path: Path
):
    office = opened(certificate=make_certificate(tmp_path), needs_password=True)
    mailer = SmtpMailer(f"smtp://{USER}:secret@127.0.0.1:{office.port}", sender=SENDER)
    with pytest.raises(LetterDelayed):
        mailer.send(LETTER)
    assert office.signed_in == []


def test_an_address_with_accents_is_accepted_by_servers_that_support_it(
    office: PostOffice, mailer: SmtpMailer
):
    mailer.send(Letter("zoé@exemple.fr", "Bonjour", "Bonjour"))
    assert office.recipients == ["zoé@exemple.fr"]


def test_an_address_with_accents_is_refused_with_a_reason_by_other_servers(
    opened: Callable[..., PostOffice],
):
    office = opened(utf8=False)
    mailer = SmtpMailer(f"smtp://127.0.0.1:{office.port}", sender=SENDER)
    with pytest.raises(LetterRefused) as trouble:
        mailer.send(Letter("zoé@exemple.fr", "Bonjour", "Bonjour"))
    assert trouble.value.reason is Reason.NOT_ASCII
    mailer.send(LETTER)
    assert office.recipients == [ZOE]
    mailer.close()


def test_a_domain_with_accents_is_written_in_punycode(office: PostOffice, mailer: SmtpMailer):
    mailer.send(Letter("zoe@école.example", "Bonjour", "Bonjour"))
    assert office.recipients == ["zoe@xn--cole-9oa.example"]


@pytest.mark.parametrize(
    "address",
    [
        "zoe@exemple.fr\r\nBcc: tous@exemple.fr",
        "zoe@exemple.fr, tous@exemple.fr",
        "zoe@exemple.fr;tous@exemple.fr",
        "zoe",
        "@exemple.fr",
        "zoe@",
        "zoe exemple@exemple.fr",
    ],
)
def test_an_address_is_one_address_or_refused(address: str):
    with pytest.raises(LetterRefused) as trouble:
        message_of(Letter(address, "Bonjour", ""), sender=SENDER)
    assert trouble.value.reason is Reason.BAD_ADDRESS


_ENCODED = "=?utf-8?q?=0d=0aBcc:_everyone=40evil.example=0d=0a=0d=0a<h1>Body</h1>?="
_HOSTILE = (
    _ENCODED,
    _ENCODED.replace(" ", "").upper(),
    "=?utf-8?b?DQpCY2M6IGFAZXZpbC5leGFtcGxlDQoNCg==?=",
    "=?iso-8859-1?q?=0a?=",
    "=?us-ascii?q?=2C_a=40evil.example=2C?=",
    "=?utf-8?b?" + base64.b64encode(_ENCODED.encode()).decode() + "?=",
    "=?",
    "?=",
    "\r\nBcc: everyone@evil.example",
    "\n\n<h1>Body</h1>",
    "\r\n.\r\nMAIL FROM:<a@evil.example>",
    "\u2028\x0b\x0c\x1c\x85",
    "\x00\x1b[2J",
    "\ud800",
    "\u202e\u200b",
    ", a@evil.example,",
    "<a@evil.example>",
    '"\\',
    "(;:@)",
    "🦊" * 20,
    "é",
    " ",
)
hostile = st.lists(st.sampled_from(_HOSTILE) | st.text(max_size=30), max_size=6).map("".join)


def header_text(value: str) -> str:
    """As a mail program reads it: adjacent parts encoded by RFC 2047 are joined, the result is text."""
    return str(make_header(decode_header(value)))


@given(typed=hostile)
@example(typed=_ENCODED)
@example(typed=f"Zoé {_ENCODED}")
@example(typed=f"x{_ENCODED}" + "y" * 200)
def test_typed_text_stays_text_in_the_bytes_of_a_message(typed: str):
    """The same headers and parts and one recipient, on each version of the email package."""
    files = (LetterFile(typed, b"{}"),)
    pictures = (LetterPicture(typed, PNG),)

    def made(text: str, body: str) -> bytes:
        letter = Letter(
            ZOE, text, body, html=f"<p>{html_escape(body)}</p>", to_name=text, sender_name=text, key=text or "k",
            language=text, unsubscribe_url=text, reply_to=SENDER, pictures=pictures, files=files,
        )  # fmt: skip
        return message_of(letter, sender=SENDER).content

    plain = email.message_from_bytes(made("x", "x"))
    content = made(f"x{typed}", typed)
    head = content.split(b"\r\n\r\n")[0].decode("ascii")
    assert all(len(line) <= 998 and line.isprintable() for line in head.split("\r\n"))
    assert not re.search(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]|(?<!\r)\n|\r(?!\n)", content)

    old = email.message_from_bytes(content)
    assert old.keys() == plain.keys()
    assert header_text(old["Subject"]) == one_line(f"x{typed}")
    read = cast(EmailMessage, email.message_from_bytes(content, policy=email.policy.default))
    assert read.keys() == plain.keys()
    assert [part.get_content_type() for part in read.walk()] == [
        part.get_content_type() for part in plain.walk()
    ]
    for header, address in (("To", ZOE), ("From", SENDER), ("Reply-To", SENDER)):
        name, found = parseaddr("".join(old[header].splitlines()))
        assert (found, len(getaddresses([old[header]]))) == (address, 1)
        assert [each.addr_spec for each in read[header].addresses] == [address]
        assert header_text(name) == ("" if header == "Reply-To" else one_line(f"x{typed}"))
    text = next(part for part in read.walk() if part.get_content_type() == "text/plain")
    body = cast(EmailMessage, text).get_content().replace("\r\n", "\n")
    assert body.rstrip("\n") == plain_text(typed).rstrip("\n")


def test_rfc_2047_encoding_in_a_name_adds_no_recipient(office: PostOffice, mailer: SmtpMailer):
    mailer.send(Letter(ZOE, _ENCODED, "Bonjour", to_name=_ENCODED, sender_name=_ENCODED))

    (received,) = office.received
    assert (office.recipients, received["Bcc"]) == ([ZOE], None)
    assert received.get_content().strip() == "Bonjour"


@pytest.mark.parametrize("local", ["=?utf-8?q?a=0d=0aBcc:b?=", "a=?b", "a?=", "a@b", "a" * 65])
def test_an_address_that_some_would_decode_is_refused(local: str):
    for letter in (
        Letter(f"{local}@exemple.fr", "x", "x"),
        Letter(ZOE, "x", "x", reply_to=f"{local}@exemple.fr"),
    ):
        with pytest.raises(LetterRefused):
            message_of(letter, sender=SENDER)


def test_the_terminal_gets_no_control_characters():
    terminal = io.StringIO()
    TerminalMailer(terminal).send(
        Letter("zoe@exemple.fr", "\x1b[2JBonjour\r\n--- x", "\x1b]0;x\x07Bonjour\nZoé")
    )
    shown = terminal.getvalue()
    assert not {"\x1b", "\x07"} & set(shown)
    assert "\n---" not in shown[1:]
    assert "Bonjour\nZoé" in shown


def test_in_development_the_letter_is_printed_on_the_terminal():
    terminal = io.StringIO()
    TerminalMailer(terminal).send(LETTER)
    assert LETTER.to in terminal.getvalue()
    assert LETTER.text in terminal.getvalue()


@pytest.mark.parametrize(
    ("address", "reserved"),
    [
        ("lea@courriel.example", True),
        ("lea@Campus.EXAMPLE", True),
        ("lea@invalid", True),
        ("lea@a.b.test", True),
        ("lea@localhost", True),
        ("lea@exemple.fr", False),
        ("lea@example.com", False),
        ("lea@example.fr.example.com", False),
        ("lea@notexample", False),
        ("lea@xn--exmple-cua.example", True),
        ("lea@exémple", False),
    ],
)
def test_demo_sends_to_reserved_domains_only(office: PostOffice, address: str, reserved: bool):
    mailer = SmtpMailer(f"smtp://127.0.0.1:{office.port}", sender=SENDER, is_demo=lambda: True)
    letter = Letter(address, "Votre badge", "Bonjour")
    if reserved:
        mailer.send(letter)
        assert len(office.received) == 1
    else:
        with pytest.raises(LetterRefused) as refused:
            mailer.send(letter)
        assert refused.value.reason is Reason.DEMO
        assert office.connections == 0, "the server is not even contacted"
    mailer.close()
