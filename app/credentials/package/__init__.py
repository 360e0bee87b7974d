"""One file with a badge and everything that was read to verify it, so that it can be verified again without a network.

The issuer's key document inside is as trustworthy as whoever handed the package over: nothing authenticates it
but the web address it was read from, and that is not asked again.
"""

from app.credentials.package.reading import Package, open_package
from app.credentials.package.writing import make_package

__all__ = ["Package", "make_package", "open_package"]
