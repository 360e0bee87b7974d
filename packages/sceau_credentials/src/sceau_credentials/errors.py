"""Exceptions of the credential library."""

from __future__ import annotations


class CredentialError(Exception):
    """Root of the library's exceptions."""


class NotCovered(CredentialError):
    """The tables, or a template, do not cover this document. Not an error in it: call `canonical_bytes`
    instead.
    """


class CodedError(CredentialError):
    """`reason` is a stable code."""

    def __init__(self, reason: str, detail: str = "") -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(f"{reason}{': ' + detail if detail else ''}")


class MalformedInput(CredentialError):
    """The input is invalid.

    `reason` is a stable code; `pointer` is a JSON pointer (RFC 6901) into the input, "" for the whole of it.
    """

    def __init__(self, reason: str, pointer: str = "", detail: str = "") -> None:
        self.reason = reason
        self.pointer = pointer
        self.detail = detail
        super().__init__(f"{reason} at {pointer or 'the whole input'}{': ' + detail if detail else ''}")


class UnsafeDocument(MalformedInput):
    """Part of this JSON-LD document would not be covered by a signature over its canonical form."""


class CanonicalizationTooHard(CredentialError):
    """The blank nodes of this document cannot be distinguished within the work limit."""


class UnusableKey(CodedError):
    """This key may not be used, or cannot be read; `reason` is a stable code."""


class KeyNotResolved(CodedError):
    """A verification method does not lead to a usable key; `reason` is a stable code."""


class ProofError(CodedError):
    """A proof that cannot be read, or does not hold; `reason` is a stable code."""


class DocumentUnavailable(CredentialError):
    """A requested document could not be fetched; `reason` is a stable code.

    `retry_after`: seconds that its server asks to wait before the next request; 0 where it does not.
    """

    def __init__(self, url: str, reason: str = "unavailable", *, retry_after: int = 0) -> None:
        self.url = url
        self.reason = reason
        self.retry_after = retry_after
        super().__init__(f"{reason}: {url}")


class ImageError(CodedError):
    """This picture cannot hold, or does not hold, a credential; `reason` is a stable code."""


class SelfCheckFailed(CredentialError):
    """A credential just signed did not pass our own verifier; `report` contains the failed checks."""

    def __init__(self, report: object) -> None:
        self.report = report
        super().__init__("the credential just signed did not pass our own verification")


class NotFitToSign(CredentialError):
    """The credential was rejected before signing; `faults` lists the lint findings."""

    def __init__(self, faults: dict[str, str]) -> None:
        self.faults = faults
        super().__init__("; ".join(f"{lint}: {fault}" for lint, fault in faults.items()))
