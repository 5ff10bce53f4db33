"""A local issuer that behaves like Entra ID v2 for one tenant, configured from the applied Terraform state."""
