resource "azurerm_container_group" "pass_secure" {
  name                = "pass-secure"
  location            = "uksouth"
  resource_group_name = "rg"
  os_type             = "Linux"

  container {
    name                         = "server"
    cpu                          = 1
    memory                       = 1
    image                        = "acrexample.azurecr.io/mongodb-mcp:1.2.3"
    environment_variables        = { MCP_TIER = "reader" }
    secure_environment_variables = { MONGODB_URI = "mongodb://u:p@host/" }
  }
}

resource "azurerm_container_group" "fail_name" {
  name                = "fail-name"
  location            = "uksouth"
  resource_group_name = "rg"
  os_type             = "Linux"

  container {
    name                  = "server"
    cpu                   = 1
    memory                = 1
    image                 = "acrexample.azurecr.io/mongodb-mcp:1.2.3"
    environment_variables = { MONGODB_URI = "anything" }
  }
}

resource "azurerm_container_group" "fail_value" {
  name                = "fail-value"
  location            = "uksouth"
  resource_group_name = "rg"
  os_type             = "Linux"

  container {
    name                  = "server"
    cpu                   = 1
    memory                = 1
    image                 = "acrexample.azurecr.io/mongodb-mcp:1.2.3"
    environment_variables = { DSN = "mongodb://user:password@host:10255/" }
  }
}
