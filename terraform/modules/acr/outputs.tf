output "id" {
  description = "Resource id of the registry: the scope of AcrPull and AcrPush."
  value       = azurerm_container_registry.this.id
}

output "name" {
  description = "Name of the registry."
  value       = azurerm_container_registry.this.name
}

output "login_server" {
  description = "Host name that image references start with."
  value       = azurerm_container_registry.this.login_server
}
