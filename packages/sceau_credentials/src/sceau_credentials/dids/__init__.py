"""did:web and did:key: from an identifier to the keys it controls."""

from sceau_credentials.dids.identifiers import did_key, did_web, did_web_document_url
from sceau_credentials.dids.publishing import PublishedKey, did_document, jwk_set, jwt_method_id
from sceau_credentials.dids.resolving import ResolvedKey, resolve_key, resolve_method

__all__ = [
    "PublishedKey",
    "ResolvedKey",
    "did_document",
    "did_key",
    "did_web",
    "did_web_document_url",
    "jwk_set",
    "jwt_method_id",
    "resolve_key",
    "resolve_method",
]
