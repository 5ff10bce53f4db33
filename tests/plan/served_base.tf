# What every gateway of these tests has around it: served.py puts this beside served_<name>.tf.

provider "azurerm" {
  subscription_id = "00000000-0000-0000-0000-000000000000"
  features {}
}

resource "azurerm_user_assigned_identity" "gateway" {
  name                = "id-gateway"
  location            = "uksouth"
  resource_group_name = "rg-gateway"
}

resource "azurerm_virtual_network" "gateway" {
  name                = "vnet-gateway"
  location            = "uksouth"
  resource_group_name = "rg-gateway"
  address_space       = ["10.0.0.0/24"]
}

resource "azurerm_subnet" "gateway" {
  name                 = "snet-gateway"
  resource_group_name  = "rg-gateway"
  virtual_network_name = azurerm_virtual_network.gateway.name
  address_prefixes     = ["10.0.0.0/26"]
}

locals {
  # Of an issuer that tests sign for; a root with an issuer of its own says its own.
  sign_in = {
    tenant_id         = "tid"
    authority         = "http://issuer.test/tid"
    issuer            = "http://issuer.test/tid/v2.0"
    api_client_id     = "api-client-id"
    api_identifier    = "api://api-client-id"
    scope             = "api://api-client-id/Mcp.Access"
    scope_name        = "Mcp.Access"
    backend_client_id = "backend-client-id"
    group_ids         = { admin = "group-of-admins", reader = "group-of-readers", clerks = "group-of-clerks", auditors = "group-of-auditors" }
  }
}
