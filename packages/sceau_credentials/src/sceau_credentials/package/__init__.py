"""One file with a badge and every document read to verify it, so that it can be verified again offline.

Nothing inside authenticates itself: `verify_package` trusts only keys and witnesses that the verifier knows
already.
"""

from sceau_credentials.package.reading import Package, open_package
from sceau_credentials.package.verifying import Anchors, PackageAnswer, verify_anchored, verify_package
from sceau_credentials.package.writing import make_package

__all__ = [
    "Anchors",
    "Package",
    "PackageAnswer",
    "make_package",
    "open_package",
    "verify_anchored",
    "verify_package",
]
