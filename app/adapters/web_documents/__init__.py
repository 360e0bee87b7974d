"""Documents of other issuers, fetched over https in such a way that a badge cannot turn us against anybody.

`WebDocuments` is the DocumentSource; `docs/fetching.md` says what it fetches, when and within which limits.
"""

from app.adapters.web_documents.fetcher import WebDocuments
from app.adapters.web_documents.limits import Limits, Why
from app.adapters.web_documents.targets import Reach

__all__ = ["Limits", "Reach", "WebDocuments", "Why"]
