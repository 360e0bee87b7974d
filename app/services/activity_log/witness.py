"""Cosign another service's log, provided that it only grew since the last check."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

from app.errors import AppError, Conflict, InvalidInput, NotFound, Unavailable
from app.language import N_
from sceau_credentials.errors import CredentialError, DocumentUnavailable, MalformedInput, ProofError
from sceau_credentials.evidence.judging import FILE, LogKeys
from sceau_credentials.transparency_log.notes import (
    Note,
    NoteKey,
    TreeHead,
    WitnessKey,
    consistency_proof,
    cosign,
    is_consistent,
    root_of,
)
from sceau_credentials.transparency_log.tiles import TiledTree, tiles_read

_UNREADABLE: Final = N_("Le point de contrôle ne se lit pas, ou sa signature n’est pas celle du journal.")


class LogSource(Protocol):
    def read(self, path: str) -> bytes:
        """A file of the log; raises DocumentUnavailable."""
        ...


class WitnessMemory(Protocol):
    def alone(self, origin: str) -> AbstractContextManager[None]: ...

    def last(self, origin: str) -> Note | None: ...

    def keep(self, origin: str, note: Note) -> None: ...

    def keep_refused(self, origin: str, note: Note) -> Path: ...

    def keys(self, origin: str) -> list[NoteKey]:
        """The keys of the log that this witness followed, current last; empty before the first rotation."""
        ...

    def keep_keys(self, origin: str, keys: Sequence[NoteKey]) -> None: ...


class ContradictsItself(Conflict):
    """The log signed two contradictory checkpoints; `kept` is the rejected one."""


class KeyNotAnnounced(Conflict):
    """The log is signed by another key that the known key did not announce."""


class KeyGaveWay(Conflict):
    """The log is signed by a key that had already been replaced."""


class FilesDoNotFit(Unavailable):
    """The files served do not match the checkpoint: no conclusion about the log itself."""


@dataclass(frozen=True)
class WitnessReport:
    """What was checked and cosigned; `before`: the previous check, None for the first."""

    head: TreeHead
    before: TreeHead | None
    note: Note
    followed: Sequence[NoteKey]
    """Keys added since the previous check, each announced by its predecessor."""


def cosign_log(
    source: LogSource, log: NoteKey, memory: WitnessMemory, witness: WitnessKey, *, at: datetime
) -> WitnessReport:
    """Check that the log extends the tree seen before, store the new head, then cosign; in that order.

    `log` is the key that the campus gave. A later key is trusted if it was announced, or set by
    `change_key`; from then on earlier keys are rejected.
    """
    with memory.alone(log.name):
        trusted = _trusted(memory, log)
        note = _note_of(source)
        last = memory.last(log.name)
        before = TreeHead.from_text(last.text) if last else None
        followed = [] if _is_signed(note, trusted) else _followed(source, memory, trusted, note, before)
        head = _head_of(note, followed[-1] if followed else trusted)
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
        if not _has_grown(TiledTree(tiles_read(source.read), head.size), before, head):
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
        if followed:
            memory.keep_keys(head.origin, [*(memory.keys(head.origin) or [trusted]), *followed])
        memory.keep(head.origin, note)
    cosigned = note.with_signatures([cosign(note.text, witness.name, witness.key, at=at)])
    return WitnessReport(head, before, cosigned, followed)


def change_key(memory: WitnessMemory, key: NoteKey) -> None:
    """Set a key of the log confirmed out of band; the tree head seen before remains binding."""
    with memory.alone(key.name):
        if memory.last(key.name) is None:
            raise NotFound(
                N_("Ce témoin n’a encore rien vu du journal {origin} : « look » prend sa clé."),
                origin=key.name,
            )
        if key in memory.keys(key.name):
            raise Conflict(N_("Ce témoin connaît déjà cette clé ; une clé d’avant ne revient pas."))
        memory.keep_keys(key.name, [key])


def _trusted(memory: WitnessMemory, log: NoteKey) -> NoteKey:
    followed = memory.keys(log.name)
    if followed and log not in followed:
        raise InvalidInput(
            N_("Ce témoin suit déjà une autre clé de {name} : donnez celle-là, {key}."),
            name=log.name,
            key=followed[-1].to_vkey(),
        )
    return followed[-1] if followed else log


def _note_of(source: LogSource) -> Note:
    try:
        return Note.from_text(source.read("checkpoint").decode())
    except DocumentUnavailable as error:
        raise Unavailable(N_("Le point de contrôle n’a pas pu être lu ({why})."), why=error.reason) from error
    except (MalformedInput, UnicodeDecodeError) as error:
        raise InvalidInput(_UNREADABLE) from error


def _is_signed(note: Note, key: NoteKey) -> bool:
    try:
        return bool(note.signed_by([key]))
    except ProofError as error:
        raise InvalidInput(_UNREADABLE) from error


def _head_of(note: Note, key: NoteKey) -> TreeHead:
    try:
        head = TreeHead.from_text(note.text)
    except MalformedInput as error:
        raise InvalidInput(_UNREADABLE) from error
    if not _is_signed(note, key) or head.origin != key.name:
        raise _not_signed(key)
    return head


def _not_signed(key: NoteKey) -> AppError:
    return InvalidInput(N_("Le point de contrôle n’est pas signé par la clé donnée : {name}."), name=key.name)


def _followed(
    source: LogSource, memory: WitnessMemory, trusted: NoteKey, note: Note, before: TreeHead | None
) -> list[NoteKey]:
    """The keys from the trusted one to the signing one, each announced in a tree between the two heads."""
    try:
        published = LogKeys.from_bytes(source.read(FILE))
    except DocumentUnavailable as error:
        raise _not_signed(trusted) from error
    except CredentialError as error:
        raise InvalidInput(_UNREADABLE) from error
    followed: list[NoteKey] = []
    for term in published.announced_after(trusted):
        announced = term.announcement.head if term.announcement else None
        if announced is None or not _is_on_the_way(source, before, announced, _head_of_any(note)):
            break
        followed.append(term.key)
        if _is_signed(note, term.key):
            return followed
    newest = published.signed(note) if published.origin == trusted.name else None
    if newest is None or newest.key == trusted:
        raise _not_signed(trusted)
    if newest.key in memory.keys(trusted.name):
        raise KeyGaveWay(
            N_(
                "REFUSÉ. Le journal {origin} est signé par une clé d’avant, qui avait cédé sa place : quelqu’un "
                "d’autre s’en sert peut-être. Ce qui a été refusé est gardé : {kept}"
            ),
            origin=trusted.name,
            kept=memory.keep_refused(trusted.name, note),
        )
    raise KeyNotAnnounced(
        N_(
            "REFUSÉ. Le journal {origin} est signé par une autre clé, que celle d’avant n’a pas annoncée : {key}. "
            "Demandez au campus, par un autre chemin, si c’est la sienne ; alors « sceau witness change-key ». "
            "Ce qui a été refusé est gardé : {kept}"
        ),
        origin=trusted.name,
        key=newest.key.to_vkey(),
        kept=memory.keep_refused(trusted.name, note),
    )


def _head_of_any(note: Note) -> TreeHead:
    try:
        return TreeHead.from_text(note.text)
    except MalformedInput as error:
        raise InvalidInput(_UNREADABLE) from error


def _is_on_the_way(source: LogSource, before: TreeHead | None, announced: TreeHead, head: TreeHead) -> bool:
    """Whether the announcing tree lies between the last seen head and the current one."""
    if announced.size > head.size or (before is not None and before.size > announced.size):
        return False
    tree = TiledTree(tiles_read(source.read), head.size)
    return _has_grown(tree, announced, head) and _has_grown(tree, before, head)


def _has_grown(tree: TiledTree, before: TreeHead | None, head: TreeHead) -> bool:
    """Raises FilesDoNotFit if the files do not lead to the checkpoint, which proves nothing about the log."""
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


def _contradiction(
    sentence: str, memory: WitnessMemory, before: TreeHead, head: TreeHead, note: Note
) -> AppError:
    kept = memory.keep_refused(head.origin, note)
    return ContradictsItself(sentence, origin=head.origin, old=before.size, new=head.size, kept=kept)
