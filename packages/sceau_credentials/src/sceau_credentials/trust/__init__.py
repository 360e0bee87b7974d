"""Which issuers a network recognises: its signed list, written and read, and names that resemble those on it."""

from sceau_credentials.trust.lists import Entry, GivenLabel, Standing, TrustList, sign_trust_list
from sceau_credentials.trust.lookalikes import Likeness, Resemblance, resemblance
from sceau_credentials.trust.reading import PinnedNetwork, TrustListRefused, read_trust_list

__all__ = [
    "Entry",
    "GivenLabel",
    "Likeness",
    "PinnedNetwork",
    "Resemblance",
    "Standing",
    "TrustList",
    "TrustListRefused",
    "read_trust_list",
    "resemblance",
    "sign_trust_list",
]
