"""A witness's look at somebody else's log: it has only grown since the last look, or nothing is signed."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from app.credentials.errors import CredentialError, DocumentUnavailable, MalformedInput, ProofError
from app.credentials.transparency_log.checkpoints import TreeHead
from app.credentials.transparency_log.notes import Note, NoteKey, WitnessKey, cosign
from app.credentials.transparency_log.tiles import WIDTH, ReadTile, Tile, TiledTree
from app.credentials.transparency_log.tree import consistency_proof, is_consistent, root_of
from app.errors import AppError, Conflict, InvalidInput, Unavailable
from app.language import N_


class LogSource(Protocol):
    def read(self, path: str) -> bytes:
        """A file of the log, or DocumentUnavailable."""
        ...


class WitnessMemory(Protocol):
    def alone(self, origin: str) -> AbstractContextManager[None]: ...

    def last(self, origin: str) -> Note | None: ...

    def keep(self, origin: str, note: Note) -> None: ...

    def keep_refused(self, origin: str, note: Note) -> Path: ...


class ContradictsItself(Conflict):
    """The log signed two things that cannot both be; `kept` is the one that was refused."""


class FilesDoNotFit(Unavailable):
    """The files served are not those of the checkpoint: nothing is known of the log itself."""


@dataclass(frozen=True)
class Looked:
    """What was seen, and signed; `before` is the last look, None for the first one."""

    head: TreeHead
    before: TreeHead | None
    note: Note


def look(
    source: LogSource, log: NoteKey, memory: WitnessMemory, witness: WitnessKey, *, at: datetime
) -> Looked:
    """Check that the log grew out of what was seen before, remember it, then cosign; in that order."""
    note, head = _checkpoint_of(source, log)
    with memory.alone(head.origin):
        last = memory.last(head.origin)
        before = TreeHead.from_text(last.text) if last else None
        if before is not None and head.size < before.size:
            raise _contradiction(
                N_(
                    "REFUSÉ. Le journal {origin} a raccourci : {old} lignes signées avant, {new} maintenant. "
                    "Les deux points de contrôle signés sont gardés : {kept}"
                ),
                memory,
                before,
                head,
                note,
            )
        if not _has_grown(TiledTree(_tiles_of(source), head.size), before, head):
            raise _contradiction(
                N_(
                    "REFUSÉ. Le journal {origin} a deux histoires : à {old} lignes il n’est plus celui qui a été "
                    "signé. Les deux points de contrôle signés sont gardés : {kept}"
                ),
                memory,
                before or head,
                head,
                note,
            )
        memory.keep(head.origin, note)
    return Looked(head, before, note.with_signatures([cosign(note.text, witness.name, witness.key, at=at)]))


def _checkpoint_of(source: LogSource, log: NoteKey) -> tuple[Note, TreeHead]:
    try:
        note = Note.from_text(source.read("checkpoint").decode())
        signed, head = note.signed_by([log]), TreeHead.from_text(note.text)
    except DocumentUnavailable as error:
        raise Unavailable(N_("Le point de contrôle n’a pas pu être lu ({why})."), why=error.reason) from error
    except (MalformedInput, ProofError, UnicodeDecodeError) as error:
        raise InvalidInput(
            N_("Le point de contrôle ne se lit pas, ou sa signature n’est pas celle du journal.")
        ) from error
    if not signed or head.origin != log.name:
        raise InvalidInput(
            N_("Le point de contrôle n’est pas signé par la clé donnée : {name}."), name=log.name
        )
    return note, head


def _has_grown(tree: TiledTree, before: TreeHead | None, head: TreeHead) -> bool:
    """Raises FilesDoNotFit where the files served do not lead to the checkpoint, which says nothing of the log."""
    try:
        if root_of(tree, head.size) != head.root:
            raise FilesDoNotFit(
                N_("Les fichiers du journal ne mènent pas à son point de contrôle. Rien n’est signé.")
            )
        if before is None or before.size == 0:
            return True
        if before.size == head.size:
            return before.root == head.root
        proof = consistency_proof(tree, before.size, head.size)
    except DocumentUnavailable as error:
        raise FilesDoNotFit(
            N_("Il manque des fichiers du journal ({why}). Rien n’est signé."), why=error.reason
        ) from error
    except CredentialError as error:
        raise FilesDoNotFit(N_("Des fichiers du journal ne se lisent pas. Rien n’est signé.")) from error
    return is_consistent(before.size, head.size, proof, before.root, head.root)


def _tiles_of(source: LogSource) -> ReadTile:
    def read(tile: Tile) -> bytes:
        try:
            return source.read(tile.path)
        except DocumentUnavailable:
            if tile.width == WIDTH:
                raise
            # A mirror may have only the fuller tile that took its place (C2SP tlog-tiles).
            return source.read(Tile(tile.level, tile.index).path)

    return read


def _contradiction(
    sentence: str, memory: WitnessMemory, before: TreeHead, head: TreeHead, note: Note
) -> AppError:
    kept = memory.keep_refused(head.origin, note)
    return ContradictsItself(sentence, origin=head.origin, old=before.size, new=head.size, kept=kept)
