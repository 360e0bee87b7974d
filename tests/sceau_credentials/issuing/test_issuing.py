"""A badge is issued only if it passes every lint and our own verifier; a faulty draft is never signed."""

from __future__ import annotations

import copy
import json
import uuid
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sceau_credentials import canonical
from sceau_credentials.errors import MalformedInput, NotFitToSign, SelfCheckFailed
from sceau_credentials.issuing import SignedCredential, draft, issue
from sceau_credentials.issuing.draft import Draft
from sceau_credentials.issuing.lints import LINTS, faults_of, wording
from sceau_credentials.issuing.signing import Issuing
from sceau_credentials.keys import Algorithm, LocalSigningKey, Signer, VerificationKey
from sceau_credentials.model import OpenBadgeCredential
from sceau_credentials.proofs.data_integrity import add_proof
from sceau_credentials.proofs.vc_jwt import sign_jwt
from sceau_credentials.values import NoDocuments, dump_json, format_timestamp
from sceau_credentials.verification.answers import Policy
from sceau_credentials.verification.report import Verdict
from sceau_credentials.verification.run_checks import verify
from tests.support.badges.credentials import HOST, LIST_URL, NOON, Campus, badge_document
from tests.support.running.every import for_each
from tests.support.running.examples import examples

CAMPUS = Campus()


def changed(path: str, value: Any) -> dict[str, Any]:
    """The badge with the member at this pointer set, or removed when `value` is `...`."""
    document = copy.deepcopy(badge_document())
    *steps, last = path.split("/")
    owner: Any = document
    for step in steps:
        owner = owner[int(step)] if step.isdigit() else owner[step]
    if value is ...:
        del owner[last]
    else:
        owner[last] = value
    return document


def faults(
    document: dict[str, Any], *, signer: Signer | None = None, jwt_signer: Signer | None = None
) -> set[str]:
    signers = {"signer": signer or CAMPUS.signer, "jwt_signer": jwt_signer or CAMPUS.jwt_signer}
    return set(faults_of(Draft(document, **signers, at=NOON)))


class CountingKey:
    """A signing key that counts how often it was used."""

    def __init__(self, key: LocalSigningKey) -> None:
        self._key = key
        self.used = 0

    @property
    def public(self) -> VerificationKey:
        return self._key.public

    def sign(self, message: bytes) -> bytes:
        self.used += 1
        return self._key.sign(message)


class ForgetfulKey(CountingKey):
    """A broken device: it signs, but with bits turned."""

    def sign(self, message: bytes) -> bytes:
        signature = super().sign(message)
        return signature[:-1] + bytes([signature[-1] ^ 1])


def test_there_are_at_least_forty_lints_each_with_its_own_name() -> None:
    assert len(LINTS) >= 40
    assert len({lint.__name__ for lint in LINTS}) == len(LINTS)


def test_a_good_badge_has_no_fault() -> None:
    assert faults(badge_document()) == set()


def test_characters_beyond_the_basic_plane_are_accepted_where_engines_sort_them_alike() -> None:
    document = badge_document()
    document["credentialSubject"]["achievement"]["tag"] = ["\U0001f600 \u2764\ufe0f", "\U0001f680", "robots"]
    assert faults(document) == set()


def test_both_forms_sign_the_same_document_deterministically() -> None:
    signed = CAMPUS.issue()
    embedded = json.loads(signed.embedded)
    assert {name: value for name, value in embedded.items() if name != "proof"} == badge_document()
    report = verify(signed.token, documents=CAMPUS.documents(), at=NOON)
    assert report.document == badge_document()
    assert CAMPUS.issue() == signed  # Ed25519 signs the same bytes in the same way


SUBJECT = "credentialSubject"
ACHIEVEMENT = "credentialSubject/achievement"

FAULTS: list[tuple[str, str, Any]] = [
    ("vocabularies_are_the_current_ones", "@context", ["https://www.w3.org/ns/credentials/v2"]),
    ("no_vocabulary_inside", "issuer/@context", ["https://www.w3.org/ns/credentials/v2"]),
    ("no_json_ld_keyword", f"{SUBJECT}/@id", "urn:uuid:1"),
    ("types_are_those_of_a_badge", "type", ["OpenBadgeCredential", "VerifiableCredential"]),
    ("id_is_unguessable", "id", f"{HOST}/attributions/17"),
    ("not_signed_before", "proof", {"type": "DataIntegrityProof"}),
    ("no_token_claim_among_the_members", "exp", 1),
    ("nothing_is_empty", f"{ACHIEVEMENT}/tag", []),
    ("nothing_is_empty", f"{SUBJECT}/role", None),
    ("depth_is_moderate", f"{SUBJECT}/role", [[[[[[[[[[[[[[[["x"]]]]]]]]]]]]]]]]),
    ("size_is_moderate", "description", "x" * 70_000),
    ("numbers_are_exact_everywhere", f"{SUBJECT}/creditsEarned", 2**53),
    ("numbers_are_exact_everywhere", f"{SUBJECT}/creditsEarned", 1e-7),
    ("json_reads_back_the_same", "name", "\ud800"),
    ("model_reads_it_back", f"{ACHIEVEMENT}/name", ...),
    ("every_word_is_signed", f"{ACHIEVEMENT}/mention", "très bien"),
    ("engines_sort_it_alike", f"{ACHIEVEMENT}/tag", ["\U0001f600", "\uff08"]),
    ("graph_is_small", f"{SUBJECT}/result", [{"type": ["Result"], "value": str(n)} for n in range(70)]),
    (
        "schemas_are_held",
        "credentialSchema",
        [{"id": "https://elsewhere.example/schema.json", "type": "1EdTechJsonSchemaValidator2019"}],
    ),
    (
        "no_retired_way_of_withdrawing",
        "credentialStatus",
        {"id": f"{HOST}/r", "type": "1EdTechRevocationList"},
    ),
    ("no_control_character", "name", "Robotique\x07"),
    ("no_character_that_turns_the_reading_round", "name", "Robotique \u202etuot ruop"),
    ("no_invisible_character", "name", "Robo\u200btique"),
    ("no_lone_surrogate", "name", "\udc00"),
    ("letters_are_composed", "name", "Atelie\u0301r"),
    ("names_are_plain_text", "name", "Robotique <script>alert(1)</script>"),
    ("names_are_plain_text", f"{SUBJECT}/identifier/0/identityHash", "Zoé <b>Lefèvre</b>"),
    ("names_hold_only_what_is_seen", f"{SUBJECT}/identifier/0/identityHash", "Zoé\u200d Lefèvre"),
    ("names_hold_only_what_is_seen", "evidence/0/name", "Atelier\u3164du lundi"),
    ("names_hold_only_what_is_seen", "issuer/name", "Cam\u00adpus"),
    ("names_are_one_line", "name", "Robotique\npour tous"),
    ("names_are_one_line", f"{SUBJECT}/identifier/0/identityHash", "Zoé\u2028Lefèvre"),
    ("names_are_short", "name", "x" * 301),
    ("passages_are_readable", "description", "x" * 20_001),
    ("links_are_absolute", f"{ACHIEVEMENT}/id", "badges/robotique"),
    ("links_have_a_known_scheme", "issuer/url", "javascript:alert(1)"),
    ("links_have_a_known_scheme", "evidence/0/id", "data:text/html,x"),
    ("links_have_a_known_scheme", "evidence/0/id", "mailto:zoe"),
    ("links_have_a_known_scheme", "evidence/0/id", "http://badges.example/1"),
    ("links_have_a_known_scheme", f"{ACHIEVEMENT}/alignment/0/targetUrl", "http://competences.example/1"),
    ("links_have_a_known_scheme", "issuer/url", "did:web:badges.example"),
    ("web_links_name_a_plain_host", "issuer/url", "https://badges.example@evil.example/"),
    ("web_links_name_a_plain_host", "issuer/url", "https://бadges.example/"),
    ("own_links_are_encrypted", "issuer/url", "http://badges.example/campus"),
    ("images_are_png_or_svg", f"{ACHIEVEMENT}/image/id", "data:image/gif;base64,R0lGODlh"),
    ("languages_are_tags", f"{ACHIEVEMENT}/inLanguage", "français (France)"),
    ("badge_has_a_name", "name", ...),
    ("achievement_has_an_address", f"{ACHIEVEMENT}/id", "did:web:badges.example"),
    ("criteria_are_stated", f"{ACHIEVEMENT}/criteria", {}),
    ("evidence_says_something", "evidence", [{"type": ["Evidence"], "genre": "atelier"}]),
    ("evidence_is_named_once", "evidence", [{"id": f"{HOST}/e", "type": ["Evidence"]}] * 2),
    ("results_belong_to_the_achievement", f"{SUBJECT}/result/0/resultDescription", f"{HOST}/else"),
    ("moments_are_whole_seconds_in_utc", "validFrom", "2026-06-30T14:00:00+02:00"),
    ("moments_are_whole_seconds_in_utc", "validUntil", "2029-06-30T12:00:00.500Z"),
    ("validity_has_begun", "validFrom", "2026-06-30T12:06:00Z"),
    ("validity_is_not_backdated", "validFrom", "2026-06-30T11:54:00Z"),
    ("validity_ends_after_it_begins", "validUntil", "2026-06-30T12:00:00Z"),
    ("validity_is_not_over", "validUntil", "2026-06-30T12:00:00Z"),
    ("award_is_not_in_the_future", "awardedDate", "2026-07-01T12:00:00Z"),
    ("activity_ends_after_it_begins", f"{SUBJECT}/activityEndDate", "2026-06-01T00:00:00Z"),
    ("holder_has_an_identifier", f"{SUBJECT}/id", ...),
    ("holder_is_no_address", f"{SUBJECT}/id", "mailto:zoe@campus.example"),
    ("no_mail_address_of_a_person", "evidence/0/narrative", "Écrire à zoe@campus.example."),
    (
        "no_guessable_identifier",
        f"{SUBJECT}/identifier/0/identityType",
        "emailAddress",
    ),
    ("hashed_identifiers_are_salted", f"{SUBJECT}/identifier/0/hashed", True),
    ("hashes_are_sha256", f"{SUBJECT}/identifier/0/hashed", True),
    ("status_is_one_entry", "credentialStatus", [badge_document()["credentialStatus"]]),
    ("status_is_a_bit_in_a_list", "credentialStatus/type", "StatusList2021Entry"),
    ("status_can_withdraw", "credentialStatus/statusPurpose", "message"),
    ("status_index_is_a_decimal_string", "credentialStatus/statusListIndex", 23),
    ("status_index_is_a_decimal_string", "credentialStatus/statusListIndex", "-1"),
    ("status_entry_is_not_named_like_its_list", "credentialStatus/id", LIST_URL),
    ("status_list_is_at_home", "credentialStatus/statusListCredential", "https://elsewhere.example/1"),
    ("issuer_is_named_in_full", "issuer", "did:web:badges.example:campus:itip"),
    ("keys_are_the_issuers", "issuer/id", "did:web:elsewhere.example"),
    ("public_halves_only", "issuer/secretKeyMultibase", "z3u2"),
]


@for_each(("lint", "path", "value"), FAULTS)
def test_each_lint_finds_its_fault(lint: str, path: str, value: Any) -> None:
    assert lint in faults(changed(path, value))


@pytest.mark.parametrize(("lint", "path", "value"), FAULTS)
def test_a_lint_finds_the_same_fault_without_cached_parts_and_when_asked_again(
    lint: str, path: str, value: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def found() -> dict[str, str]:
        signers = {"signer": CAMPUS.signer, "jwt_signer": CAMPUS.jwt_signer}
        return faults_of(Draft(changed(path, value), **signers, at=NOON))

    first = found()
    assert lint in first
    assert found() == first
    monkeypatch.setattr(draft, "_LONGEST_PART", 0)
    assert found() == first


def issuing(**changed: Any) -> Issuing:
    signers = {"signer": CAMPUS.signer, "jwt_signer": CAMPUS.jwt_signer, "at": NOON}
    return Issuing(**{**signers, **changed}, documents=CAMPUS.documents())


def refusal_of(document: dict[str, Any], **changed: Any) -> dict[str, str]:
    try:
        issuing(**changed).check(document)
    except NotFitToSign as refused:
        return dict(refused.faults)
    return {}


@for_each(("lint", "path", "value"), FAULTS)
def test_a_badge_without_fault_does_not_excuse_another(lint: str, path: str, value: Any) -> None:
    for _ in range(2):
        assert refusal_of(badge_document()) == {}
        assert lint in refusal_of(changed(path, value))


@settings(max_examples=examples(150), deadline=None)
@given(
    st.text(max_size=20),
    st.text(st.sampled_from("aé '.@<>\n\u202e\ue0001\ue001e\u0301"), max_size=12),
    st.sampled_from(
        [
            f"{HOST}/activites/5f0d4f86-76b3-4a5e-8a52-1a3f9a3c0002",
            f"{HOST}/activites/5f0d4f86-76b3-4a5e-8a52-1a3f9a3c0009",
            f"{HOST}/e",
        ]
    ),
    st.sampled_from(
        ["2026-06-30T12:00:00Z", "2026-06-30T12:04:00Z", "2026-06-30T12:07:00Z", "2026-06-30", ""]
    ),
)
def test_a_refusal_after_others_is_the_one_of_the_lints(
    name: str, narrative: str, evidence: str, begins: str
) -> None:
    assert refusal_of(badge_document()) == {}
    document = badge_document()
    document["credentialSubject"]["identifier"][0]["identityHash"] = name
    document["evidence"][0] |= {"narrative": narrative, "id": evidence}
    document["validFrom"] = begins
    signers = {"signer": CAMPUS.signer, "jwt_signer": CAMPUS.jwt_signer}
    found = faults_of(Draft(document, **signers, at=NOON))
    assert refusal_of(document) == found
    assert refusal_of(document) == found


def test_another_key_or_time_is_judged_again() -> None:
    assert refusal_of(badge_document()) == {}
    p256 = Signer(CAMPUS.signer.verification_method, LocalSigningKey.generate(Algorithm.ES256))
    assert "embedded_proof_is_ed25519" in refusal_of(badge_document(), signer=p256)
    assert "forms_use_methods_of_their_own" in refusal_of(badge_document(), jwt_signer=CAMPUS.signer)
    assert "validity_is_not_backdated" in refusal_of(badge_document(), at=NOON + timedelta(minutes=6))


def test_the_first_of_several_faults_is_named_in_the_order_of_the_document() -> None:
    document = badge_document()
    document["issuer"]["name"] = document["credentialSubject"]["achievement"]["name"] = "Robo\u200btique"
    document["evidence"][0]["name"] = document["evidence"][1]["name"] = "Robo\u200btique"
    lint = {"no_invisible_character", "names_hold_only_what_is_seen"}

    def place() -> set[str]:
        signers = {"signer": CAMPUS.signer, "jwt_signer": CAMPUS.jwt_signer}
        return {faults_of(Draft(document, **signers, at=NOON))[each] for each in lint}

    assert place() == {"/issuer/name"}
    document["issuer"]["name"] = "Campus"
    assert place() == {"/credentialSubject/achievement/name"}
    document["credentialSubject"]["achievement"]["name"] = "Robotique"
    assert place() == {"/evidence/0/name"}


def test_printable_characters_are_none_of_those_refused_everywhere() -> None:
    every = map(chr, range(0x110000))
    odd = [each for each in every if wording._ODD.match(each)]
    assert odd == [
        each
        for each in map(chr, range(0x110000))
        if wording._CONTROL.match(each)
        or wording._BIDI.match(each)
        or wording._INVISIBLE.match(each)
        or wording._SURROGATE.match(each)
    ]
    assert not any(each.isprintable() for each in odd)


@given(st.text(max_size=12), st.sampled_from(["https://", "http://", "https:", "HTTPS://"]))
def test_a_link_passes_the_fast_check_only_if_the_url_parser_accepts_it(rest: str, start: str) -> None:
    link = start + rest
    if wording._PLAIN_WEB_LINK.match(link):
        parts = urlsplit(link)
        assert parts.hostname
        assert parts.netloc.isascii()
        assert ("@" in parts.netloc, parts.port) == (False, None)


def test_the_campus_may_use_its_own_address_in_its_definitions() -> None:
    assert faults(changed(f"{ACHIEVEMENT}/criteria/narrative", "Écrire à contact@campus.example.")) == set()


def test_lints_on_keys_find_a_method_without_name_a_shared_one_and_a_wrong_kind() -> None:
    nameless = Signer(CAMPUS.did, CAMPUS.key)
    assert "methods_name_one_key" in faults(badge_document(), signer=nameless)
    assert "forms_use_methods_of_their_own" in faults(badge_document(), jwt_signer=CAMPUS.signer)
    p256 = Signer(CAMPUS.signer.verification_method, LocalSigningKey.generate(Algorithm.ES256))
    assert "embedded_proof_is_ed25519" in faults(badge_document(), signer=p256)


def test_a_weak_key_is_found_before_it_signs() -> None:
    class WeakKey(CountingKey):
        @property
        def public(self) -> Any:
            class SmallOrder:
                algorithm = Algorithm.EDDSA

                def to_jwk(self) -> dict[str, str]:
                    return {"kty": "OKP", "crv": "Ed25519", "x": "A" * 43}

            return SmallOrder()

    weak = Signer(CAMPUS.signer.verification_method, WeakKey(CAMPUS.key))
    assert "keys_are_fit_to_verify" in faults(badge_document(), signer=weak)


def test_every_lint_is_shown_to_find_something() -> None:
    shown = {lint for lint, _, _ in FAULTS} | {
        "methods_name_one_key",
        "forms_use_methods_of_their_own",
        "embedded_proof_is_ed25519",
        "keys_are_fit_to_verify",
    }
    assert {lint.__name__ for lint in LINTS} == shown


@settings(max_examples=examples(150), deadline=None)
@given(st.sampled_from(FAULTS))
def test_no_key_is_touched_when_a_lint_fails(fault: tuple[str, str, Any]) -> None:
    _, path, value = fault
    key = CountingKey(CAMPUS.key)
    try:
        credential = OpenBadgeCredential.from_document(changed(path, value))
    except MalformedInput:
        return  # the model already cannot hold it
    if not faults(credential.to_document()):
        return  # the model wrote it properly
    with pytest.raises(NotFitToSign) as refused:
        issue(
            credential,
            signer=Signer(CAMPUS.signer.verification_method, key),
            jwt_signer=Signer(CAMPUS.jwt_signer.verification_method, key),
            at=NOON,
        )
    assert refused.value.faults
    assert key.used == 0


@pytest.mark.parametrize("form", ["signer", "jwt_signer"])
def test_a_device_that_signs_wrongly_issues_nothing(form: str) -> None:
    signers = {"signer": CAMPUS.signer, "jwt_signer": CAMPUS.jwt_signer}
    signers[form] = Signer(signers[form].verification_method, ForgetfulKey(CAMPUS.key))
    with pytest.raises(SelfCheckFailed) as failed:
        issue(OpenBadgeCredential.from_document(badge_document()), **signers, at=NOON)
    assert failed.value.report.verdict is Verdict.INVALID


def test_a_key_that_the_campus_does_not_publish_issues_nothing() -> None:
    """I15: read back against the published document, not against our copy of it."""
    credential = OpenBadgeCredential.from_document(badge_document())
    for documents in (Campus().documents(), NoDocuments()):
        with pytest.raises(SelfCheckFailed):
            issue(
                credential,
                signer=CAMPUS.signer,
                jwt_signer=CAMPUS.jwt_signer,
                at=NOON,
                documents=documents,
            )
    issue(
        credential,
        signer=CAMPUS.signer,
        jwt_signer=CAMPUS.jwt_signer,
        at=NOON,
        documents=CAMPUS.documents(),
    )


def test_a_retired_key_no_longer_issues() -> None:
    campus = Campus()
    retired = Campus(key=campus.key)
    retired.published = [type(p)(p.id, p.key, revoked_at=NOON - timedelta(days=1)) for p in campus.published]
    with pytest.raises(SelfCheckFailed):
        issue(
            OpenBadgeCredential.from_document(badge_document()),
            signer=campus.signer,
            jwt_signer=campus.jwt_signer,
            at=NOON,
            documents=retired.documents(),
        )


def test_a_badge_can_be_issued_before_its_status_list_is_published() -> None:
    assert CAMPUS.issue().token


_NAMES = st.text(st.sampled_from("\"\\%'&é’ \U0001f9ff中_:.#/s0AZ\ue000\ue001"), min_size=1, max_size=20)


@settings(max_examples=examples(60), deadline=None)
@given(st.lists(st.tuples(_NAMES, st.integers(0, 240)), min_size=3, max_size=6))
def test_a_badge_issued_after_a_similar_one_has_the_bytes_of_a_first(people: list[tuple[str, int]]) -> None:
    """By a template, at any time: the bytes that the general path signs."""
    for number, (name, seconds) in enumerate(people):
        at = NOON + timedelta(seconds=seconds)
        document = badge_document()
        document["id"] = f"{HOST}/attributions/{uuid.UUID(int=number + 1, version=4)}"
        document["credentialSubject"]["identifier"][0]["identityHash"] = name
        document["validFrom"] = format_timestamp(at)
        try:
            signed = issuing(at=at).issue(document)
        except NotFitToSign:
            continue
        canonical._recent.clear()
        assert signed.embedded == dump_json(add_proof(document, signer=CAMPUS.signer, created=at))
        assert signed.token == sign_jwt(document, signer=CAMPUS.jwt_signer)


def test_the_report_on_the_second_form_equals_that_of_the_full_verifier() -> None:
    policy = Policy(check_status=False, remarks=False)
    for name in ("Zoé", "Naïma", "Yann"):
        document = changed("credentialSubject/identifier/0/identityHash", name)
        signed = issuing().issue(document)
        assert issuing().read_back(signed, document) == tuple(
            verify(form, documents=CAMPUS.documents(), at=NOON, policy=policy)
            for form in (signed.embedded, signed.token)
        )


def test_a_token_with_other_content_is_not_accepted_as_the_badge() -> None:
    document, other = (
        changed("credentialSubject/identifier/0/identityHash", name) for name in ("Zoé", "Yann")
    )
    one, another = issuing().issue(document), issuing().issue(other)
    with pytest.raises(SelfCheckFailed) as failed:
        issuing().read_back(SignedCredential(one.embedded, another.token), document)
    assert failed.value.report.form == "vc_jwt"
