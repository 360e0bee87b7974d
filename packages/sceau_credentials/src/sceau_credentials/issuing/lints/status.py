"""Lints on the status entry: one, of the kind everybody reads, in the issuer's own list."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from sceau_credentials.issuing.draft import Draft
from sceau_credentials.issuing.lints.shape import Lint

_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,8}", re.ASCII)


def status_is_one_entry(draft: Draft) -> str | None:
    """Open Badges allows one, where the data model of credentials allows several (A-031, X-6)."""
    named = draft.document.get("credentialStatus")
    return None if named is None or isinstance(named, dict) else "/credentialStatus"


def status_is_a_bit_in_a_list(draft: Draft) -> str | None:
    if not draft.status:
        return None
    return None if draft.status.get("type") == "BitstringStatusListEntry" else "/credentialStatus/type"


def status_can_withdraw(draft: Draft) -> str | None:
    if not draft.status:
        return None
    withdraws = draft.status.get("statusPurpose") in ("revocation", "suspension")
    return None if withdraws else "/credentialStatus/statusPurpose"


def status_index_is_a_decimal_string(draft: Draft) -> str | None:
    if not draft.status:
        return None
    index = draft.status.get("statusListIndex")  # D-003, X-5
    good = isinstance(index, str) and _INDEX.fullmatch(index)
    return None if good else "/credentialStatus/statusListIndex"


def status_entry_is_not_named_like_its_list(draft: Draft) -> str | None:
    if "id" not in draft.status:
        return None
    same = draft.status["id"] == draft.status.get("statusListCredential")  # D-002
    return "/credentialStatus/id" if same else None


def status_list_is_at_home(draft: Draft) -> str | None:
    """On the host that serves the badge: the issuer's own list, and no third party learns who checks."""
    if not draft.status:
        return None
    home, named = (
        urlsplit(str(each)) for each in (draft.document.get("id"), draft.status.get("statusListCredential"))
    )
    at_home = home.scheme not in ("https", "http") or home.netloc == named.netloc
    return None if at_home else "/credentialStatus/statusListCredential"


LINTS: Final[tuple[Lint, ...]] = (
    status_is_one_entry,
    status_is_a_bit_in_a_list,
    status_can_withdraw,
    status_index_is_a_decimal_string,
    status_entry_is_not_named_like_its_list,
    status_list_is_at_home,
)
