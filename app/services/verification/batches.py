"""Bulk verification: files, URLs, codes and lines of a CV, with one answer each."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from time import monotonic
from typing import Final

import structlog

from app.db.awards import AwardRecord, AwardStore
from app.db.campus import CampusStore, HistoryStore
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.core import Clock, ServiceOptions
from app.domain.publishing import Addresses, ids_of_code, near_codes, short_code
from app.errors import AppError, Gone, InvalidInput, NotFound
from app.language import N_, labelled, translated_plural
from app.services.publishing.status import Signing
from app.services.verification.answers import Answer
from app.services.verification.presented import LeadKind, lead_of_link
from app.services.verification.verification import OwnDocuments, VerificationService, with_standing
from sceau_credentials.canonical import canonical_nquads
from sceau_credentials.errors import CredentialError
from sceau_credentials.issuing.lints.wording import is_unseen
from sceau_credentials.proofs.data_integrity import add_proof
from sceau_credentials.values import JsonObject, JsonValue, dump_json
from sceau_credentials.verification.other_documents import shape_of, verify_credential
from sceau_credentials.verification.report import Outcome, Report

MOST_ITEMS: Final = 100
MOST_BYTES: Final = 5 * 1024 * 1024
_SECONDS: Final = 60.0
"""Time limit per request: remote servers may be slow, and a file may name a hundred of them."""
_MOST_NEAR: Final = 3
_LONGEST_LINE: Final = 400_000
_LONGEST_WITH_ADDRESS: Final = 4000
_LONGEST_LIST: Final = 64 * 1024
_CONTROL: Final = re.compile(r"[\x00-\x08\x0e-\x1f]")
_ADDRESS: Final = re.compile(r"(?:https?://|(?<![\w.-]))[\w.-]++(?::\d{1,5})?/[^\s<>\"»«]+")
_DOCUMENT: Final = re.compile(r"""[\ufeff\s]*+(?:\{|\[\s*+[{\["]|<(?!(?:a|iframe)\s))""")
_OBJECT: Final = r'\{[\s\\]*+(?:"|u0022|&quot;|&#34;)'
"""JSON, or within a text of JSON or HTML."""
_IN_BASE64: Final = r"(?<![\w-])e[\w-]{15,}+\.[\w-]{15,}+\.|eyJ[\w+/-]{40}"
"""JSON in base64 begins so, in a compact token or alone."""
_HOLDS_DOCUMENT: Final = re.compile(f"{_OBJECT}|{_IN_BASE64}")
_OPENING: Final = re.compile(r'\{\s*+(?:"|$)')
_BRACES: Final = re.compile(r'"(?:[^"\\]|\\.?)*+(?:"|$)|[{}]')
_SPACED_CODE: Final = re.compile(r"(/v/[0-9a-z]{1,11})((?:[\s‐‑–—.-]+[0-9a-z]{1,11})+)", re.IGNORECASE)
_SHORTCUT: Final = re.compile(r"^URL=", re.IGNORECASE)
"""What Windows writes in front of the address of a shortcut."""
_CODE_SIGNS: Final = 12
_LOGGER = structlog.get_logger()


@dataclass(frozen=True)
class NearCode:
    """A badge with a public page and a short code one typing error away from the input."""

    code: str
    record: AwardRecord


@dataclass(frozen=True)
class Item:
    """`answer` is None if nothing could be verified: a closed portfolio, a fault, an unknown code."""

    given: str
    answer: Answer | None
    near: Sequence[NearCode] = ()
    is_code: bool = False
    gone: str = ""
    """The sentence about what was erased or withdrawn for good."""


class BatchVerification:
    """Inputs of one request: after MOST_ITEMS answers or _SECONDS, the rest is listed but not verified."""

    def __init__(
        self,
        verification: VerificationService,
        awards: AwardStore,
        shown_in: Callable[[uuid.UUID, str], Sequence[AwardRecord]],
        addresses: Addresses,
        seconds: Callable[[], float] = monotonic,
    ) -> None:
        self._seconds = seconds
        self._until = seconds() + _SECONDS
        self._left = MOST_ITEMS
        self.verification = verification
        self.awards = awards
        self.shown_in = shown_in
        self.addresses = addresses

    def file(self, name: str, body: bytes) -> list[Item]:
        """A text file may contain one or several URLs."""
        if len(body) > MOST_BYTES:
            return [Item(name, None)]
        lines, others = self._lines_of(body)
        if lines:
            items = [*self.lines(lines), *_others(others)]
            if len(items) == 1:
                items = [_beside_words(items[0], lines[0])]
            return [replace_given(item, labelled(name, item.given)) for item in items]
        return self._guarded(name, lambda: self._document(name, body))

    def _lines_of(self, body: bytes) -> tuple[list[str], int]:
        """For a text file with URLs or codes, as a table: its lines to verify, and the number of others."""
        text = _text_of(body)
        if is_document(text):
            return [], 0
        lines = lines_in(text) or [text.strip()]
        if all("/" in line for line in lines):
            return lines, 0
        wanted = [
            line for line in lines if self.own_addresses(line) or ids_of_code(self.code_in(line)) is not None
        ]
        return wanted, len(lines) - len(wanted)

    def _document(self, name: str, body: bytes) -> list[Item]:
        answers = self.verification.verify_documents(body)
        if len(answers) == 1:
            return [Item(name, answers[0])]
        return [Item(labelled(name, each.lead.address if each.lead else ""), each) for each in answers]

    def separate(self, lines: Sequence[str]) -> tuple[list[str], list[str]]:
        """Lines to verify, and those of a pasted CV that contain neither a URL nor a code."""
        wanted: list[str] = []
        left: list[str] = []
        for line in lines:
            is_wanted = (
                is_document(line)
                or "://" in line
                or line.lstrip().startswith(("ey", "did:"))
                or bool(self.own_addresses(line))
                or self._has_code(line)
            )
            (wanted if is_wanted else left).append(line)
        return (wanted, left) if wanted else (list(lines), [])

    def _has_code(self, line: str) -> bool:
        return ids_of_code(self.code_in(line)) is not None or self.is_code(line)

    def lines(self, lines: Sequence[str]) -> list[Item]:
        """As `line` for each that names something; what is more than MOST_ITEMS is one item, not verified."""
        items: list[Item] = []
        for line in lines[:MOST_ITEMS]:
            named = self.own_addresses(line) or self._has_code(line) or is_presentable(line)
            items += self.line(line) if named else [Item(line.strip()[:120], None)]
        return [*items, *_others(len(lines) - MOST_ITEMS)]

    def line(self, typed: str) -> list[Item]:
        """One free-form line, with one answer for each URL of ours in it, and for each badge of a portfolio."""
        written = typed.strip()[:_LONGEST_LINE]
        addresses = self.own_addresses(written)
        given = addresses if len(addresses) > 1 else [written]
        return [item for each in given for item in self._answered(each)]

    def _answered(self, written: str) -> list[Item]:
        shown = written if len(written) <= 120 else f"{written[:119]}…"
        return self._guarded(shown, lambda: self._line(written, shown))

    def address_in(self, written: str) -> str:
        """The first URL of this service in a line of text, with its scheme; empty if there is none, and for a
        document."""
        return next(iter(self.own_addresses(written)), "")

    def own_addresses(self, written: str) -> list[str]:
        """As `address_in`, all of them."""
        if is_document(written):
            return []
        found = []
        for each in _ADDRESS.findall(_with_codes_joined(written[:_LONGEST_WITH_ADDRESS])):
            address = str(each).rstrip(".,;:!?)")
            if "://" not in address:
                address = f"{self.addresses.base_url.removesuffix(self.addresses.host)}{address}"
            if self.addresses.is_ours(address):
                found.append(self.addresses.award_beside(address))
        return list(dict.fromkeys(found))

    def addresses_in(self, written: str) -> list[str]:
        """The award URLs that a line leads to: all badges of a portfolio, or that of a short code."""
        several = self.own_addresses(written)
        if len(several) > 1:
            return [found for each in several for found in self.addresses_in(each)]
        address = next(iter(several), "")
        portfolio = self.addresses.portfolio_named_by(address)
        if portfolio is not None:
            return [self.addresses.award(each.award.id) for each in self.shown_in(*portfolio)]
        ends = ids_of_code(self.code_in(written))
        award_id = self.awards.find_between(*ends) if ends else None
        return [self.addresses.award(award_id)] if award_id else [address] if address else []

    def near(self, typed: str) -> list[NearCode]:
        """Only badges with a public page: reveals nothing about others."""
        ends = [found for code in near_codes(typed) if (found := ids_of_code(code))]
        records = self.awards.find_open_among(ends, limit=_MOST_NEAR) if ends else ()
        return [NearCode(short_code(record.award.id), record) for record in records]

    def is_code(self, typed: str) -> bool:
        return bool(near_codes(self.code_in(typed)))

    def code_in(self, typed: str) -> str:
        """The characters of a short code, typed alone or as part of its URL."""
        return self.addresses.code_named_by(self.address_in(typed)) or typed.strip()

    def _line(self, written: str, shown: str) -> list[Item]:
        if is_document(written):
            return [Item(shown, self.verification.verify(written))]
        address = self.address_in(written)
        portfolio = self.addresses.portfolio_named_by(address)
        if portfolio is not None:
            return [
                Item(each.version.name, self.verification.verify_award(each))
                for each in self.shown_in(*portfolio)
            ]
        ends = ids_of_code(self.code_in(written))
        award_id = self.awards.find_between(*ends) if ends else None
        if award_id is not None:
            return [Item(shown, self.verification.verify(self.addresses.award(award_id)))]
        if self.is_code(written):
            return [Item(shown, None, self.near(self.code_in(written)), is_code=True)]
        return [Item(shown, self.verification.verify(address or written))]

    def _is_over(self) -> bool:
        return self._left <= 0 or self._seconds() > self._until

    def _guarded(self, given: str, ask: Callable[[], list[Item]]) -> list[Item]:
        """A fault in one item does not affect the others."""
        if self._is_over():
            return [Item(given, None)]
        self._left -= 1
        try:
            found = ask()
        except Gone as error:
            return [Item(given, None, gone=error.sentence)]
        except AppError:
            return [Item(given, None)]
        except Exception:
            _LOGGER.exception("verification of one item failed")
            return [Item(given, None)]
        self._left -= len(found[1:])
        return found


def _beside_words(item: Item, written: str) -> Item:
    """For a file of one line: what stands beside its URL was not verified, as on a page with a link."""
    answer = item.answer
    address = next(iter(_ADDRESS.findall(_with_codes_joined(written))), "")
    words = _SHORTCUT.sub("", _ADDRESS.sub(" ", _with_codes_joined(written)))
    if answer is None or answer.lead is not None or not address or not any(map(str.isalnum, words)):
        return item
    lead = lead_of_link(LeadKind.LINK, address, words, answer.report)
    return replace(item, answer=replace(answer, lead=lead))


def replace_given(item: Item, given: str) -> Item:
    return replace(item, given=given)


def is_document(text: str) -> bool:
    """Whether a text is or contains a credential, to be verified itself: never by an address that it contains.

    HTML of a link or frame is not one.
    """
    return _DOCUMENT.match(text) is not None or _HOLDS_DOCUMENT.search(text) is not None


def is_presentable(written: str) -> bool:
    """Whether a text has the form of a URL, a DID or a credential."""
    text = written.lstrip("\ufeff \t\r\n")
    return "://" in text or text.startswith(("{", "[", "<", "ey", "did:")) or bool(_ADDRESS.search(text))


def _with_codes_joined(text: str) -> str:
    """Removes the spaces of a short code that is typed in groups after its URL."""

    def joined(found: re.Match[str]) -> str:
        groups, taken = re.split(r"[\s‐‑–—.-]+", found[2])[1:], found[1].removeprefix("/v/")
        while groups and len(taken) < _CODE_SIGNS:
            taken += groups.pop(0)
        return (
            f"/v/{taken}{' ' if groups else ''}{' '.join(groups)}" if len(taken) == _CODE_SIGNS else found[0]
        )

    return _SPACED_CODE.sub(joined, text)


def lines_in(text: str) -> list[str]:
    """The lines of a list, where JSON on several lines is one; empty if the text is one credential, or a single
    line."""
    if text.lstrip("\ufeff \t\r\n").startswith(("{", "[", "<")):
        return []
    found: list[str] = []
    lines, at, unclosed = text.splitlines(), 0, 0
    while at < len(lines):
        is_json = unclosed < MOST_ITEMS and _OPENING.search(lines[at]) is not None
        stop = _end_of_json(lines, at) if is_json else at + 1
        # A brace that nothing closes does not take the lines below with it.
        unclosed += stop is None
        stop = stop or at + 1
        if (part := "\n".join(lines[at:stop])).strip():
            found.append(part)
        at = stop
    return found if len(found) > 1 else []


def _end_of_json(lines: Sequence[str], start: int) -> int | None:
    depth = 0
    for at in range(start, len(lines)):
        signs = _BRACES.findall(lines[at])
        depth += signs.count("{") - signs.count("}")
        if depth <= 0:
            return at + 1
    return None


def _text_of(body: bytes) -> str:
    """Of a text file, in UTF-8, or as spreadsheets of Windows write it; else empty."""
    if len(body) > _LONGEST_LIST or body.startswith(b"%PDF"):
        return ""
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            text = body.decode(encoding)
        except UnicodeDecodeError:
            continue
        return "" if _CONTROL.search(text) else text
    return ""


def _others(count: int) -> list[Item]:
    """Lines that are not verified, as one item."""
    if count <= 0:
        return []
    return [Item(translated_plural("{n} autre ligne", "{n} autres lignes", count).format(n=count), None)]


# Types that express a campus's decisions are only signed by their own workflow, never on request.
_OWN_KINDS = frozenset(
    {
        "OpenBadgeCredential",
        "AchievementCredential",
        "EndorsementCredential",
        "BitstringStatusListCredential",
        "StatusList2021Credential",
    }
)
_NAMES_OWN_KIND = re.compile(rf"[#/](?:{'|'.join(sorted(_OWN_KINDS))})>|/vc/ob/vocab\.html#")
"""In N-Quads, the signed form: JSON-LD terms may alias an IRI without breaking the proof. Whatever is in the
vocabulary of Open Badges is read as a badge, whatever its credential is called."""
_OWN_KIND = N_("Les badges, les recommandations et les listes du campus ne se signent pas par ici.")


@dataclass(frozen=True, eq=False)
class VcApi:
    documents: OwnDocuments
    awards: AwardStore
    campuses: CampusStore
    addresses: Addresses
    signing: Signing
    history: HistoryStore
    options: ServiceOptions
    clock: Clock

    def verify(self, credential: str) -> Report:
        report = self.documents.judged_anew(
            lambda: verify_credential(credential, documents=self.documents, at=self.clock())
        )
        named = (report.document or {}).get("id")
        award_id = self.addresses.award_named_by(named) if isinstance(named, str) else None
        campus = self.campuses.find_by_did(report.issuer) if award_id and report.issuer else None
        record = self.awards.find_record(award_id) if award_id and campus else None
        if record is None or campus is None or record.award.campus_id != campus.id:
            return report
        return with_standing(report, record.award, at=self.clock())

    def check_open(self) -> None:
        if not self.options.vc_api_issue:
            raise NotFound("Il n’y a rien à cette adresse.")

    def issue(self, campus: Campus, credential: JsonObject, *, by: Actor) -> JsonObject:
        """Add an eddsa-rdfc-2022 proof of the campus; fills in the issuer if missing."""
        self.check_open()
        document = {"issuer": campus.did} | credential
        self._check(document, campus)
        at = self.clock()
        try:
            signed_text = canonical_nquads(document)
            if _NAMES_OWN_KIND.search(signed_text):
                raise InvalidInput(_OWN_KIND)
            if f"<{self.addresses.base_url}/".lower() in signed_text.lower():
                raise InvalidInput("Cette attestation nomme une page, un badge ou une liste de ce service.")
            signed = add_proof(document, signer=self.signing.signers_of(campus).embedded, created=at)
        except CredentialError as error:
            raise _unsignable(error) from error
        self.history.write(by, "sign_credential", "campus", campus.id, at=at, campus_id=campus.id)
        return signed

    def _check(self, document: JsonObject, campus: Campus) -> None:
        against = next((each for each in shape_of(document) if each.outcome is not Outcome.PASSED), None)
        if against is not None:
            raise InvalidInput(
                "Cette attestation ne suit pas le modèle du W3C : {reason}.",
                reason=" ".join([against.reason, *against.details.values()])[:200],
            )
        if "proof" in document:
            raise InvalidInput("Cette attestation est déjà signée.")
        if any(map(is_unseen, dump_json(document).decode())):
            raise InvalidInput("Cette attestation contient un signe qui ne se voit pas.")
        issuer = document["issuer"]
        if (issuer.get("id") if isinstance(issuer, dict) else issuer) != campus.did:
            raise InvalidInput("L’émetteur de l’attestation doit être {did}.", did=campus.did)
        if not _OWN_KINDS.isdisjoint(_listed(document.get("type"))):
            raise InvalidInput(_OWN_KIND)


def _unsignable(error: CredentialError) -> InvalidInput:
    return InvalidInput("Cette attestation ne peut pas être signée : {reason}.", reason=str(error)[:200])


def _listed(value: JsonValue) -> list[str]:
    return [str(each) for each in (value if isinstance(value, list) else [value])]
