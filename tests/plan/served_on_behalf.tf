# Servers that act as their caller, of our own and elsewhere, and one that does not; the APIs that they call, and who may sign in.

locals {
  issuer = "http://127.0.0.1:8081/${azurerm_user_assigned_identity.gateway.tenant_id}"
}

resource "azuread_group" "people" {
  display_name     = "people"
  security_enabled = true
  members          = ["11111111-aaaa-4aaa-8aaa-000000000001", "11111111-aaaa-4aaa-8aaa-000000000002"]
}

module "files_app" {
  source = "../modules/app-registration"

  display_name = "files"
  scopes       = { "Files.Read" = { display_name = "Read files", description = "Read your files on your behalf." } }
}

module "unasked_app" {
  source = "../modules/app-registration"

  display_name = "unasked"
  scopes       = { "Mail.Read" = { display_name = "Read mail", description = "Read your mail on your behalf." } }
}

module "client_app" {
  source = "../modules/app-registration"

  display_name  = "desktop"
  redirect_uris = ["http://localhost/callback"]
}

data "azuread_service_principal" "graph" {
  client_id = "00000003-0000-0000-c000-000000000000"
}

module "api_app" {
  source = "../modules/app-registration"

  display_name              = "gateway"
  scopes                    = { "Mcp.Access" = { display_name = "Use MCP", description = "Call MCP servers on your behalf." } }
  app_roles                 = { "Mcp.Admin" = { display_name = "MCP admin", description = "May call every tool." } }
  role_assignments          = { people = { role = "Mcp.Admin", principal_object_id = azuread_group.people.object_id } }
  pre_authorized_client_ids = { desktop = module.client_app.client_id }

  required_scopes = {
    files = { client_id = module.files_app.client_id, scope_ids = [module.files_app.scope_ids["Files.Read"]] }
    graph = {
      client_id = data.azuread_service_principal.graph.client_id
      scope_ids = [data.azuread_service_principal.graph.oauth2_permission_scope_ids["User.Read"]]
    }
  }
  granted_scopes = {
    files = { service_principal_object_id = module.files_app.service_principal_object_id, scopes = ["Files.Read"] }
    graph = { service_principal_object_id = data.azuread_service_principal.graph.object_id, scopes = ["User.Read"] }
  }
  federated_credentials = {
    gateway = { issuer = "${local.issuer}/v2.0", subject = azurerm_user_assigned_identity.gateway.principal_id }
  }
}

module "backend_app" {
  source = "../modules/app-registration"

  display_name        = "backend"
  assignment_required = true
  app_roles = {
    "Gateway.Invoke" = { display_name = "Invoke", description = "May call the servers.", allowed_member_types = ["Application"] }
  }
  role_assignments = {
    gateway = { role = "Gateway.Invoke", principal_object_id = azurerm_user_assigned_identity.gateway.principal_id }
  }
}

module "apim" {
  source = "../modules/apim"

  name                = "apim-served"
  location            = "uksouth"
  resource_group_name = "rg-gateway"
  sku_name            = "Developer_1"
  public_base_url     = "https://apim-served.azure-api.net"
  publisher           = { name = "Platform team", email = "platform@example.com" }
  network             = { subnet_id = azurerm_subnet.gateway.id }
  identity            = { id = azurerm_user_assigned_identity.gateway.id, client_id = azurerm_user_assigned_identity.gateway.client_id }

  sign_in = {
    tenant_id         = azurerm_user_assigned_identity.gateway.tenant_id
    authority         = local.issuer
    issuer            = "${local.issuer}/v2.0"
    api_client_id     = module.api_app.client_id
    api_identifier    = module.api_app.identifier_uri
    scope             = module.api_app.scopes["Mcp.Access"]
    scope_name        = "Mcp.Access"
    backend_client_id = module.backend_app.client_id
  }

  roles   = [{ name = "Mcp.Admin" }]
  clients = { desktop = { client_id = module.client_app.client_id, redirect_uris = ["http://localhost/callback"] } }

  servers = {
    own = {
      downstream = { scope = module.files_app.scopes["Files.Read"] }
      tiers      = { admin = { role = "Mcp.Admin", slots = { a = "http://own-admin-a.mcp.internal:8000" } } }
    }
    elsewhere = {
      downstream = { scope = module.files_app.scopes["Files.Read"] }
      remote     = { url = "https://files.example.com/mcp" }
      tiers      = { admin = { role = "Mcp.Admin" } }
    }
    unasked = {
      downstream = { scope = module.unasked_app.scopes["Mail.Read"] }
      remote     = { url = "https://mail.example.com/mcp" }
      tiers      = { admin = { role = "Mcp.Admin" } }
    }
    profile = {
      downstream = { scope = "https://graph.microsoft.com/User.Read" }
      remote     = { url = "https://profile.example.com/mcp" }
      tiers      = { admin = { role = "Mcp.Admin" } }
    }
    plain = {
      tiers = { admin = { role = "Mcp.Admin", slots = { a = "http://plain-admin-a.mcp.internal:8000" } } }
    }
  }
}
