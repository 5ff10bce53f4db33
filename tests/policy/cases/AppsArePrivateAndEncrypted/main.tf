resource "azurerm_container_app_environment" "pass_internal" {
  name                = "pass-internal"
  location            = "uksouth"
  resource_group_name = "rg"

  infrastructure_subnet_id       = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v/subnets/apps"
  internal_load_balancer_enabled = true
}

resource "azurerm_container_app_environment" "fail_external" {
  name                = "fail-external"
  location            = "uksouth"
  resource_group_name = "rg"

  infrastructure_subnet_id       = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v/subnets/apps"
  internal_load_balancer_enabled = false
}

resource "azurerm_container_app_environment" "fail_without_network" {
  name                = "fail-without-network"
  location            = "uksouth"
  resource_group_name = "rg"
}

resource "azurerm_container_app_environment" "fail_public" {
  name                = "fail-public"
  location            = "uksouth"
  resource_group_name = "rg"

  infrastructure_subnet_id       = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v/subnets/apps"
  internal_load_balancer_enabled = true
  public_network_access          = "Enabled"
}

resource "azurerm_container_app" "pass_tls" {
  name                         = "pass-tls"
  resource_group_name          = "rg"
  container_app_environment_id = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.App/managedEnvironments/e"
  revision_mode                = "Multiple"

  ingress {
    target_port                = 8000
    external_enabled           = true
    allow_insecure_connections = false
    transport                  = "http"

    traffic_weight {
      latest_revision = true
      percentage      = 100
    }
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

resource "azurerm_container_app" "fail_plain" {
  name                         = "fail-plain"
  resource_group_name          = "rg"
  container_app_environment_id = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.App/managedEnvironments/e"
  revision_mode                = "Multiple"

  ingress {
    target_port                = 8000
    external_enabled           = true
    allow_insecure_connections = true
    transport                  = "http"

    traffic_weight {
      latest_revision = true
      percentage      = 100
    }
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

resource "azurerm_container_app" "fail_tcp" {
  name                         = "fail-tcp"
  resource_group_name          = "rg"
  container_app_environment_id = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.App/managedEnvironments/e"
  revision_mode                = "Multiple"

  ingress {
    target_port                = 8000
    external_enabled           = true
    allow_insecure_connections = false
    transport                  = "tcp"

    traffic_weight {
      latest_revision = true
      percentage      = 100
    }
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
