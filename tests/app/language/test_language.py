"""Every sentence exists in every language, with the same places for values."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo

from app import language
from app.domain.badges import assessment_heading, join_criteria, split_criteria
from app.http.pages.render import TEMPLATES, language_of, other_languages
from app.http.pages.words import badge_languages
from app.language import (
    build,
    gettext,
    known_locales,
    language_in_words,
    moment,
    ngettext,
    regional_locale,
    speaking,
)
from app.language.build import KEYWORDS, fill, load, sentences_of_python
from tests.app.language.sources import source_catalogue

OTHER_LOCALES = [locale for locale in known_locales() if locale != language.SOURCE_LOCALE]
MOST_MISSING = 0.03
"""Of the sentences of a language that may wait, shown in English meanwhile; none of English may."""
PLACES = re.compile(r"%\(\w+\)[sd]|(?<!\{)\{\w+\}(?!\})")
TAGS = re.compile(r"</?[a-z][a-z0-9]*")


def forms(words: object) -> tuple[str, ...]:
    return (words,) if isinstance(words, str) else tuple(words)


def first(identifier: object) -> str:
    return forms(identifier)[0]


def pairs(locale: str) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    return [(forms(message.id), forms(message.string)) for message in load(locale) if message.id]


def test_english_is_spoken():
    assert "en" in known_locales()


def test_every_sentence_of_code_and_templates_is_in_the_english_catalogue():
    known = {forms(message.id) for message in load("en") if message.id}
    wanted = {forms(message.id) for message in source_catalogue() if message.id}
    assert wanted - known == set(), "run: python -m app.language.build"


def test_a_sentence_marked_inside_another_call_or_text_is_found():
    code = b"""_(KNOWN.get(reason, N_("dedans")))
shown = f"{_('entre accolades').format(x=1)}"
raise Conflict(_(KNOWN["pas une phrase"]))
title = translated("sans marque") + translated(KNOWN["pas une phrase"])
raise InvalidInput("un refus", name="pas une phrase")
"""
    found = sentences_of_python(BytesIO(code), KEYWORDS.keys(), (), {})
    assert sorted(texts[0] or "" for _line, _name, texts, _comments in found) == [
        "dedans",
        "entre accolades",
        "sans marque",
        "un refus",
    ]


def test_english_catalogue_has_only_sentences_of_code_and_templates():
    wanted = {forms(message.id) for message in source_catalogue() if message.id}
    catalog = load("en")
    assert {forms(message.id) for message in catalog if message.id} - wanted == set()
    assert not catalog.obsolete


def test_build_keeps_the_date_of_an_unchanged_catalogue(tmp_path, monkeypatch):
    dated = re.sub(
        rb"(POT-Creation-Date: )[^\\]*",
        rb"\g<1>2001-01-01 00:00+0000",
        language.po_file("en").read_bytes(),
    )
    path = tmp_path / "sceau.po"
    path.write_bytes(dated)
    monkeypatch.setattr(build, "po_file", lambda _locale: path)
    monkeypatch.setattr(build, "extract", source_catalogue)
    build.update("en", {})
    assert path.read_bytes() == dated


@pytest.mark.parametrize("locale", OTHER_LOCALES)
def test_every_sentence_is_translated_and_none_is_a_guess(locale):
    translated = {french for french, other in pairs(locale) if all(other)}
    wanted = {forms(message.id) for message in source_catalogue() if message.id}
    missing = sorted(french[0] for french in wanted - translated)
    print(f"{locale}: {len(missing)} of {len(wanted)} to translate", *missing, sep="\n  ")
    bound = 0 if locale == language.BRIDGE_LOCALE else MOST_MISSING * len(wanted)
    assert len(missing) <= bound, f"{len(missing)} sentences wait for {locale}"
    assert [first(message.id) for message in load(locale) if message.id and message.fuzzy] == []


@pytest.mark.parametrize("locale", OTHER_LOCALES)
def test_a_translation_has_the_same_places_for_values_and_the_same_elements(locale):
    for french, other in pairs(locale):
        places = set(PLACES.findall(french[-1]))
        for words in filter(None, other):
            # The singular may say "one" where the plural says the number.
            assert set(PLACES.findall(words)) <= places, words
            assert sorted(TAGS.findall(words)) == sorted(TAGS.findall(french[0])), words
        if other[-1]:
            assert set(PLACES.findall(other[-1])) == places, other[-1]


@pytest.mark.parametrize("locale", OTHER_LOCALES)
def test_plurals_have_as_many_forms_as_the_language(locale):
    catalog = load(locale)
    for message in catalog:
        if message.id and message.pluralizable:
            assert len(forms(message.string)) == catalog.num_plurals, message.id


def test_french_counts_nothing_as_one_and_english_as_many():
    one, many = next(
        (forms(message.id) for message in load("en") if message.id and message.pluralizable), ("", "")
    )
    assert [ngettext(one, many, count) for count in (0, 1, 2)] == [one, one, many]
    with speaking("en"):
        none, single, several = (ngettext(one, many, count) for count in (0, 1, 2))
    assert none == several != single


def test_a_language_nobody_added_falls_back_to_french():
    with speaking("tlh"):
        assert language.current_locale() == "fr"


@pytest.fixture
def german(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A third language: nothing but a catalogue, which lacks most sentences."""
    for locale in ("en", "de"):
        (tmp_path / locale / "LC_MESSAGES").mkdir(parents=True)
    english = language.po_file("en").read_bytes()
    monkeypatch.setattr(language, "LOCALES_FOLDER", tmp_path)
    language.po_file("en").write_bytes(english)
    language.po_file("de").write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\nLanguage: de\\n'
        'Plural-Forms: nplurals=2; plural=(n != 1);\\n"\n\n'
        'msgid "{day} à {time}"\nmsgstr "{day} um {time}"\n\n'
        'msgid "Comment c’est jugé"\nmsgstr "Wie bewertet wird"\n\n'
        'msgid "activité"\nmsgid_plural "activités"\nmsgstr[0] ""\nmsgstr[1] ""\n'
    )
    cached = (language.known_locales, language.catalogue, language.in_every_language, assessment_heading)
    for each in cached:
        each.cache_clear()
    yield
    for each in cached:
        each.cache_clear()


@pytest.mark.usefixtures("german")
def test_catalogue_is_all_that_a_language_needs():
    assert known_locales() == ("fr", "de", "en")
    assert language_of(None, "de-AT, fr;q=0.5", "fr") == "de"
    with speaking("de"):
        assert moment(datetime(2026, 3, 9, 13, 5, tzinfo=UTC)) == "9. März 2026 um 14:05"
        assert ("fr", "Français") in other_languages()
        assert badge_languages("de")[:2] == [("fr", "Französisch"), ("de", "Deutsch")]
        assert (regional_locale(), language_in_words("es")) == ("de_DE", "Spanisch")
    kept = join_criteria("- Posa uno", "Durch ein Gespräch", "de")
    assert "**Wie bewertet wird.**" in kept
    assert split_criteria(kept) == ("- Posa uno", "Durch ein Gespräch")


@pytest.mark.usefixtures("german")
def test_sentence_without_translation_is_shown_in_english():
    with speaking("de"):
        assert gettext("Vérifier un badge") == "Verify a badge"
        assert [ngettext("activité", "activités", count) for count in (1, 2)] == ["activity", "activities"]
        assert gettext("Personne n’a écrit cela.") == "Personne n’a écrit cela."


def test_words_changed_since_the_last_compilation_are_the_ones_said(tmp_path: Path):
    source = tmp_path / "sceau.po"
    source.write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\nmsgid "oui"\nmsgstr "yes"\n'
    )
    compiled = language.compile_po(source)
    assert b"yes" in compiled
    old = Catalog()
    old.add("oui", "yea")
    with source.with_suffix(".mo").open("wb") as file:
        write_mo(file, old)
    os.utime(source.with_suffix(".mo"), (1, 1))
    assert language.read_catalogue(source).gettext("oui") == "yes"
    assert source.with_suffix(".mo").read_bytes() == compiled, "kept for the next process"


def test_words_are_compiled_each_time_where_nothing_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    source = tmp_path / "sceau.po"
    source.write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\nmsgid "oui"\nmsgstr "yes"\n'
    )

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    assert language.read_catalogue(source).gettext("oui") == "yes"
    assert list(tmp_path.iterdir()) == [source]


JINJA = re.compile(r"\{#.*?#\}|\{%-?\s*trans\b.*?endtrans\s*-?%\}|\{%.*?%\}|\{\{.*?\}\}", re.S)
SPOKEN_ATTRIBUTES = re.compile(r'\b(?:alt|title|placeholder|aria-label|data-l)="([^"]*[^\W\d_][^"]*)"')
# The name of the service is the same in every language.
NAMES = {"DMARC", "PDF", "SPF", "Sceau"}


def test_templates_hold_no_untranslatable_text():
    found = {path.name: texts for path in TEMPLATES.rglob("*.html") if (texts := _untranslated(path))}
    assert found == {}


def _untranslated(path: Path) -> set[str]:
    bare = JINJA.sub("", path.read_text("utf-8"))
    between = re.sub(r'[\w-]+="[^"]*"', "", bare) if path.parent.name == "macros" else bare
    texts = [text.strip(" –\n") for text in re.findall(r">([^<]+)<", f">{between}<")]
    texts += SPOKEN_ATTRIBUTES.findall(bare)
    return {text for text in texts if re.search(r"[^\W\d_]{2,}", text)} - NAMES


FRENCH_SIGNS = re.compile(r"[ \u00a0\u202f][:;?!](?=\s|<|$)|[«»]")


def test_templates_leave_french_punctuation_to_the_catalogues() -> None:
    """« Trainer : 3 » stood on English pages."""
    found = {path.name: signs for path in TEMPLATES.rglob("*.html") if (signs := _french_signs(path))}
    assert found == {}


def _french_signs(path: Path) -> list[str]:
    text = re.sub(r"<style.*?</style>", "", path.read_text("utf-8"), flags=re.S)
    pieces = re.split(r"\{\{-?(.*?)-?\}\}", JINJA.sub(lambda each: _printed(each[0]), text))
    return [piece for piece in pieces if FRENCH_SIGNS.search(piece)]


def _printed(jinja: str) -> str:
    return "" if jinja.startswith("{%") or jinja.startswith("{#") else "{{}}"


def test_code_leaves_french_punctuation_to_the_catalogues() -> None:
    """`labelled` and `quoted` write it. What is allowed is French by nature: a record, or what a list held."""
    folder = Path(language.__file__).parents[1]
    others = {
        path
        for part in ("language", "domain/imports", "services/imports", "adapters/sheets")
        for path in (folder / part).rglob("*.py")
    }
    found = {path for path in {*folder.rglob("*.py")} - others if _joins_by_signs(path)}
    assert {path.relative_to(folder).as_posix() for path in found} == {
        "domain/awards/open_badges.py",
        "domain/campus/lti.py",
        "domain/reports/facts.py",
    }


JOINING_SIGNS = re.compile(r"[ \u00a0\u202f][:;?!] ?|« ?| ?»(?:, «)? ?")


def _joins_by_signs(path: Path) -> bool:
    return any(
        isinstance(each, ast.Constant)
        and isinstance(each.value, str)
        and JOINING_SIGNS.fullmatch(each.value) is not None
        for each in ast.walk(ast.parse(path.read_text("utf-8")))
    )


def test_the_words_of_an_organisation_have_one_name_wherever_a_person_reads():
    """« Recommandation » : a recruiter knows it; the standard's own name stays where a file of it is asked for."""
    french = [each for message in source_catalogue() if message.id for each in forms(message.id)]
    assert [each for each in french if "endoss" in each.casefold()] == []
    english = [each for _, other in pairs("en") for each in filter(None, other)]
    result = [each.replace("EndorsementCredential", "") for each in english]
    assert [each for each in result if "endors" in each.casefold()] == []


def test_a_translation_that_is_given_leaves_no_doubt():
    message = Message("Une personne", "A person", flags=["fuzzy"])
    fill(message, {"Une personne": "One person"})
    assert (message.string, message.fuzzy) == ("One person", False)


def _written(day: date) -> list[str]:
    at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    return [
        language.day(day),
        language.plain_day(day),
        language.days(day, date(day.year, day.month, 20)),
        language.weekday(day),
        language.weekday_short(day),
        moment(at),
        language.Sentence("Fait le {day}.", {"day": day}).text(),
        language.Sentence("Fait le {day}.", {"day": at}).text(),
    ]


@pytest.mark.parametrize("month", range(1, 13))
def test_the_first_of_a_month_has_its_ending_in_french_and_in_no_other_language(month: int) -> None:
    first, eleventh = date(2026, month, 1), date(2026, month, 11)
    assert [each for each in _written(first) if "1er" not in each] == []
    assert [each for each in _written(eleventh) if "1er" in each] == []
    for locale in OTHER_LOCALES:
        with speaking(locale):
            assert [each for each in _written(first) if "1er" in each] == []


def test_nobody_else_writes_days_in_words() -> None:
    """« le 1 décembre » was signed once: a day is written here, and elsewhere only months are."""
    folder = Path(language.__file__).parents[1]
    calls = [
        line
        for path in folder.rglob("*.py")
        if not path.is_relative_to(folder / "language")
        for line in path.read_text("utf-8").splitlines()
        if "format_date(" in line
    ]
    assert [line for line in calls if not re.search(r'"LLLL?(?: yyyy)?"', line)] == []
    assert calls
