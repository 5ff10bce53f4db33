output "id" {
  description = "Resource id of the environment, once its apps can be found by name."
  value       = azurerm_container_app_environment.this.id
  depends_on  = [azurerm_private_dns_a_record.this, azurerm_private_dns_zone_virtual_network_link.this]
}

output "default_domain" {
  description = "What the name of every app ends with; Azure chooses it when the environment is made."
  value       = azurerm_container_app_environment.this.default_domain
}
