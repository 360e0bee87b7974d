"""An employer asks for a badge, its holder answers once: from a wallet (OpenID4VP 1.0) or from their page here."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final
from urllib.parse import urlencode

from app.adapters.secrets import KeyVault
from app.db.awards import AwardRecord, AwardStore
from app.db.campus import CampusStore, HistoryStore
from app.db.learners.wallets import PresentationStore
from app.domain.accounts.sessions import digest_of
from app.domain.awards import AwardState, is_suspended
from app.domain.campus.audit_log import Actor, HistoryEntry
from app.domain.core import Clock, name_as_signed
from app.domain.learners.presentations import (
    REQUEST_TYPE,
    SCHEME,
    SD_JWT_QUERY,
    VP_FORMATS,
    WALLET_AUDIENCE,
    AskedFor,
    Attestation,
    BadgeWish,
    PresentationRefused,
    PresentationRequest,
    RequestState,
    checked_wallet_nonce,
    client_id,
    dcql_query,
    decrypt_answer,
    is_bound_to_holder,
    matches,
    new_request,
    presentation_in,
    presented,
    reference_of,
    request_signer,
    response_jwk,
)
from app.domain.publishing import Addresses
from app.domain.trust.organisations import Organisation, organisation_in
from app.errors import Conflict, Gone, NotFound
from app.language import N_
from app.language import gettext as _
from app.services.awards.awards import AwardService
from app.services.trust.organisations import OrganisationService
from app.services.verification.answers import Answer
from app.services.verification.verdicts import claims_of
from app.services.verification.verification import VerificationService
from sceau_credentials.proofs.vc_jwt import sign_claims
from sceau_credentials.values import JsonObject, dump_json, parse_json_object
from sceau_credentials.verification.report import Verdict

SHOWN: Final = "show_on_request"
_NOUN: Final = "presentation"
"""Entries of one award that its holder reads, and no campus: they belong to no campus."""
_NOBODY: Final = N_("Cette demande n’existe pas, ou n’existe plus : une demande vaut dix minutes.")
_OVER: Final = N_("Cette demande a déjà sa réponse, ou ses dix minutes sont passées.")


class Possession(StrEnum):
    """How it is known that who answered holds the badge."""

    WALLET = "wallet"
    """The key to which the issuer bound the credential signed the answer."""
    PERSON = "person"
    """The holder answered from their own page here."""
    UNBOUND = "unbound"
    """The file is bound to no key: any copy can be presented."""


@dataclass(frozen=True)
class NewRequest:
    """`asker`: the secret of the page that waits."""

    asker: str

    @property
    def reference(self) -> str:
        """The secret of the link for the candidate; it does not lead back to the page."""
        return reference_of(self.asker)


@dataclass(frozen=True)
class RequestView:
    """A request as one of its two sides sees it. The answer, an award of this service or a credential, is for who
    asked."""

    wish: BadgeWish
    state: RequestState
    expires_at: datetime
    is_over: bool
    """It takes no answer any more."""
    award_id: uuid.UUID | None = None
    credential: str = ""
    possession: Possession | None = None


@dataclass(frozen=True)
class CheckedAnswer:
    """An answer that is right in all but one: whether another came first. `award_id`: of a badge that
    the one who answers holds, by proof, so that the holder reads of it later."""

    row_id: uuid.UUID
    content: JsonObject
    award_id: uuid.UUID | None = None


@dataclass(frozen=True, eq=False)
class PresentationService:
    store: PresentationStore
    awards: AwardStore
    award_service: AwardService
    verification: VerificationService
    campuses: CampusStore
    organisations: OrganisationService
    history: HistoryStore
    vault: KeyVault
    addresses: Addresses
    secret: bytes
    clock: Clock

    # --- who asks

    def organisation(self, desk_token: str) -> Organisation | None:
        """Who has the link to an organisation's desk reads mail at its domain; None at a public mail provider."""
        found = self.organisations.get(organisation_in(self.secret, desk_token, at=self.clock()))
        return None if found.is_personal else found

    def ask(self, wish: BadgeWish) -> NewRequest:
        at = self.clock()
        self.store.sweep(at=at)
        asked, made = new_request(wish, at=at), NewRequest(secrets.token_urlsafe(24))
        self.store.add(
            PresentationRequest(
                id=asked.id,
                asker_digest=digest_of(made.asker),
                reference_digest=digest_of(made.reference),
                sealed=self.vault.seal_bytes(asked.to_bytes(), _bound(asked.id, "question")),
                expires_at=asked.expires_at,
            )
        )
        return made

    def wish(
        self,
        *,
        asker: str,
        purpose: str,
        badge: str = "",
        competency: str = "",
        level: str = "",
        campus: str = "",
        in_force: bool = True,
        organisation: Organisation | None = None,
    ) -> BadgeWish:
        """As typed; `campus` is a slug, or empty."""
        issuer = self.campuses.get(campus) if campus else None
        return BadgeWish(
            asker=organisation.name if organisation else name_as_signed(asker),
            purpose=name_as_signed(purpose),
            badge=name_as_signed(badge),
            competency=name_as_signed(competency),
            level=name_as_signed(level),
            campus=issuer.did if issuer else "",
            campus_name=issuer.name if issuer else "",
            in_force=in_force,
            domain=organisation.domain if organisation else "",
        )

    def of_asker(self, secret: str) -> RequestView:
        """For the page of who asked."""
        row = self.store.find_by_asker(digest_of(secret), at=self.clock())
        if row is None:
            raise NotFound(_NOBODY)
        view = self._view(row)
        if row.state is not RequestState.ANSWERED or row.answer is None:
            return view
        held = parse_json_object(self.vault.open_bytes(row.answer, _bound(row.id, "answer")))
        return replace(
            view,
            award_id=uuid.UUID(str(held["award"])) if "award" in held else None,
            credential=str(held.get("credential", "")),
            possession=Possession(str(held["possession"])),
        )

    def verdict(self, view: RequestView) -> Answer | None:
        """On the answer, made now; without the text of the credential, which is not handed on."""
        if view.possession is None:
            return None
        if view.award_id is None:
            return replace(self.verification.verify_itself(view.credential), text="")
        record = self.awards.find_record(view.award_id)
        if record is None:
            raise Gone("Ce badge n’existe plus.")
        return replace(self.verification.verify_award(record), text="")

    def campus_choices(self) -> list[tuple[str, str]]:
        return [(each.slug, each.name) for each in self.campuses.list_all() if each.suspended_at is None]

    def has_ended(self) -> bool:
        return self.store.has_ended(at=self.clock())

    def sweep(self) -> None:
        self.store.sweep(at=self.clock())

    # --- the wallet

    def link_of_wallet(self, reference: str) -> str:
        asked = {
            "client_id": client_id(self.addresses.base_url),
            "request_uri": self.addresses.request_object(reference),
            "request_uri_method": "post",
        }
        return f"{SCHEME}?{urlencode(asked)}"

    def request_object(self, reference: str, *, wallet_nonce: str = "") -> str:
        """OpenID4VP 1.0, 5.1 and 5.10: signed by a key of the service's DID."""
        _row, asked = self._waiting(reference)
        base_url, at = self.addresses.base_url, self.clock()
        wish = asked.wish
        claims: JsonObject = {
            "aud": WALLET_AUDIENCE,
            "client_id": client_id(base_url),
            "response_type": "vp_token",
            "response_mode": "direct_post.jwt",
            "response_uri": self.addresses.presentation_answer(reference),
            "nonce": asked.nonce,
            "state": asked.state,
            "iat": int(at.timestamp()),
            "exp": int(asked.expires_at.timestamp()),
            "dcql_query": dcql_query(wish, self.addresses.badge_type),
            "client_metadata": {
                "client_name": _("{domain} – {asker} : {purpose}").format(
                    asker=wish.asker, domain=wish.domain or _("non vérifié"), purpose=wish.purpose
                ),
                "jwks": {"keys": [response_jwk(asked)]},
                "encrypted_response_enc_values_supported": ["A128GCM", "A256GCM"],
                "vp_formats_supported": VP_FORMATS,
            },
        }
        if checked_wallet_nonce(wallet_nonce):
            claims["wallet_nonce"] = wallet_nonce
        signer = request_signer(self.secret, base_url)
        return sign_claims(claims, signer=signer, kind=REQUEST_TYPE)

    def check_answer(self, reference: str, form: Mapping[str, str]) -> CheckedAnswer | None:
        """Of a wallet: everything about it, before one of several wins. None where the holder refused.

        Raises PresentationRefused; may read documents of other issuers.
        """
        row, asked = self._waiting(reference)
        content: JsonObject = {**form} if "error" in form else decrypt_answer(form.get("response", ""), asked)
        if "error" in content:
            if content.get("state") != asked.state:
                raise PresentationRefused("state is not that of the request")
            return None
        audience, at = client_id(self.addresses.base_url), self.clock()
        query, written = presentation_in(content, asked)
        given = presented(query, written, asked, audience=audience, at=at)
        answer = self.verification.verify_itself(given.credential)
        document = answer.report.document if answer.report else None
        if document is None or answer.report is None:
            raise PresentationRefused("the credential is not a badge that its issuer signed")
        vct = (answer.report.presented or {}).get("vct")
        if query == SD_JWT_QUERY and vct != self.addresses.badge_type:
            raise PresentationRefused("the credential is of another type than was asked for")
        if not matches(asked.wish, attestation(document)):
            raise PresentationRefused("the badge is not the one that was asked for")
        if asked.wish.in_force and answer.verdict is Verdict.INVALID:
            raise PresentationRefused("the badge is not in force")
        possession = Possession.WALLET if is_bound_to_holder(given, document) else Possession.UNBOUND
        return CheckedAnswer(
            row.id,
            {"credential": given.credential, "possession": possession.value},
            answer.record.award.id if answer.record and possession is Possession.WALLET else None,
        )

    def answer(self, reference: str, checked: CheckedAnswer | None) -> None:
        """Once: of several answers at a time, all but the first are refused."""
        row, asked = self._waiting(reference)
        if checked is None:
            self._end(row, RequestState.REFUSED, None)
            return
        self._end(row, RequestState.ANSWERED, checked.content)
        record = self.awards.find_record(checked.award_id) if checked.award_id else None
        if record is not None:
            self._note(record.award.id, asked.wish, by=Actor(record.person.id))

    # --- the candidate, on their page here

    def of_candidate(self, reference: str) -> RequestView:
        row = self.store.find_by_reference(digest_of(reference), at=self.clock())
        if row is None:
            raise NotFound(_NOBODY)
        return self._view(row)

    def matching(self, wish: BadgeWish, records: Iterable[AwardRecord]) -> list[AwardRecord]:
        return [each for each in records if self._may_answer(wish, each)]

    def _may_answer(self, wish: BadgeWish, record: AwardRecord) -> bool:
        award, at = record.award, self.clock()
        if award.state is not AwardState.ISSUED or is_suspended(award, at=at):
            return False
        if wish.in_force and award.valid_until is not None and at >= award.valid_until:
            return False
        document = parse_json_object(self.awards.document_of(award.id).embedded)
        return matches(wish, attestation(document))

    def show(self, reference: str, award_id: uuid.UUID, *, by: Actor) -> None:
        """The holder shows this badge, as its page would, to who asked, once. Raises ParentNeeded and others."""
        row, asked = self._waiting(reference)
        record = self.awards.get_record(award_id)
        if not self._may_answer(asked.wish, record):
            raise Conflict("Ce badge n’est pas celui qui est demandé.")
        self.award_service.check_may_show(record, by=by)
        self._end(row, RequestState.ANSWERED, {"award": str(award_id), "possession": Possession.PERSON.value})
        self._note(award_id, asked.wish, by=by)

    def refuse(self, reference: str) -> None:
        row, _asked = self._waiting(reference)
        self._end(row, RequestState.REFUSED, None)

    def shown_to(self, award_id: uuid.UUID) -> Sequence[HistoryEntry]:
        """To whom the holder showed this badge on request, latest first."""
        found = [entry for entry, _ in self.history.list_of(_NOUN, award_id) if entry.action == SHOWN]
        return sorted(found, key=lambda entry: entry.at, reverse=True)

    # --- parts

    def _view(self, row: PresentationRequest) -> RequestView:
        asked = self._opened(row)
        is_over = row.state is not RequestState.WAITING or row.expires_at <= self.clock()
        return RequestView(asked.wish, row.state, row.expires_at, is_over)

    def _opened(self, row: PresentationRequest) -> AskedFor:
        return AskedFor.read(row, self.vault.open_bytes(row.sealed, _bound(row.id, "question")))

    def _waiting(self, reference: str) -> tuple[PresentationRequest, AskedFor]:
        at = self.clock()
        row = self.store.find_by_reference(digest_of(reference), at=at)
        if row is None:
            raise NotFound(_NOBODY)
        if row.state is not RequestState.WAITING or row.expires_at <= at:
            raise Gone(_OVER)
        return row, self._opened(row)

    def _end(self, row: PresentationRequest, state: RequestState, content: JsonObject | None) -> None:
        sealed = self.vault.seal_bytes(dump_json(content), _bound(row.id, "answer")) if content else None
        if not self.store.end(row.id, state, sealed, at=self.clock()):
            raise Gone(_OVER)

    def _note(self, award_id: uuid.UUID, wish: BadgeWish, *, by: Actor) -> None:
        self.history.write(
            by, SHOWN, _NOUN, award_id, at=self.clock(), to=wish.asker, domain=wish.domain, why=wish.purpose
        )


def attestation(document: JsonObject) -> Attestation:
    """The content of a verified badge, for `matches`."""
    claims, issuer = claims_of(document), document.get("issuer")
    named = issuer.get("id") if isinstance(issuer, dict) else issuer
    return Attestation(
        claims.title,
        named if isinstance(named, str) else "",
        tuple((f"{each.name} {each.code}", each.level) for each in claims.alignments),
    )


def _bound(row_id: uuid.UUID, part: str) -> bytes:
    return f"presentation request|{row_id}|{part}".encode()
