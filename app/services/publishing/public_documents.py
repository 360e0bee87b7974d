"""The documents that programs read most, straight from their stored bytes."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from functools import lru_cache

import orjson

from app.db.publishing.published import PublishedStore, Standing, StoredKeys
from app.domain.awards.awards import DocumentsToAlign
from app.domain.core.clock import Clock
from app.domain.privacy.erasures import ERASED
from app.domain.publishing.addresses import Addresses
from app.errors import AppError, Gone, NotFound
from app.language import N_
from app.services.publishing.publication import FORMS, ClosedAward, Published
from app.services.publishing.status import ListAnchors
from sceau_credentials.dids import PublishedKey, did_document
from sceau_credentials.keys import VerificationKey
from sceau_credentials.values.json_text import dump_json


class PublicDocuments:
    """Each event loop reads through connections of its own: one that waits for those of another is never woken."""

    def __init__(
        self,
        make_store: Callable[[], PublishedStore],
        anchors: ListAnchors,
        addresses: Addresses,
        clock: Clock,
        check_shown: Callable[[uuid.UUID], Awaitable[None]],
    ) -> None:
        """`check_shown` raises where nothing may be shown of an award."""
        self.check_shown = check_shown
        self._make_store = make_store
        self.anchors = anchors
        self._stores: dict[asyncio.AbstractEventLoop, PublishedStore] = {}
        self.addresses = addresses
        self.clock = clock

    async def open(self) -> None:
        store = self._make_store()
        await store.open()
        self._stores[asyncio.get_running_loop()] = store

    async def close(self) -> None:
        await self._stores.pop(asyncio.get_running_loop()).close()

    @property
    def store(self) -> PublishedStore:
        return self._stores[asyncio.get_running_loop()]

    async def version(self) -> object:
        """Another value after every commit of anybody's; None where that cannot be told."""
        store = self._stores.get(asyncio.get_running_loop())
        return await store.version() if store else None

    async def award(self, award_id: uuid.UUID, form: str) -> Published:
        """The signed credential of an award that its holder opened, as `json` or `jwt`."""
        await self.check_shown(award_id)
        stored = await self.store.award(award_id, form)
        if stored is None:
            raise await self._not_shown(award_id)
        if not stored.is_aligned:
            raise DocumentsToAlign(award_id)
        return Published(stored.body, FORMS[form], stored.digest[:32])

    async def _not_shown(self, award_id: uuid.UUID) -> AppError:
        if await self.store.standing(award_id) is not None:
            return ClosedAward(
                N_("Cette page est fermée par son titulaire. Rien n’est dit de la valeur du badge.")
            )
        if await self.store.is_erased(award_id):
            return Gone(ERASED)
        return NotFound(N_("Il n’y a pas de badge à cette adresse."))

    async def standing(self, award_id: uuid.UUID) -> Standing | None:
        """Open or shut, withdrawn or not, as the rows say now; None where there is no such award."""
        await self.check_shown(award_id)
        return await self.store.standing(award_id)

    async def campus_did(self, slug: str) -> Published:
        """The campus's DID document, written anew only when one of its keys has changed."""
        stored = await self.store.keys_of(slug)
        if stored is None:
            raise NotFound(N_("Ce campus n’existe pas ici."))
        return _did_document(stored, self.addresses.campus(slug))

    async def definition(self, badge_id: uuid.UUID, number: int) -> Published:
        """A frozen version of a badge."""
        body = await self.store.definition(badge_id, number)
        if body is None:
            raise NotFound(N_("Cette version du badge n’existe pas."))
        return Published.of(body, "application/ld+json")

    async def status_list(self, list_id: uuid.UUID, form: str) -> Published | None:
        """The signed list as it lies; None when it is due to be signed again first."""
        stored = await self.store.status_list(list_id)
        anchored = self.anchors.list_of(list_id)
        if anchored is not None and anchored.is_newer_than(stored):
            # An older copy of the database was restored: what was withdrawn since stays withdrawn.
            return Published.of_list(anchored.signed, form)
        if stored is None:
            raise NotFound(N_("Cette liste de statuts n’existe pas ici."))
        return None if stored.is_due(at=self.clock()) else Published.of_list(stored, form)


@lru_cache(maxsize=256)
def _did_document(stored: StoredKeys, page: str) -> Published:
    keys = [
        PublishedKey(each.method_id, VerificationKey.from_jwk(orjson.loads(each.public_jwk)), each.revoked_at)
        for each in stored.keys
    ]
    return Published.of(
        dump_json(did_document(stored.did, keys, also_known_as=(page,))), "application/did+json"
    )
