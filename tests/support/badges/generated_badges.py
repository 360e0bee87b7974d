"""Hypothesis strategies for valid and invalid Open Badges documents of every shape."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import strategies as st

from sceau_credentials.values import CONTEXT_EXTENSIONS, CONTEXT_OB_3_0_3, CONTEXT_V2

Document = dict[str, Any]

_CONTEXTS = st.sampled_from(
    [[CONTEXT_V2, CONTEXT_OB_3_0_3], [CONTEXT_V2, CONTEXT_OB_3_0_3, CONTEXT_EXTENSIONS]]
)
_ODD_TEXTS = st.sampled_from(
    [
        "", " ", "é e\u0301", "\ufeff", "\u2028\u2029", "\U0001f600\U0010ffff", "\ufffe\uffff", "\u202eabc", "\0", "\b\f\v",
        "\x7f\x80\x9f", '"\\', "\\u0041", "\t\r\n", "<b>&amp;", "_:b0", "@id", "https://a.example/", "name", "id",
    ]
)  # fmt: skip
_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=16) | _ODD_TEXTS
_WORDS = st.sampled_from(["fr", "Atelier", "3", "Niveau 2", "RawScore", "Competency", "2026-06-30T12:00:00Z"])
_IRI = st.builds("{}{}".format, st.sampled_from([
    "https://badges.example/", "urn:uuid:", "did:web:badges.example:", "mailto:zoe@", "http://données.example/é/", "tag:x,2026:",
]), st.sampled_from(["a", "b", "c%20d", "e#f", "g?h=i&j", "0d8a4f0c-52a5-4c63-8a3e-0f6a1c9d2b77"]))  # fmt: skip
_ODD_IRIS = st.sampled_from(
    ["", "relative", "/rooted", "//host", "#here", "_:b0", "@any", "schema:name", "https://a b", "https://a/<", "@id", "x:"]
)  # fmt: skip
_NUMBER = st.one_of(
    st.integers(-(2**53) + 1, 2**53 - 1),
    st.decimals(-1000, 1000, places=3).map(float),
    st.decimals(-1, 1, places=6).map(float),
    st.sampled_from([0, -0.0, 1.0, 42.0, 1.5, 0.1, 1e-6, 1e15, 2.0**53 - 1]),
)
_ODD_NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from(
    [1e-7, 1e20, 1e21, 1e22, 2**53, 2**53 + 1, 5e-324, 1.7976931348623157e308, 0.1 + 0.2]
)
_LANGUAGES = st.sampled_from(["fr", "FR", "fr-FR", "zh-Hant-TW", "x-campus"])
_SPOKEN = st.fixed_dictionaries({"@value": _TEXTS}, optional={"@language": _LANGUAGES})
_TEXT = st.one_of(_TEXTS, _TEXTS, _WORDS, _SPOKEN)


def _some(item: st.SearchStrategy[Any], most: int = 3) -> st.SearchStrategy[Any]:
    return st.lists(item, max_size=most) | item


def _thing(
    kind: str, *, always: Document | None = None, **optional: st.SearchStrategy[Any]
) -> st.SearchStrategy[Document]:
    types = st.sampled_from([[kind], kind])
    return st.fixed_dictionaries({"type": types, **(always or {})}, optional=optional)


_IMAGE = _thing("Image", always={"id": _IRI}, caption=_TEXT) | _IRI
_IDENTIFIER = _thing("IdentifierEntry", identifier=_TEXT, identifierType=_TEXT)
_GEO = _thing("GeoCoordinates", latitude=_NUMBER, longitude=_NUMBER)
_ADDRESS = _thing(
    "Address", id=_IRI, addressLocality=_TEXT, postalCode=_TEXT, addressCountryCode=_TEXT, geo=_GEO
)
_ALIGNMENT = _thing(
    "Alignment", targetName=_TEXT, targetUrl=_IRI, targetCode=_TEXT, targetFramework=_TEXT, targetType=_TEXT
)
_IDENTITY = _thing("IdentityObject", hashed=st.booleans(), identityHash=_TEXT, identityType=_TEXT, salt=_TEXT)
_EVIDENCE = _thing(
    "Evidence", id=_IRI, name=_TEXT, narrative=_TEXT, genre=_TEXT, audience=_TEXT, description=_TEXT
)
_LEVEL = _thing(
    "RubricCriterionLevel",
    id=_IRI,
    name=_TEXT,
    level=_TEXT,
    points=_TEXT,
    description=_TEXT,
    alignment=_some(_ALIGNMENT),
)
_DESCRIPTION = _thing(
    "ResultDescription", id=_IRI, name=_TEXT, resultType=_TEXT, allowedValue=_some(_TEXT), requiredLevel=_IRI, requiredValue=_TEXT,
    rubricCriterionLevel=_some(_LEVEL), valueMin=_TEXT, valueMax=_TEXT, alignment=_some(_ALIGNMENT),
)  # fmt: skip
_RESULT = _thing(
    "Result",
    value=_TEXT,
    status=_TEXT,
    achievedLevel=_IRI,
    resultDescription=_IRI,
    alignment=_some(_ALIGNMENT),
)
_RELATED = _thing("Related", always={"id": _IRI}, inLanguage=_TEXT, version=_TEXT)
_CRITERIA = _thing("Criteria", id=_IRI, narrative=_TEXT) | st.fixed_dictionaries({"narrative": _TEXTS}) | _IRI


def _profile(inside: st.SearchStrategy[Any]) -> st.SearchStrategy[Document]:
    return _thing(
        "Profile", always={"id": _IRI}, name=_TEXT, url=_IRI, email=_TEXT, description=_TEXT, image=_IMAGE, address=_ADDRESS,
        otherIdentifier=_some(_IDENTIFIER), official=_TEXT, parentOrg=_IRI, endorsement=_some(inside, 2),
    )  # fmt: skip


def _endorsement(inside: st.SearchStrategy[Any]) -> st.SearchStrategy[Document]:
    """It has its own context, as in the published examples (A-078), and may itself be endorsed."""
    subject = _thing("EndorsementSubject", always={"id": _IRI}, endorsementComment=_TEXT)
    types = st.just(["VerifiableCredential", "EndorsementCredential"])
    always = {"id": _IRI, "type": types, "issuer": _profile(inside), "credentialSubject": subject}
    optional = {
        "@context": _CONTEXTS,
        "name": _TEXT,
        "validFrom": _WORDS,
        "awardedDate": _WORDS,
        "endorsement": _some(inside, 2),
    }
    return st.fixed_dictionaries(always, optional=optional)


_ENDORSEMENT = st.recursive(_IRI | _profile(_IRI), _endorsement, max_leaves=4)
_PROFILE = _profile(_ENDORSEMENT)
_ACHIEVEMENT = _thing(
    "Achievement", id=_IRI, name=_TEXT, description=_TEXT, criteria=_CRITERIA, image=_IMAGE, achievementType=_TEXT, creator=_PROFILE | _IRI,
    creditsAvailable=_NUMBER, fieldOfStudy=_TEXT, humanCode=_TEXT, inLanguage=_TEXT, version=_TEXT, specialization=_TEXT,
    tag=_some(_TEXT), alignment=_some(_ALIGNMENT), related=_some(_RELATED), resultDescription=_some(_DESCRIPTION),
    otherIdentifier=_some(_IDENTIFIER), endorsement=_some(_ENDORSEMENT, 2),
    endorsementJwt=st.lists(st.just("eyJhbGciOiJFZERTQSJ9.e30.c2ln"), max_size=2),
)  # fmt: skip
_SUBJECT = _thing(
    "AchievementSubject", id=_IRI, achievement=_ACHIEVEMENT, activityStartDate=_WORDS, activityEndDate=_WORDS, creditsEarned=_NUMBER,
    identifier=_some(_IDENTITY), image=_IMAGE, licenseNumber=_TEXT, narrative=_TEXT, result=_some(_RESULT, 5), role=_TEXT,
    source=_PROFILE, term=_TEXT,
)  # fmt: skip
_STATUS = st.fixed_dictionaries(
    {"type": st.just("BitstringStatusListEntry"), "statusListCredential": _IRI},
    optional={"id": _IRI, "statusPurpose": _WORDS, "statusListIndex": _WORDS},
)
_SCHEMA = st.fixed_dictionaries({"id": _IRI, "type": st.just("1EdTechJsonSchemaValidator2019")})
_DOCUMENTS = st.fixed_dictionaries(
    {
        "@context": _CONTEXTS,
        "type": st.just(["VerifiableCredential", "OpenBadgeCredential"]),
        "issuer": _PROFILE | _IRI,
        "credentialSubject": _SUBJECT,
    },
    optional={
        "id": st.uuids().map("https://badges.example/attributions/{}".format), "name": _TEXT, "description": _TEXT, "image": _IMAGE, "validFrom": _WORDS, "validUntil": _WORDS, "awardedDate": _WORDS,
        "evidence": _some(_EVIDENCE), "endorsement": _some(_ENDORSEMENT, 2), "credentialStatus": _some(_STATUS, 2),
        "credentialSchema": _some(_SCHEMA, 2),
    },
)  # fmt: skip


def _with_its_schema_type(document: Document) -> Document:
    """The type of a schema entry is defined only in the extensions context."""
    needed = [CONTEXT_EXTENSIONS] if document.get("credentialSchema") else []
    contexts = document["@context"]
    return document | {"@context": contexts + [url for url in needed if url not in contexts]}


OPEN_BADGES: st.SearchStrategy[Document] = _DOCUMENTS.map(_with_its_schema_type)


_ODD = st.one_of(
    _ODD_NUMBERS,
    _ODD_IRIS,
    _SPOKEN,
    st.lists(_TEXTS, max_size=2),
    st.sampled_from(
        [
            None,
            True,
            [],
            {},
            [None],
            [["a"]],
            {"@value": 1},
            {"@value": "a", "@type": "x:y"},
            {"@list": ["a"]},
        ]
    ),
    st.sampled_from(["a b", "", "fr_FR"]).map(lambda tag: {"@value": "mot", "@language": tag}),
    st.builds(lambda contexts: {"@context": contexts, "name": "mot"}, _CONTEXTS),
    st.just({"@context": {"name": "https://a.example/name"}, "name": "mot"}),
)
_ODD_MEMBERS = st.sampled_from(
    ["unheardOf", "id", "type", "@id", "@type", "@graph", "@included", "@index", "@nest", "schema:name", "https://a.example/b", "name",
     "AchievementSubject", "proof", "_sd", "https", ""]
)  # fmt: skip


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every member and item below this value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, item in inside for place in [(*path, key), *_places(item, (*path, key))]]


@st.composite
def spoilt_open_badges(draw: st.DrawFn) -> Document:
    """A document with one invalid value."""
    document = copy.deepcopy(draw(OPEN_BADGES))
    *parents, last = draw(st.sampled_from([place for place in _places(document) if place[0] != "@context"]))
    owner = document
    for key in parents:
        owner = owner[key]
    match draw(st.sampled_from(["put", "put", "add", "wrap", "remove"])):
        case "put":
            owner[last] = draw(_ODD)
        case "add" if isinstance(owner, dict):
            owner[draw(_ODD_MEMBERS)] = draw(_ODD)
        case "wrap":
            owner[last] = [owner[last]]
        case _:
            del owner[last]
    return document
