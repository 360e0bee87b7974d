"""What a release consists of: wheel, SBOM, deployment files with images by digest, provenance, checksums."""
