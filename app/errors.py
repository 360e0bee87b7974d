"""The ways a request can fail, without a word of HTTP."""

from __future__ import annotations


class AppError(Exception):
    """A failure that the person asking should read.

    `sentence` is French and stands in the catalogues; `values` fill its `{named}` places
    when a face shows it in the reader's language.
    """

    def __init__(self, sentence: str, **values: object) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.values = values


class NotFound(AppError): ...


class Gone(AppError):
    """It was there, and was taken away for good at somebody's request."""


class NotSignedIn(AppError): ...


class NotAllowed(AppError): ...


class Conflict(AppError): ...


class InvalidInput(AppError): ...


class Unavailable(AppError): ...


class TooMany(AppError):
    """More than is allowed in so short a time; `retry_after` is in seconds."""

    def __init__(self, sentence: str, *, retry_after: int, **values: object) -> None:
        super().__init__(sentence, **values)
        self.retry_after = retry_after
