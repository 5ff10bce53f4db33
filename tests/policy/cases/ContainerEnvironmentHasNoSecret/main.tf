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

resource "azurerm_container_app" "pass_app_reference" {
  name                         = "pass-app-reference"
  resource_group_name          = "rg"
  container_app_environment_id = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.App/managedEnvironments/e"
  revision_mode                = "Multiple"

  secret {
    name                = "uri"
    identity            = "System"
    key_vault_secret_id = "https://kv.vault.azure.net/secrets/uri"
  }

  template {
    container {
      name   = "server"
      image  = "acrexample.azurecr.io/mongodb-mcp:1.2.3"
      cpu    = 0.5
      memory = "1Gi"

      env {
        name        = "MONGODB_URI"
        secret_name = "uri"
      }

      env {
        name  = "MCP_TIER"
        value = "reader"
      }
    }
  }
}

resource "azurerm_container_app" "fail_app_plain" {
  name                         = "fail-app-plain"
  resource_group_name          = "rg"
  container_app_environment_id = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.App/managedEnvironments/e"
  revision_mode                = "Multiple"

  template {
    container {
      name   = "server"
      image  = "acrexample.azurecr.io/mongodb-mcp:1.2.3"
      cpu    = 0.5
      memory = "1Gi"

      env {
        name  = "MONGODB_URI"
        value = "mongodb://user:word@host/"
      }
    }
  }
}

resource "azurerm_container_app" "fail_app_value" {
  name                         = "fail-app-value"
  resource_group_name          = "rg"
  container_app_environment_id = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.App/managedEnvironments/e"
  revision_mode                = "Multiple"

  secret {
    name  = "uri"
    value = "kept in the state"
  }

  template {
    container {
      name   = "server"
      image  = "acrexample.azurecr.io/mongodb-mcp:1.2.3"
      cpu    = 0.5
      memory = "1Gi"
    }
  }
}
