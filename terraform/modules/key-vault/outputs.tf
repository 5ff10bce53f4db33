output "id" {
  description = "Resource id of the vault: the scope of its role assignments."
  value       = azurerm_key_vault.this.id
}

output "name" {
  description = "Name of the vault."
  value       = azurerm_key_vault.this.name
}

output "vault_uri" {
  description = "Address of the vault's data plane, with a trailing slash."
  value       = azurerm_key_vault.this.vault_uri
}
