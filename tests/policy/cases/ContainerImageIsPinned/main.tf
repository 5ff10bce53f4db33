resource "azurerm_container_group" "pass_tag" {
  name                = "pass-tag"
  location            = "uksouth"
  resource_group_name = "rg"
  os_type             = "Linux"

  container {
    name   = "server"
    cpu    = 1
    memory = 1
    image  = "acrexample.azurecr.io/mongodb-mcp:1.2.3"
  }
}

resource "azurerm_container_group" "pass_digest" {
  name                = "pass-digest"
  location            = "uksouth"
  resource_group_name = "rg"
  os_type             = "Linux"

  container {
    name   = "server"
    cpu    = 1
    memory = 1
    image  = "acrexample.azurecr.io/mongodb-mcp@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
  }
}

resource "azurerm_container_group" "fail_latest" {
  name                = "fail-latest"
  location            = "uksouth"
  resource_group_name = "rg"
  os_type             = "Linux"

  container {
    name   = "server"
    cpu    = 1
    memory = 1
    image  = "acrexample.azurecr.io/mongodb-mcp:latest"
  }
}

resource "azurerm_container_group" "fail_untagged" {
  name                = "fail-untagged"
  location            = "uksouth"
  resource_group_name = "rg"
  os_type             = "Linux"

  container {
    name   = "server"
    cpu    = 1
    memory = 1
    image  = "acrexample.azurecr.io/mongodb-mcp"
  }
}

resource "azurerm_container_group" "fail_foreign" {
  name                = "fail-foreign"
  location            = "uksouth"
  resource_group_name = "rg"
  os_type             = "Linux"

  container {
    name   = "server"
    cpu    = 1
    memory = 1
    image  = "docker.io/library/mongo:7"
  }
}

resource "azurerm_container_app" "pass_app" {
  name                         = "pass-app"
  resource_group_name          = "rg"
  container_app_environment_id = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.App/managedEnvironments/e"
  revision_mode                = "Multiple"

  template {
    container {
      name   = "server"
      image  = "acrexample.azurecr.io/mongodb-mcp:1.2.3"
      cpu    = 0.5
      memory = "1Gi"
    }
  }
}

resource "azurerm_container_app" "fail_app_latest" {
  name                         = "fail-app-latest"
  resource_group_name          = "rg"
  container_app_environment_id = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.App/managedEnvironments/e"
  revision_mode                = "Multiple"

  template {
    container {
      name   = "server"
      image  = "acrexample.azurecr.io/mongodb-mcp:latest"
      cpu    = 0.5
      memory = "1Gi"
    }
  }
}
