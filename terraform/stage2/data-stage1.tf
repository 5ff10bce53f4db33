# What stage 2 expects of stage 1: found by name, so that this stage needs no file and no state but its own.

locals {
  _create_network = var.network.existing == null

  _zone_names = merge(
    { servers = "mcp.internal", cosmos = "privatelink.mongo.cosmos.azure.com" },
    var.gateway_exposure == "internal" ? { gateway = local._gateway_host } : {},
  )

  _zones_to_find = {
    for key, name in local._zone_names : key => name
    if !contains(keys(var.network.existing_private_dns_zone_ids), key)
  }

  _private_dns_zone_ids = merge(
    { for key, zone in data.azurerm_private_dns_zone.stage1 : key => zone.id },
    var.network.existing_private_dns_zone_ids,
  )

  _subnet_ids = local._create_network ? { for name, subnet in data.azurerm_subnet.stage1 : name => subnet.id } : {
    apim       = var.network.existing.apim_subnet_id
    containers = var.network.existing.containers_subnet_id
    endpoints  = var.network.existing.endpoints_subnet_id
  }
}

data "azurerm_client_config" "current" {}

data "azurerm_container_registry" "stage1" {
  name                = var.acr_name
  resource_group_name = var.resource_group_name
}

data "azurerm_key_vault" "stage1" {
  name                = var.key_vault_name
  resource_group_name = var.resource_group_name
}

data "azurerm_user_assigned_identity" "gateway" {
  name                = "id-${var.name}-gateway"
  resource_group_name = var.resource_group_name
}

data "azurerm_user_assigned_identity" "servers" {
  for_each = local._server_tiers

  name                = "id-${var.name}-${each.key}"
  resource_group_name = var.resource_group_name
}

data "azurerm_user_assigned_identity" "encryption" {
  for_each = var.customer_managed_key == null ? {} : { this = {} }

  name                = "id-${var.name}-encryption"
  resource_group_name = var.resource_group_name
}

data "azurerm_subnet" "stage1" {
  for_each = toset(local._create_network ? ["apim", "containers", "endpoints"] : [])

  name                 = "snet-${each.key}"
  virtual_network_name = "vnet-${var.name}"
  resource_group_name  = var.resource_group_name
}

data "azurerm_private_dns_zone" "stage1" {
  for_each = local._zones_to_find

  name                = each.value
  resource_group_name = var.resource_group_name
}
