locals {
  _private_dns_zone_ids = merge(
    { for key, zone in azurerm_private_dns_zone.this : key => zone.id },
    var.network.existing_private_dns_zone_ids,
  )
}

resource "azurerm_private_dns_zone" "this" {
  for_each = module.names.private_dns_zones

  name                = each.value
  resource_group_name = var.resource_group_name
  tags                = module.names.tags
}

# Zones of a hub are linked, or resolved through the hub's servers, by those who keep them.
resource "azurerm_private_dns_zone_virtual_network_link" "this" {
  for_each = module.names.private_dns_zones

  name                = module.names.network.dns_link
  private_dns_zone_id = azurerm_private_dns_zone.this[each.key].id
  virtual_network_id  = local._network_id
  tags                = module.names.tags
}
