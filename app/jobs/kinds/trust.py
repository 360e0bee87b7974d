"""Lists of recognised campuses: our networks' are signed anew every day, those of others are read every hour."""

from __future__ import annotations

import uuid

from app.container import Process
from app.jobs.looking import Looking
from app.jobs.promises import Kind

_own = Looking(lambda services: services.register.due())
_followed = Looking(lambda services: services.followed_lists.due())


def _renew(process: Process, network_id: uuid.UUID) -> bool:
    with process.unit_of_work() as services:
        services.register.renew(network_id)
    return False


def _read(process: Process, list_id: uuid.UUID) -> bool:
    """Another service is asked without a transaction that anybody waits for."""
    with process.unit_of_work(reading=True) as services:
        fetched = services.followed_lists.fetch(list_id)
    with process.unit_of_work() as services:
        services.followed_lists.note(list_id, fetched)
    return False


OWN_LISTS = Kind("trust-list", _own.due, _renew, at_once=1)
FOLLOWED_LISTS = Kind("followed-list", _followed.due, _read, at_once=1)
