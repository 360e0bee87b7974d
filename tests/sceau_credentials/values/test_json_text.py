"""Each JSON text has one reading, or is refused."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sceau_credentials.errors import MalformedInput
from sceau_credentials.values import JsonValue, dump_json, parse_json, parse_json_object, pointer_to
from tests.support.running.every import for_each


@for_each(
    ("text", "reason"),
    [
        (b'{"a": 1, "a": 2}', "duplicate_member"),
        (b'{"a": {"b": 1, "\\u0062": 2}}', "duplicate_member"),
        (b'{"a":1,"a":1}', "duplicate_member"),
        (b'[{"a":{"b":1,"b":null}}]', "duplicate_member"),
        (b"[" * 500 + b"]" * 500, "too_deep"),
        (b"[NaN]", "not_json"),
        (b"[Infinity]", "not_json"),
        (b"[-Infinity]", "not_json"),
        (b"[1e400]", "number_out_of_range"),
        (b"[-1e400]", "number_out_of_range"),
        (b"[" + b"1" * 5000 + b"]", "number_out_of_range"),
        (b'["\\ud800"]', "lone_surrogate"),
        (b'{"\\udc00": 1}', "lone_surrogate"),
        (b'["\xed\xa0\x80"]', "not_utf8"),
        (b'["\xe9"]', "not_utf8"),
        (b"\xff\xfe[\x00]\x00", "not_utf8"),
        ('["é"]'.encode("utf-16-le"), "not_utf8"),
        (b"\xef\xbb\xbf[]", "byte_order_mark"),
        (b"[" * 33 + b"]" * 33, "too_deep"),
        (b'{"a":' * 33 + b"1" + b"}" * 33, "too_deep"),
        (b"[" * 100_000, "too_deep"),
        (b'[{"":' * 50_000, "too_deep"),
        (b"[]" + b" " * 262_144, "too_large"),
        (b"", "not_json"),
        (b"[1,]", "not_json"),
        (b"[] []", "not_json"),
        (b"[\x0c]", "not_json"),
        (b"['a']", "not_json"),
        (b"[01]", "not_json"),
        (b"[1.]", "not_json"),
        (b"[.5]", "not_json"),
        (b"[+1]", "not_json"),
        (b'["\t"]', "not_json"),
        (b'["\\x"]', "not_json"),
        (b'["', "not_json"),
        ("[1\u0661]".encode(), "not_json"),
    ],
)
def test_text_with_no_or_several_readings_is_refused(text, reason):
    with pytest.raises(MalformedInput) as refusal:
        parse_json(text)
    assert refusal.value.reason == reason


def test_the_pointer_of_a_lone_surrogate_is_reported():
    with pytest.raises(MalformedInput) as refusal:
        parse_json('{"a/b": ["x", "\\ud800"]}')
    assert refusal.value.pointer == "/a~1b/1"


def test_lone_surrogates_in_text_are_not_utf8():
    with pytest.raises(MalformedInput) as refusal:
        parse_json('["\ud800"]')
    assert refusal.value.reason == "not_utf8"


def test_brackets_inside_strings_are_not_depth():
    assert parse_json(b'["' + b"[" * 1000 + b'\\"{{{"]') == ["[" * 1000 + '"{{{']


def test_thirty_two_levels_are_read():
    assert parse_json(b"[" * 32 + b"1" + b"]" * 32)
    assert parse_json(b"[" * 32 + b"]" * 32)


def test_a_surrogate_pair_is_one_character():
    assert parse_json(b'["\\ud83d\\ude00"]') == ["😀"]


def test_only_an_object_is_an_object():
    assert parse_json_object(b"{}") == {}
    with pytest.raises(MalformedInput) as refusal:
        parse_json_object(b"[]")
    assert refusal.value.reason == "not_an_object"


def test_pointers_escape_their_parts():
    assert pointer_to("a/b", 0, "m~n") == "/a~1b/0/m~0n"


@pytest.mark.parametrize(
    "value", [float("nan"), [float("inf")], {"a": -float("inf")}, "\ud800", object(), {1, 2}]
)
def test_a_value_that_json_cannot_express_is_not_written(value):
    with pytest.raises(MalformedInput):
        dump_json(value)


_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
)
_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_VALUES = st.recursive(
    _SCALARS | _TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=20,
)


@given(_VALUES)
def test_a_written_value_reads_back_the_same(value):
    assert parse_json(dump_json(value)) == value


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_any_input_is_a_value_or_a_refusal(data):
    with contextlib.suppress(MalformedInput):
        parse_json(data)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(_VALUES)
def test_compact_and_other_texts_of_a_value_are_parsed_alike(value):
    with contextlib.suppress(MalformedInput):
        compact = dump_json(value)
        assert repr(parse_json(compact)) == repr(parse_json(b" " + compact)) == repr(json.loads(compact))


def depth_of(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth_of, value.values()), default=0)
    return 1 + max(map(depth_of, value), default=0) if isinstance(value, list) else 0


@given(_VALUES, st.integers(1, 6))
def test_too_deep_a_text_is_refused_for_its_levels_only(value, most):
    inside = [value, "\n" + "  " * 8 + "x", [], {}]
    if depth_of(inside) <= most:
        assert parse_json(dump_json(inside), max_depth=most) == inside
    else:
        with pytest.raises(MalformedInput, match="too_deep"):
            parse_json(dump_json(inside), max_depth=most)


@pytest.mark.parametrize("inside", ["a", 2**70, "null"], ids=["text", "long integer", "the text null"])
def test_the_written_depth_does_not_depend_on_the_content(inside: JsonValue) -> None:
    for _ in range(254):
        inside = [inside]
    assert dump_json(inside).startswith(b"[" * 254)
    with pytest.raises(MalformedInput, match="too_deep"):
        dump_json([inside])
