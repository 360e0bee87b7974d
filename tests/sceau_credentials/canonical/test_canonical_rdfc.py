"""Blank nodes get the labels that RDFC-1.0 specifies, or are refused in time."""

from __future__ import annotations

import itertools
import json
import random
import time

import pytest

from sceau_credentials.canonical.rdfc import Quad, canonical_labels, canonicalize, escape
from sceau_credentials.errors import CanonicalizationTooHard
from tests.support.badges.nquads import read_nquads
from tests.support.running.every import for_each
from tests.support.shared_data import SHARED_DATA, shared

SUITE = "hostile/rdf-canon/tests"


def _tests(kind: str) -> list[str]:
    """The tests of this kind in the published manifest; a single one that is skipped where the manifest is absent."""
    manifest = SHARED_DATA / SUITE / "manifest.jsonld"
    if not manifest.exists():
        return ["#absent"]
    entries = json.loads(manifest.read_text())["entries"]
    ours = [entry for entry in entries if entry.get("hashAlgorithm", "SHA256") == "SHA256"]
    return [entry["id"] for entry in ours if entry["type"] == f"rdfc:{kind}"]


def _file(test: str, suffix: str) -> str:
    return shared(f"{SUITE}/rdfc10/{test[1:8]}{suffix}").read_bytes().decode()


@for_each("test", _tests("RDFC10EvalTest"))
def test_published_documents_become_their_canonical_form(test):
    assert canonicalize(read_nquads(_file(test, "-in.nq"))) == _file(test, "-rdfc10.nq")


@for_each("test", _tests("RDFC10MapTest"))
def test_published_blank_nodes_get_their_labels(test):
    labels = canonical_labels(read_nquads(_file(test, "-in.nq")))
    expected = json.loads(_file(test, "-rdfc10map.json"))
    assert {node[2:]: label[2:] for node, label in labels.items()} == expected


def test_published_poison_graph_is_refused_in_time():
    """B-044"""
    started = time.perf_counter()
    with pytest.raises(CanonicalizationTooHard):
        canonicalize(read_nquads(_file("#test074c", "-in.nq")))
    assert time.perf_counter() - started < 5


def _clique(size: int) -> list[Quad]:
    nodes = [f"_:n{index}" for index in range(size)]
    return [(a, "<urn:p>", b, "") for a, b in itertools.permutations(nodes, 2)]


POISON = {
    "a clique": _clique(10),
    "a large clique": _clique(30),
    "a long ring": [(f"_:n{i}", "<urn:p>", f"_:n{(i + 1) % 900}", "") for i in range(900)],
    "two hubs": [(f"_:h{i}", "<urn:p>", f"_:l{i}x{j}", "") for i in range(2) for j in range(1000)],
    "many alike nodes": [("<urn:a>", "<urn:p>", f"_:n{i}", "") for i in range(2000)],
    "alike graphs": [(f"_:s{i}", f"<urn:{p}>", '"x"', f"_:g{i}") for i in range(2) for p in range(12)],
}


@pytest.mark.parametrize("case", POISON)
def test_poison_graphs_are_refused_in_time(case):
    started = time.perf_counter()
    with pytest.raises(CanonicalizationTooHard):
        canonicalize(POISON[case])
    assert time.perf_counter() - started < 5


def test_four_alike_blank_nodes_are_distinguished():
    assert canonicalize(_clique(4)).count("\n") == 12


def test_order_and_names_of_blank_nodes_do_not_matter():
    quads: list[Quad] = [
        ("<urn:a>", "<urn:has>", "_:x", ""),
        ("<urn:a>", "<urn:has>", "_:y", ""),
        ("_:x", "<urn:next>", "_:y", ""),
        ("_:y", "<urn:next>", "_:x", ""),
        ("_:x", "<urn:says>", '"1"', "_:g"),
        ("_:y", "<urn:says>", '"1"', "_:g"),
    ]
    expected = canonicalize(quads)
    shuffler = random.Random(7)
    for _ in range(20):
        names = shuffler.sample(["_:p", "_:q", "_:r", "_:s"], 3)
        renamed = dict(zip(["_:x", "_:y", "_:g"], names, strict=True))
        again = [tuple(renamed.get(term, term) for term in quad) for quad in quads]
        shuffler.shuffle(again)
        assert canonicalize(again) == expected


def test_a_repeated_quad_counts_once():
    quad: Quad = ("<urn:a>", "<urn:p>", '"x"', "")
    assert canonicalize([quad, quad]) == '<urn:a> <urn:p> "x" .\n'


def test_control_characters_are_escaped_as_the_standard_specifies():
    assert escape('\x00\x07\b\t\n\x0b\f\r\x1f"\\\x7f\x80é\ufffe') == (
        '\\u0000\\u0007\\b\\t\\n\\u000B\\f\\r\\u001F\\"\\\\\\u007F\x80é\ufffe'
    )
