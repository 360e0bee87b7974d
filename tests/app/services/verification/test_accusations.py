"""The verifier answers any input, and reports as false only what it checked."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st

from app.cli import verify as command
from app.language import speaking
from app.services.verification import verdicts
from app.services.verification.answers import Answer
from app.services.verification.verdicts import HeadlineKind
from sceau_credentials.proofs.data_integrity import add_proof
from sceau_credentials.values import NoDocuments
from sceau_credentials.verification.answers import Policy
from sceau_credentials.verification.findings import Reason
from sceau_credentials.verification.report import CheckId, Outcome, Report, SignatureState, Verdict
from sceau_credentials.verification.run_checks import verify
from tests.sceau_credentials.verification.legacy.older_issuer import assertion, jws, signed_assertion
from tests.support.badges.credentials import DID_URL, JWKS_URL, LIST_URL, NOON, badge_document
from tests.support.badges.documents import Documents
from tests.support.badges.forgery import CAMPUS, EMBEDDED, SIGNED, token, with_proof
from tests.support.running.every import for_each
from tests.support.running.examples import examples

if TYPE_CHECKING:
    from tests.support.badges.hostile_badges import Hostile

K = HeadlineKind
_NOT_GENUINE = {"fr": "authentique", "en": "genuine"}


def headline_of(report: Report) -> HeadlineKind:
    """The headline, after checking that no message accuses without a check."""
    answer = Answer(report)
    for language, word in _NOT_GENUINE.items():
        with speaking(language):
            head = verdicts.headline(answer)
            lines = [
                f"{line.word} {line.sentence.text()} {line.beside.text() if line.beside else ''}"
                for line in verdicts.check_messages(report)
            ]
            assert all(lines)
            assert all(each.text() for each in verdicts.limits(answer))
            denied = f"non {word}" in head.title().lower() or f"not {word}" in head.title().lower()
            assert denied == (report.signature is SignatureState.FALSE), head.title()
            assert head.text()
    assert report.check(CheckId.READABLE).reason != Reason.VERIFIER_FAULT
    return verdicts.headline(answer).kind


def asked(presented: bytes | str, documents: Any = None) -> Report:
    return verify(presented, documents=documents or CAMPUS.documents(), at=NOON)


def hostile() -> list[Any]:
    """Imported here, as building some of them takes a second."""
    from tests.support.badges import hostile_badges

    return [
        each
        for family in ("TOKENS", "EMBEDDED_PROOFS", "CONTENTS", "LISTS", "KEY_DOCUMENTS", "PICTURES")
        for each in getattr(hostile_badges, family)
    ]


@for_each("hostile", hostile, ids=lambda each: each.name)
def test_hostile_input_is_not_reported_as_false_without_a_key(
    hostile: Hostile,
) -> None:
    report = asked(hostile.presented, NoDocuments())
    headline_of(report)
    assert report.signature is not SignatureState.FALSE or "did:key:" in str(hostile.presented)
    held: Any = CAMPUS.documents()
    for url, served in hostile.served.items():
        held = held.without(url) if served is None else held.with_({url: served})
    headline_of(asked(hostile.presented, held))


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(
        [
            "9999-12-31T23:59:59-14:00",
            "0001-01-01T00:00:00+14:00",
            "did:web:a.example",
            "javascript:x",
            "\u202e",
        ]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(each for name, item in inside for each in places(item, (*path, name)))]


CLAIMS = {"older": assertion(), "older signed": signed_assertion(), "embedded": EMBEDDED}
PLACES = [(name, path) for name, document in CLAIMS.items() for path in places(document) if path]


def changed(name: str, path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    document = copy.deepcopy(CLAIMS[name])
    owner: Any = document
    for part in path[:-1]:
        owner = owner[part]
    owner[path[-1]] = value
    return document


@settings(max_examples=examples(150), deadline=None)
@given(st.sampled_from(PLACES), json_values)
def test_any_value_in_any_member_is_not_reported_as_false_without_a_key(place: Any, value: Any) -> None:
    document = changed(*place, value)
    report = asked(json.dumps(document), NoDocuments())
    headline_of(report)
    assert report.verdict is not Verdict.VALID
    if place[0] == "embedded":
        unsigned = {member: item for member, item in document.items() if member != "proof"}
        headline_of(asked(token(claims=unsigned), NoDocuments()))
        headline_of(asked(json.dumps(document)))
    else:
        headline_of(asked(jws(document), NoDocuments()))


@settings(max_examples=examples(100), deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200))
def test_any_bytes_are_answered(presented: bytes | str) -> None:
    headline_of(asked(presented, NoDocuments()))


@settings(max_examples=examples(60), deadline=None)
@given(st.binary(max_size=60) | json_values.map(lambda value: json.dumps(value).encode()))
def test_any_response_of_the_issuer_s_server_is_read_and_never_makes_a_badge_false(served: bytes) -> None:
    documents = CAMPUS.documents(**{DID_URL: served, JWKS_URL: served})
    for presented in (SIGNED.embedded, SIGNED.token):
        report = asked(presented, documents)
        headline_of(report)
        assert report.signature in (SignatureState.NOT_YET_CHECKED, SignatureState.NOT_CHECKABLE)
    listed = asked(SIGNED.embedded, CAMPUS.documents(**{LIST_URL: served}))
    assert (headline_of(listed), listed.verdict) == (K.UNVERIFIABLE, Verdict.UNDETERMINED)


def without_sub() -> str:
    return token(claims={"sub": ...})


def with_milliseconds() -> str:
    return token(claims={"validFrom": "2026-06-30T12:00:00.417Z"})


def with_undefined_term_when_signed() -> str:
    """As signed by programs that omit terms that no context defines."""
    signed = add_proof(badge_document(), signer=CAMPUS.signer, created=NOON)
    return json.dumps(signed | {"nouveauMot": "x"})


def of_the_wrong_shape() -> str:
    document = badge_document()
    del document["validFrom"]
    return json.dumps(add_proof(document, signer=CAMPUS.signer, created=NOON))


NONE = NoDocuments()


@pytest.mark.parametrize(
    ("presented", "documents", "kind", "state"),
    [
        (without_sub(), None, K.SIGNED_NOT_CONFORMING, SignatureState.HOLDS_NOT_CONFORMANT),
        (without_sub(), NONE, K.UNVERIFIABLE, SignatureState.NOT_YET_CHECKED),
        (with_milliseconds(), None, K.UNKNOWN_ISSUER, SignatureState.HOLDS),
        (token(claims={"nbf": 1}), None, K.SIGNED_NOT_CONFORMING, SignatureState.HOLDS_NOT_CONFORMANT),
        (with_undefined_term_when_signed(), None, K.PARTLY_COVERED, SignatureState.HOLDS_NOT_CONFORMANT),
        (with_undefined_term_when_signed(), NONE, K.NOT_CONFORMING, SignatureState.NOT_YET_CHECKED),
        (of_the_wrong_shape(), None, K.SIGNED_NOT_CONFORMING, SignatureState.HOLDS_NOT_CONFORMANT),
        (of_the_wrong_shape(), NONE, K.NOT_CONFORMING, SignatureState.NOT_YET_CHECKED),
        (with_proof(cryptosuite=...), None, K.BAD_SIGNATURE, SignatureState.NOT_CHECKABLE),
        (with_proof(cryptosuite="x"), None, K.NOT_CHECKABLE, SignatureState.NOT_CHECKABLE),
        (json.dumps(EMBEDDED | {"name": "x"}), None, K.ALTERED, SignatureState.FALSE),
        (json.dumps(EMBEDDED | {"name": "x"}), NONE, K.UNVERIFIABLE, SignatureState.NOT_YET_CHECKED),
        (token(signature=b"x" * 64), None, K.ALTERED, SignatureState.FALSE),
        (json.dumps(badge_document()), None, K.UNSIGNED, SignatureState.NOT_CHECKABLE),
    ],
    ids=lambda value: value.value if isinstance(value, HeadlineKind) else "",
)
def test_headline_separates_false_malformed_and_unchecked(
    presented: str, documents: Any, kind: HeadlineKind, state: SignatureState
) -> None:
    report = asked(presented, documents)
    assert (headline_of(report), report.signature) == (kind, state)


def test_altered_file_is_distinguished_from_a_false_signature() -> None:
    address = "https://badges.example/fichier.pdf"
    document = badge_document() | {
        "evidence": [
            {"id": address, "type": ["Evidence"], "name": "x", "digestSRI": "sha256-" + "A" * 43 + "="}
        ]
    }
    document["@context"] = badge_document()["@context"]
    written = json.dumps(add_proof(document, signer=CAMPUS.signer, created=NOON))
    policy = Policy(resources={address: b"autre"})
    report = verify(written, documents=CAMPUS.documents(), at=NOON, policy=policy)
    assert report.check(CheckId.PROOF).outcome is Outcome.FAILED
    assert (headline_of(report), report.signature) == (K.OTHER_FILE, SignatureState.HOLDS_NOT_CONFORMANT)


class Broken(Documents):
    def fetch(self, url: str, *, accept: str = "application/json") -> Any:
        raise RuntimeError(url)


def test_internal_error_of_the_verifier_is_an_answer(caplog: pytest.LogCaptureFixture) -> None:
    report = asked(SIGNED.embedded, Broken())
    assert (report.verdict, report.check(CheckId.READABLE).reason) == (
        Verdict.UNDETERMINED,
        Reason.VERIFIER_FAULT,
    )
    assert verdicts.headline(Answer(report)).kind is K.UNREADABLE
    assert "verification failed" in caplog.text


def test_key_of_a_signed_but_malformed_badge_is_reported_as_found() -> None:
    lines = {line.check: line for line in verdicts.check_messages(asked(without_sub()))}
    assert lines[CheckId.KEY].state == "ok"
    assert lines[CheckId.PROOF].state == "bad"
    assert {line.state for check, line in lines.items() if check is not CheckId.KEY} <= {"bad", "unk", "shut"}


def test_command_answers_other_sources_after_one_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [tmp_path / f"{number}.json" for number in range(3)]
    for name in names:
        name.write_bytes(SIGNED.embedded)

    def broken(presented: bytes | str, **more: Any) -> Report:
        if next(counted) == 1:
            raise RuntimeError("x")
        return verify(presented, **more)

    counted = iter(range(9))
    monkeypatch.setattr(command, "check", broken)
    with pytest.raises(typer.Exit) as ended:
        command.verify([str(name) for name in names], as_json=True, offline=True)
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [each["verdict"] for each in answers] == ["undetermined", None, "undetermined"]
    assert ended.value.exit_code == 3
