"""The compiled path gives the result of PyLD, byte for byte, or declines."""

from __future__ import annotations

import contextlib
import copy
import itertools
import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sceau_credentials.canonical import canonical_nquads, compiled, expansion
from sceau_credentials.canonical.rdfc import canonicalize
from sceau_credentials.errors import CanonicalizationTooHard, NotCovered, UnsafeDocument
from sceau_credentials.values import CONTEXT_EXTENSIONS, CONTEXT_OB_3_0_3, CONTEXT_V1, CONTEXT_V2, JsonObject
from tests.support.badges.example_credential import example_document
from tests.support.running.every import for_each
from tests.support.running.examples import examples
from tests.support.shared_data import SHARED_DATA, shared

OPEN_BADGES = "https://purl.imsglobal.org/spec/ob/v3p0"
CONTEXTS = [
    [CONTEXT_V2],
    [CONTEXT_V2, CONTEXT_OB_3_0_3],
    [CONTEXT_V2, CONTEXT_OB_3_0_3, CONTEXT_EXTENSIONS],
    [CONTEXT_V2, f"{OPEN_BADGES}/context-3.0.2.json"],
    [CONTEXT_V2, f"{OPEN_BADGES}/context-3.0.1.json"],
    [CONTEXT_V1, f"{OPEN_BADGES}/context-3.0.2.json"],
    [CONTEXT_V1, f"{OPEN_BADGES}/context.json", "https://w3id.org/security/data-integrity/v1"],
    [CONTEXT_V2, "https://w3id.org/security/data-integrity/v2"],
    [CONTEXT_V2, CONTEXT_OB_3_0_3, "https://www.w3.org/ns/credentials/undefined-terms/v2"],
    [CONTEXT_V2, "https://purl.imsglobal.org/spec/clr/v2p0/context-2.0.1.json", CONTEXT_OB_3_0_3],
]


def _ways_agree(document: JsonObject) -> bool:
    """Whether the compiled path covered this document; if so, PyLD must give the same result."""
    try:
        quads = compiled.quads_of(document)
    except NotCovered:
        return False
    assert canonicalize(quads) == canonicalize(expansion.quads_of(document))
    return True


def test_a_full_award_is_covered():
    assert _ways_agree(example_document())


def test_a_status_list_is_covered():
    assert _ways_agree(
        {
            "@context": [CONTEXT_V2],
            "id": "https://a.example/statuts/1",
            "type": ["VerifiableCredential", "BitstringStatusListCredential"],
            "issuer": "did:web:a.example",
            "validFrom": "2026-01-01T00:00:00Z",
            "credentialSubject": {
                "id": "https://a.example/statuts/1#list",
                "type": "BitstringStatusList",
                "statusPurpose": "revocation",
                "encodedList": "uH4sIAAAAAAAAA",
                "ttl": 300_000,
            },
        }
    )


def test_proof_options_are_covered():
    assert _ways_agree(
        {
            "@context": [CONTEXT_V2, CONTEXT_OB_3_0_3],
            "type": "DataIntegrityProof",
            "cryptosuite": "eddsa-rdfc-2022",
            "created": "2026-01-01T00:00:00Z",
            "verificationMethod": "did:web:a.example#key",
            "proofPurpose": "assertionMethod",
        }
    )


def _published() -> list[str]:
    folders = ("examples/ob3", "examples/vcdm2", "test-vectors/ob3-impl-guide", "test-vectors/vc-di-eddsa")
    root = SHARED_DATA / "open-badges"
    paths = [path for folder in folders for path in sorted((root / folder).rglob("*.json"))]
    return [str(path.relative_to(SHARED_DATA)) for path in paths] or ["open-badges/examples"]


@for_each("name", _published())
def test_published_documents_get_the_same_result_on_both_paths(name):
    document = json.loads(shared(name).read_bytes())
    if not isinstance(document, dict):
        pytest.skip("not a JSON object")
    document.pop("proof", None)
    _ways_agree(document)


@pytest.mark.parametrize("name", ["basicOpenBadgeCredential", "endorsement", "skillAssertionCase"])
def test_published_badges_of_the_ordinary_kind_are_covered(name):
    document = json.loads(shared(f"open-badges/examples/ob3/{name}.json").read_bytes())
    document.pop("proof", None)
    assert _ways_agree(document)


_IRIS = st.sampled_from(
    ["urn:uuid:1", "urn:x:é", "https://a.example/1", "did:web:a.example", "mailto:a@a.example", "data:image/png,x",
     "relative", "cred:x", "sec:y", "_:b0", "urn:a b", "", "@id", "Profile", "name:x", "https://a.example/<"]
)  # fmt: skip
_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    [
        "2026-01-01T00:00:00Z",
        'quo"te',
        "back\\slash",
        "tab\tline\n\r",
        "\x01\x0b\x7f\x85\u2028",
        "assertionMethod",
    ]
)
_NUMBERS = (
    st.integers(-(2**55), 2**55) | st.floats(allow_nan=False) | st.sampled_from([0, -0.0, 1.5, 42.0, 1e21])
)
_LANGUAGE_TEXTS = st.fixed_dictionaries(
    {"@value": _TEXTS}, optional={"@language": st.sampled_from(["fr", "FR-fr", "x y", ""])}
)
_TERMS = st.sampled_from(
    ["name", "description", "issuer", "validFrom", "validUntil", "credentialSubject", "achievement", "criteria",
     "narrative", "alignment", "targetName", "targetUrl", "targetType", "evidence", "genre", "image", "caption",
     "creator", "url", "email", "address", "geo", "latitude", "result", "value", "status", "achievedLevel",
     "resultDescription", "allowedValue", "rubricCriterionLevel", "tag", "identifier", "hashed", "identityHash",
     "creditsEarned", "otherIdentifier", "related", "inLanguage", "version", "parentOrg", "credentialStatus",
     "statusPurpose", "statusListIndex", "statusListCredential", "credentialSchema", "termsOfUse", "proofPurpose",
     "refreshService", "source", "endorsementJwt", "issuanceDate", "Criteria", "proof", "undefined", "@value",
     "@graph", "@nest", "@context", "schema:name", "https://schema.org/name", "association", "verifiableCredential"]
)  # fmt: skip
_TYPES = st.sampled_from(
    ["VerifiableCredential", "OpenBadgeCredential", "AchievementCredential", "AchievementSubject", "Achievement",
     "Criteria", "Alignment", "Evidence", "Image", "Profile", "Address", "GeoCoordinates", "Result",
     "ResultDescription", "RubricCriterionLevel", "IdentityObject", "IdentifierEntry", "Related",
     "EndorsementCredential", "EndorsementSubject", "BitstringStatusListEntry", "DataIntegrityProof",
     "1EdTechRevocationList", "JsonSchema", "ClrCredential", "ClrSubject", "Association", "Undefined",
     "https://a.example/Type"]
)  # fmt: skip


def _objects(values: st.SearchStrategy[Any]) -> st.SearchStrategy[JsonObject]:
    members = st.dictionaries(_TERMS, values | st.lists(values, max_size=3), max_size=4)
    types = _TYPES | st.lists(_TYPES, max_size=3)
    head = st.fixed_dictionaries({}, optional={"id": _IRIS, "type": types})
    return st.builds(lambda first, rest: {**first, **rest}, head, members)


_VALUES = st.recursive(
    _TEXTS | _IRIS | _NUMBERS | st.booleans() | st.none() | _LANGUAGE_TEXTS, _objects, max_leaves=14
)


@settings(max_examples=examples(250), deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(CONTEXTS), _objects(_VALUES))
def test_any_document_gets_the_same_result_or_is_left_to_pyld(contexts, members):
    _ways_agree({**members, "@context": contexts})


@settings(max_examples=examples(250), deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(CONTEXTS), _objects(_VALUES))
def test_any_document_has_a_canonical_form_or_is_refused_by_name(contexts, members):
    with contextlib.suppress(UnsafeDocument, CanonicalizationTooHard):
        canonical_nquads({**members, "@context": contexts})


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every path in a document outside its contexts."""
    if isinstance(value, dict):
        items: Any = [(name, item) for name, item in value.items() if name != "@context"]
    else:
        items = list(enumerate(value)) if isinstance(value, list) else []
    return [(*path, key) for key, _ in items] + [
        place for key, item in items for place in _places(item, (*path, key))
    ]


@settings(max_examples=examples(250), deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_an_altered_award_gets_the_same_result_or_is_left_to_pyld(data):
    document: Any = copy.deepcopy(example_document())
    document["@context"] = data.draw(st.sampled_from(CONTEXTS[1:7]))
    for _ in range(data.draw(st.integers(1, 3))):
        *parents, last = data.draw(st.sampled_from(_places(document)))
        target = document
        for part in parents:
            target = target[part]
        change = data.draw(st.sampled_from(["put", "add", "remove", "wrap"]))
        if change == "remove":
            del target[last]
        elif change == "wrap":
            target[last] = [target[last]]
        elif change == "add" and isinstance(target, dict):
            target[data.draw(_TERMS)] = data.draw(_VALUES)
        else:
            target[last] = data.draw(_VALUES)
    _ways_agree(document)


_SAFE_IRIS = st.sampled_from(
    ["urn:uuid:1", "urn:x:é", "https://a.example/1?q=%20#f", "did:web:a.example", "mailto:a@b.c"]
)
_SAFE_NUMBERS = (
    st.integers(-(2**53) + 1, 2**53 - 1)
    | st.decimals(-1000, 1000, places=3).map(float)
    | st.sampled_from([0, -0.0, 1.5, -42.0])
)


def _varied(value: Any, name: str) -> st.SearchStrategy[Any]:
    """Other values of the same kind at every path: what an issuer could have written as well."""
    if isinstance(value, dict):
        kept = {key: _varied(item, key) for key, item in value.items()}
        always = {key: kept.pop(key) for key in ("type",) if key in kept}
        return st.fixed_dictionaries(always, optional=kept)
    if isinstance(value, list) and name != "type":
        return st.lists(st.one_of([_varied(item, name) for item in value]), max_size=3)
    if isinstance(value, bool):
        return st.booleans()
    if isinstance(value, int | float):
        return _SAFE_NUMBERS
    if name in ("id", "statusListCredential", "resultDescription") and isinstance(value, str):
        return _SAFE_IRIS
    if isinstance(value, str) and name != "type":
        return _TEXTS
    return st.just(value)


_AWARDS = _varied(
    {key: item for key, item in example_document().items() if key not in ("@context", "id")}, ""
)


@settings(max_examples=examples(150), deadline=None, suppress_health_check=list(HealthCheck))
@given(_AWARDS)
def test_any_award_an_issuer_could_write_is_covered_with_the_same_result(members):
    assert _ways_agree({"@context": [CONTEXT_V2, CONTEXT_OB_3_0_3], "id": "urn:uuid:root", **members})


COVERED_CHANGES = {
    "text in a language": ("name", {"@value": "Insigne", "@language": "FR"}),
    "a truth": (("credentialSubject", "identifier", 0, "hashed"), True),
    "a whole float": (("credentialSubject", "creditsEarned"), 42.0),
    "a fraction": (("credentialSubject", "creditsEarned"), 0.3),
    "many digits": (("credentialSubject", "creditsEarned"), 1234.56789012345),
    "minus zero": (("credentialSubject", "creditsEarned"), -0.0),
    "a large float": (("credentialSubject", "creditsEarned"), 9007199254740990.0),
    "an empty array": (("evidence",), []),
    "an empty list": (("credentialSubject", "achievement", "resultDescription", 0, "allowedValue"), []),
    "an empty object": (("credentialSubject", "achievement", "criteria"), {}),
    "a reference": (("issuer",), {"id": "did:web:a.example"}),
    "an identifier": (("issuer",), "did:web:a.example"),
    "a control character": (("name",), "a\x00\x08\x1f"),
    "one type": (("credentialSubject", "type"), "AchievementSubject"),
    "the same twice": (("credentialSubject", "achievement", "tag"), ["a", "a"]),
    "alike blank nodes": (("issuer", "otherIdentifier"),
                          [{"type": "IdentifierEntry", "identifier": "1", "identifierType": "identifier"}] * 3),
}  # fmt: skip


@for_each("case", COVERED_CHANGES)
def test_ordinary_variety_is_covered(case):
    path, value = COVERED_CHANGES[case]
    document: Any = copy.deepcopy(example_document())
    *parents, last = (path,) if isinstance(path, str) else path
    target = document
    for part in parents:
        target = target[part]
    target[last] = value
    assert _ways_agree(document)


def test_threads_that_start_together_get_the_same_result():
    contexts = [CONTEXT_V2, CONTEXT_OB_3_0_3, "https://w3id.org/security/data-integrity/v2"]
    document = {**example_document(), "@context": contexts}
    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(canonical_nquads, [document] * 40))
    assert len(set(said)) == 1
    assert said[0] == canonicalize(expansion.quads_of(document))


def test_only_a_bounded_number_of_type_combinations_is_cached():
    names = ["Criteria", "OpenBadgeCredential", "EndorsementCredential", "VerifiableCredential",
             "JsonSchemaCredential", "EnvelopedVerifiableCredential"]  # fmt: skip
    documents = [
        {"@context": [CONTEXT_V2, CONTEXT_OB_3_0_3], "id": "urn:a", "type": list(order)}
        for order in itertools.permutations(names)
    ]
    covered = [_ways_agree(document) for document in documents]
    assert covered.count(True) <= 256
    assert expansion.quads_of(documents[-1])


def test_the_compiled_path_is_several_times_faster():
    document = example_document()
    timings = {}
    for way in (compiled, expansion):
        way.quads_of(document)
        timings[way] = min(_time_of(way, document) for _ in range(15))
    assert timings[compiled] * 4 < timings[expansion]


def _time_of(way: Any, document: JsonObject) -> float:
    started = time.perf_counter()
    way.quads_of(document)
    return time.perf_counter() - started
