locals {
  # Apps whose tokens a server may believe; only the first is guarded as the rule wants.
  apps = {
    guarded = { assignment_required = true, assigned = ["gateway"] }
    open    = { assignment_required = false, assigned = ["gateway"] }
    shared  = { assignment_required = true, assigned = ["gateway", "stranger"] }
  }

  assignments = merge([
    for app, guard in local.apps : { for identity in guard.assigned : "${app}-${identity}" => { app = app, identity = identity } }
  ]...)

  # Each server's settings, where they differ from those that the rule wants.
  servers = {
    pass_gateway           = {}
    fail_open_app          = { MCP_AUTH_AUDIENCE = azuread_application.this["open"].client_id }
    fail_stranger          = { MCP_AUTH_GATEWAY_OBJECT_ID = azurerm_user_assigned_identity.this["stranger"].principal_id }
    fail_stranger_assigned = { MCP_AUTH_AUDIENCE = azuread_application.this["shared"].client_id }
    fail_any_host          = { MCP_ALLOWED_HOSTS = null }
    fail_any_tenant        = { MCP_AUTH_TENANT_ID = null }
  }

  wanted = {
    MCP_AUTH_AUDIENCE          = azuread_application.this["guarded"].client_id
    MCP_AUTH_GATEWAY_OBJECT_ID = azurerm_user_assigned_identity.this["gateway"].principal_id
    MCP_AUTH_ISSUER            = "https://login.microsoftonline.com/tenant/v2.0"
    MCP_AUTH_JWKS_URI          = "https://login.microsoftonline.com/tenant/discovery/v2.0/keys"
    MCP_AUTH_TENANT_ID         = "tenant"
    MCP_ALLOWED_HOSTS          = "mongodb-admin-a.mcp.internal"
  }
}

resource "azurerm_user_assigned_identity" "this" {
  for_each            = toset(["gateway", "stranger"])
  name                = "id-${each.key}"
  resource_group_name = "rg"
  location            = "uksouth"
}

resource "azuread_application" "this" {
  for_each     = local.apps
  display_name = each.key

  app_role {
    allowed_member_types = ["Application"]
    description          = "May call the servers."
    display_name         = "Invoke as gateway"
    id                   = uuidv5("dns", each.key)
    value                = "Gateway.Invoke"
  }
}

resource "azuread_service_principal" "this" {
  for_each                     = local.apps
  client_id                    = azuread_application.this[each.key].client_id
  app_role_assignment_required = each.value.assignment_required
}

resource "azuread_app_role_assignment" "this" {
  for_each            = local.assignments
  app_role_id         = one(azuread_application.this[each.value.app].app_role).id
  principal_object_id = azurerm_user_assigned_identity.this[each.value.identity].principal_id
  resource_object_id  = azuread_service_principal.this[each.value.app].object_id
}

resource "azurerm_container_group" "this" {
  for_each            = local.servers
  name                = "aci-${replace(each.key, "_", "-")}"
  resource_group_name = "rg"
  location            = "uksouth"
  os_type             = "Linux"
  ip_address_type     = "None"

  container {
    name   = "server"
    image  = "acr.azurecr.io/mongodb-mcp:0.1.0"
    cpu    = 0.5
    memory = 1

    environment_variables = { for name, value in merge(local.wanted, each.value) : name => value if value != null }
  }
}

# Runs to its end and serves nobody.
resource "azurerm_container_group" "pass_job" {
  name                = "aci-database-users"
  resource_group_name = "rg"
  location            = "uksouth"
  os_type             = "Linux"
  ip_address_type     = "None"
  restart_policy      = "OnFailure"

  container {
    name     = "job"
    image    = "acr.azurecr.io/mongodb-mcp:0.1.0"
    cpu      = 0.5
    memory   = 0.5
    commands = ["python", "-m", "mongo_db_server.users"]
  }
}

# A restart policy makes no job of a server.
resource "azurerm_container_group" "fail_on_failure" {
  name                = "aci-mongodb-admin-b"
  resource_group_name = "rg"
  location            = "uksouth"
  os_type             = "Linux"
  ip_address_type     = "None"
  restart_policy      = "OnFailure"

  container {
    name                  = "server"
    image                 = "acr.azurecr.io/mongodb-mcp:0.1.0"
    cpu                   = 0.5
    memory                = 1
    environment_variables = { MCP_TIER = "admin" }
  }
}

locals {
  apps_that_serve = {
    pass_app          = {}
    fail_app_any_host = { MCP_ALLOWED_HOSTS = null }
  }
}

resource "azurerm_container_app" "this" {
  for_each                     = local.apps_that_serve
  name                         = replace(each.key, "_", "-")
  resource_group_name          = "rg"
  container_app_environment_id = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.App/managedEnvironments/e"
  revision_mode                = "Multiple"

  template {
    container {
      name   = "server"
      image  = "acr.azurecr.io/mongodb-mcp:0.1.0"
      cpu    = 0.5
      memory = "1Gi"

      dynamic "env" {
        for_each = { for name, value in merge(local.wanted, each.value) : name => value if value != null }
        content {
          name  = env.key
          value = env.value
        }
      }
    }
  }
}
