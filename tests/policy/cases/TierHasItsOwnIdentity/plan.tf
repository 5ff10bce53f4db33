locals {
  groups = {
    pass_slot_a = { server = "mongodb", tier = "admin", identity = "admin" }
    pass_slot_b = { server = "mongodb", tier = "admin", identity = "admin" }
    fail_admin  = { server = "files", tier = "admin", identity = "shared" }
    fail_reader = { server = "files", tier = "reader", identity = "shared" }
  }
}

resource "azurerm_user_assigned_identity" "this" {
  for_each            = toset(["admin", "shared"])
  name                = "id-${each.key}"
  resource_group_name = "rg"
  location            = "uksouth"
}

resource "azurerm_container_app" "fail_app" {
  name                         = "files-other"
  resource_group_name          = "rg"
  container_app_environment_id = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.App/managedEnvironments/e"
  revision_mode                = "Multiple"
  tags                         = { server = "files", tier = "other" }

  identity {
    type         = "UserAssigned"
    identity_ids = [azurerm_user_assigned_identity.this["shared"].id]
  }

  template {
    container {
      name   = "server"
      image  = "acr.azurecr.io/mongodb-mcp:0.1.0"
      cpu    = 0.5
      memory = "1Gi"
    }
  }
}

resource "azurerm_container_group" "this" {
  for_each            = local.groups
  name                = "aci-${replace(each.key, "_", "-")}"
  resource_group_name = "rg"
  location            = "uksouth"
  os_type             = "Linux"
  ip_address_type     = "None"
  tags                = { server = each.value.server, tier = each.value.tier }

  container {
    name   = "server"
    image  = "acr.azurecr.io/mongodb-mcp:0.1.0"
    cpu    = 0.5
    memory = 1
  }

  identity {
    type         = "UserAssigned"
    identity_ids = [azurerm_user_assigned_identity.this[each.value.identity].id]
  }
}
