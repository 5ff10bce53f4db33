# What any kind of compute must say of a slot: fqdn, url and principal_id (docs/adr/0034). Known when planning, so that the
# gateway's policies and backends can be checked then; used only once the name leads to the group.

output "fqdn" {
  description = "Name of the slot inside the network."
  value       = local._fqdn
  depends_on  = [azurerm_private_dns_a_record.this]
}

output "url" {
  description = "Where the gateway calls the slot."
  value       = "http://${local._fqdn}:${var.port}"
  depends_on  = [azurerm_private_dns_a_record.this]
}

output "principal_id" {
  description = "Principal of the identity that the slot runs as."
  value       = var.identity.principal_id
}

output "id" {
  description = "Resource id of the container group."
  value       = azurerm_container_group.this.id
}

output "ip_address" {
  description = "Private address at the time of the last apply."
  value       = data.azurerm_container_group.this.ip_address
}
