"""Servers as sources: adding one."""
