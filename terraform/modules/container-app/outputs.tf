# What any kind of compute must say of a slot: fqdn, url and principal_id (docs/adr/0034). Known when planning, because the
# environment is older than its apps; used only once the app is there.

output "fqdn" {
  description = "Name of the app inside the network."
  value       = "${var.name}.${var.environment.default_domain}"
  depends_on  = [azurerm_container_app.this]
}

output "url" {
  description = "Where the gateway calls the app."
  value       = "https://${var.name}.${var.environment.default_domain}"
  depends_on  = [azurerm_container_app.this]
}

output "principal_id" {
  description = "Principal of the identity that the app runs as."
  value       = var.identity.principal_id
}

output "id" {
  description = "Resource id of the app."
  value       = azurerm_container_app.this.id
}
