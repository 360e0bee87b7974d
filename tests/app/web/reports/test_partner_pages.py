"""A partner's page: its actions of the year, no learner named, no small count."""

from __future__ import annotations

from io import BytesIO

import pypdf

from app.domain.reports.ledger import Period
from tests.support.app import COMMAND, App


def test_a_partner_has_a_page_and_a_paper_without_any_participant(app: App) -> None:
    app.record("Zoé Martin", "Ali Benali")
    cells = {
        "organisations": "Usinages de la Brenne [usinages.exemple.fr] (mobilisée, entreprise)",
        "effectif": "24",
        "etablissements": "0710012C Lycée des Tilleuls",
    }
    year = str(app.activity.starts_on.year)
    with app.unit_of_work() as services:
        services.report_facts.correct(app.campus, app.activity.id, cells, by=COMMAND)
    here = "/gestion/itip/rapport/partenaires"
    trainer = app.client(app.trainer)
    assert "Usinages de la Brenne" in trainer.get(f"{here}?periode={year}").text
    query = f"?cle=domain:usinages.exemple.fr&periode={year}"
    shown = trainer.get(f"{here}/page{query}").text
    for words in (app.activity.title, "Mobilisée", "24", "Lycée des Tilleuls"):
        assert words in shown
    printed = trainer.get(f"{here}/page.pdf{query}")
    assert printed.headers["content-type"] == "application/pdf"
    paper = pypdf.PdfReader(BytesIO(printed.content))
    text = " ".join(page.extract_text() for page in paper.pages)
    assert app.activity.title in text
    for name in ("Martin", "Benali"):
        assert name not in shown
        assert name not in text
    assert trainer.get(f"{here}/page?cle=name:personne&periode={year}").status_code == 404


def test_a_small_action_is_listed_without_its_size(app: App) -> None:
    cells = {"organisations": "Usinages de la Brenne [usinages.exemple.fr] (accueil)", "effectif": "3"}
    with app.unit_of_work() as services:
        services.report_facts.correct(app.campus, app.activity.id, cells, by=COMMAND)
        found = services.partner_reports.year(
            app.campus, "domain:usinages.exemple.fr", Period.civil(app.activity.starts_on.year)
        )
    assert found.people is None
    assert [each.people for each in found.actions] == [None]
