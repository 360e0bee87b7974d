"""The page for recruiters: what a campus attests, how it judges, who signs, how to verify."""

from __future__ import annotations

from tests.support.house import House


def test_recruiters_read_what_a_campus_attests_and_how_it_judges(house: House):
    house.award("Zoé N’Diaye; zoe@exemple.fr")
    house.award("Zoé N’Diaye; zoe@exemple.fr", badge=house.role, evidence="Elle a animé l’atelier.")
    page = house.client().get("/campus/itip/atteste").text
    assert f'href="/badges/{house.presence.badge.id}"' in page
    assert f'href="/badges/{house.role.badge.id}"' in page
    assert f'href="/badges/{house.long_haul.badge.id}"' not in page
    assert "Avoir tenu un rôle." in page
    assert "http://localhost:8000/campus/itip</code>" in page
    assert "Clé de signature" in page
    assert 'href="/verifier"' in page
    assert "Diaye" not in page
    assert "/campus/itip/atteste" in house.client().get("/campus/itip").text


def test_a_campus_without_badges_has_the_page_too(house: House):
    assert "encore publié aucun badge" in house.client().get("/campus/agt/atteste").text
    assert house.client().get("/campus/nulle-part/atteste").status_code == 404
