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

resource "azurerm_container_group" "pass_keyless" {
  name                = "pass-keyless"
  location            = "uksouth"
  resource_group_name = "rg"
  os_type             = "Linux"

  container {
    name                  = "server"
    cpu                   = 1
    memory                = 1
    image                 = "acrexample.azurecr.io/mongodb-mcp:1.2.3"
    environment_variables = { MONGODB_URI = "mongodb+srv://00000000-0000-0000-0000-000000000001@docdb.global.mongocluster.cosmos.azure.com/?tls=true&authMechanism=MONGODB-OIDC&retrywrites=false" }
  }
}

resource "azurerm_container_group" "fail_password_beside_it" {
  name                = "fail-password"
  location            = "uksouth"
  resource_group_name = "rg"
  os_type             = "Linux"

  container {
    name                  = "server"
    cpu                   = 1
    memory                = 1
    image                 = "acrexample.azurecr.io/mongodb-mcp:1.2.3"
    environment_variables = { MONGODB_URI = "mongodb+srv://00000000-0000-0000-0000-000000000001:password@docdb.global.mongocluster.cosmos.azure.com/?tls=true&authMechanism=MONGODB-OIDC" }
  }
}

resource "azurerm_container_group" "fail_other_sign_in" {
  name                = "fail-sign-in"
  location            = "uksouth"
  resource_group_name = "rg"
  os_type             = "Linux"

  container {
    name                  = "server"
    cpu                   = 1
    memory                = 1
    image                 = "acrexample.azurecr.io/mongodb-mcp:1.2.3"
    environment_variables = { MONGODB_URI = "mongodb+srv://00000000-0000-0000-0000-000000000001@docdb.global.mongocluster.cosmos.azure.com/?tls=true&authMechanism=SCRAM-SHA-256" }
  }
}
