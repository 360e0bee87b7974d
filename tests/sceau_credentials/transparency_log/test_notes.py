"""Signed notes and checkpoints: parsed strictly, accepted only by their signatures."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sceau_credentials.errors import CredentialError, MalformedInput, ProofError
from sceau_credentials.keys import Algorithm, LocalSigningKey
from sceau_credentials.transparency_log.notes import (
    EMPTY_ROOT,
    EntryProof,
    LeafHashes,
    Note,
    NoteKey,
    SignatureType,
    TreeHead,
    cosign,
    decoded_hashes,
    inclusion_proof,
    leaf_hash,
    root_of,
    sign,
    signatures_in,
)

# The example of the note package of Go's module mirror, from which the specification was written.
PUBLISHED_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PUBLISHED_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
LOG, WITNESS = (LocalSigningKey.generate(Algorithm.EDDSA) for _ in range(2))
LOG_KEY = NoteKey("badges.example/campus/itip/journal", LOG.public)
WITNESS_KEY = NoteKey("temoin.example", WITNESS.public, SignatureType.COSIGNATURE)
TREE = LeafHashes(leaf_hash(bytes([number])) for number in range(11))
HEAD = TreeHead(LOG_KEY.name, 11, root_of(TREE, 11))


def checkpoint() -> Note:
    text = HEAD.to_text()
    return Note(text, (sign(text, LOG_KEY.name, LOG), cosign(text, WITNESS_KEY.name, WITNESS, at=NOON)))


def test_a_published_note_is_read_and_its_signature_verifies() -> None:
    key, note = NoteKey.from_vkey(PUBLISHED_KEY), Note.from_text(PUBLISHED_NOTE)
    assert [signed.key for signed in note.signed_by([key])] == [key]
    assert (key.to_vkey(), note.to_text()) == (PUBLISHED_KEY, PUBLISHED_NOTE)


def test_a_checkpoint_names_its_signers_and_when_the_witness_saw_it() -> None:
    note = Note.from_text(checkpoint().to_text())
    assert [(signed.key, signed.at) for signed in note.signed_by([LOG_KEY, WITNESS_KEY])] == [
        (LOG_KEY, None),
        (WITNESS_KEY, NOON),
    ]
    assert TreeHead.from_text(note.text) == HEAD


def test_another_key_under_the_name_of_the_log_is_not_the_log() -> None:
    stranger = LocalSigningKey.generate(Algorithm.EDDSA)
    text = HEAD.to_text()
    note = Note(text, (sign(text, LOG_KEY.name, stranger),))
    assert note.signed_by([LOG_KEY]) == []


def test_one_wrong_signature_of_a_known_key_invalidates_the_note() -> None:
    note = checkpoint()
    forged = Note(note.text.replace("\n11\n", "\n12\n"), note.signatures)
    with pytest.raises(ProofError, match="bad_note_signature"):
        forged.signed_by([LOG_KEY])
    with pytest.raises(ProofError, match="bad_note_signature"):
        forged.signed_by([WITNESS_KEY])


def test_the_time_of_a_witness_cannot_be_changed() -> None:
    note = checkpoint()
    cosignature = note.signatures[1]
    later = (int.from_bytes(cosignature.signature[:8], "big") + 60).to_bytes(8, "big")
    moved = type(cosignature)(cosignature.name, cosignature.key_id, later + cosignature.signature[8:])
    with pytest.raises(ProofError, match="bad_note_signature"):
        Note(note.text, (moved,)).signed_by([WITNESS_KEY])


@pytest.mark.parametrize("seconds", [b"\xff" * 8, b"\x7f" + b"\xff" * 7])
def test_an_impossible_time_is_refused(seconds: bytes) -> None:
    text, value = HEAD.to_text(), int.from_bytes(seconds, "big")
    signature = WITNESS.sign(f"cosignature/v1\ntime {value}\n{text}".encode())
    line = type(checkpoint().signatures[0])(WITNESS_KEY.name, WITNESS_KEY.id, seconds + signature)
    with pytest.raises(ProofError, match="bad_note_signature"):
        Note(text, (line,)).signed_by([WITNESS_KEY])


def test_a_cosignature_is_not_a_signature_of_the_log() -> None:
    as_witness = NoteKey(WITNESS_KEY.name, WITNESS.public)
    assert checkpoint().signed_by([as_witness]) == []


def test_a_repeated_line_is_stored_once() -> None:
    note = checkpoint()
    assert note.with_signatures(note.signatures) == note


@pytest.mark.parametrize(
    "spoilt",
    [
        "",
        "text\n",
        "text\n\n",
        "text\n\n- name AAAAAAAA\n",
        "text\n\n— name AAAA\n",
        "text\n\n— name AAAAAA==\n",
        "text\n\n— name AAAAAAB\n",
        "text\n\n— na+me AAAAAAAAAAA=\n",
        "text\n\n— name AAAAAAAAAAA=",
        "te\txt\n\n— name AAAAAAAAAAA=\n",
        "text\n\n" + "— name AAAAAAAAAAA=\n" * 65,
        "x" * 65_537,
    ],
)
def test_an_invalid_note_is_refused(spoilt: str) -> None:
    with pytest.raises(MalformedInput, match="malformed_note"):
        Note.from_text(spoilt)


def test_at_least_sixteen_signatures_are_read() -> None:
    line = checkpoint().signatures[0].to_line()
    assert len(signatures_in(line * 16)) == 16


@pytest.mark.parametrize(
    "spoilt",
    [
        "",
        "name",
        "name+00000000",
        PUBLISHED_KEY.replace("c74f20a3", "c74f20a4"),
        PUBLISHED_KEY[:-4],
        PUBLISHED_KEY.replace("+AR", "+Aw"),
    ],
)
def test_an_invalid_key_line_is_refused(spoilt: str) -> None:
    with pytest.raises(MalformedInput, match="malformed_vkey"):
        NoteKey.from_vkey(spoilt)


def test_only_ed25519_signs_notes() -> None:
    with pytest.raises(CredentialError, match="unsupported_key"):
        NoteKey("name", LocalSigningKey.generate(Algorithm.ES256).public)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "origin\n11\n",
        "origin\n011\n" + "A" * 43 + "=\n",
        "origin\n-1\n" + "A" * 43 + "=\n",
        "origin\n11\n" + "A" * 43 + "=",
        "origin\n11\n" + "A" * 40 + "\n",
        "\n11\n" + "A" * 43 + "=\n",
        "origin\n11\n" + "A" * 43 + "=\n\n",
        "origin\n0\n" + "A" * 43 + "=\n",
        "origin\n11\n" + "A" * 42 + "B=\n",
    ],
)
def test_an_invalid_tree_head_is_refused(text: str) -> None:
    with pytest.raises(MalformedInput):
        TreeHead.from_text(text)


def test_the_empty_log_has_a_head_and_unknown_lines_are_ignored() -> None:
    head = TreeHead("origin", 0, EMPTY_ROOT)
    assert TreeHead.from_text(head.to_text() + "more\n") == head


def test_a_proof_file_proves_its_entry_and_no_other() -> None:
    proof = EntryProof(4, tuple(inclusion_proof(TREE, 4, 11)), checkpoint())
    read = EntryProof.from_text(proof.to_text())
    assert read == proof
    assert read.head == HEAD
    assert read.holds_for(TREE.node(0, 4))
    assert not read.holds_for(TREE.node(0, 5))


def test_a_proof_file_with_extra_data_is_read_without_it() -> None:
    proof = EntryProof(4, tuple(inclusion_proof(TREE, 4, 11)), checkpoint())
    with_more = proof.to_text().replace("@v1\n", "@v1\nextra AAAA\n")
    assert EntryProof.from_text(with_more) == proof


@pytest.mark.parametrize(
    ("old", "new"),
    [("@v1", "@v2"), ("index 4", "index 04"), ("index 4", "at 4"), ("index 4\n", ""), ("\n\n", "\n")],
)
def test_an_invalid_proof_file_is_refused(old: str, new: str) -> None:
    text = EntryProof(4, tuple(inclusion_proof(TREE, 4, 11)), checkpoint()).to_text()
    with pytest.raises(MalformedInput):
        EntryProof.from_text(text.replace(old, new))


def test_more_hashes_than_any_tree_needs_are_refused() -> None:
    text = EntryProof(4, (b"\x00" * 32,) * 64, checkpoint()).to_text()
    with pytest.raises(MalformedInput, match="malformed_tlog_proof"):
        EntryProof.from_text(text)


def test_a_hash_has_thirty_two_bytes() -> None:
    with pytest.raises(MalformedInput, match="malformed_hash"):
        decoded_hashes(["AAAA"])


@given(st.text())
def test_any_note_or_proof_is_read_or_refused_by_name(text: str) -> None:
    for read in (Note.from_text, EntryProof.from_text, TreeHead.from_text, NoteKey.from_vkey):
        try:
            read(text)
        except CredentialError:
            continue
        assert read in (Note.from_text, TreeHead.from_text)


@given(st.data())
def test_one_letter_changed_in_a_checkpoint_is_never_accepted(data: st.DataObject) -> None:
    written = checkpoint().to_text()
    at = data.draw(st.integers(0, len(written) - 1))
    letter = data.draw(st.characters(codec="utf-8").filter(lambda sign: sign != written[at]))
    try:
        note = Note.from_text(written[:at] + letter + written[at + 1 :])
        believed = {signed.key for signed in note.signed_by([LOG_KEY, WITNESS_KEY])}
    except CredentialError:
        return
    assert note.text == HEAD.to_text()
    assert len(believed) < 2
