resource "azurerm_container_group" "pass_private" {
  name                = "pass-private"
  location            = "uksouth"
  resource_group_name = "rg"
  os_type             = "Linux"
  ip_address_type     = "Private"
  subnet_ids          = ["/subscriptions/s/subnets/containers"]
  container {
    name   = "server"
    cpu    = 1
    memory = 1
    image  = "acrexample.azurecr.io/mongodb-mcp:1.2.3"
  }
}

resource "azurerm_container_group" "fail_public" {
  name                = "fail-public"
  location            = "uksouth"
  resource_group_name = "rg"
  os_type             = "Linux"
  ip_address_type     = "Public"
  container {
    name   = "server"
    cpu    = 1
    memory = 1
    image  = "acrexample.azurecr.io/mongodb-mcp:1.2.3"
  }
}

resource "azurerm_container_group" "fail_default" {
  name                = "fail-default"
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
