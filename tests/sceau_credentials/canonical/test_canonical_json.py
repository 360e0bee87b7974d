"""RFC 8785: one serialisation for each JSON value."""

from __future__ import annotations

import json

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from sceau_credentials.canonical import canonical_json
from sceau_credentials.errors import MalformedInput
from tests.support.shared_data import shared

SUITE = "hostile/json-canonicalization/testdata"


@pytest.mark.parametrize("name", ["arrays", "french", "structures", "unicode", "values", "weird"])
def test_published_values_get_their_serialisation(name):
    value = json.loads(shared(f"{SUITE}/input/{name}.json").read_bytes())
    assert canonical_json(value) == shared(f"{SUITE}/output/{name}.json").read_bytes().rstrip(b"\n")


@pytest.mark.parametrize(
    ("value", "spelling"),
    [
        ({"b": 1, "a": [1.0, 1e21, 1e-7, -0.0]}, b'{"a":[1,1e+21,1e-7,0],"b":1}'),
        ({"\u20ac": 1, "\U0001f600": 2, "\ufb33": 3}, '{"\u20ac":1,"\U0001f600":2,"\ufb33":3}'.encode()),
        ("\x08\x1f\u2028é", '"\\b\\u001f\u2028é"'.encode()),
    ],
)
def test_numbers_keys_and_controls_follow_the_rules_of_ecmascript(value, spelling):
    assert canonical_json(value) == spelling


@pytest.mark.parametrize("value", [2**53, float("nan"), float("inf"), "\ud800", {"a": object()}])
def test_a_value_without_a_serialisation_is_refused(value):
    with pytest.raises(MalformedInput):
        canonical_json(value)


_scalars = st.none() | st.booleans() | st.integers(-(2**54), 2**54) | st.floats() | st.text()
_values = st.recursive(
    _scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)


@given(_values)
def test_the_fast_writer_agrees_with_the_reference(value):
    try:
        expected = rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError):
        with pytest.raises(MalformedInput):
            canonical_json(value)
    else:
        assert canonical_json(value) == expected
