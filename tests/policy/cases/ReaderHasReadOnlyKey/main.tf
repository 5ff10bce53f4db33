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

resource "azurerm_container_group" "pass_reader" {
  name                = "aci-pass-reader"
  resource_group_name = "rg"
  location            = "uksouth"
  os_type             = "Linux"
  ip_address_type     = "None"

  container {
    name   = "server"
    image  = "acr.azurecr.io/mongodb-mcp:0.1.0"
    cpu    = 0.5
    memory = 1

    environment_variables = {
      MCP_TIER = "reader"
    }

    secure_environment_variables = {
      MONGODB_URI = azurerm_cosmosdb_account.database.primary_readonly_mongodb_connection_string
    }
  }
}

resource "azurerm_container_group" "pass_admin" {
  name                = "aci-pass-admin"
  resource_group_name = "rg"
  location            = "uksouth"
  os_type             = "Linux"
  ip_address_type     = "None"

  container {
    name   = "server"
    image  = "acr.azurecr.io/mongodb-mcp:0.1.0"
    cpu    = 0.5
    memory = 1

    environment_variables = {
      MCP_TIER = "admin"
    }

    secure_environment_variables = {
      MONGODB_URI = azurerm_cosmosdb_account.database.primary_mongodb_connection_string
    }
  }
}

resource "azurerm_container_group" "pass_no_database" {
  name                = "aci-pass-no-database"
  resource_group_name = "rg"
  location            = "uksouth"
  os_type             = "Linux"
  ip_address_type     = "None"

  container {
    name   = "server"
    image  = "acr.azurecr.io/mongodb-mcp:0.1.0"
    cpu    = 0.5
    memory = 1

    environment_variables = {
      MCP_TIER = "reader"
    }
  }
}

resource "azurerm_container_group" "fail_reader" {
  name                = "aci-fail-reader"
  resource_group_name = "rg"
  location            = "uksouth"
  os_type             = "Linux"
  ip_address_type     = "None"

  container {
    name   = "server"
    image  = "acr.azurecr.io/mongodb-mcp:0.1.0"
    cpu    = 0.5
    memory = 1

    environment_variables = {
      MCP_TIER = "reader"
    }

    secure_environment_variables = {
      MONGODB_URI = azurerm_cosmosdb_account.database.primary_mongodb_connection_string
    }
  }
}

resource "azurerm_container_group" "fail_secondary" {
  name                = "aci-fail-secondary"
  resource_group_name = "rg"
  location            = "uksouth"
  os_type             = "Linux"
  ip_address_type     = "None"

  container {
    name   = "server"
    image  = "acr.azurecr.io/mongodb-mcp:0.1.0"
    cpu    = 0.5
    memory = 1

    environment_variables = {
      MCP_TIER = "reader"
    }

    secure_environment_variables = {
      MONGODB_URI = azurerm_cosmosdb_account.database.secondary_mongodb_connection_string
    }
  }
}

resource "azurerm_container_group" "fail_key_alone" {
  name                = "aci-fail-key-alone"
  resource_group_name = "rg"
  location            = "uksouth"
  os_type             = "Linux"
  ip_address_type     = "None"

  container {
    name   = "server"
    image  = "acr.azurecr.io/mongodb-mcp:0.1.0"
    cpu    = 0.5
    memory = 1

    environment_variables = {
      MCP_TIER = "reader"
    }

    secure_environment_variables = {
      MONGODB_URI = azurerm_cosmosdb_account.database.primary_key
    }
  }
}

resource "azurerm_container_group" "fail_tagged_reader" {
  name                = "aci-fail-tagged-reader"
  resource_group_name = "rg"
  location            = "uksouth"
  os_type             = "Linux"
  ip_address_type     = "None"
  tags                = { tier = "reader" }

  container {
    name   = "server"
    image  = "acr.azurecr.io/mongodb-mcp:0.1.0"
    cpu    = 0.5
    memory = 1

    environment_variables = {
      MCP_TIER = "admin"
    }

    secure_environment_variables = {
      MONGODB_URI = azurerm_cosmosdb_account.database.primary_mongodb_connection_string
    }
  }
}
