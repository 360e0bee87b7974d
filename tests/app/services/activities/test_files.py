"""Uploaded files: scanned before they can be opened, stored without camera data, refused with a reason."""

from __future__ import annotations

import hashlib
import uuid

import pytest

from app.adapters.uploads import Clamd
from app.domain.activities.files import FileNoun, FileState, Infected
from app.domain.badges import BadgeKind
from app.domain.campus.audit_log import Actor
from app.errors import Conflict, InvalidInput, NotFound
from app.jobs.kinds import scan
from app.services.badges import Wording
from app.services.learners.requests import RequestOutcome
from tests.support.app import COMMAND, App
from tests.support.handed import EICAR, PDF, PHONE, photo
from tests.support.servers.clamd import nobodys_port, scanning


@pytest.fixture
def demande(app: App) -> str:
    with app.unit_of_work() as services:
        badge = services.badges.create(
            app.campus,
            Wording(
                BadgeKind.PARTICIPATION, "Mentor", "Aider.", "La personne a aidé une équipe pendant un mois."
            ),
            slug="mentor",
            by=COMMAND,
        ).badge
        badge.accepts_requests = True
        asked = services.asking.ask(
            badge.id, RequestOutcome("Zoé", "Martin", "zoe@exemple.fr", "J’ai animé deux ateliers.")
        )
        token = services.asking.token_of(asked)
        services.asking.confirm(token)
        return token


def hand_in(app: App, demande: str, name: str, content: bytes) -> uuid.UUID:
    taken = app.process.intake.take(name, content)
    with app.unit_of_work() as services:
        services.asking.complete(demande, text="Voici.", files=[taken])
        return next(file.id for file in services.asking.mine(demande).files if file.digest == taken.digest)


def state_of(app: App, demande: str) -> list[FileState]:
    with app.unit_of_work(reading=True) as services:
        return [file.state for file in services.asking.mine(demande).files]


def test_photo_is_stored_without_its_location(app: App, demande: str):
    file_id = hand_in(app, demande, "photo.jpg", photo("JPEG", sideways=True))
    with app.unit_of_work(reading=True) as services:
        request = services.asking.mine(demande).request
        opened = services.files.open(FileNoun.REQUEST, request.id, file_id)
        kept = opened.content + services.files.preview(FileNoun.REQUEST, request.id, file_id)
    assert PHONE.encode() not in kept
    assert b"Exif" not in kept
    assert opened.file.digest == hashlib.sha256(opened.content).hexdigest()
    with app.unit_of_work(reading=True) as services, pytest.raises(NotFound):
        services.files.open(FileNoun.REQUEST, uuid.uuid4(), file_id)


def test_same_file_is_stored_once_and_a_sixth_is_refused(app: App, demande: str):
    hand_in(app, demande, "carnet.pdf", PDF)
    hand_in(app, demande, "carnet encore.pdf", PDF)
    assert len(state_of(app, demande)) == 1
    for number in range(4):
        hand_in(app, demande, f"{number}.pdf", PDF + bytes([65 + number]))
    with pytest.raises(InvalidInput, match="trop de fichiers"):
        hand_in(app, demande, "6.pdf", PDF + b"six")
    assert len(state_of(app, demande)) == 5


def test_infected_file_is_refused_with_a_reason_and_not_stored(app: App, demande: str):
    with scanning() as server:
        app.process.intake.scanner = Clamd(server.address)
        with pytest.raises(Infected, match="antivirus"):
            hand_in(app, demande, "note.txt", EICAR)
        # Camera data are scanned before they are removed.
        with pytest.raises(Infected):
            hand_in(app, demande, "photo.png", photo() + EICAR)
        hand_in(app, demande, "sain.pdf", PDF)
    assert state_of(app, demande) == [FileState.CLEAN]


def test_files_wait_and_cannot_be_opened_while_the_scanner_is_unavailable(app: App, demande: str):
    app.process.intake.scanner = Clamd(f"tcp://127.0.0.1:{nobodys_port()}")
    good = hand_in(app, demande, "carnet.pdf", PDF)
    bad = hand_in(app, demande, "note.txt", EICAR)
    with app.unit_of_work(reading=True) as services:
        request = services.asking.mine(demande).request
        with pytest.raises(Conflict, match="en attente d’analyse"):
            services.files.open(FileNoun.REQUEST, request.id, good)
        assert set(services.files.waiting()) == {good, bad}
    scan(app.process, good)
    assert state_of(app, demande) == [FileState.WAITING] * 2
    with scanning() as server:
        app.process.intake.scanner = Clamd(server.address)
        for file_id in (good, bad, bad):
            scan(app.process, file_id)
    with app.unit_of_work(reading=True) as services:
        assert services.files.open(FileNoun.REQUEST, request.id, good).content == PDF
        with pytest.raises(Conflict, match="refusé"):
            services.files.open(FileNoun.REQUEST, request.id, bad)
        with pytest.raises(NotFound):
            services.files.files.content(bad)
        (result,) = [
            each
            for each, _ in services.stores.history.list_of("request", request.id)
            if each.action == "refuse_file"
        ]
    assert Actor(result.actor_id, result.actor_label) == Actor.command("worker")
