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
