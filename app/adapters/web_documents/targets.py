"""From the text of a URL to the one place it may lead to, or to none.

The text is read once, by one strict expression, and what it yields is what is connected to and asked for:
no second parser may see another host in it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urljoin

from app.adapters.web_documents.limits import Refused, Why

# No blank, no control character, no backslash, nothing beyond ASCII: full-width digits are no digits here.
_PLAIN: Final = re.compile(r"[\x21-\x5b\x5d-\x7e]{1,2048}")
_URL: Final = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9._-]+)(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>/[^?#]*)?(?P<query>\?[^#]*)?(?:#.*)?",
    re.ASCII | re.IGNORECASE,
)
# At least two labels and a last one that begins with a letter: 2130706433, 0x7f.1 and 127.1 are not names.
_NAME: Final = re.compile(
    r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII
)
_LONGEST_NAME: Final = 253
_LOCAL_NAMES: Final = frozenset({"localhost", "127.0.0.1"})


@dataclass(frozen=True)
class Target:
    scheme: str
    host: str
    port: int
    path: str
    is_local: bool = False

    @property
    def authority(self) -> str:
        usual = 443 if self.scheme == "https" else 80
        return self.host if self.port == usual else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.authority}{self.path}"


@dataclass(frozen=True)
class Reach:
    """Where fetches may go: https on these ports of public hosts, and named ports of this machine."""

    ports: frozenset[int] = frozenset({443})
    local_ports: frozenset[int] = frozenset()

    def target(self, url: str) -> Target:
        read = _URL.fullmatch(url) if _PLAIN.fullmatch(url) else None
        if read is None:
            raise Refused(Why.URL_NOT_ALLOWED)
        scheme, host = read["scheme"].lower(), read["host"].lower()
        port = int(read["port"] or (443 if scheme == "https" else 80))
        path = (read["path"] or "/") + (read["query"] or "")
        if host in _LOCAL_NAMES and port in self.local_ports:
            # did:web always says https (L-001); a service in development speaks plain http.
            return Target("http", host, port, path, is_local=True)
        is_name = len(host) <= _LONGEST_NAME and _NAME.fullmatch(host)
        if scheme != "https" or not is_name or port not in self.ports:
            raise Refused(Why.URL_NOT_ALLOWED)
        return Target(scheme, host, port, path)

    def redirected(self, target: Target, location: str) -> Target:
        """Where `target` sends us, judged as strictly as where we began."""
        try:
            # Joining repairs what it should refuse, so the location itself must be plain.
            moved = self.target(urljoin(target.url, location)) if _PLAIN.fullmatch(location) else None
        except (Refused, ValueError):
            moved = None
        if moved is None or (moved.is_local and not target.is_local):
            raise Refused(Why.REDIRECT_REFUSED)
        return moved
