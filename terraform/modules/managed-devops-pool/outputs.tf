output "id" {
  description = "Resource id of the pool."
  value       = azurerm_managed_devops_pool.this.id
}

output "name" {
  description = "Name of the pool in Azure DevOps: what the pipelines' parameter `pool` takes."
  value       = azurerm_managed_devops_pool.this.name
}
