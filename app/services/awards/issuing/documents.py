"""The signed bytes of one award, or a sentence for the trainer why there are none."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from app.domain.awards.awards import Award, SignedDocument
from app.domain.awards.evidence import Disclosed
from app.domain.awards.open_badges import BadgeDocuments
from app.domain.core.columns import new_row
from app.errors import AppError, InvalidInput, Unavailable
from app.language import N_
from app.services.publishing.status import Places
from sceau_credentials.errors import CredentialError, NotFitToSign
from sceau_credentials.issuing import Batch, Prepared, SignedCredential
from sceau_credentials.issuing.lints.people import contains_mail_address
from sceau_credentials.values.json_text import JsonObject

MAIL_ADDRESS_IN_TEXT = N_(
    "Un texte de l’activité ou de l’appréciation contient une adresse électronique, qui serait "
    "publiée avec le badge. Retirez-la, puis attribuez de nouveau. Votre liste est gardée."
)


def document_to_sign(
    award: Award, documents: BadgeDocuments, places: Places, disclosed: Disclosed
) -> JsonObject:
    # Not signed before the holder shows them: refused now, while the trainer can still correct them.
    if any(contains_mail_address(text) for text in (award.contribution, award.evidence)):
        raise InvalidInput(MAIL_ADDRESS_IN_TEXT)
    try:
        return documents.document_of(award, places.entry_of(award.id), disclosed)
    except CredentialError as error:
        raise said_to_the_trainer(error) from error


def prepared_documents(documents: Sequence[JsonObject], batch: Batch) -> list[Prepared | InvalidInput]:
    """Of each what will be signed, or why its texts cannot be; whatever else goes wrong is raised."""
    return [
        _unfit(each) if isinstance(each, CredentialError) else each for each in batch.prepare_each(documents)
    ]


def signed_documents(
    awards: Sequence[Award], prepared: Sequence[Prepared], batch: Batch
) -> list[SignedDocument]:
    """The signed bytes of each."""
    return [_kept(award, signed) for award, signed in zip(awards, batch.sign_each(prepared), strict=True)]


def _unfit(error: CredentialError) -> InvalidInput:
    trouble = said_to_the_trainer(error)
    if isinstance(trouble, InvalidInput):
        return trouble
    raise trouble from error


def _kept(award: Award, signed: SignedCredential | CredentialError) -> SignedDocument:
    if isinstance(signed, CredentialError):
        raise said_to_the_trainer(signed) from signed
    return new_row(
        SignedDocument,
        award_id=award.id,
        embedded=signed.embedded,
        token=signed.token,
        embedded_digest=hashlib.sha256(signed.embedded).hexdigest(),
        token_digest=hashlib.sha256(signed.token.encode()).hexdigest(),
        signed_at=award.awarded_at,
    )


def said_to_the_trainer(error: CredentialError) -> AppError:
    if isinstance(error, NotFitToSign):
        return _not_fit(error)
    return Unavailable(
        N_("Le badge n’a pas pu être signé. Votre liste est gardée. Réessayez dans une minute.")
    )


def _not_fit(unfit: NotFitToSign) -> InvalidInput:
    if "no_mail_address_of_a_person" in unfit.faults:
        return InvalidInput(MAIL_ADDRESS_IN_TEXT)
    return InvalidInput(
        N_(
            "Un texte du badge ou de l’activité empêche de le signer ({faults}). "
            "Corrigez-le, puis attribuez de nouveau. Votre liste est gardée."
        ),
        faults=", ".join(unfit.faults),
    )
