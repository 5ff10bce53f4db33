locals {
  # As in stage2/locals.tf, which also says what the values must look like.
  _gateway_host = coalesce(
    try(regex("^https://([^/:]+)", var.public_base_url)[0], null),
    try(var.apim.custom_domain.host_name, null),
    "apim-${var.name}.azure-api.net",
  )

  _zone_names = merge(
    {
      servers = "mcp.internal"
      cosmos  = "privatelink.mongo.cosmos.azure.com"
      vault   = "privatelink.vaultcore.azure.net"
    },
    local._is_premium_registry ? { registry = "privatelink.azurecr.io" } : {},
    var.state_account == null ? {} : { state = "privatelink.blob.core.windows.net" },
    # Nobody but this network knows an internal gateway: its host is a zone of its own, so that no other name is taken over.
    var.gateway_exposure == "internal" ? { gateway = local._gateway_host } : {},
  )

  _zones_to_create = {
    for key, name in local._zone_names : key => name
    if !contains(keys(var.network.existing_private_dns_zone_ids), key)
  }

  _private_dns_zone_ids = merge(
    { for key, zone in azurerm_private_dns_zone.this : key => zone.id },
    var.network.existing_private_dns_zone_ids,
  )
}

resource "azurerm_private_dns_zone" "this" {
  for_each = local._zones_to_create

  name                = each.value
  resource_group_name = var.resource_group_name
  tags                = local.tags
}

# Zones of a hub are linked, or resolved through the hub's servers, by those who keep them.
resource "azurerm_private_dns_zone_virtual_network_link" "this" {
  for_each = local._zones_to_create

  name                = "link-${var.name}"
  private_dns_zone_id = azurerm_private_dns_zone.this[each.key].id
  virtual_network_id  = local._network_id
  tags                = local.tags
}
