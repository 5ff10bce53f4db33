resource "azurerm_user_assigned_identity" "admin" {
  name                = "id-admin"
  resource_group_name = "rg"
  location            = "uksouth"
}

resource "azurerm_user_assigned_identity" "shared" {
  name                = "id-shared"
  resource_group_name = "rg"
  location            = "uksouth"
}

resource "azurerm_container_group" "pass_slot_a" {
  name                = "aci-pass-slot-a"
  resource_group_name = "rg"
  location            = "uksouth"
  os_type             = "Linux"
  ip_address_type     = "None"
  tags                = { server = "mongodb", tier = "admin" }

  container {
    name   = "server"
    image  = "acr.azurecr.io/mongodb-mcp:0.1.0"
    cpu    = 0.5
    memory = 1
  }

  identity {
    type         = "UserAssigned"
    identity_ids = [azurerm_user_assigned_identity.admin.id]
  }
}

resource "azurerm_container_group" "pass_slot_b" {
  name                = "aci-pass-slot-b"
  resource_group_name = "rg"
  location            = "uksouth"
  os_type             = "Linux"
  ip_address_type     = "None"
  tags                = { server = "mongodb", tier = "admin" }

  container {
    name   = "server"
    image  = "acr.azurecr.io/mongodb-mcp:0.1.0"
    cpu    = 0.5
    memory = 1
  }

  identity {
    type         = "UserAssigned"
    identity_ids = [azurerm_user_assigned_identity.admin.id]
  }
}

resource "azurerm_container_group" "fail_admin" {
  name                = "aci-fail-admin"
  resource_group_name = "rg"
  location            = "uksouth"
  os_type             = "Linux"
  ip_address_type     = "None"
  tags                = { server = "files", tier = "admin" }

  container {
    name   = "server"
    image  = "acr.azurecr.io/mongodb-mcp:0.1.0"
    cpu    = 0.5
    memory = 1
  }

  identity {
    type         = "UserAssigned"
    identity_ids = [azurerm_user_assigned_identity.shared.id]
  }
}

resource "azurerm_container_group" "fail_reader" {
  name                = "aci-fail-reader"
  resource_group_name = "rg"
  location            = "uksouth"
  os_type             = "Linux"
  ip_address_type     = "None"
  tags                = { server = "files", tier = "reader" }

  container {
    name   = "server"
    image  = "acr.azurecr.io/mongodb-mcp:0.1.0"
    cpu    = 0.5
    memory = 1
  }

  identity {
    type         = "UserAssigned"
    identity_ids = [azurerm_user_assigned_identity.shared.id]
  }
}
