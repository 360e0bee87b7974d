"""Pages of the facts of an activity, and their table."""

from __future__ import annotations

from tests.support.app import App, send

TABLE = "/gestion/itip/rapport/activites"
OBJECTIVES = "/gestion/itip/rapport/objectifs"


def test_one_page_saves_all_the_facts_and_shows_unreadable_values_again(app: App):
    here = f"/gestion/itip/activites/{app.activity.id}/rapport"
    admin, trainer = app.client(app.admin), app.client(app.trainer)
    assert send(admin, OBJECTIVES, {"objectifs": "Anticiper"}).status_code == 422
    assert send(admin, OBJECTIVES, {"objectifs": "1 Anticiper\n2 Adapter"}).status_code in (200, 303)
    typed = {
        "effectif": "27",
        "public-high_school": "24",
        "femmes-high_school": "10",
        "public-teachers": "3",
        "organisation-nom": ["Usinages de la Brenne", "Mairie du Creusot", ""],
        "organisation-numero": ["732 829 320", "", ""],
        "organisation-role": ["mobilised", "host", "informed"],
        "organisation-genre": ["company", "authority", "company"],
        "etablissements": "0710012A Lycée des Tilleuls",
        "objectif": ["2"],
        "departement": "Saône-et-Loire",
        "secteur": "rome:H",
        "enquete-asked": "27",
        "enquete-fully": "20",
    }
    refused = send(trainer, here, typed)
    assert refused.status_code == 422
    for shown in ("0710012A Lycée des Tilleuls", "Usinages de la Brenne", 'value="24"', "ses chiffres"):
        assert shown in refused.text
    assert send(trainer, here, typed | {"etablissements": "0710012C Lycée des Tilleuls"}).status_code == 303
    shown = trainer.get(here).text
    for each in (
        'value="24"',
        'value="10"',
        "Mairie du Creusot",
        "0710012C Lycée des Tilleuls",
        'value="71"',
    ):
        assert each in shown
    assert app.activity.title not in trainer.get(TABLE).text
    assert app.activity.title in trainer.get(f"{TABLE}?tout=oui").text


def test_the_table_saves_readable_rows_and_overwrites_no_later_change(app: App):
    trainer, key = app.client(app.trainer), str(app.activity.id)
    before = trainer.get(TABLE).text
    version = before.split(f'name="version-{key}" value="')[1].split('"')[0]
    row = {
        "activite": key,
        f"version-{key}": version,
        f"publics-{key}": "24 lycéens",
        f"departement-{key}": "99",
    }
    refused = send(trainer, TABLE, row)
    assert refused.status_code == 422
    assert "24 lycéens" in refused.text
    assert send(trainer, TABLE, row | {f"departement-{key}": "71"}).status_code == 303
    late = send(trainer, TABLE, row | {f"departement-{key}": "21"})
    assert late.status_code == 422
    assert "a changé depuis" in late.text
    facts = trainer.get(f"/gestion/itip/activites/{key}/rapport").text
    assert 'name="departement" type="text" value="71"' in facts
