"""Lints on the document as a whole: vocabularies, types, identifiers, size, what a signature covers."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from sceau_credentials.errors import CanonicalizationTooHard, MalformedInput, UnusableKey
from sceau_credentials.issuing.draft import Draft, Part, Text
from sceau_credentials.keys import Algorithm, Signer, VerificationKey
from sceau_credentials.model.conforming import reads_back
from sceau_credentials.values import (
    CONTEXT_EXTENSIONS,
    CONTEXT_OB_3_0_3,
    CONTEXT_V2,
    JsonObject,
    JsonValue,
    dump_json,
    format_timestamp,
    known_schema_urls,
    parse_json,
    parse_timestamp,
    shifted,
)

Lint = Callable[[Draft], str | None]

_MAX_DEPTH: Final = 16
_MAX_CHARACTERS: Final = 48 * 1024  # a token, in base64 and UTF-8, must stay below 64 KiB (M4)
_MAX_BLANK_NODES: Final = 64
_MAX_QUADS: Final = 2_000
_MAX_EXACT: Final = 2**53 - 1
_REGISTERED: Final = frozenset({"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "vc", "vp"})
_RANDOM_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_EXTENSION_TYPES: Final = frozenset(
    {"1EdTechJsonSchemaValidator2019", "1EdTechRevocationList", "1EdTechCredentialRefresh"}
)
_BLANK_NODE: Final = re.compile(r"_:c14n\d+")
_RETIRED: Final = "1EdTechRevocationList"
_TYPE: Final = frozenset({"type"})
_CONTEXT: Final = frozenset({"@context"})


def vocabularies_are_the_current_ones(draft: Draft) -> str | None:
    expected: list[object] = [CONTEXT_V2, CONTEXT_OB_3_0_3]
    if draft.first(_extension_types) is not None:
        expected.append(CONTEXT_EXTENSIONS)
    return None if draft.document.get("@context") == expected else "@context"


def _extension_types(part: Part) -> list[Text]:
    return [text for text in part.named(_TYPE) if text.value in _EXTENSION_TYPES]


def no_vocabulary_inside(draft: Draft) -> str | None:
    return draft.first(_inner_contexts)


def _inner_contexts(part: Part) -> list[Text]:
    return [text for text in part.named(_CONTEXT) if not text.pointer.startswith("/@context/")]


def no_json_ld_keyword(draft: Draft) -> str | None:
    keywords = [name for name in draft.names if name[:1] == "@" and name != "@context"]
    return min(keywords) if keywords else None


def types_are_those_of_a_badge(draft: Draft) -> str | None:
    types = draft.document.get("type")
    return None if types == ["VerifiableCredential", "OpenBadgeCredential"] else "/type"


def id_is_unguessable(draft: Draft) -> str | None:
    return None if _RANDOM_UUID.search(str(draft.document.get("id"))) else "/id"


def not_signed_before(draft: Draft) -> str | None:
    return "/proof" if "proof" in draft.document else None


def no_token_claim_among_the_members(draft: Draft) -> str | None:
    taken = sorted(_REGISTERED & draft.document.keys())  # B-012
    return taken[0] if taken else None


def nothing_is_empty(draft: Draft) -> str | None:
    return draft.hollow[0] if draft.hollow else None


def depth_is_moderate(draft: Draft) -> str | None:
    return None if draft.depth <= _MAX_DEPTH else str(draft.depth)


def size_is_moderate(draft: Draft) -> str | None:
    size = draft.length + sum(map(len, draft.names))
    return None if size <= _MAX_CHARACTERS else str(size)


def numbers_are_exact_everywhere(draft: Draft) -> str | None:
    """Engines disagree on integers beyond 2^53 and on numbers they print with an exponent."""
    odd = [n for n in draft.numbers if abs(n) > _MAX_EXACT or (n != 0 and abs(n) < 1e-6)]
    return str(odd[0]) if odd else None


def json_reads_back_the_same(draft: Draft) -> str | None:
    try:
        return None if parse_json(dump_json(draft.document)) == draft.document else "differs"
    except MalformedInput as error:
        return error.reason


def model_reads_it_back(draft: Draft) -> str | None:
    try:
        return None if reads_back(draft.document) else "differs"
    except MalformedInput as error:
        return f"{error.reason} {error.pointer}"


def every_word_is_signed(draft: Draft) -> str | None:
    """Undefined terms, relative identifiers and dropped values would stay outside the signature (B-040)."""
    try:
        return None if draft.nquads else "nothing to sign"
    except (MalformedInput, CanonicalizationTooHard) as error:
        return str(error)


def engines_sort_it_alike(draft: Draft) -> str | None:
    """JavaScript sorts by UTF-16 units, RDFC-1.0 by code points: they may differ beyond U+FFFF."""
    try:
        nquads = draft.nquads
    except (MalformedInput, CanonicalizationTooHard):
        return None
    if len(nquads.encode("utf-16-be")) == 2 * len(nquads):
        return None
    statements = nquads.removesuffix("\n").split("\n")
    by_units = sorted(statements, key=lambda statement: statement.encode("utf-16-be"))
    return next((one for one, other in zip(statements, by_units, strict=True) if one != other), None)


def graph_is_small(draft: Draft) -> str | None:
    try:
        quads = draft.nquads
    except (MalformedInput, CanonicalizationTooHard):
        return None
    if quads.count("\n") > _MAX_QUADS:
        return "statements"
    if quads.count("_:c14n") <= _MAX_BLANK_NODES:
        return None
    return None if len(set(_BLANK_NODE.findall(quads))) <= _MAX_BLANK_NODES else "blank nodes"


def schemas_are_held(draft: Draft) -> str | None:
    named = [str(entry.get("id")) for entry in draft.objects(draft.document, "credentialSchema")]
    unknown = [url for url in named if url not in known_schema_urls()]
    return unknown[0] if unknown else None


def no_retired_way_of_withdrawing(draft: Draft) -> str | None:
    """The unsigned list of 1EdTech is accepted when reading but never written here (D-024)."""
    return draft.first(_retired_ways)


def _retired_ways(part: Part) -> list[Text]:
    if _RETIRED not in part.joined:
        return []
    return [text for text in part.texts if text.value == _RETIRED]


LINTS: Final[tuple[Lint, ...]] = (
    vocabularies_are_the_current_ones,
    no_vocabulary_inside,
    no_json_ld_keyword,
    types_are_those_of_a_badge,
    id_is_unguessable,
    not_signed_before,
    no_token_claim_among_the_members,
    nothing_is_empty,
    depth_is_moderate,
    size_is_moderate,
    numbers_are_exact_everywhere,
    json_reads_back_the_same,
    model_reads_it_back,
    every_word_is_signed,
    engines_sort_it_alike,
    graph_is_small,
    schemas_are_held,
    no_retired_way_of_withdrawing,
)


def issuer_is_named_in_full(draft: Draft) -> str | None:
    """A profile with a name, so that displaying one needs no fetch (A-025, A-047)."""
    types = draft.issuer.get("type")
    named = isinstance(types, list) and "Profile" in types and isinstance(draft.issuer.get("name"), str)
    return None if named else "/issuer"


def keys_are_the_issuers(draft: Draft) -> str | None:
    issuer = draft.issuer.get("id")
    strangers = [s.verification_method for s in _signers(draft) if s.controller != issuer]
    return strangers[0] if strangers else None  # B-051


def methods_name_one_key(draft: Draft) -> str | None:
    nameless = [s for s in _signers(draft) if s.verification_method.count("#") != 1 or not _fragment(s)]
    return nameless[0].verification_method if nameless else None


def forms_use_methods_of_their_own(draft: Draft) -> str | None:
    """One method holds one form of a key, Multikey or JWK (L-006)."""
    shared = draft.signer.verification_method == draft.jwt_signer.verification_method
    return draft.signer.verification_method if shared else None


def embedded_proof_is_ed25519(draft: Draft) -> str | None:
    algorithm = draft.signer.key.public.algorithm  # eddsa-rdfc-2022, B-032
    return None if algorithm is Algorithm.EDDSA else algorithm.value


def keys_are_fit_to_verify(draft: Draft) -> str | None:
    """The public half must pass the checks a verifier applies (M3)."""
    published = [tuple(signer.key.public.to_jwk().items()) for signer in _signers(draft)]
    return next(filter(None, map(_unfit, published)), None)


@lru_cache(maxsize=1_024)
def _unfit(members: tuple[tuple[str, JsonValue], ...]) -> str | None:
    """Pure, and cached."""
    try:
        VerificationKey.from_jwk(dict(members))
    except UnusableKey as error:
        return error.reason
    return None


def public_halves_only(draft: Draft) -> str | None:
    private = {"d", "p", "q", "dp", "dq", "qi", "k", "secretKeyMultibase", "privateKeyJwk"} & draft.names
    return sorted(private)[0] if private else None


def _signers(draft: Draft) -> tuple[Signer, Signer]:
    return (draft.signer, draft.jwt_signer)


def _fragment(signer: Signer) -> str:
    return signer.verification_method.partition("#")[2]


KEY_LINTS: Final[tuple[Lint, ...]] = (
    issuer_is_named_in_full,
    keys_are_the_issuers,
    methods_name_one_key,
    forms_use_methods_of_their_own,
    embedded_proof_is_ed25519,
    keys_are_fit_to_verify,
    public_halves_only,
)


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


STATUS_LINTS: Final[tuple[Lint, ...]] = (
    status_is_one_entry,
    status_is_a_bit_in_a_list,
    status_can_withdraw,
    status_index_is_a_decimal_string,
    status_entry_is_not_named_like_its_list,
    status_list_is_at_home,
)


_ADDRESS: Final = re.compile(r"[^\s@/:]@[^\s@/:]+\.[^\s@]")
_GUESSABLE: Final = frozenset({"emailAddress", "nationalIdentityNumber"})  # M13: a hash of these is no secret
_MIN_SALT: Final = 16


def holder_has_an_identifier(draft: Draft) -> str | None:
    """A token needs one for its `sub` (A-039, X-2)."""
    return None if isinstance(draft.subject.get("id"), str) else "/credentialSubject/id"


def holder_is_no_address(draft: Draft) -> str | None:
    identifier = str(draft.subject.get("id", ""))
    is_address = "@" in identifier and _ADDRESS.search(identifier)
    return "/credentialSubject/id" if is_address or identifier.startswith("tel:") else None


def no_mail_address_of_a_person(draft: Draft) -> str | None:
    """The issuer may publish its own address, also in its definitions; no other person's is published (T20)."""
    return draft.first(_addresses_of_the_holder)


def contains_mail_address(text: str) -> bool:
    return "@" in text and _ADDRESS.search(text) is not None


def _addresses_of_the_holder(part: Part) -> list[Text]:
    if "@" not in part.joined:
        return []
    return [
        text
        for text in part.texts
        if _is_about_the_holder(text.pointer) and contains_mail_address(text.value)
    ]


def _is_about_the_holder(pointer: str) -> bool:
    about = pointer.startswith(("/credentialSubject/", "/evidence/"))
    return about and not pointer.startswith("/credentialSubject/achievement/")


def no_guessable_identifier(draft: Draft) -> str | None:
    entries = draft.objects(draft.subject, "identifier")
    guessable = [entry for entry in entries if entry.get("identityType") in _GUESSABLE]
    return "/credentialSubject/identifier" if guessable else None


def hashed_identifiers_are_salted(draft: Draft) -> str | None:
    hashed = [entry for entry in draft.objects(draft.subject, "identifier") if entry.get("hashed") is True]
    weak = [entry for entry in hashed if len(str(entry.get("salt", ""))) < _MIN_SALT]
    return "/credentialSubject/identifier" if weak else None


def hashes_are_sha256(draft: Draft) -> str | None:
    hashed = [entry for entry in draft.objects(draft.subject, "identifier") if entry.get("hashed") is True]
    weak = [entry for entry in hashed if not str(entry.get("identityHash")).startswith("sha256$")]
    return "/credentialSubject/identifier" if weak else None


PEOPLE_LINTS: Final[tuple[Lint, ...]] = (
    holder_has_an_identifier,
    holder_is_no_address,
    no_mail_address_of_a_person,
    no_guessable_identifier,
    hashed_identifiers_are_salted,
    hashes_are_sha256,
)


_TOLERANCE: Final = timedelta(minutes=5)  # I20
DATES: Final = ("validFrom", "validUntil", "awardedDate")


def moments_are_whole_seconds_in_utc(draft: Draft) -> str | None:
    """The one datetime format on which every parser and every token claim agrees (B-015)."""
    for member in DATES:
        moment = _moment(draft.document, member)
        if member in draft.document and (
            moment is None or format_timestamp(moment) != draft.document[member]
        ):
            return member
    return None


def validity_has_begun(draft: Draft) -> str | None:
    begins = _moment(draft.document, "validFrom")
    return None if begins is not None and begins <= shifted(draft.at, _TOLERANCE) else "validFrom"


def validity_is_not_backdated(draft: Draft) -> str | None:
    begins = _moment(draft.document, "validFrom")
    return None if begins is not None and begins >= shifted(draft.at, -_TOLERANCE) else "validFrom"  # T46


def validity_ends_after_it_begins(draft: Draft) -> str | None:
    begins, ends = _moment(draft.document, "validFrom"), _moment(draft.document, "validUntil")
    return "validUntil" if begins and ends and ends <= begins else None


def validity_is_not_over(draft: Draft) -> str | None:
    ends = _moment(draft.document, "validUntil")
    return "validUntil" if ends and ends <= draft.at else None


def award_is_not_in_the_future(draft: Draft) -> str | None:
    awarded = _moment(draft.document, "awardedDate")
    return "awardedDate" if awarded and awarded > shifted(draft.at, _TOLERANCE) else None


def activity_ends_after_it_begins(draft: Draft) -> str | None:
    begins, ends = _moment(draft.subject, "activityStartDate"), _moment(draft.subject, "activityEndDate")
    return "activityEndDate" if begins and ends and ends < begins else None


def _moment(owner: JsonObject, member: str) -> datetime | None:
    try:
        return parse_timestamp(owner.get(member))
    except MalformedInput:
        return None


TIME_LINTS: Final[tuple[Lint, ...]] = (
    moments_are_whole_seconds_in_utc,
    validity_has_begun,
    validity_is_not_backdated,
    validity_ends_after_it_begins,
    validity_is_not_over,
    award_is_not_in_the_future,
    activity_ends_after_it_begins,
)
