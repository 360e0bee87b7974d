"""Those under 15 are addressed as « tu »: one catalogue of the sentences that differ, on all pages of their own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.extract import extract_from_dir
from fastapi.testclient import TestClient
from lxml import html

from app.domain.people import AgeGroup
from app.language import FAMILIAR, address_child, current_catalogue, speaking, translated, translated_plural
from app.language.build import KEYWORDS, OPTIONS, load
from tests.app.language.sources import source_catalogue
from tests.support.app import COMMAND, App

_FORMAL = re.compile(r"\b(?:vous|votre|vos|vôtres?)\b", re.IGNORECASE)
_FIELDS = re.compile(r"%\(\w+\)s|\{\w+\}")
_OF_OTHERS = (
    "contributions/",
    "requests/queue",
    "requests/review",
    "requests/selection",
    "ratings",
    "portfolios/show",
)
"""Templates of the campus and of readers, beside those of the learner."""


def _texts(message: Message | str | tuple[str, ...]) -> str:
    return message if isinstance(message, str) else " ".join(message)


def test_familiar_sentences_have_a_source_the_same_fields_and_no_vous() -> None:
    sources = {message.id for message in source_catalogue() if message.id}
    for message in load(FAMILIAR):
        if not message.id:
            continue
        said = _texts(message.string)
        assert message.id in sources
        assert sorted(_FIELDS.findall(said)) == sorted(_FIELDS.findall(_texts(message.id)))
        assert not _FORMAL.search(said), said


def test_every_sentence_of_a_learners_templates_can_say_tu() -> None:
    templates = Path(__file__).parents[3] / "app" / "web" / "templates" / "learners"
    known = {message.id for message in load(FAMILIAR) if message.id}
    formal = set()
    for file, _, message, _, _ in extract_from_dir(
        templates, [("**.html", "jinja2")], {"**.html": OPTIONS["web/templates/**.html"]}, keywords=KEYWORDS
    ):
        if not file.startswith(_OF_OTHERS) and _FORMAL.search(_texts(message)):
            formal.add(message)
    assert formal
    assert formal - known == set()


_ELSEWHERE = re.compile(
    r"web/learners/(?:learner|my_\w+)\.py|web/awards/rule_awarding\.py|my_reminders\.html|my_merging\.html|trust/mine\.html"
)
"""Sources outside `learners/` whose sentences stand on a learner's pages."""


def test_sentences_of_other_sources_on_learner_pages_can_say_tu() -> None:
    known = {message.id for message in load(FAMILIAR) if message.id}
    formal = {
        message.id
        for message in source_catalogue()
        if any(_ELSEWHERE.search(place) for place, _ in message.locations)
        and _FORMAL.search(_texts(message.id))
    }
    assert formal
    assert formal - known == set()


_OF_STAFF = (
    "campus où vous travaillez",
    "ce que vous pouvez y faire",
    "administrez ce campus",
    "Vos rôles dans un campus",
    "l’équipe d’un campus",
    "de son équipe",
    "avec son équipe",
    "à l’administration de ce campus",
    "à votre nom.",
    "il est pour vous",
    "rien ne part d’ici",
    "dans ses réglages",
    "Quand vous reprendrez les envois",
    "Vos activités restent",
    "qui tient l’agenda",
    "décision de votre campus",
    "Des cours ",
    "plateforme de cours",
)
_OF_PARENTS = (
    "l’accord d’un parent",
    "Vous avez accepté que la page",
    "Votre accord ne le disait pas",
    "retirer votre accord",
    "le parent de cette personne",
    "vous demande votre accord",
)
_ORDERS = re.compile(r"\b(?!(?:chez|assez|demandez à l)\b)\w+ez\b|\b(?:dites|faites|êtes)\b", re.IGNORECASE)
_LETTERS = re.compile(r"services/messages/(?:account|award_notices|requests)\.py")


def test_every_sentence_of_letters_to_learners_can_say_tu() -> None:
    """Those of staff and of parents are listed: what is new is thought about."""
    known = {message.id for message in load(FAMILIAR) if message.id}
    formal = set()
    for message in source_catalogue():
        said = _texts(message.id)
        if not any(_LETTERS.search(place) for place, _ in message.locations):
            continue
        if (_FORMAL.search(said) or _ORDERS.search(said)) and not any(
            each in said for each in (*_OF_STAFF, *_OF_PARENTS)
        ):
            formal.add(message.id)
    assert len(formal) > 80
    assert formal - known == set()


def test_letters_say_tu_to_those_under_15_alone(app: App) -> None:
    given = app.award("Zoé N’Diaye; zoe@exemple.fr", "Léo Martin; leo@exemple.fr", tells=True)
    with app.unit_of_work() as services:
        zoe = services.awards.record(given.lines[0].award_id).person
        services.age_bands.note(zoe, under_15=True, by=COMMAND)
    app.clock.move(hours=2)
    for envelope in app.process.post.due():
        app.process.post.send(envelope)
    texts = {letter.to: letter.text for letter in app.letters.letters}
    assert "vous attribue" in texts["leo@exemple.fr"]
    assert "t’attribue" in texts["zoe@exemple.fr"]
    assert not _FORMAL.search(texts["zoe@exemple.fr"]), texts["zoe@exemple.fr"]
    assert not _ORDERS.search(texts["zoe@exemple.fr"])


def test_a_request_says_tu_once_its_reader_is_known_and_nobody_else_does() -> None:
    sentence = "Votre session est terminée. Reconnectez-vous."
    address_child()
    assert translated(sentence) == sentence
    with speaking("fr"):
        assert translated(sentence) == sentence
        address_child()
        assert translated(sentence) == "Ta session est terminée. Reconnecte-toi."
        with speaking("fr"):
            assert translated(sentence) == sentence
    with speaking("en"):
        address_child()
        assert current_catalogue() == "en"
    assert translated(sentence) == sentence


@pytest.mark.parametrize(("count", "words"), [(0, "téléphone te"), (1, "téléphone te"), (2, "téléphones te")])
def test_tu_has_the_plural_of_french(count: int, words: str) -> None:
    one = "%(shown)s téléphone vous reconnaît à l'émargement."
    many = "%(shown)s téléphones vous reconnaissent à l'émargement."
    with speaking(FAMILIAR):
        assert words in translated_plural(one, many, count)


def _read(client: TestClient, address: str) -> str:
    answer = client.get(address, follow_redirects=True)
    assert answer.status_code == 200, address
    page = html.fromstring(answer.text)
    return " ".join((page.text_content(), *page.xpath("//@aria-label|//@placeholder|//@title")))


def test_no_page_of_their_own_says_vous_to_those_under_15(app: App) -> None:
    result = app.award("Zoé Martin; zoe@exemple.fr")
    with app.unit_of_work() as services:
        person = services.awards.record(result.lines[0].award_id).person
        services.guardians.set_age_group(app.campus, person.id, AgeGroup.UNDER_15, by=COMMAND)
    client = app.client(person)
    badge = f"/mes-badges/{result.lines[0].award_id}"
    for address in (
        *(
            "/mes-badges",
            "/mes-badges/portfolio",
            "/mes-badges/ailleurs",
            "/mes-badges/retrouver",
            "/recuperer",
        ),
        *("/compte", "/compte/adresses", "/compte/reunir", "/compte/applications"),
        *(badge, *(f"{badge}/{part}" for part in ("montrer", "partager", "telecharger", "confidentialite"))),
        *(f"{badge}/{part}" for part in ("journal", "recommandations", "mes-donnees", "effacement", "avis")),
        *(f"{badge}/journal/contributions/nouvelle", f"{badge}/partager/portefeuille"),
    ):
        said = _read(client, address)
        assert not _FORMAL.search(said), (address, _FORMAL.search(said))
    link = app.client()
    assert "à toi" in _read(link, app.private_link(result))
    for address in ("/mes-badges", badge):
        assert not _FORMAL.search(_read(link, address))


def test_pages_for_everybody_are_the_same_to_those_under_15(app: App) -> None:
    """They speak to an employer, a parent or a trainer beside a child, and are one cached answer to all."""
    result = app.award("Zoé Martin; zoe@exemple.fr")
    with app.unit_of_work() as services:
        child = services.awards.record(result.lines[0].award_id).person
        services.guardians.set_age_group(app.campus, child.id, AgeGroup.UNDER_15, by=COMMAND)
    signed_in, stranger = app.client(child), app.client()
    assert not _FORMAL.search(_read(signed_in, "/compte"))
    for address in (
        "/verifier",
        "/lire-un-badge",
        "/aide",
        "/mentions-legales",
        "/donnees-personnelles",
        "/badges",
    ):
        seen = [
            html.fromstring(each.get(address).text).find(".//main").text_content()
            for each in (signed_in, stranger)
        ]
        assert seen[0] == seen[1], address
        assert _FORMAL.search(seen[0]) or address in ("/mentions-legales", "/badges"), address


def test_adults_are_still_addressed_as_vous_in_the_same_process(app: App) -> None:
    result = app.award("Zoé Martin; zoe@exemple.fr", "Noé Petit; noe@exemple.fr")
    with app.unit_of_work() as services:
        child, adult = (services.awards.record(line.award_id).person for line in result.lines)
        services.guardians.set_age_group(app.campus, child.id, AgeGroup.UNDER_15, by=COMMAND)
    assert "Tu es Zoé Martin." in _read(app.client(child), "/compte")
    assert "Vous êtes Noé Petit." in _read(app.client(adult), "/compte")
