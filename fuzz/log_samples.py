"""What the fuzzer starts from for the activity log: a small signed tree with one award decided in it."""

from __future__ import annotations

from datetime import timedelta

from fuzz.samples import NOON
from sceau_credentials.evidence.documents import (
    Evidence,
    Leaf,
    LoggedEntry,
    check_evidence,
    commit,
    digest_of,
    disclosure,
    open_entry,
)
from sceau_credentials.keys import LocalSigningKey
from sceau_credentials.transparency_log.notes import (
    EntryProof,
    LeafHashes,
    Note,
    NoteKey,
    TreeHead,
    WitnessKey,
    cosign,
    inclusion_proof,
    root_of,
    sign,
)
from sceau_credentials.transparency_log.tiles import entry_bundle
from sceau_credentials.values import JsonObject

AWARD = "https://badges.exemple.fr/attributions/7"
_KEY = LocalSigningKey.from_seed(b"\x05" * 32)
LOG = NoteKey("badges.exemple.fr/campus/itip/journal", _KEY.public)
WITNESS = WitnessKey("temoin.exemple.fr", b"\x06" * 32)
_WORKSHOPS: list[JsonObject] = [{"activity": f"Atelier {at}"} for at in range(1, 6)]
_FACTS: list[JsonObject] = [*_WORKSHOPS, {"award": AWARD}]
_KEYS = [bytes([at]) * 32 for at in range(6)]
_LEAVES = [
    Leaf("award" if at == 5 else "participation", NOON - timedelta(days=6 - at), commit(facts, _KEYS[at]))
    for at, facts in enumerate(_FACTS)
]
_TREE = LeafHashes(leaf.hash() for leaf in _LEAVES)


def _note() -> Note:
    text = TreeHead(LOG.name, 6, root_of(_TREE, 6)).to_text()
    cosigned = cosign(text, WITNESS.name, WITNESS.key, at=NOON)
    return Note(text, (sign(text, LOG.name, _KEY), cosigned))


def _logged(index: int) -> LoggedEntry:
    return LoggedEntry(index, _LEAVES[index], tuple(inclusion_proof(_TREE, index, 6)))


def evidence() -> bytes:
    opening = open_entry(_FACTS[5], _KEYS[5], _FACTS[5].keys())
    document = Evidence(
        "https://badges.exemple.fr/contextes/preuves-v1.jsonld", f"{AWARD}/preuves", AWARD, _note(),
        _logged(5), opening, (_logged(0), _logged(3)),
    )  # fmt: skip
    encoded = document.to_bytes()
    check_evidence(encoded, digest=digest_of(encoded), award=AWARD, log=LOG)
    return encoded


def notes() -> list[bytes]:
    return [_note().to_text().encode()]


def proofs() -> list[bytes]:
    return [EntryProof(3, _logged(3).hashes, _note()).to_text().encode()]


def keys() -> list[bytes]:
    return [LOG.to_vkey().encode(), WITNESS.public.to_vkey().encode(), WITNESS.to_skey().encode()]


def bundles() -> list[bytes]:
    return [entry_bundle([leaf.to_bytes() for leaf in _LEAVES])]


def disclosures() -> list[bytes]:
    opening = open_entry(_FACTS[3], _KEYS[3], ["activity"])
    return [disclosure(digest_of(evidence()), {3: opening})]
