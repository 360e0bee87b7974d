"""What a role may do, and the sentence for whoever may not."""

from __future__ import annotations

import pytest

from app.domain.accounts.permissions import MAY, Deed, Role, check_may, may
from app.errors import NotAllowed


def test_several_roles_may_what_any_of_them_may() -> None:
    assert may({Role.DESIGNER, Role.REVIEWER}, Deed.DESIGN)
    assert not may({Role.DESIGNER, Role.REVIEWER}, Deed.AWARD)


def test_whoever_has_no_role_may_nothing() -> None:
    assert not any(may((), deed) for deed in Deed)


@pytest.mark.parametrize("deed", Deed)
def test_each_refusal_says_who_may(deed: Deed) -> None:
    with pytest.raises(NotAllowed) as caught:
        check_may((), deed)
    assert caught.value.sentence.endswith(".")


def test_every_deed_is_somebody_s() -> None:
    assert set().union(*MAY.values()) == set(Deed)
    assert set(MAY) == set(Role)
