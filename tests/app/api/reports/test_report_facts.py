"""Facts of activities for the report, read and written by a program."""

from __future__ import annotations

from fastapi.testclient import TestClient

from tests.app.api.clients import V1
from tests.support.app import App


def test_a_program_reads_and_writes_the_same_facts(app: App, program: TestClient):
    here = f"{V1}/activities/{app.activity.id}/report"
    assert program.get(here).json()["missing"] == [
        "publics", "organisations", "objectif", "departement", "secteur",
    ]  # fmt: skip
    facts = {
        "declared_size": 30,
        "audiences": [{"audience": "students", "people": 12, "women": 5}],
        "organisations": [{"name": "Usinages", "part": "host", "number": "usinages.example"}],
        "establishments": [{"number": "0710012c"}],
        "departement": "71",
        "sector": "naf:C",
        "survey": {"asked": 30, "fully": 12},
    }
    for _ in range(2):
        written = program.put(here, json=facts)
        assert written.status_code == 200, written.text
        assert written.json()["establishments"] == [{"number": "0710012C", "name": ""}]
        assert written.json()["missing"] == ["objectif"]
    wrong = program.put(here, json=facts | {"audiences": [{"audience": "students", "people": 1, "women": 5}]})
    assert wrong.status_code == 400 or wrong.status_code == 422
    assert program.get(here).json()["declared_size"] == 30
