"""The signed bytes of one award, or a sentence for the trainer why there are none."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from app.credentials.errors import CredentialError, NotFitToSign
from app.credentials.issuing import Batch
from app.credentials.json_text import JsonObject
from app.domain.awards import Award, SignedDocument
from app.domain.columns import new_row
from app.domain.open_badges import BadgeDocuments
from app.errors import InvalidInput, Unavailable
from app.language import N_
from app.services.status import Places


def document_to_sign(award: Award, documents: BadgeDocuments, places: Places) -> JsonObject:
    with _said_to_the_trainer():
        return documents.document_of(award, places.entry_of(award.id))


def signed_document(award: Award, document: JsonObject, batch: Batch) -> SignedDocument:
    with _said_to_the_trainer():
        signed = batch.issue(document)
    return new_row(
        SignedDocument,
        award_id=award.id,
        embedded=signed.embedded,
        token=signed.token,
        embedded_digest=hashlib.sha256(signed.embedded).hexdigest(),
        token_digest=hashlib.sha256(signed.token.encode()).hexdigest(),
        signed_at=award.awarded_at,
    )


@contextmanager
def _said_to_the_trainer() -> Iterator[None]:
    try:
        yield
    except NotFitToSign as unfit:
        raise _not_fit(unfit) from unfit
    except CredentialError as error:
        raise Unavailable(
            N_("Le badge n’a pas pu être signé. Votre liste est gardée. Réessayez dans une minute.")
        ) from error


def _not_fit(unfit: NotFitToSign) -> InvalidInput:
    if "no_mail_address_of_a_person" in unfit.faults:
        return InvalidInput(
            N_(
                "Un texte de l’activité ou de l’appréciation contient une adresse électronique, qui serait "
                "publiée avec le badge. Retirez-la, puis attribuez de nouveau. Votre liste est gardée."
            )
        )
    return InvalidInput(
        N_(
            "Un texte du badge ou de l’activité empêche de le signer ({faults}). "
            "Corrigez-le, puis attribuez de nouveau. Votre liste est gardée."
        ),
        faults=", ".join(unfit.faults),
    )
