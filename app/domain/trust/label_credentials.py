"""A label said in Open Badges words: the network's endorsement of a campus."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from app.domain.campus.campus import Label, LabelCategory, Network
from app.domain.core.signed_text import as_signed, name_as_listed, name_as_signed
from app.domain.publishing.addresses import Addresses
from app.domain.trust.recognition import label_period
from app.language import N_, gettext, speaking
from sceau_credentials.model import BitstringStatusListEntry, EndorsementCredential, Profile
from sceau_credentials.model.endorsement import EndorsementSubject

_LANGUAGE: Final = "fr"
LABEL_NAMES: Final = {
    LabelCategory.STANDARD: N_("Label Campus des métiers et des qualifications"),
    LabelCategory.EXCELLENCE: N_("Label Campus des métiers et des qualifications d’excellence"),
}
_SAYS: Final = N_("{network} donne à « {campus} » le {label}.")


def label_credential_of(
    label: Label,
    campus_name: str,
    network: Network,
    did: str,
    addresses: Addresses,
    *,
    status: BitstringStatusListEntry,
    at: datetime,
) -> EndorsementCredential:
    """`did` is the network's. Where no first day is known, the label is valid from its signing on."""
    valid_from, valid_until = label_period(label)
    with speaking(_LANGUAGE):
        name = gettext(LABEL_NAMES[label.category])
        comment = gettext(_SAYS).format(
            network=network.name, campus=campus_name, label=name[:1].lower() + name[1:]
        )
    return EndorsementCredential(
        id=addresses.label(label.id),
        name=name_as_signed(name),
        description=as_signed(label.note) or None,
        issuer=Profile(id=did, name=name_as_listed(network.name), url=addresses.network(network.slug)),
        valid_from=valid_from or at,
        valid_until=valid_until,
        credential_subject=EndorsementSubject(id=label.issuer, endorsement_comment=as_signed(comment)),
        credential_status=status,
    )
