"""A Merkle log that anyone can check: tree, proofs, signed checkpoints, tiles and cosignatures (RFC 9162,
C2SP).

Hashes are SHA-256, 32 bytes; an index counts leaves from 0, a size counts all of them. MalformedInput for
unreadable input, ProofError for a signature that does not hold, IndexError for an index beyond the tree.
"""

from sceau_credentials.transparency_log.checkpoints import EntryProof, TreeHead
from sceau_credentials.transparency_log.notes import (
    Note,
    NoteKey,
    NoteSignature,
    SignatureType,
    Signed,
    WitnessKey,
    cosign,
    sign,
)
from sceau_credentials.transparency_log.tiles import (
    Tile,
    TiledTree,
    TileFile,
    entries_in,
    entry_bundle,
    hashes_in,
    new_tiles,
    tiles_of,
    tiles_read,
)
from sceau_credentials.transparency_log.tree import (
    EMPTY_ROOT,
    HASH_BYTES,
    Frontier,
    InclusionProofs,
    LeafHashes,
    Nodes,
    consistency_proof,
    inclusion_proof,
    is_consistent,
    is_included,
    leaf_hash,
    node_hash,
    root_of,
)

__all__ = [
    "EMPTY_ROOT",
    "HASH_BYTES",
    "EntryProof",
    "Frontier",
    "InclusionProofs",
    "LeafHashes",
    "Nodes",
    "Note",
    "NoteKey",
    "NoteSignature",
    "SignatureType",
    "Signed",
    "Tile",
    "TileFile",
    "TiledTree",
    "TreeHead",
    "WitnessKey",
    "consistency_proof",
    "cosign",
    "entries_in",
    "entry_bundle",
    "hashes_in",
    "inclusion_proof",
    "is_consistent",
    "is_included",
    "leaf_hash",
    "new_tiles",
    "node_hash",
    "root_of",
    "sign",
    "tiles_of",
    "tiles_read",
]
