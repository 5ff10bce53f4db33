output "id" {
  description = "Resource id of the account: the target of its private endpoint."
  value       = azurerm_cosmosdb_account.this.id
}

output "name" {
  description = "Name of the account."
  value       = azurerm_cosmosdb_account.this.name
}

output "connection_strings" {
  description = "Connection strings by what they allow and which key they carry: `read-write-primary`, `read-only-secondary`, …"
  sensitive   = true
  value = {
    read-write-primary   = azurerm_cosmosdb_account.this.primary_mongodb_connection_string
    read-write-secondary = azurerm_cosmosdb_account.this.secondary_mongodb_connection_string
    read-only-primary    = azurerm_cosmosdb_account.this.primary_readonly_mongodb_connection_string
    read-only-secondary  = azurerm_cosmosdb_account.this.secondary_readonly_mongodb_connection_string
  }
}
