output "id" {
  description = "Resource id, once every API can answer and what is logged is decided: a diagnostic setting waits for it."
  value       = azurerm_api_management.this.id

  depends_on = [
    azurerm_api_management_api_policy.mcp,
    azurerm_api_management_api_policy.anonymous,
    azurerm_api_management_api_operation_policy.anonymous,
    azurerm_api_management_api_policy.registry,
    azurerm_api_management_diagnostic.azure_monitor,
  ]
}

output "name" {
  description = "Name of the service."
  value       = azurerm_api_management.this.name
}

output "endpoints" {
  description = "MCP endpoint of each server."
  value       = local._resources
}

output "public_ip_id" {
  description = "Resource id of the gateway's public address; null where the gateway is internal."
  value       = one(values(azurerm_public_ip.this)[*].id)
}

output "private_ip_addresses" {
  description = "Addresses in the network; where the gateway is internal, the ones that its name has to lead to."
  value       = azurerm_api_management.this.private_ip_addresses
}

output "service_id" {
  description = "Resource id, as soon as the service exists: what is needed to finish it waits for this and not for `id`."
  value       = azurerm_api_management.this.id
}

output "system_identity_principal_id" {
  description = "Object id of the service's own identity, which reads the certificate of a domain."
  value       = azurerm_api_management.this.identity[0].principal_id
}
