"""What a role may do, and the sentence for whoever may not."""

from __future__ import annotations

import pytest

from app.domain.accounts.permissions import ROLE_PERMISSIONS, Permission, Role, check_may, may
from app.errors import NotAllowed


def test_several_roles_may_what_any_of_them_may() -> None:
    assert may({Role.DESIGNER, Role.REVIEWER}, Permission.DESIGN)
    assert not may({Role.DESIGNER, Role.REVIEWER}, Permission.AWARD)


def test_whoever_has_no_role_may_nothing() -> None:
    assert not any(may((), action) for action in Permission)


@pytest.mark.parametrize("action", Permission)
def test_each_refusal_says_who_may(action: Permission) -> None:
    with pytest.raises(NotAllowed) as caught:
        check_may((), action)
    assert caught.value.sentence.endswith(".")


def test_every_deed_is_somebody_s() -> None:
    assert set().union(*ROLE_PERMISSIONS.values()) == set(Permission)
    assert set(ROLE_PERMISSIONS) == set(Role)
