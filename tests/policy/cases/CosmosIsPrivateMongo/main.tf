resource "azurerm_cosmosdb_account" "pass_private" {
  name                          = "pass-private"
  location                      = "uksouth"
  resource_group_name           = "rg"
  offer_type                    = "Standard"
  kind                          = "MongoDB"
  public_network_access_enabled = false

  capabilities {
    name = "EnableMongo"
  }
}

resource "azurerm_cosmosdb_account" "fail_public" {
  name                          = "fail-public"
  location                      = "uksouth"
  resource_group_name           = "rg"
  offer_type                    = "Standard"
  kind                          = "MongoDB"
  public_network_access_enabled = true

  capabilities {
    name = "EnableMongo"
  }
}

resource "azurerm_cosmosdb_account" "fail_capability" {
  name                          = "fail-capability"
  location                      = "uksouth"
  resource_group_name           = "rg"
  offer_type                    = "Standard"
  kind                          = "MongoDB"
  public_network_access_enabled = false

  capabilities {
    name = "EnableServerless"
  }
}

resource "azurerm_cosmosdb_account" "fail_kind" {
  name                          = "fail-kind"
  location                      = "uksouth"
  resource_group_name           = "rg"
  offer_type                    = "Standard"
  kind                          = "GlobalDocumentDB"
  public_network_access_enabled = false

  capabilities {
    name = "EnableMongo"
  }
}

resource "azurerm_mongo_cluster" "pass_keyless" {
  name                   = "docdb-pass-keyless"
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

resource "azurerm_mongo_cluster" "fail_public" {
  name                   = "docdb-fail-public"
  resource_group_name    = "rg"
  location               = "uksouth"
  authentication_methods = ["MicrosoftEntraID"]
  public_network_access  = "Enabled"
  compute_tier           = "M30"
  storage_size_in_gb     = 128
  high_availability_mode = "Disabled"
  shard_count            = 1
  version                = "8.0"
}

resource "azurerm_mongo_cluster" "fail_passwords" {
  name                   = "docdb-fail-passwords"
  resource_group_name    = "rg"
  location               = "uksouth"
  authentication_methods = ["MicrosoftEntraID", "NativeAuth"]
  public_network_access  = "Disabled"
  compute_tier           = "M30"
  storage_size_in_gb     = 128
  high_availability_mode = "Disabled"
  shard_count            = 1
  version                = "8.0"
  administrator_username = "root"
  administrator_password = "p"
}
