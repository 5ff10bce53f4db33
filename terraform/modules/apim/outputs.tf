output "id" {
  description = "Resource id, once every API can answer."
  value       = azurerm_api_management.this.id

  depends_on = [
    azurerm_api_management_api_policy.mcp,
    azurerm_api_management_api_policy.anonymous,
    azurerm_api_management_api_operation_policy.anonymous,
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
