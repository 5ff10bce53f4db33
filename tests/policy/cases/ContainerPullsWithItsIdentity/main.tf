resource "azurerm_container_group" "pass_identity" {
  name                = "aci-mongodb-admin-a"
  resource_group_name = "rg"
  location            = "uksouth"
  os_type             = "Linux"

  container {
    name   = "server"
    image  = "acr.azurecr.io/mongodb-mcp:0.1.0"
    cpu    = 0.5
    memory = 1
  }

  identity {
    type         = "UserAssigned"
    identity_ids = ["id-reader"]
  }

  image_registry_credential {
    server                    = "acr.azurecr.io"
    user_assigned_identity_id = "id-reader"
  }
}

resource "azurerm_container_group" "fail_password" {
  name                = "aci-mongodb-admin-a"
  resource_group_name = "rg"
  location            = "uksouth"
  os_type             = "Linux"

  container {
    name   = "server"
    image  = "acr.azurecr.io/mongodb-mcp:0.1.0"
    cpu    = 0.5
    memory = 1
  }

  identity {
    type         = "UserAssigned"
    identity_ids = ["id-reader"]
  }

  image_registry_credential {
    server   = "acr.azurecr.io"
    username = "acr"
    password = "not-a-real-one"
  }
}

resource "azurerm_container_group" "fail_no_credential" {
  name                = "aci-mongodb-admin-a"
  resource_group_name = "rg"
  location            = "uksouth"
  os_type             = "Linux"

  container {
    name   = "server"
    image  = "acr.azurecr.io/mongodb-mcp:0.1.0"
    cpu    = 0.5
    memory = 1
  }

  identity {
    type         = "UserAssigned"
    identity_ids = ["id-reader"]
  }
}

resource "azurerm_container_group" "fail_no_identity" {
  name                = "aci-mongodb-admin-a"
  resource_group_name = "rg"
  location            = "uksouth"
  os_type             = "Linux"

  container {
    name   = "server"
    image  = "acr.azurecr.io/mongodb-mcp:0.1.0"
    cpu    = 0.5
    memory = 1
  }

  image_registry_credential {
    server                    = "acr.azurecr.io"
    user_assigned_identity_id = "id-reader"
  }
}

resource "azurerm_container_group" "fail_two_identities" {
  name                = "aci-mongodb-admin-a"
  resource_group_name = "rg"
  location            = "uksouth"
  os_type             = "Linux"

  container {
    name   = "server"
    image  = "acr.azurecr.io/mongodb-mcp:0.1.0"
    cpu    = 0.5
    memory = 1
  }

  identity {
    type         = "UserAssigned"
    identity_ids = ["id-reader", "id-admin"]
  }

  image_registry_credential {
    server                    = "acr.azurecr.io"
    user_assigned_identity_id = "id-reader"
  }
}

resource "azurerm_container_app" "pass_app" {
  name                         = "pass-app"
  resource_group_name          = "rg"
  container_app_environment_id = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.App/managedEnvironments/e"
  revision_mode                = "Multiple"

  identity {
    type         = "UserAssigned"
    identity_ids = ["/subscriptions/s/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i"]
  }

  registry {
    server   = "acrexample.azurecr.io"
    identity = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i"
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

resource "azurerm_container_app" "fail_app_password" {
  name                         = "fail-app-password"
  resource_group_name          = "rg"
  container_app_environment_id = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.App/managedEnvironments/e"
  revision_mode                = "Multiple"

  identity {
    type         = "UserAssigned"
    identity_ids = ["/subscriptions/s/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i"]
  }

  registry {
    server               = "acrexample.azurecr.io"
    username             = "puller"
    password_secret_name = "password"
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
