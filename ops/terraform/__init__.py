"""Terraform: the binary, where it runs, its commands, and plans that are saved."""
