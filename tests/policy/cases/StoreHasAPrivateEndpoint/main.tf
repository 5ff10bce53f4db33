resource "azurerm_cosmosdb_account" "pass_database" {
  name                = "cosmos-pass-database"
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

resource "azurerm_key_vault" "pass_vault" {
  name                = "kv-pass-vault"
  resource_group_name = "rg"
  location            = "uksouth"
  tenant_id           = "00000000-0000-0000-0000-000000000000"
  sku_name            = "standard"

  rbac_authorization_enabled = true
}

resource "azurerm_container_registry" "pass_registry" {
  name                = "acrpassregistry"
  resource_group_name = "rg"
  location            = "uksouth"
  sku                 = "Premium"
}

resource "azurerm_container_registry" "pass_basic" {
  name                = "acrpassbasic"
  resource_group_name = "rg"
  location            = "uksouth"
  sku                 = "Basic"
}

resource "azurerm_cosmosdb_account" "fail_database" {
  name                = "cosmos-fail-database"
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

resource "azurerm_key_vault" "fail_vault" {
  name                = "kv-fail-vault"
  resource_group_name = "rg"
  location            = "uksouth"
  tenant_id           = "00000000-0000-0000-0000-000000000000"
  sku_name            = "standard"

  rbac_authorization_enabled = true
}

resource "azurerm_container_registry" "fail_registry" {
  name                = "acrfailregistry"
  resource_group_name = "rg"
  location            = "uksouth"
  sku                 = "Premium"
}

resource "azurerm_private_endpoint" "database" {
  name                = "pe-mongodb"
  resource_group_name = "rg"
  location            = "uksouth"
  subnet_id           = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet/subnets/snet-endpoints"

  private_service_connection {
    name                           = "mongodb"
    private_connection_resource_id = azurerm_cosmosdb_account.pass_database.id
    subresource_names              = ["MongoDB"]
    is_manual_connection           = false
  }
}

resource "azurerm_private_endpoint" "vault" {
  name                = "pe-vault"
  resource_group_name = "rg"
  location            = "uksouth"
  subnet_id           = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet/subnets/snet-endpoints"

  private_service_connection {
    name                           = "vault"
    private_connection_resource_id = azurerm_key_vault.pass_vault.id
    subresource_names              = ["vault"]
    is_manual_connection           = false
  }
}

resource "azurerm_private_endpoint" "registry" {
  name                = "pe-registry"
  resource_group_name = "rg"
  location            = "uksouth"
  subnet_id           = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet/subnets/snet-endpoints"

  private_service_connection {
    name                           = "registry"
    private_connection_resource_id = azurerm_container_registry.pass_registry.id
    subresource_names              = ["registry"]
    is_manual_connection           = false
  }
}
