resource "azurerm_cosmosdb_account" "this" {
  for_each            = { pass_prod = "prod", pass_dev = "dev", fail_prod = "prod" }
  name                = replace(each.key, "_", "-")
  resource_group_name = "rg"
  location            = "uksouth"
  offer_type          = "Standard"
  kind                = "MongoDB"
  tags                = { environment = each.value }

  consistency_policy {
    consistency_level = "Session"
  }

  geo_location {
    location          = "uksouth"
    failover_priority = 0
  }
}

resource "azurerm_management_lock" "prod" {
  name       = "keep-data"
  scope      = azurerm_cosmosdb_account.this["pass_prod"].id
  lock_level = "CanNotDelete"
}

resource "azurerm_mongo_cluster" "this" {
  for_each               = { pass_cluster = "prod", pass_dev_cluster = "dev", fail_cluster = "prod" }
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
  tags                   = { environment = each.value }
}

resource "azurerm_management_lock" "cluster" {
  name       = "keep-data"
  scope      = azurerm_mongo_cluster.this["pass_cluster"].id
  lock_level = "CanNotDelete"
}
