"""The Azure CLI and what it refuses."""
