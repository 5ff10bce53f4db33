"""Grants of the token endpoint, one module each; `endpoint` picks one."""
