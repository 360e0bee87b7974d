"""Screens speak as people on a campus do: no private vocabulary, and buttons that say what they do."""

from __future__ import annotations

import re

from app.http.pages.render import TEMPLATES
from app.language.build import load
from tests.app.language.test_language import forms, pairs

NOT_SAID = re.compile(
    r"\b(?:lettres?|courriels?|adresses? électroniques?|quitté la maison|promise?s?|réunir|réunion de|reprises?|lignes gardées|"
    r"sa part dans|signature par code qr|qui en est près|enregistrer et ouvrir|ce que le journal doit dire|"
    r"reprendre (?:des|les) activités)\b|^(?:le dire|le donner|le relier|s[’']attribue)$",
    re.IGNORECASE,
)
# Letters of the alphabet, and signatures or a place name that have the same form as a word above.
LETTERS_OF_THE_ALPHABET = {
    "Ce nom n’a ni lettre ni chiffre.",
    "Contraste des lettres : {ratio} pour 1.",
    "Lettres minuscules, chiffres et tirets. Il est signé dans chaque badge et ne changera jamais.",
    "Un prénom ou un nom contient au moins une lettre.",
    "Un code ROME est une lettre et quatre chiffres, comme I1307.",
    "« {slug} » ne peut pas servir d’adresse : lettres minuscules, chiffres et tirets seulement.",
}
OTHER_SENSES = {"Heure du serveur confirmée, signatures reprises"}
NOT_SAID_IN_ENGLISH = re.compile(
    r"\b(?:letters?|deeds?|left the house|e-?mail(?:s)? is promised)\b", re.IGNORECASE
)
LETTERS_IN_ENGLISH = re.compile(
    r"lower-case letters|contrast of the letters|a letter and four digits|received by post|its letters at most|neither letter nor digit|at least one letter",
    re.IGNORECASE,
)

BUTTON = re.compile(
    r"<button[^>]*>(?:\{\{ icon\([^)]*\) \}\})?(?:<span>)?\s*"
    r"(?:\{\{ _\((?:\"([^\"]+)\"|'([^']+)')|\{% trans[^%]*%\}([^{<]+))"
)
# « Ne plus montrer », « Se déconnecter », « Le montrer », « N’ouvrir que … ».
BEFORE_A_VERB = re.compile(r"^(?:(?:ne|plus|pas|se|me|le|la|les|lui|en|y)\s+|[nslm]['’])*", re.IGNORECASE)
INFINITIVE = re.compile(r"\w+(?:er|ir|re)\b")

# « {count} lignes » is wrong for 0 and 1. Numbers of these names are never so few: limits, and what code has counted.
NEVER_ONE = {"most", "least", "length", "max_length", "several"}
NO_NUMBERS = {"campus", "last"}
SAME_IN_PLURAL = r"avis|campus|choix|fois|mois|parcours"
NO_PLURAL = r"alors|après|chez|dans|depuis|des|dès|est|hors|lors|moins|nous|pas|plus|puis|sans|sous|vers|vous"
PLURAL_AFTER_FIELD = re.compile(
    rf"(?:\{{(\w+)\}}|%\((\w+)\)s)(?:\s(?:%%|Mo|{SAME_IN_PLURAL}))?\s(?:ne\s|n’)?(?!(?:{SAME_IN_PLURAL}|{NO_PLURAL})\b)"
    r"(?:[a-zà-ÿœ]+[sx]|[a-zà-ÿœ]*(?<![tv]i)(?<!m)ent|[fsv]?ont)\b"
)


def test_no_french_sentence_uses_a_private_word() -> None:
    said = {each for message in load("en") if message.id for each in forms(message.id)}
    found = {each for each in said if NOT_SAID.search(each)}
    assert found - LETTERS_OF_THE_ALPHABET - OTHER_SENSES == set()


def test_no_english_sentence_calls_a_message_a_letter() -> None:
    said = [each for _, english in pairs("en") for each in english]
    found = [each for each in said if NOT_SAID_IN_ENGLISH.search(each)]
    assert [each for each in found if not LETTERS_IN_ENGLISH.search(each)] == []


def test_every_exception_is_still_said() -> None:
    said = {each for message in load("en") if message.id for each in forms(message.id)}
    assert (LETTERS_OF_THE_ALPHABET | OTHER_SENSES) - said == set()


def test_french_buttons_begin_with_a_verb() -> None:
    buttons = {
        text.strip()
        for path in TEMPLATES.rglob("*.html")
        for found in BUTTON.finditer(path.read_text("utf-8"))
        if (text := next(filter(None, found.groups())))
    }
    assert len(buttons) > 30
    assert {each for each in buttons if not INFINITIVE.match(BEFORE_A_VERB.sub("", each))} == set()


def test_no_number_has_a_plural_after_it_unless_it_is_two_or_more() -> None:
    """A label and the number agree by themselves; where that reads badly, the sentence has two forms."""
    alone = {forms(message.id)[0] for message in load("en") if message.id}
    found = {
        each
        for each in alone
        for field in PLURAL_AFTER_FIELD.finditer(each)
        if not (NEVER_ONE | NO_NUMBERS) & {*field.groups()}
    }
    assert found == set()
