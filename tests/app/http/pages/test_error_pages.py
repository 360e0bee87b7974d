"""An error page explains what happened, what was saved and what to do."""

from __future__ import annotations

import pytest

from tests.app.http.pages.small_site import reader_of, small_site


@pytest.fixture
def reader():
    return reader_of(small_site())


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/echec/absent", 404, "Ce badge n’existe pas."),
        ("/echec/inconnu", 401, "Connectez-vous pour voir ce badge."),
        ("/echec/conflit", 409, "Ce badge a déjà été retiré."),
        ("/echec/invalide", 422, "Cette adresse n’est pas une adresse."),
        ("/echec/panne", 503, "Votre liste est gardée."),
        ("/nulle-part", 404, "L’adresse est peut-être incomplète"),
        ("/nombre/trois", 404, "L’adresse est peut-être incomplète"),
        ("/nombre/3?rang=premier", 422, "Cette adresse ne se lit pas"),
        ("/retirer", 405, "Cette adresse ne s’utilise pas ainsi"),
    ],
)
def test_each_failure_has_its_page(reader, path, status, words):
    answer = reader.get(path)
    assert answer.status_code == status
    assert words in answer.text
    assert 'href="/aide"' in answer.text
    assert answer.headers["cache-control"] == "no-store"


def test_a_named_failure_shows_its_values_as_text(reader):
    answer = reader.get("/echec/interdit")
    assert answer.status_code == 403
    assert "&lt;b&gt;Zoé&lt;/b&gt; n’attribue pas de badges" in answer.text


def test_a_403_for_a_visitor_does_not_mention_an_account(reader):
    answer = reader.get("/echec/interdit")
    assert "Cette page n’est pas ouverte à tout le monde" in answer.text
    assert "votre compte" not in answer.text.partition("<main")[2]


def test_a_404_in_a_campus_does_not_mention_received_badges(reader):
    answer = reader.get("/gestion/itip/nulle-part")
    assert "n’a pas changé" in answer.text
    assert "Un badge reçu" not in answer.text


def test_an_internal_error_shows_a_reference_and_nothing_else(reader):
    answer = reader.get("/defaut")
    assert answer.status_code == 500
    assert "hunter2" not in answer.text
    assert "RuntimeError" not in answer.text
    assert "Traceback" not in answer.text
    assert '<span class="plate">' in answer.text
    assert "Rien n’a été fait à moitié" in answer.text


def test_a_405_answer_has_an_allow_header(reader):
    assert reader.get("/retirer").headers["allow"] == "POST"


def test_an_error_is_in_the_reader_s_language(reader):
    answer = reader.get("/nulle-part", headers={"accept-language": "en"})
    assert "This page does not exist" in answer.text
    assert '<html lang="en">' in answer.text


def test_a_person_who_must_sign_in_returns_afterwards(reader):
    assert 'href="/connexion?suite=%2Fechec%2Finconnu"' in reader.get("/echec/inconnu").text
