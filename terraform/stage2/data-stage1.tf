# What stage 2 expects of stage 1: found by name, so that this stage needs no file and no state but its own.

locals {
  _create_network = var.network.existing == null

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
  name                = module.names.identities.gateway
  resource_group_name = var.resource_group_name
}

data "azurerm_user_assigned_identity" "servers" {
  for_each = module.names.tiers

  name                = each.value.identity_name
  resource_group_name = var.resource_group_name
}

data "azurerm_user_assigned_identity" "encryption" {
  for_each = var.customer_managed_key == null ? {} : { this = {} }

  name                = module.names.identities.encryption
  resource_group_name = var.resource_group_name
}

data "azurerm_subnet" "stage1" {
  for_each = local._create_network ? module.names.network.subnets : {}

  name                 = each.value.name
  virtual_network_name = module.names.network.virtual_network
  resource_group_name  = var.resource_group_name
}

data "azurerm_private_dns_zone" "stage1" {
  for_each = { for key, zone in module.names.private_dns_zones : key => zone if contains(["servers", "cosmos", "documentdb", "gateway"], key) }

  name                = each.value
  resource_group_name = var.resource_group_name
}
