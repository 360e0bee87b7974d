"""What somebody is told of when it happens to their account, wherever they read: addresses, ways in, places in a team."""

from __future__ import annotations

from enum import StrEnum


class Changed(StrEnum):
    ADDRESS_ADDED = "added"
    ADDRESS_REMOVED = "removed"
    MAIN_ADDRESS = "main"
    FIRST_ADDRESS = "first"
    MERGED = "merged"
    PASSKEY_ADDED = "passkey_added"
    PASSKEY_REMOVED = "passkey_removed"
    PASSKEYS_RESET = "passkeys_reset"
    PASSWORD_ADDED = "password_added"  # noqa: S105 - the name of a change
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - the name of a change
    PASSWORD_REMOVED = "password_removed"  # noqa: S105 - the name of a change
    SERVICE_LINKED = "service_linked"
    SERVICE_UNLINKED = "service_unlinked"
    ROLES_CHANGED = "roles_changed"
    LEFT_TEAM = "left_team"
    PAGES_SHUT = "pages_shut"


WAYS_IN = frozenset(
    {
        Changed.PASSKEY_ADDED,
        Changed.PASSKEY_REMOVED,
        Changed.PASSKEYS_RESET,
        Changed.PASSWORD_ADDED,
        Changed.PASSWORD_CHANGED,
        Changed.PASSWORD_REMOVED,
        Changed.SERVICE_LINKED,
        Changed.SERVICE_UNLINKED,
    }
)
"""Changes of what opens the account besides a letter to one of its addresses."""
OF_A_TEAM = frozenset({Changed.ROLES_CHANGED, Changed.LEFT_TEAM})
"""What the administration of a campus did to somebody's place there."""
ALSO_UNPROVED = OF_A_TEAM | {Changed.PAGES_SHUT}
"""Sent to the addresses that campuses wrote down where the person proved none."""
