"""`sceau report check`: a signed yearly report is counted again, and a changed copy is refused."""

from __future__ import annotations

import json
from pathlib import Path

from app.container import Process
from app.domain.campus.audit_log import Actor
from app.domain.reports.editions import TEXTS
from app.domain.reports.ledger import Period
from tests.app.cli.conftest import Operator


def test_a_signed_report_is_checked_and_a_changed_copy_refused(
    operator: Operator, demo: Process, tmp_path: Path
) -> None:
    year, by = Period.school(2025), Actor.command("tests")
    with demo.unit_of_work() as services:
        campus = services.campuses.get("itip")
        texts = {number: (f"Texte {number}", True) for number in TEXTS}
        services.report_editions.save(campus, year, texts, [], by=by)
        for each in services.report_editions.page(campus, year).contradictions:
            value = each.claims[0].value
            leader = services.stores.activity_plans.places_of(each.activity_id)[0][1]
            services.report_editions.settle(leader, each.activity_id, each.about, value, "Le bilan.", by=by)
    with demo.unit_of_work() as services:
        token = services.report_editions.publish(services.campuses.get("itip"), year, by=by).token
    (file := tmp_path / "rapport.json").write_text(json.dumps({"token": token}), "utf-8")
    checked = operator.types("report", "check", "itip", file)
    assert (checked.code, checked.out) == (0, ""), checked.err
    assert "se recomptent à l’identique" in checked.err
    head, body, signature = token.split(".")
    file.write_text(f"{head}.{body[:-8]}{body[-8:][::-1]}.{signature}", "utf-8")
    refused = operator.types("report", "check", "itip", file)
    assert refused.code == 1
    assert "La signature" in refused.err
    assert operator.types("report", "check", "agt", file).code == 1
