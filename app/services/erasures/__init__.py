"""The right to be forgotten: what would go, what went, and the proof of it that names nobody."""

from app.services.erasures.erasing import ErasureService, Foreseen
from app.services.erasures.proofs import ErasureProofs, ErasureTold

__all__ = ["ErasureProofs", "ErasureService", "ErasureTold", "Foreseen"]
