output "id" {
  description = "Resource id of the network."
  value       = azurerm_virtual_network.this.id
}

output "subnet_ids" {
  description = "Resource ids of the subnets by short name, once their security groups and NAT gateway are attached."
  value       = { for name, subnet in azurerm_subnet.this : name => subnet.id }

  depends_on = [
    azurerm_subnet_network_security_group_association.this,
    azurerm_subnet_nat_gateway_association.this,
    azurerm_nat_gateway_public_ip_association.this,
  ]
}
