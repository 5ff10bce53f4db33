resource "azurerm_user_assigned_identity" "gateway" {
  name                = "id-gateway"
  resource_group_name = "rg"
  location            = "uksouth"
}

resource "azurerm_user_assigned_identity" "stranger" {
  name                = "id-stranger"
  resource_group_name = "rg"
  location            = "uksouth"
}

resource "azuread_application" "guarded" {
  display_name = "guarded"

  app_role {
    allowed_member_types = ["Application"]
    description          = "May call the servers."
    display_name         = "Invoke as gateway"
    id                   = "11111111-0000-4000-8000-000000000000"
    value                = "Gateway.Invoke"
  }
}

resource "azuread_service_principal" "guarded" {
  client_id                    = azuread_application.guarded.client_id
  app_role_assignment_required = true
}

resource "azuread_app_role_assignment" "guarded_gateway" {
  app_role_id         = one(azuread_application.guarded.app_role).id
  principal_object_id = azurerm_user_assigned_identity.gateway.principal_id
  resource_object_id  = azuread_service_principal.guarded.object_id
}

resource "azuread_application" "open" {
  display_name = "open"

  app_role {
    allowed_member_types = ["Application"]
    description          = "May call the servers."
    display_name         = "Invoke as gateway"
    id                   = "22222222-0000-4000-8000-000000000000"
    value                = "Gateway.Invoke"
  }
}

resource "azuread_service_principal" "open" {
  client_id                    = azuread_application.open.client_id
  app_role_assignment_required = false
}

resource "azuread_app_role_assignment" "open_gateway" {
  app_role_id         = one(azuread_application.open.app_role).id
  principal_object_id = azurerm_user_assigned_identity.gateway.principal_id
  resource_object_id  = azuread_service_principal.open.object_id
}

resource "azuread_application" "shared" {
  display_name = "shared"

  app_role {
    allowed_member_types = ["Application"]
    description          = "May call the servers."
    display_name         = "Invoke as gateway"
    id                   = "33333333-0000-4000-8000-000000000000"
    value                = "Gateway.Invoke"
  }
}

resource "azuread_service_principal" "shared" {
  client_id                    = azuread_application.shared.client_id
  app_role_assignment_required = true
}

resource "azuread_app_role_assignment" "shared_gateway" {
  app_role_id         = one(azuread_application.shared.app_role).id
  principal_object_id = azurerm_user_assigned_identity.gateway.principal_id
  resource_object_id  = azuread_service_principal.shared.object_id
}

resource "azuread_app_role_assignment" "shared_stranger" {
  app_role_id         = one(azuread_application.shared.app_role).id
  principal_object_id = azurerm_user_assigned_identity.stranger.principal_id
  resource_object_id  = azuread_service_principal.shared.object_id
}

resource "azurerm_container_group" "pass_gateway" {
  name                = "aci-pass-gateway"
  resource_group_name = "rg"
  location            = "uksouth"
  os_type             = "Linux"
  ip_address_type     = "None"

  container {
    name   = "server"
    image  = "acr.azurecr.io/mongodb-mcp:0.1.0"
    cpu    = 0.5
    memory = 1

    environment_variables = {
      MCP_AUTH_AUDIENCE          = azuread_application.guarded.client_id
      MCP_AUTH_GATEWAY_OBJECT_ID = azurerm_user_assigned_identity.gateway.principal_id
      MCP_AUTH_ISSUER            = "https://login.microsoftonline.com/tenant/v2.0"
      MCP_AUTH_JWKS_URI          = "https://login.microsoftonline.com/tenant/discovery/v2.0/keys"
      MCP_AUTH_TENANT_ID         = "tenant"
      MCP_ALLOWED_HOSTS          = "mongodb-admin-a.mcp.internal"
    }
  }
}

resource "azurerm_container_group" "fail_open_app" {
  name                = "aci-fail-open-app"
  resource_group_name = "rg"
  location            = "uksouth"
  os_type             = "Linux"
  ip_address_type     = "None"

  container {
    name   = "server"
    image  = "acr.azurecr.io/mongodb-mcp:0.1.0"
    cpu    = 0.5
    memory = 1

    environment_variables = {
      MCP_AUTH_AUDIENCE          = azuread_application.open.client_id
      MCP_AUTH_GATEWAY_OBJECT_ID = azurerm_user_assigned_identity.gateway.principal_id
      MCP_AUTH_ISSUER            = "https://login.microsoftonline.com/tenant/v2.0"
      MCP_AUTH_JWKS_URI          = "https://login.microsoftonline.com/tenant/discovery/v2.0/keys"
      MCP_AUTH_TENANT_ID         = "tenant"
      MCP_ALLOWED_HOSTS          = "mongodb-admin-a.mcp.internal"
    }
  }
}

resource "azurerm_container_group" "fail_stranger" {
  name                = "aci-fail-stranger"
  resource_group_name = "rg"
  location            = "uksouth"
  os_type             = "Linux"
  ip_address_type     = "None"

  container {
    name   = "server"
    image  = "acr.azurecr.io/mongodb-mcp:0.1.0"
    cpu    = 0.5
    memory = 1

    environment_variables = {
      MCP_AUTH_AUDIENCE          = azuread_application.guarded.client_id
      MCP_AUTH_GATEWAY_OBJECT_ID = azurerm_user_assigned_identity.stranger.principal_id
      MCP_AUTH_ISSUER            = "https://login.microsoftonline.com/tenant/v2.0"
      MCP_AUTH_JWKS_URI          = "https://login.microsoftonline.com/tenant/discovery/v2.0/keys"
      MCP_AUTH_TENANT_ID         = "tenant"
      MCP_ALLOWED_HOSTS          = "mongodb-admin-a.mcp.internal"
    }
  }
}

resource "azurerm_container_group" "fail_stranger_assigned" {
  name                = "aci-fail-stranger-assigned"
  resource_group_name = "rg"
  location            = "uksouth"
  os_type             = "Linux"
  ip_address_type     = "None"

  container {
    name   = "server"
    image  = "acr.azurecr.io/mongodb-mcp:0.1.0"
    cpu    = 0.5
    memory = 1

    environment_variables = {
      MCP_AUTH_AUDIENCE          = azuread_application.shared.client_id
      MCP_AUTH_GATEWAY_OBJECT_ID = azurerm_user_assigned_identity.gateway.principal_id
      MCP_AUTH_ISSUER            = "https://login.microsoftonline.com/tenant/v2.0"
      MCP_AUTH_JWKS_URI          = "https://login.microsoftonline.com/tenant/discovery/v2.0/keys"
      MCP_AUTH_TENANT_ID         = "tenant"
      MCP_ALLOWED_HOSTS          = "mongodb-admin-a.mcp.internal"
    }
  }
}

resource "azurerm_container_group" "fail_any_host" {
  name                = "aci-fail-any-host"
  resource_group_name = "rg"
  location            = "uksouth"
  os_type             = "Linux"
  ip_address_type     = "None"

  container {
    name   = "server"
    image  = "acr.azurecr.io/mongodb-mcp:0.1.0"
    cpu    = 0.5
    memory = 1

    environment_variables = {
      MCP_AUTH_AUDIENCE          = azuread_application.guarded.client_id
      MCP_AUTH_GATEWAY_OBJECT_ID = azurerm_user_assigned_identity.gateway.principal_id
      MCP_AUTH_ISSUER            = "https://login.microsoftonline.com/tenant/v2.0"
      MCP_AUTH_JWKS_URI          = "https://login.microsoftonline.com/tenant/discovery/v2.0/keys"
      MCP_AUTH_TENANT_ID         = "tenant"
    }
  }
}

resource "azurerm_container_group" "fail_any_tenant" {
  name                = "aci-fail-any-tenant"
  resource_group_name = "rg"
  location            = "uksouth"
  os_type             = "Linux"
  ip_address_type     = "None"

  container {
    name   = "server"
    image  = "acr.azurecr.io/mongodb-mcp:0.1.0"
    cpu    = 0.5
    memory = 1

    environment_variables = {
      MCP_AUTH_AUDIENCE          = azuread_application.guarded.client_id
      MCP_AUTH_GATEWAY_OBJECT_ID = azurerm_user_assigned_identity.gateway.principal_id
      MCP_AUTH_ISSUER            = "https://login.microsoftonline.com/tenant/v2.0"
      MCP_AUTH_JWKS_URI          = "https://login.microsoftonline.com/tenant/discovery/v2.0/keys"
      MCP_ALLOWED_HOSTS          = "mongodb-admin-a.mcp.internal"
    }
  }
}
