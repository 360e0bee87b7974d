"""Verifiable credentials of any kind, for the conformance suites of the W3C: checked, and signed where the operator allows it."""

from __future__ import annotations

import re

from app.db.campus.history import HistoryStore
from app.domain.campus.campus import Campus
from app.domain.campus.history import Actor
from app.domain.core.clock import Clock
from app.errors import InvalidInput, NotFound
from app.language import N_
from app.services.publishing.signing import Signing
from app.services.verification.verification import OwnDocuments
from sceau_credentials.canonical import canonical_nquads
from sceau_credentials.errors import CredentialError
from sceau_credentials.proofs.data_integrity import add_proof
from sceau_credentials.values.json_text import JsonObject, JsonValue
from sceau_credentials.verification.any_credential import shape_of, verify_credential
from sceau_credentials.verification.report import Outcome, Report

# What stands for a decision of a campus is signed by the steps that make it, never on request.
_OWN_KINDS = frozenset(
    {
        "OpenBadgeCredential",
        "AchievementCredential",
        "EndorsementCredential",
        "BitstringStatusListCredential",
        "StatusList2021Credential",
    }
)
_NAMES_OWN_KIND = re.compile(rf"[#/](?:{'|'.join(sorted(_OWN_KINDS))})>")
"""In N-Quads, which are what is signed: an IRI there may be written as a term by a reader, and the proof still holds."""
_OWN_KIND = N_("Les badges, les recommandations et les listes du campus ne se signent pas par ici.")


class VcApi:
    def __init__(
        self,
        documents: OwnDocuments,
        signing: Signing,
        history: HistoryStore,
        clock: Clock,
        *,
        may_issue: bool,
    ) -> None:
        self.documents = documents
        self.signing = signing
        self.history = history
        self.clock = clock
        self.may_issue = may_issue

    def verify(self, credential: str) -> Report:
        return verify_credential(credential, documents=self.documents, at=self.clock())

    def check_open(self) -> None:
        if not self.may_issue:
            raise NotFound(N_("Il n’y a rien à cette adresse."))

    def issue(self, campus: Campus, credential: JsonObject, *, by: Actor) -> JsonObject:
        """The credential with an eddsa-rdfc-2022 proof of the campus; its issuer is filled in where it names none."""
        self.check_open()
        document = {"issuer": campus.did} | credential
        self._check(document, campus)
        at = self.clock()
        try:
            if _NAMES_OWN_KIND.search(canonical_nquads(document)):
                raise InvalidInput(_OWN_KIND)
            signed = add_proof(document, signer=self.signing.signers_of(campus).embedded, created=at)
        except CredentialError as error:
            raise _unsignable(error) from error
        self.history.write(by, "sign_credential", "campus", campus.id, at=at, campus_id=campus.id)
        return signed

    def _check(self, document: JsonObject, campus: Campus) -> None:
        against = next((each for each in shape_of(document) if each.outcome is not Outcome.PASSED), None)
        if against is not None:
            raise InvalidInput(
                N_("Cette attestation ne suit pas le modèle du W3C : {reason}."),
                reason=" ".join([against.reason, *against.details.values()])[:200],
            )
        if "proof" in document:
            raise InvalidInput(N_("Cette attestation porte déjà une signature."))
        issuer = document["issuer"]
        if (issuer.get("id") if isinstance(issuer, dict) else issuer) != campus.did:
            raise InvalidInput(N_("L’émetteur de l’attestation doit être {did}."), did=campus.did)
        if not _OWN_KINDS.isdisjoint(_listed(document.get("type"))):
            raise InvalidInput(_OWN_KIND)


def _unsignable(error: CredentialError) -> InvalidInput:
    return InvalidInput(N_("Cette attestation ne peut pas être signée : {reason}."), reason=str(error)[:200])


def _listed(value: JsonValue) -> list[str]:
    return [str(each) for each in (value if isinstance(value, list) else [value])]
