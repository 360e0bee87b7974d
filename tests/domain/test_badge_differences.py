"""Two versions compared: every difference is told, nothing else is, and the words make up both texts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.domain.badge_differences import Part, Stay, differences, word_differences

LINES = st.lists(st.text(max_size=20), max_size=4).map(tuple)
CONTENTS = st.dictionaries(st.sampled_from(Part), LINES)
PROSE = st.text(alphabet=st.sampled_from("abc é’.,\n"), max_size=60)


@given(CONTENTS)
def test_a_version_does_not_differ_from_itself(content):
    assert differences(content, dict(content)) == []


@given(CONTENTS, CONTENTS)
def test_what_is_told_turns_one_version_into_the_other(before, after):
    told = differences(before, after)
    rebuilt = {part: before.get(part, ()) for part in Part}
    for difference in told:
        assert difference.before == before.get(difference.part, ())
        rebuilt[difference.part] = difference.after
    assert rebuilt == {part: after.get(part, ()) for part in Part}
    assert len({difference.part for difference in told}) == len(told)


@given(CONTENTS, CONTENTS)
def test_the_way_back_tells_the_same_parts(before, after):
    forth, back = differences(before, after), differences(after, before)
    assert [(d.part, d.before, d.after) for d in forth] == [(d.part, d.after, d.before) for d in back]


@given(PROSE, PROSE)
def test_words_kept_removed_and_added_make_up_both_texts(before, after):
    pieces = word_differences(before, after)
    assert "".join(p.text for p in pieces if p.stay is not Stay.ADDED) == before
    assert "".join(p.text for p in pieces if p.stay is not Stay.REMOVED) == after


def test_one_changed_word_is_one_word_out_and_one_in():
    pieces = word_differences("Pose et raccorde une serrure.", "Pose et paramètre une serrure.")
    assert [(piece.stay, piece.text) for piece in pieces if piece.stay is not Stay.KEPT] == [
        (Stay.REMOVED, "raccorde"),
        (Stay.ADDED, "paramètre"),
    ]
