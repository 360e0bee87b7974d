"""The evidence document: it proves what the log contained before the award, and any change in it is detected."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sceau_credentials.errors import CredentialError, MalformedInput, ProofError
from sceau_credentials.evidence.documents import (
    Evidence,
    Leaf,
    LoggedEntry,
    check_evidence,
    commit,
    digest_of,
    disclosed,
    disclosure,
    open_entry,
)
from sceau_credentials.keys import Algorithm, LocalSigningKey
from sceau_credentials.transparency_log.notes import (
    LeafHashes,
    Note,
    NoteKey,
    SignatureType,
    TreeHead,
    cosign,
    inclusion_proof,
    root_of,
    sign,
)

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
AWARD = "https://badges.example/attributions/7"
LOG, WITNESS = (LocalSigningKey.generate(Algorithm.EDDSA) for _ in range(2))
LOG_KEY = NoteKey("badges.example/campus/itip/journal", LOG.public)
WITNESS_KEY = NoteKey("temoin.example", WITNESS.public, SignatureType.COSIGNATURE)
PAYLOADS = [{"activity": f"Atelier {at}", "minutes": 60 * at, "person": "p-17"} for at in range(1, 6)]
DECISION = {"award": AWARD, "badge": "https://badges.example/badges/1/v1"}
KEYS = [bytes([at]) * 32 for at in range(6)]
LEAVES = [
    *(
        Leaf("participation", NOON - timedelta(days=9 - at), commit(p, KEYS[at]))
        for at, p in enumerate(PAYLOADS)
    ),
    Leaf("award", NOON, commit(DECISION, KEYS[5])),
]
TREE = LeafHashes(leaf.hash() for leaf in LEAVES)


def logged(index: int) -> LoggedEntry:
    return LoggedEntry(index, LEAVES[index], tuple(inclusion_proof(TREE, index, 6)))


def evidence(entries: tuple[int, ...] = (0, 2, 4), *, signer: LocalSigningKey = LOG) -> Evidence:
    text = TreeHead(LOG_KEY.name, 6, root_of(TREE, 6)).to_text()
    signatures = (sign(text, LOG_KEY.name, signer), cosign(text, WITNESS_KEY.name, WITNESS, at=NOON))
    return Evidence(
        "https://badges.example/contextes/preuves-v1.jsonld",
        f"{AWARD}/preuves.json",
        AWARD,
        Note(text, signatures),
        logged(5),
        open_entry(DECISION, KEYS[5], DECISION),
        tuple(map(logged, entries)),
    )


ENCODED = evidence().to_bytes()


def test_genuine_evidence_states_when_the_award_was_decided_and_which_witness_saw_the_log() -> None:
    proved = check_evidence(
        ENCODED, digest=digest_of(ENCODED), award=AWARD, log=LOG_KEY, witnesses=[WITNESS_KEY]
    )
    assert proved.decided_at == NOON
    assert proved.decided == DECISION
    assert proved.witnessed == [("temoin.example", NOON)]
    assert [entry.index for entry in proved.evidence.entries] == [0, 2, 4]
    assert Evidence.from_bytes(ENCODED) == evidence()


def refused(encoded: bytes, *, digest: str | None = None, award: str = AWARD) -> str:
    with pytest.raises(ProofError) as error:
        check_evidence(encoded, digest=digest or digest_of(encoded), award=award, log=LOG_KEY)
    return error.value.reason


def test_a_document_other_than_the_one_the_credential_names_is_refused() -> None:
    assert refused(ENCODED, digest=digest_of(b"another")) == "evidence_digest_differs"


def test_a_checkpoint_that_another_key_signed_is_refused() -> None:
    stranger = LocalSigningKey.generate(Algorithm.EDDSA)
    assert refused(evidence(signer=stranger).to_bytes()) == "checkpoint_not_of_the_log"


def test_the_checkpoint_of_another_log_of_the_same_key_is_refused() -> None:
    genuine = evidence()
    text = genuine.checkpoint.text.replace("itip", "autre")
    moved = Evidence(**{**vars(genuine), "checkpoint": Note(text, (sign(text, LOG_KEY.name, LOG),))})
    assert refused(moved.to_bytes()) == "checkpoint_not_of_the_log"


def test_an_entry_that_the_log_does_not_contain_is_refused() -> None:
    genuine = evidence()
    false = LoggedEntry(0, LEAVES[1], genuine.entries[0].hashes)
    assert refused(Evidence(**{**vars(genuine), "entries": (false,)}).to_bytes()) == "entry_not_in_the_log"


def test_evidence_logged_after_the_decision_does_not_count() -> None:
    genuine = evidence()
    earlier = Evidence(
        **{
            **vars(genuine),
            "decision": logged(2),
            "opening": open_entry(PAYLOADS[2], KEYS[2], {"minutes"}),
            "entries": (logged(4),),
        }
    )
    assert refused(earlier.to_bytes()) == "entry_after_the_decision"


def test_the_evidence_of_one_award_is_refused_for_another() -> None:
    assert refused(ENCODED, award="https://badges.example/attributions/8") == "decision_about_another_award"
    genuine = evidence()
    borrowed = Evidence(**{**vars(genuine), "award": "https://badges.example/attributions/8"})
    assert (
        refused(borrowed.to_bytes(), award="https://badges.example/attributions/8")
        == "decision_about_another_award"
    )


@given(st.integers(0, len(ENCODED) - 1), st.integers(1, 255))
def test_any_changed_byte_is_detected_even_with_an_adapted_digest(at: int, change: int) -> None:
    """Only the URLs of the document itself and of its context are proved by the digest alone."""
    changed = ENCODED[:at] + bytes([ENCODED[at] ^ change]) + ENCODED[at + 1 :]
    with pytest.raises(CredentialError):
        check_evidence(changed, digest=digest_of(ENCODED), award=AWARD, log=LOG_KEY)
    try:
        proved = check_evidence(
            changed, digest=digest_of(changed), award=AWARD, log=LOG_KEY, witnesses=[WITNESS_KEY]
        )
    except CredentialError:
        return
    genuine = evidence()
    assert proved.evidence.decision == genuine.decision
    assert proved.evidence.entries == genuine.entries
    assert proved.decided.keys() <= DECISION.keys()
    assert proved.evidence.checkpoint.text == genuine.checkpoint.text


def test_the_learner_discloses_all_of_one_entry_a_summary_of_another_and_nothing_of_the_third() -> None:
    digest = digest_of(ENCODED)
    shown = disclosure(
        digest,
        {0: open_entry(PAYLOADS[0], KEYS[0], PAYLOADS[0]), 2: open_entry(PAYLOADS[2], KEYS[2], {"minutes"})},
    )
    assert b"Atelier 3" not in shown
    assert disclosed(shown, evidence(), digest=digest) == {0: PAYLOADS[0], 2: {"minutes": 180}}


def test_an_invented_or_unrelated_disclosure_is_refused() -> None:
    digest = digest_of(ENCODED)
    of_another = disclosure(digest, {1: open_entry(PAYLOADS[1], KEYS[1], {"minutes"})})
    with pytest.raises(ProofError, match="disclosure_of_other_evidence"):
        disclosed(of_another, evidence(), digest=digest)
    with pytest.raises(ProofError, match="disclosure_of_other_evidence"):
        disclosed(disclosure("uother", {}), evidence(), digest=digest)
    better = open_entry({**PAYLOADS[0], "minutes": 6000}, KEYS[0], {"minutes"})
    with pytest.raises(ProofError, match="opening_does_not_fit"):
        disclosed(disclosure(digest, {0: better}), evidence(), digest=digest)


def test_a_leaf_is_its_canonical_json_with_only_kind_minute_and_commitment() -> None:
    leaf = Leaf("participation", NOON.replace(second=41), bytes(32))
    assert json.loads(leaf.to_bytes()) == leaf.to_document()
    assert leaf.to_bytes() == json.dumps(leaf.to_document(), sort_keys=True, separators=(",", ":")).encode()
    assert leaf.to_document()["at"] == "2026-11-25T12:00Z"


@pytest.mark.parametrize(
    "change",
    [{"v": 2}, {"v": True}, {"at": "2026-13-01T00:00Z"}, {"at": "2026-11-25T12:00:00Z"}, {"kind": "Award"},
     {"commitment": "AA"}, {"commitment": 1}, {"more": 1}],
    ids=range(8),
)  # fmt: skip
def test_an_invalid_leaf_is_refused(change: dict) -> None:  # type: ignore[type-arg]
    with pytest.raises(MalformedInput):
        Leaf.from_document({**LEAVES[0].to_document(), **change})


@given(st.binary(max_size=200) | st.sampled_from([b"{}", b"[]", b"null"]))
def test_any_other_input_is_refused_by_name(encoded: bytes) -> None:
    with pytest.raises(CredentialError):
        Evidence.from_bytes(encoded)
    with pytest.raises(CredentialError):
        disclosed(encoded, evidence(), digest="u")
