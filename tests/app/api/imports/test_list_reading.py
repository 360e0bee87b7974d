"""Lists read for programs: a file or a text, nothing stored."""

from __future__ import annotations

import pytest

from app.services.imports.lists import as_document, read_list_text
from tests.app.api import clients
from tests.support.app import App

READ = "/api/v1/lists/read"
TEXT = "Nom;Prénom;Mail\nDupont;Marie;marie.dupont@gmial.com\nDurand;Paul;\nTotal;2;"


def test_text_and_file_give_the_same_lines_as_the_command(app: App) -> None:
    program = clients.program(app, "activity:write")
    by_text = program.post(READ, json={"text": TEXT})
    by_file = program.post(READ, files={"file": ("liste.csv", TEXT.encode("cp1252"))})
    assert by_text.status_code == by_file.status_code == 200, by_text.text
    assert by_text.json() == by_file.json()
    lines = by_text.json()["lines"]
    assert [line["state"] for line in lines] == ["refused", "ask", "ready", "refused"]
    assert lines[1]["doubts"][0]["suggestion"] == "marie.dupont@gmail.com"
    result = as_document(read_list_text(TEXT))["lines"]
    assert [{key: line[key] for key in ("line", "text", "state", "reason")} for line in lines] == [
        {key: line[key] for key in ("line", "text", "state", "reason")} for line in result
    ]


def test_hours_of_the_activity_bound_those_of_people(app: App) -> None:
    text = "Nom;Prénom;Heures\nDupont;Marie;4"
    answer = clients.program(app).post(READ, json={"text": text, "hours": 3}).json()
    assert answer["lines"][1]["reason"] == "hours-high"


def test_reasons_are_confirmed_for_all_lines(app: App) -> None:
    program = clients.program(app)
    answer = program.post(READ, json={"text": "Thomas Martin\nRobert Vincent", "confirmed": "order"}).json()
    assert {line["state"] for line in answer["lines"]} == {"ready"}
    assert program.post(READ, json={"text": "Thomas Martin", "confirmed": "heading"}).status_code == 422


def test_a_file_that_is_not_a_list_is_named(app: App) -> None:
    answer = clients.program(app).post(READ, files={"file": ("photo.png", b"\x89PNG\r\n\x1a\n" + bytes(50))})
    assert answer.status_code == 422
    assert "image" in answer.json()["detail"]


@pytest.mark.parametrize(("scopes", "status"), [(("read",), 403), (("activity:write",), 200)])
def test_only_programs_that_record_people_may_ask(app: App, scopes: tuple[str, ...], status: int) -> None:
    assert clients.program(app, *scopes).post(READ, json={"text": TEXT}).status_code == status


def test_a_missing_token_another_format_and_an_empty_body_are_refused(app: App) -> None:
    assert clients.anybody(app).post(READ, json={"text": TEXT}).status_code == 401
    assert (
        clients.program(app).post(READ, content=TEXT, headers={"content-type": "text/csv"}).status_code == 415
    )
    assert clients.program(app).post(READ, json={}).status_code == 422
