"""Lints on the keys: the issuer's own, strong, of the right kind, and named by a proper address."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from sceau_credentials.errors import UnusableKey
from sceau_credentials.issuing.draft import Draft
from sceau_credentials.issuing.lints.shape import Lint
from sceau_credentials.keys import Algorithm, Signer, VerificationKey
from sceau_credentials.values.json_text import JsonValue


def issuer_is_named_in_full(draft: Draft) -> str | None:
    """A profile with a name, so that nobody has to fetch one to show it (A-025, A-047)."""
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
    """The public half goes through the same door a verifier would put it through (M3)."""
    published = [tuple(signer.key.public.to_jwk().items()) for signer in _signers(draft)]
    return next(filter(None, map(_unfit, published)), None)


@lru_cache(maxsize=1_024)
def _unfit(members: tuple[tuple[str, JsonValue], ...]) -> str | None:
    """Of one text, always the same."""
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


LINTS: Final[tuple[Lint, ...]] = (
    issuer_is_named_in_full,
    keys_are_the_issuers,
    methods_name_one_key,
    forms_use_methods_of_their_own,
    embedded_proof_is_ed25519,
    keys_are_fit_to_verify,
    public_halves_only,
)
