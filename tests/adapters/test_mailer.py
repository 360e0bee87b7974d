"""Letters arrive whole at an SMTP server; a password never travels in clear."""

from __future__ import annotations

import email
import email.policy
import io
import smtplib
import socket
from collections.abc import Iterator
from threading import Thread

import pytest

from app.adapters.mailer import SmtpMailer, TerminalMailer
from app.domain.letters import Letter

LETTER = Letter(
    "zoe@exemple.fr", "Votre lien de connexion à Sceau", "Bonjour Zoé,\n\nhttp://localhost/connexion/x\n"
)


class PlainServer:
    """The smallest SMTP server that takes a letter, without encryption and without passwords."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.said: list[str] = []
        self.letter = b""
        self.thread = Thread(target=self._serve, daemon=True)
        self.thread.start()

    @property
    def url_host(self) -> str:
        return f"127.0.0.1:{self.listener.getsockname()[1]}"

    def _serve(self) -> None:
        connection, _ = self.listener.accept()
        with connection, connection.makefile("rwb") as stream:
            self._answer(stream, b"220 ready")
            while line := stream.readline():
                self.said.append(line.decode().strip())
                word = line[:4].upper()
                if word == b"DATA":
                    self._answer(stream, b"354 go on")
                    while (line := stream.readline()) != b".\r\n":
                        self.letter += line
                self._answer(stream, b"221 bye" if word == b"QUIT" else b"250 ok")

    @staticmethod
    def _answer(stream: io.BufferedRWPair, words: bytes) -> None:
        stream.write(words + b"\r\n")
        stream.flush()


@pytest.fixture
def server() -> Iterator[PlainServer]:
    running = PlainServer()
    yield running
    running.listener.close()
    running.thread.join(timeout=10)


def test_a_letter_arrives_with_its_accents(server: PlainServer):
    SmtpMailer(f"smtp://{server.url_host}", sender="sceau@exemple.fr").send(LETTER)

    received = email.message_from_bytes(server.letter, policy=email.policy.default)
    assert received["From"] == "sceau@exemple.fr"
    assert received["To"] == "zoe@exemple.fr"
    assert received["Subject"] == LETTER.subject
    assert received["Auto-Submitted"] == "auto-generated"
    assert received.get_content().splitlines() == LETTER.text.splitlines()


def test_a_password_is_not_told_to_a_server_that_does_not_encrypt(server: PlainServer):
    mailer = SmtpMailer(f"smtp://zoe:mot-de-passe@{server.url_host}", sender="sceau@exemple.fr")

    with pytest.raises(smtplib.SMTPNotSupportedError):
        mailer.send(LETTER)

    assert server.letter == b""
    assert not any("mot-de-passe" in said or said.upper().startswith("AUTH") for said in server.said)


def test_an_address_cannot_add_a_line_to_the_letter(server: PlainServer):
    mailer = SmtpMailer(f"smtp://{server.url_host}", sender="sceau@exemple.fr")
    with pytest.raises(ValueError, match="linefeed"):
        mailer.send(Letter("zoe@exemple.fr\r\nBcc: tous@exemple.fr", "Bonjour", "Bonjour"))
    socket.create_connection(server.listener.getsockname()).close()


def test_on_ones_own_computer_the_letter_stands_on_the_terminal():
    terminal = io.StringIO()
    TerminalMailer(terminal).send(LETTER)
    assert LETTER.to in terminal.getvalue()
    assert LETTER.text in terminal.getvalue()
