"""Plain text: what the database compares is what Python compares."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import literal, select

from app.db.engine.queries import plain
from app.db.engine.session import open_engine
from app.domain.core import plain_text, words_of

LATIN = st.text(
    alphabet=st.characters(min_codepoint=32, max_codepoint=0x24F, exclude_categories=("Cc",)), max_size=20
)


@given(LATIN)
def test_plain_text_is_plain_already(text):
    assert plain_text(plain_text(text)) == plain_text(text)


@given(LATIN)
def test_case_and_accents_do_not_count(text):
    assert plain_text(text.upper().lower()) == plain_text(text.lower().upper().lower())


def test_words_are_found_without_what_stands_between_them():
    assert words_of("  D’Arcy, Jean-Luc ") == ["d", "arcy", "jean", "luc"]
    assert words_of("%_;'\"") == ["_"]
    assert len(words_of("a " * 100)) == 8


def test_the_database_says_the_same_of_every_latin_letter(database_url: str):
    letters = [chr(point) for point in (*range(32, 0x250), *range(0x1E00, 0x1F00))]
    engine = open_engine(database_url)
    with engine.connect() as connection:
        for start in range(0, len(letters), 100):
            chunk = letters[start : start + 100]
            result = connection.execute(select(*(plain(literal(letter)) for letter in chunk))).one()
            assert list(result) == [plain_text(letter) for letter in chunk]
    engine.dispose()
