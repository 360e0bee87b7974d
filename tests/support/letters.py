"""The app with an SMTP server: enqueued letters, and what is delivered."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from email.message import EmailMessage

import pytest

from app.adapters.mail import SmtpMailer
from app.domain.messages import QueuedMessage, letter_about
from app.services.messages import Post
from tests.support.app import App
from tests.support.servers.post_office import PostOffice


@pytest.fixture
def office() -> Iterator[PostOffice]:
    opened = PostOffice()
    opened.start()
    yield opened
    opened.stop()


@pytest.fixture
def post(app: App, office: PostOffice) -> Iterator[Post]:
    app.process.mailer = SmtpMailer(f"smtp://127.0.0.1:{office.port}", sender="sceau@exemple.fr")
    yield app.process.post
    app.process.mailer.close()


def promise(app: App, award_ids: list[uuid.UUID], *addresses: str) -> None:
    """Enqueue one letter per award, due now."""
    with app.unit_of_work() as services:
        awards, letters = services.stores.awards, services.stores.letters
        found = [awards.find(award_id) for award_id in award_ids]
        letters.enqueue_many(
            [
                letter_about(award, address, at=app.clock())
                for award, address in zip(found, addresses, strict=True)
                if award
            ]
        )


def awarded(app: App, *people: str) -> list[uuid.UUID]:
    """Award `presence` to people given as « Name;address », and enqueue one letter for each."""
    ids = [line.award_id for line in app.award(*people).lines if line.award_id]
    promise(app, ids, *(person.split(";")[1] for person in people))
    return ids


def letters_of(app: App, award_id: uuid.UUID) -> list[QueuedMessage]:
    with app.unit_of_work(reading=True) as services:
        return services.stores.letters.of_awards([award_id])


def change(app: App, award_id: uuid.UUID, **values: object) -> None:
    with app.unit_of_work() as services:
        award = services.stores.awards.find(award_id)
        assert award is not None
        for name, value in values.items():
            setattr(award, name, value)
        services.stores.awards.save(award)


def send_all(post: Post) -> None:
    for envelope in post.due():
        post.send(envelope)


def text_in(message: EmailMessage) -> str:
    part = message.get_body(("plain",))
    assert part is not None, "letters have a plain text part"
    return str(part.get_content())
