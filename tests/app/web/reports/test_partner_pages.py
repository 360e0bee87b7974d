"""A partner's page: its actions of the year, no learner named, no small count."""

from __future__ import annotations

from io import BytesIO

import pypdf

from app.domain.reports.ledger import Period
from tests.support.house import COMMAND, House


def test_a_partner_has_a_page_and_a_paper_without_any_participant(house: House) -> None:
    house.record("Zoé Martin", "Ali Benali")
    cells = {
        "organisations": "Usinages de la Brenne [usinages.exemple.fr] (mobilisée, entreprise)",
        "effectif": "24",
        "etablissements": "0710012C Lycée des Tilleuls",
    }
    year = str(house.activity.starts_on.year)
    with house.unit_of_work() as services:
        services.report_facts.correct(house.campus, house.activity.id, cells, by=COMMAND)
    here = "/gestion/itip/rapport/partenaires"
    trainer = house.client(house.trainer)
    assert "Usinages de la Brenne" in trainer.get(f"{here}?periode={year}").text
    query = f"?cle=domain:usinages.exemple.fr&periode={year}"
    shown = trainer.get(f"{here}/page{query}").text
    for words in (house.activity.title, "Mobilisée", "24", "Lycée des Tilleuls"):
        assert words in shown
    printed = trainer.get(f"{here}/page.pdf{query}")
    assert printed.headers["content-type"] == "application/pdf"
    paper = pypdf.PdfReader(BytesIO(printed.content))
    text = " ".join(page.extract_text() for page in paper.pages)
    assert house.activity.title in text
    for name in ("Martin", "Benali"):
        assert name not in shown
        assert name not in text
    assert trainer.get(f"{here}/page?cle=name:personne&periode={year}").status_code == 404


def test_a_small_action_is_listed_without_its_size(house: House) -> None:
    cells = {"organisations": "Usinages de la Brenne [usinages.exemple.fr] (accueil)", "effectif": "3"}
    with house.unit_of_work() as services:
        services.report_facts.correct(house.campus, house.activity.id, cells, by=COMMAND)
        found = services.partner_reports.year(
            house.campus, "domain:usinages.exemple.fr", Period.civil(house.activity.starts_on.year)
        )
    assert found.people is None
    assert [each.people for each in found.actions] == [None]
