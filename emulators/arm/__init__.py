"""The local Azure control plane: Resource Manager, Microsoft Graph and data planes, for the unmodified Azure CLI."""
