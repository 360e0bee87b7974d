"""Two versions compared: every difference is told, nothing else is, and the words make up both texts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.domain.badges import (
    BadgeKind,
    BadgeLifetime,
    BadgeVersion,
    Part,
    content_of,
    differences,
    join_criteria,
    word_differences,
)

LINES = st.lists(st.text(max_size=20), max_size=4).map(tuple)
CONTENTS = st.dictionaries(st.sampled_from(Part), LINES)
PROSE = st.text(alphabet=st.sampled_from("abc é’.,\n"), max_size=60)


@given(CONTENTS)
def test_a_version_does_not_differ_from_itself(content):
    assert differences(content, dict(content)) == []


@given(CONTENTS, CONTENTS)
def test_what_is_reported_turns_one_version_into_the_other(before, after):
    result = differences(before, after)
    rebuilt = {part: before.get(part, ()) for part in Part}
    for difference in result:
        assert difference.before == before.get(difference.part, ())
        rebuilt[difference.part] = difference.after
    assert rebuilt == {part: after.get(part, ()) for part in Part}
    assert len({difference.part for difference in result}) == len(result)


@given(CONTENTS, CONTENTS)
def test_the_way_back_tells_the_same_parts(before, after):
    forth, back = differences(before, after), differences(after, before)
    assert [(d.part, d.before, d.after) for d in forth] == [(d.part, d.after, d.before) for d in back]


@given(PROSE, PROSE)
def test_words_kept_removed_and_added_make_up_both_texts(before, after):
    pieces = word_differences(before, after)
    assert "".join(p.text for p in pieces if p.stay is not BadgeLifetime.ADDED) == before
    assert "".join(p.text for p in pieces if p.stay is not BadgeLifetime.REMOVED) == after


def test_one_changed_word_is_one_word_out_and_one_in():
    pieces = word_differences("Pose et raccorde une serrure.", "Pose et paramètre une serrure.")
    assert [(piece.stay, piece.text) for piece in pieces if piece.stay is not BadgeLifetime.KEPT] == [
        (BadgeLifetime.REMOVED, "raccorde"),
        (BadgeLifetime.ADDED, "paramètre"),
    ]


def test_words_changed_in_a_row_are_read_in_one_go():
    pieces = word_differences(
        "La personne a pris une part active à l’atelier.", "La personne a tenu un rôle utile dans l’atelier."
    )
    assert [(piece.stay, piece.text) for piece in pieces] == [
        (BadgeLifetime.KEPT, "La personne a "),
        (BadgeLifetime.REMOVED, "pris une part active à"),
        (BadgeLifetime.ADDED, "tenu un rôle utile dans"),
        (BadgeLifetime.KEPT, " l’atelier."),
    ]


def test_an_elided_word_goes_and_comes_whole():
    pieces = word_differences("Une personne s’entretient.", "Une personne d’activité.")
    assert [piece.text for piece in pieces] == ["Une personne ", "s’entretient", "d’activité", "."]


def test_how_it_is_judged_is_a_part_of_its_own():
    def content_with(assessment: str):
        said = join_criteria("- Pose une serrure", assessment)
        return content_of(
            BadgeVersion(
                kind=BadgeKind.COMPETENCY,
                name="Poser",
                description="",
                criteria=said,
                alternative="",
                emblem="",
            ),
            (),
        )

    (difference,) = differences(
        content_with("Une personne observe."), content_with("Deux personnes observent.")
    )
    assert difference.part is Part.ASSESSMENT
    assert difference.after == ("Deux personnes observent.",)
