"""Commitments: disclosed values are checked, undisclosed values stay secret."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sceau_credentials.errors import CredentialError, MalformedInput, ProofError
from sceau_credentials.evidence.documents import Opening, commit, open_entry

KEY = bytes(range(32))
PAYLOAD = {"activity": "Atelier bois", "minutes": 210, "part": "apprenant", "person": "p-17"}

names = st.text("abcdefghijklmnopqrstuvwxyzABCDEFG", min_size=1, max_size=12)
scalars = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=40)
payloads = st.dictionaries(names, scalars | st.lists(scalars, max_size=3), min_size=1, max_size=8)
keys = st.binary(min_size=32, max_size=32)


@given(payloads, keys, st.data())
def test_any_choice_of_fields_can_be_shown_and_checked(payload, key, data) -> None:  # type: ignore[no-untyped-def]
    shown = data.draw(st.sets(st.sampled_from(sorted(payload))))
    written = json.dumps(open_entry(payload, key, shown).to_document())
    read = Opening.from_document(json.loads(written))
    assert read.checked(commit(payload, key)) == {name: payload[name] for name in shown}


@given(payloads, keys, st.data())
def test_a_value_that_was_not_logged_is_never_accepted(payload, key, data) -> None:  # type: ignore[no-untyped-def]
    name = data.draw(st.sampled_from(sorted(payload)))
    other = data.draw(scalars.filter(lambda value: json.dumps(value) != json.dumps(payload[name])))
    document = open_entry(payload, key, {name}).to_document()
    document["fields"][name]["value"] = other  # type: ignore[index,call-overload]
    with pytest.raises(ProofError, match="opening_does_not_fit"):
        Opening.from_document(document).checked(commit(payload, key))


def test_hiding_or_adding_a_field_is_detected() -> None:
    commitment = commit(PAYLOAD, KEY)
    for change in ("drop", "add"):
        document = open_entry(PAYLOAD, KEY, {"part"}).to_document()
        fields = document["fields"]
        assert isinstance(fields, dict)
        if change == "drop":
            del fields["person"]
        else:
            fields["more"] = fields["person"]
        with pytest.raises(ProofError, match="opening_does_not_fit"):
            Opening.from_document(document).checked(commitment)


def test_undisclosed_values_are_not_in_the_disclosure() -> None:
    written = json.dumps(open_entry(PAYLOAD, KEY, {"minutes"}).to_document())
    assert "p-17" not in written
    assert "Atelier" not in written
    assert "210" in written


def test_a_guessed_value_cannot_be_confirmed_without_its_key() -> None:
    """Two entries with the same content have nothing in common that could be compared."""
    opened = [open_entry(PAYLOAD, key, {"minutes"}) for key in (KEY, bytes(32))]
    assert not set(opened[0].commitments.values()) & set(opened[1].commitments.values())
    assert opened[0].keys.keys() == {"minutes"}


@pytest.mark.parametrize(
    "spoilt",
    [
        None,
        {},
        {"key": "A" * 43, "fields": {}},
        {"key": "A" * 42, "fields": {"a": {"commitment": "A" * 43}}},
        {"key": "A" * 43, "fields": {"a": {"commitment": "A" * 43, "value": 1}}},
        {"key": "A" * 43, "fields": {"a b": {"commitment": "A" * 43}}},
        {"key": "A" * 43, "fields": {"a": {"commitment": "A" * 42 + "B"}}},
        {"key": "A" * 43, "fields": {f"a{'b' * n}": {"commitment": "A" * 43} for n in range(33)}},
        {"key": "A" * 43, "fields": {"a": {"commitment": "A" * 43}}, "more": 1},
    ],
    ids=range(9),
)
def test_an_invalid_opening_is_refused(spoilt: object) -> None:
    with pytest.raises(MalformedInput):
        Opening.from_document(spoilt)


def test_a_value_without_canonical_form_is_refused_by_name() -> None:
    document = open_entry(PAYLOAD, KEY, {"minutes"}).to_document()
    document["fields"]["minutes"]["value"] = 2**60  # type: ignore[index,call-overload]
    with pytest.raises(CredentialError):
        Opening.from_document(document).checked(commit(PAYLOAD, KEY))


@pytest.mark.parametrize(("payload", "key"), [({}, KEY), (PAYLOAD, b"short"), ({"é": 1}, KEY)], ids=range(3))
def test_an_invalid_commitment_is_a_programming_error(payload: dict, key: bytes) -> None:  # type: ignore[type-arg]
    with pytest.raises(ValueError, match="plain names"):
        commit(payload, key)
    with pytest.raises(ValueError, match="no such fields"):
        open_entry(PAYLOAD, KEY, {"unknown"})
