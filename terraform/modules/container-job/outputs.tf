output "id" {
  description = "Resource id of the container group."
  value       = azurerm_container_group.this.id
}
