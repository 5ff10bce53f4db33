"""Servers' images: what is built, where it is put, its digest, SBOM and provenance."""
