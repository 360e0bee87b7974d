"""A database without room, or without answer: said as such, nothing kept by half, and work goes on afterwards."""

from __future__ import annotations

from pathlib import Path

from fastapi.testclient import TestClient
from sqlalchemy import Connection, event, text

from app.container import Process
from app.domain.campus.audit_log import Actor
from app.main import create_app
from app.settings import Settings
from tests.support.app import App, build_app, listed, send


def test_a_full_disk_is_an_outage_and_what_follows_works(sqlite_url: str, tmp_path: Path) -> None:
    app = build_app(sqlite_url, tmp_path)
    browser = app.client(app.trainer)
    path = f"/gestion/itip/activites/{app.activity.id}"
    letters = str.maketrans("0123456789", "ABCDEFGHIJ")
    people = "\n".join(f"KER{str(n).translate(letters)} Zoé;p{n}@exemple.fr" for n in range(400))

    room = [1.0]
    event.listen(app.process.engine, "begin", lambda connection: leave_room(connection, room[0]))
    room[0] = 0.0
    answer = send(browser, f"{path}/participants", {"liste": people}, seen_on=path)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert "Rien n’a été enregistré" in answer.text
    assert recorded(app) == 0

    room[0] = 1.0
    with app.unit_of_work() as services:
        services.activities.record(
            app.campus,
            app.activity.id,
            listed(*people.splitlines()),
            by=Actor(person_id=app.trainer.id),
        )
    assert recorded(app) == 400
    app.close()


def leave_room(connection: Connection, share: float) -> None:
    """`share` 0 leaves not one new page; SQLite then fails as on a full disk."""
    pages = connection.execute(text("PRAGMA page_count")).scalar_one()
    connection.execute(text(f"PRAGMA max_page_count = {pages if share == 0 else 1_000_000}"))


def recorded(app: App) -> int:
    with app.unit_of_work(reading=True) as services:
        return len(services.activities.page(app.campus, app.activity.id).participants)


def test_a_database_out_of_reach_is_not_ready_and_not_a_fault(tmp_path: Path) -> None:
    settings = Settings(
        database_url="postgresql+psycopg://nobody@127.0.0.1:1/nowhere", development_dir=tmp_path, fetch=False
    )
    client = TestClient(create_app(process=Process(settings)), raise_server_exceptions=False)
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert answer.json()["status"] == "not_ready"
    assert "ne répond pas" in answer.json()["problems"][0]
