"""HTTP, TLS and the CONNECT proxy around the services."""
