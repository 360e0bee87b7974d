"""A template gives the result of the general path, byte for byte, or declines."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sceau_credentials.canonical import canonical_bytes
from sceau_credentials.canonical.templates import Template, is_fixed, mark
from sceau_credentials.errors import NotCovered
from tests.support.badges.credentials import HOST, badge_document
from tests.support.running.examples import examples


def marked() -> dict[str, Any]:
    """Two identifiers, a status index that is used twice, a name, and two narratives."""
    document = badge_document()
    document["id"] = f"{HOST}/attributions/{mark(0)}"
    document["credentialSubject"]["id"] = f"urn:uuid:{mark(1)}"
    document["credentialStatus"]["id"] = f"{HOST}/statuts/1#{mark(2)}"
    document["credentialStatus"]["statusListIndex"] = mark(2)
    document["credentialSubject"]["identifier"][0]["identityHash"] = mark(3)
    document["credentialSubject"]["achievement"]["criteria"]["narrative"] = f"Commun à 100 %, puis {mark(4)}."
    document["evidence"][0]["narrative"] = mark(5)
    del document["evidence"][0]["id"]
    return document


def filled(values: list[str], value: Any = None) -> Any:
    value = marked() if value is None else value
    if isinstance(value, dict):
        return {name: filled(values, each) for name, each in value.items()}
    if isinstance(value, list):
        return [filled(values, each) for each in value]
    if isinstance(value, str):
        for number, text in enumerate(values):
            value = value.replace(mark(number), text)
    return value


TEMPLATE = Template(marked())
PLAIN = ["3f1c7b1e", "0d8a4f0c", "23", "Zoé", "Atelier", "Deux journées"]

_HOSTILE = st.text(st.sampled_from("\"\\\t\n\r%()s{}'<>é\U0001f9ff\u2028\x7f\x0b_: .^@"), max_size=12)
_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ue000\ue001"), max_size=20)
_IN_AN_IRI = st.text("abc0123456789-._~/%#?é", min_size=1, max_size=12)


@settings(max_examples=examples(200))
@given(st.tuples(_IN_AN_IRI, _IN_AN_IRI, _IN_AN_IRI, _HOSTILE | _TEXT, _HOSTILE | _TEXT, _HOSTILE | _TEXT))
@example(("%(b0)s", "%", "7", "%(0)s", "%%", "%s"))
def test_what_a_template_writes_is_the_canonical_form(values: tuple[str, ...]) -> None:
    try:
        written = TEMPLATE.canonical_bytes(values)
    except NotCovered:
        return
    assert written == canonical_bytes(filled(list(values)))


@given(st.lists(st.sampled_from("abcdef0123456789"), min_size=8, max_size=8).map("".join), _HOSTILE)
def test_ordinary_identifiers_and_any_text_are_covered(end: str, text: str) -> None:
    assert TEMPLATE.canonical_bytes([end, end, "23", text, text, text])


@pytest.mark.parametrize("bad", [" ", "<", ">", '"', "{", "|", "\\", "^", "`", "\x00", "\n"])
def test_no_inserted_value_can_leave_its_iri(bad: str) -> None:
    for place in (0, 1, 2):
        values = [*PLAIN]
        values[place] = f"a{bad}b"
        with pytest.raises(NotCovered):
            TEMPLATE.canonical_bytes(values)


def test_a_placeholder_may_not_decide_whether_an_iri_is_one() -> None:
    with pytest.raises(NotCovered):
        Template(badge_document() | {"id": mark(0)})
    with pytest.raises(NotCovered):
        Template(badge_document() | {"id": f"{mark(0)}://a.example/"})


@pytest.mark.parametrize("place", ["type", "@context"])
def test_a_placeholder_may_not_choose_a_type_or_a_vocabulary(place: str) -> None:
    document = badge_document()
    document[place] = [*document[place], mark(0)]
    with pytest.raises(NotCovered):
        Template(document)


def test_hashes_of_nodes_with_varying_statements_are_recomputed() -> None:
    """The identifier's node is referred to by the subject: its label moves with the subject's IRI."""
    labels = {
        TEMPLATE.canonical_bytes(["a", f"subject-{number}", "23", f"{number}", "", ""]).count(b"_:c14n0 ")
        for number in range(40)
    }
    assert len(labels) > 1
    for number in range(40):
        values = ["a", f"subject-{number}", "23", f"{number}", "", ""]
        assert TEMPLATE.canonical_bytes(values) == canonical_bytes(filled(values))


def test_nodes_that_become_indistinguishable_are_left_to_the_full_algorithm() -> None:
    document = badge_document()
    entry = document["credentialSubject"]["identifier"][0]
    document["credentialSubject"]["identifier"] = [
        {**entry, "identityHash": mark(0)},
        {**entry, "identityHash": mark(1)},
    ]
    template = Template(document)
    assert template.canonical_bytes(["Zoé", "Ana"]) == canonical_bytes(filled(["Zoé", "Ana"], document))
    with pytest.raises(NotCovered):
        template.canonical_bytes(["Zoé", "Zoé"])


def test_indistinguishable_nodes_of_the_template_itself_are_not_covered() -> None:
    document = marked()
    document["evidence"] = [{"type": ["Evidence"], "name": "Atelier"}] * 2
    with pytest.raises(NotCovered):
        Template(document).canonical_bytes(PLAIN)


def test_statements_that_become_equal_are_left_to_the_full_algorithm() -> None:
    document = badge_document()
    document["credentialSubject"]["achievement"]["tag"] = ["robotique", mark(0), mark(1)]
    template = Template(document)
    assert template.canonical_bytes(["a", "b"]) == canonical_bytes(filled(["a", "b"], document))
    for values in (["robotique", "b"], ["a", "a"]):
        with pytest.raises(NotCovered):
            template.canonical_bytes(values)


def test_identifiers_that_become_one_are_left_to_the_full_algorithm() -> None:
    document = badge_document()
    document["evidence"][0]["id"] = f"{HOST}/attributions/{mark(1)}"
    document["id"] = f"{HOST}/attributions/{mark(0)}"
    template = Template(document)
    assert template.canonical_bytes(["a", "b"]) == canonical_bytes(filled(["a", "b"], document))
    with pytest.raises(NotCovered):
        template.canonical_bytes(["a", "a"])
    document["evidence"][0]["id"] = f"{HOST}/attributions/zzz"
    template = Template(document)
    with pytest.raises(NotCovered):
        template.canonical_bytes(["zzz"])


def test_lines_are_sorted_again() -> None:
    for end in ("00", "zz"):
        values = [end, *PLAIN[1:]]
        lines = TEMPLATE.canonical_bytes(values).splitlines()
        assert lines == sorted(lines)


_PIECE = st.text("ab<", max_size=3)
_LINE = st.tuples(_PIECE, st.lists(st.tuples(st.sampled_from("01"), _PIECE), max_size=2)).map(
    lambda line: [line[0], *(piece for pair in line[1] for piece in pair)]
)


@settings(max_examples=examples(500))
@given(st.lists(_LINE, max_size=4), st.lists(st.text("ab<c", max_size=3), min_size=2, max_size=2))
@example([["a"], ["a", "0", ""]], ["", ""])
def test_an_order_marked_as_fixed_holds_with_any_values(lines: list[list[str]], values: list[str]) -> None:
    if is_fixed(lines):
        filled_in = [
            "".join(values[int(piece)] if place % 2 else piece for place, piece in enumerate(line))
            for line in lines
        ]
        assert filled_in == sorted(set(filled_in))


def test_equal_template_values_that_differ_later_change_the_order_of_lines() -> None:
    document = marked()
    document["evidence"][0]["id"] = f"{HOST}/attributions/{mark(6)}#journal"
    template = Template(document)
    for own, other in (("7", "7"), ("7", "8"), ("8", "7"), ("9", "9")):
        values = [own, *PLAIN[1:], other]
        assert template.canonical_bytes(values) == canonical_bytes(filled(values, document))
