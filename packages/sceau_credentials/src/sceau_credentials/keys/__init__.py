"""Signing and verification keys, and their JWK and Multikey forms."""

from sceau_credentials.keys.multibase import (
    decode_base64url,
    decode_multibase,
    encode_base64url,
    encode_multibase,
)
from sceau_credentials.keys.signing import LocalSigningKey, Signer, SigningKey
from sceau_credentials.keys.verification import Algorithm, VerificationKey

__all__ = [
    "Algorithm",
    "LocalSigningKey",
    "Signer",
    "SigningKey",
    "VerificationKey",
    "decode_base64url",
    "decode_multibase",
    "encode_base64url",
    "encode_multibase",
]
