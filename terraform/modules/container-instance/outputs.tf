output "id" {
  description = "Resource id of the container group."
  value       = azurerm_container_group.this.id
}

output "fqdn" {
  description = "Name of the slot inside the network, once the record exists."
  value       = trimsuffix(azurerm_private_dns_a_record.this.fqdn, ".")
}

output "ip_address" {
  description = "Private address at the time of the last apply."
  value       = azurerm_container_group.this.ip_address
}
