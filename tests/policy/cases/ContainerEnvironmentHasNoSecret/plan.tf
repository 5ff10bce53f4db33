# In a plan, where values are final: the address of a database that knows no keys, and one with a password in it.
locals {
  addresses = {
    pass_keyless  = "mongodb+srv://${azurerm_user_assigned_identity.reader.client_id}@docdb.global.mongocluster.cosmos.azure.com/?tls=true&authMechanism=MONGODB-OIDC"
    fail_password = "mongodb+srv://root:password@docdb.global.mongocluster.cosmos.azure.com/?tls=true"
  }
}

resource "azurerm_user_assigned_identity" "reader" {
  name                = "id-reader"
  resource_group_name = "rg"
  location            = "uksouth"
}

resource "azurerm_container_group" "this" {
  for_each            = local.addresses
  name                = "aci-${replace(each.key, "_", "-")}"
  resource_group_name = "rg"
  location            = "uksouth"
  os_type             = "Linux"
  ip_address_type     = "None"

  container {
    name                  = "server"
    image                 = "acr.azurecr.io/mongodb-mcp:0.1.0"
    cpu                   = 0.5
    memory                = 1
    environment_variables = { MONGODB_URI = each.value }
  }
}
