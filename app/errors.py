"""Domain errors, independent of HTTP."""

from __future__ import annotations

from collections.abc import Callable, Mapping


class AppError(Exception):
    """A failure to show to the user.

    `sentence` is a French msgid; `values` fill its `{named}` fields when it is shown in the reader's
    language.
    """

    def __init__(self, sentence: str, **values: object) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.values = values


class NotFound(AppError): ...


class DeadLink(NotFound):
    """A private link that was valid once: used, closed or expired."""


class Gone(AppError):
    """Existed, and is gone: erased on request, or withdrawn."""


class NotSignedIn(AppError): ...


class NotAllowed(AppError): ...


class Conflict(AppError): ...


class InvalidInput(AppError): ...


def faults_of_fields(checks: Mapping[str, Callable[[], object]]) -> dict[str, AppError]:
    """Runs every check; the fault of each field that has one, by its name."""
    found: dict[str, AppError] = {}
    for name, check in checks.items():
        try:
            check()
        except (InvalidInput, Conflict) as error:
            found[name] = error
    return found


class Unavailable(AppError): ...


class TooMany(AppError):
    """Rate limit exceeded; `retry_after` is in seconds, `limit` the name of the limit."""

    def __init__(self, sentence: str, *, retry_after: int, limit: str, **values: object) -> None:
        super().__init__(sentence, **values)
        self.retry_after = retry_after
        self.limit = limit
