locals {
  servers = {
    pass_reader        = { tier = "reader", secret = azurerm_cosmosdb_account.database.primary_readonly_mongodb_connection_string }
    pass_admin         = { tier = "admin", secret = azurerm_cosmosdb_account.database.primary_mongodb_connection_string }
    pass_no_database   = { tier = "reader", secret = null }
    fail_reader        = { tier = "reader", secret = azurerm_cosmosdb_account.database.primary_mongodb_connection_string }
    fail_secondary     = { tier = "reader", secret = azurerm_cosmosdb_account.database.secondary_mongodb_connection_string }
    fail_key_alone     = { tier = "reader", secret = azurerm_cosmosdb_account.database.primary_key }
    fail_tagged_reader = { tier = "admin", secret = azurerm_cosmosdb_account.database.primary_mongodb_connection_string, tags = { tier = "reader" } }
  }
}

resource "azurerm_cosmosdb_account" "database" {
  name                = "cosmos-database"
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

resource "azurerm_container_group" "this" {
  for_each            = local.servers
  name                = "aci-${replace(each.key, "_", "-")}"
  resource_group_name = "rg"
  location            = "uksouth"
  os_type             = "Linux"
  ip_address_type     = "None"
  tags                = try(each.value.tags, {})

  container {
    name   = "server"
    image  = "acr.azurecr.io/mongodb-mcp:0.1.0"
    cpu    = 0.5
    memory = 1

    environment_variables        = { MCP_TIER = each.value.tier }
    secure_environment_variables = each.value.secret == null ? {} : { MONGODB_URI = each.value.secret }
  }
}
