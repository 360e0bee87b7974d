"""The demo's witness: badges of the demo show who else saw them in the log, and go on to."""

from __future__ import annotations

from fastapi.testclient import TestClient

from app.container import Process
from app.domain.awards import Visibility
from app.main import create_app
from demo.witness import LABEL, cosign_logs


def test_award_and_log_pages_of_the_demo_show_the_witness(demo: Process):
    cosign_logs(demo)
    with demo.unit_of_work(reading=True) as services:
        campus = services.campuses.get("itip")
        opened = next(
            record.award
            for record in services.awards.list_in(campus, limit=500)
            if record.award.visibility is Visibility.OPEN and record.award.revoked_at is None
        )
    with TestClient(create_app(process=demo), base_url=demo.settings.base_url) as browser:
        award = browser.get(f"/attributions/{opened.id}", headers={"accept": "text/html"})
        assert f"Vu aussi par\N{NO-BREAK SPACE}: {LABEL}" in award.text.replace(
            "\N{NARROW NO-BREAK SPACE}", "\N{NO-BREAK SPACE}"
        )
        log = browser.get("/campus/itip/journal", headers={"accept": "text/html"})
        assert LABEL in log.text
        note = browser.get("/campus/itip/journal/checkpoint").text
        assert note.count("\n\N{EM DASH} ") == 2


def test_log_that_did_not_grow_is_not_cosigned_again(demo: Process):
    cosign_logs(demo)
    assert cosign_logs(demo) == 0
