"""Letters arrive whole at an SMTP server; what it says no to is told apart; a password never travels in clear."""

from __future__ import annotations

import io
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.letter_messages import message_of
from app.adapters.mailer import SmtpMailer, TerminalMailer
from app.domain.letters import Letter, LetterDelayed, LetterPicture, LetterRefused, Reason
from tests.support.post_office import HANG_UP, PASSWORD, USER, PostOffice, make_certificate

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


def test_text_and_html_stand_side_by_side_with_the_picture_inside(office: PostOffice, mailer: SmtpMailer):
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


def test_many_letters_leave_through_one_connection(office: PostOffice, mailer: SmtpMailer):
    for _ in range(5):
        mailer.send(LETTER)
    assert (len(office.received), office.connections) == (5, 1)


def test_a_connection_that_lay_idle_is_not_used_again(office: PostOffice):
    moments = iter([0.0, 60.0, 60.0])
    mailer = SmtpMailer(f"smtp://127.0.0.1:{office.port}", sender=SENDER, now=lambda: next(moments))
    mailer.send(LETTER)
    mailer.send(LETTER)
    assert (len(office.received), office.connections) == (2, 2)
    mailer.close()


def test_a_letter_finds_its_way_after_the_server_hung_up(office: PostOffice, mailer: SmtpMailer):
    office.after_data.append(HANG_UP)
    with pytest.raises(LetterDelayed) as trouble:
        mailer.send(LETTER)
    assert trouble.value.reason is Reason.NO_ANSWER
    mailer.send(LETTER)
    assert office.connections == 2


def test_a_server_that_hangs_up_on_an_address_is_asked_again_later(office: PostOffice, mailer: SmtpMailer):
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
        ("550 5.7.1 Message refused by policy", Reason.BLOCKED),
        ("554 Blocked", Reason.BLOCKED),
        ("550 5.6.9 Something else", Reason.REFUSED),
    ],
)
def test_a_refusal_is_for_good_and_says_why(
    office: PostOffice, mailer: SmtpMailer, answer: str, reason: Reason
):
    office.answers[ZOE].append(answer)
    with pytest.raises(LetterRefused) as trouble:
        mailer.send(LETTER)
    assert trouble.value.reason is reason
    assert trouble.value.server_said == answer
    mailer.send(LETTER)
    assert office.connections == 1, "one refused address does not cost the connection"


def test_greylisting_is_a_delay_and_the_next_attempt_arrives(office: PostOffice, mailer: SmtpMailer):
    office.answers[ZOE].append("451 4.7.1 Greylisted, try again in five minutes")
    with pytest.raises(LetterDelayed) as trouble:
        mailer.send(LETTER)
    assert trouble.value.reason is Reason.LATER
    assert "five minutes" in trouble.value.server_said
    mailer.send(LETTER)
    assert len(office.received) == 1


def test_the_content_may_be_refused_for_good_or_for_now(office: PostOffice, mailer: SmtpMailer):
    office.after_data.extend(["554 5.7.1 Looks like spam", "452 4.3.1 Out of space"])
    with pytest.raises(LetterRefused):
        mailer.send(LETTER)
    with pytest.raises(LetterDelayed):
        mailer.send(LETTER)
    assert office.received == []


def test_nobody_there_is_a_delay():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(LetterDelayed) as trouble:
        SmtpMailer(f"smtp://127.0.0.1:{port}", sender=SENDER).send(LETTER)
    assert trouble.value.reason is Reason.NO_ANSWER


def test_a_password_travels_encrypted(opened: Callable[..., PostOffice], tmp_path: Path):
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


def test_a_wrong_password_is_our_trouble_and_not_the_readers(
    opened: Callable[..., PostOffice], tmp_path: Path
):
    certificate = make_certificate(tmp_path)
    office = opened(certificate=certificate, needs_password=True)
    mailer = SmtpMailer(f"smtp://{USER}:faux@127.0.0.1:{office.port}", sender=SENDER, ca_file=certificate)
    with pytest.raises(LetterDelayed) as trouble:
        mailer.send(LETTER)
    assert trouble.value.reason is Reason.OUR_SERVER
    assert "faux" not in trouble.value.server_said


def test_a_password_is_not_told_to_a_server_that_does_not_encrypt(office: PostOffice):
    mailer = SmtpMailer(f"smtp://zoe:mot-de-passe@127.0.0.1:{office.port}", sender=SENDER)
    with pytest.raises(LetterDelayed) as trouble:
        mailer.send(LETTER)
    assert trouble.value.reason is Reason.OUR_SERVER
    assert (office.signed_in, office.received) == ([], [])


def test_a_password_is_not_told_to_a_server_nobody_vouches_for(
    opened: Callable[..., PostOffice], tmp_path: Path
):
    office = opened(certificate=make_certificate(tmp_path), needs_password=True)
    mailer = SmtpMailer(f"smtp://{USER}:secret@127.0.0.1:{office.port}", sender=SENDER)
    with pytest.raises(LetterDelayed):
        mailer.send(LETTER)
    assert office.signed_in == []


def test_an_address_with_accents_arrives_where_servers_know_how(office: PostOffice, mailer: SmtpMailer):
    mailer.send(Letter("zoé@exemple.fr", "Bonjour", "Bonjour"))
    assert office.recipients == ["zoé@exemple.fr"]


def test_an_address_with_accents_is_refused_in_words_where_they_do_not(
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


def test_a_domain_with_accents_is_written_as_servers_read_it(office: PostOffice, mailer: SmtpMailer):
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


@given(said=st.text(max_size=300))
def test_no_words_of_a_campus_or_person_add_a_header(said: str):
    letter = Letter(
        ZOE, said, said, to_name=said, sender_name=said, key=said, language=said, unsubscribe_url=said
    )
    plain = message_of(Letter(ZOE, "x", "x", to_name="x", sender_name="x", key="x"), sender=SENDER)
    message = message_of(letter, sender=SENDER)
    allowed = {*plain.keys(), "Content-Language", "List-Unsubscribe", "List-Unsubscribe-Post"}
    assert set(message.keys()) <= allowed
    head = message.as_bytes().split(b"\r\n\r\n")[0].decode("ascii")
    names = [line.split(":")[0] for line in head.split("\r\n") if not line.startswith((" ", "\t"))]
    assert set(names) <= allowed
    assert [each.addr_spec for each in message["To"].addresses] == [ZOE]
    assert [each.addr_spec for each in message["From"].addresses] == [SENDER]


def test_on_ones_own_computer_the_letter_stands_on_the_terminal():
    terminal = io.StringIO()
    TerminalMailer(terminal).send(LETTER)
    assert LETTER.to in terminal.getvalue()
    assert LETTER.text in terminal.getvalue()
