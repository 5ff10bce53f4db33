resource "azurerm_cosmosdb_account" "pass_prod" {
  name                = "cosmos-pass-prod"
  resource_group_name = "rg"
  location            = "uksouth"
  offer_type          = "Standard"
  kind                = "MongoDB"
  tags                = { environment = "prod" }

  consistency_policy {
    consistency_level = "Session"
  }

  geo_location {
    location          = "uksouth"
    failover_priority = 0
  }
}

resource "azurerm_cosmosdb_account" "pass_dev" {
  name                = "cosmos-pass-dev"
  resource_group_name = "rg"
  location            = "uksouth"
  offer_type          = "Standard"
  kind                = "MongoDB"
  tags                = { environment = "dev" }

  consistency_policy {
    consistency_level = "Session"
  }

  geo_location {
    location          = "uksouth"
    failover_priority = 0
  }
}

resource "azurerm_cosmosdb_account" "fail_prod" {
  name                = "cosmos-fail-prod"
  resource_group_name = "rg"
  location            = "uksouth"
  offer_type          = "Standard"
  kind                = "MongoDB"
  tags                = { environment = "prod" }

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
  scope      = azurerm_cosmosdb_account.pass_prod.id
  lock_level = "CanNotDelete"
}
