locals {
  registries = { pass_registry = "Premium", pass_basic = "Basic", fail_registry = "Premium" }

  endpoints = {
    MongoDB      = azurerm_cosmosdb_account.this["pass_database"].id
    MongoCluster = azurerm_mongo_cluster.this["pass_cluster"].id
    vault        = azurerm_key_vault.this["pass_vault"].id
    registry     = azurerm_container_registry.this["pass_registry"].id
  }
}

resource "azurerm_cosmosdb_account" "this" {
  for_each            = toset(["pass_database", "fail_database"])
  name                = "cosmos-${replace(each.key, "_", "-")}"
  resource_group_name = "rg"
  location            = "uksouth"
  offer_type          = "Standard"
  kind                = "MongoDB"

  consistency_policy {
    consistency_level = "Session"
  }

  geo_location {
    location          = "uksouth"
    failover_priority = 0
  }
}

resource "azurerm_key_vault" "this" {
  for_each            = toset(["pass_vault", "fail_vault"])
  name                = "kv-${replace(each.key, "_", "-")}"
  resource_group_name = "rg"
  location            = "uksouth"
  tenant_id           = "00000000-0000-0000-0000-000000000000"
  sku_name            = "standard"

  rbac_authorization_enabled = true
}

resource "azurerm_container_registry" "this" {
  for_each            = local.registries
  name                = "acr${replace(each.key, "_", "")}"
  resource_group_name = "rg"
  location            = "uksouth"
  sku                 = each.value
}

resource "azurerm_virtual_network" "this" {
  name                = "vnet"
  resource_group_name = "rg"
  location            = "uksouth"
  address_space       = ["10.0.0.0/16"]
}

resource "azurerm_subnet" "endpoints" {
  name                 = "snet-endpoints"
  resource_group_name  = "rg"
  virtual_network_name = azurerm_virtual_network.this.name
  address_prefixes     = ["10.0.0.0/24"]
}

resource "azurerm_private_endpoint" "this" {
  for_each            = local.endpoints
  name                = "pe-${lower(each.key)}"
  resource_group_name = "rg"
  location            = "uksouth"
  subnet_id           = azurerm_subnet.endpoints.id

  private_service_connection {
    name                           = lower(each.key)
    private_connection_resource_id = each.value
    subresource_names              = [each.key]
    is_manual_connection           = false
  }
}

resource "azurerm_mongo_cluster" "this" {
  for_each               = toset(["pass_cluster", "fail_cluster"])
  name                   = replace(each.key, "_", "-")
  resource_group_name    = "rg"
  location               = "uksouth"
  authentication_methods = ["MicrosoftEntraID"]
  public_network_access  = "Disabled"
  compute_tier           = "M30"
  storage_size_in_gb     = 128
  high_availability_mode = "Disabled"
  shard_count            = 1
  version                = "8.0"
}
