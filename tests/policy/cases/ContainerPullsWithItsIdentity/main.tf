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
