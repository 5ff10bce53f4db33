# Azure answers for an internal environment's domain nowhere: the network's own zone of that name does ("Provide a virtual
# network to an internal Azure Container Apps environment", 2022-06-09). The certificate is for *.<domain>, from a public authority, so
# that the gateway checks it with what it trusts already.
resource "azurerm_private_dns_zone" "this" {
  name                = azurerm_container_app_environment.this.default_domain
  resource_group_name = var.resource_group_name
  tags                = var.tags
}

resource "azurerm_private_dns_zone_virtual_network_link" "this" {
  name                = var.dns_link_name
  private_dns_zone_id = azurerm_private_dns_zone.this.id
  virtual_network_id  = var.virtual_network_id
  tags                = var.tags
}

# One address for every app; the environment's ingress tells them apart by name.
resource "azurerm_private_dns_a_record" "this" {
  name                = "*"
  private_dns_zone_id = azurerm_private_dns_zone.this.id
  ttl                 = 30
  records             = [azurerm_container_app_environment.this.static_ip_address]
  tags                = var.tags
}
