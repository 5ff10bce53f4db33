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
