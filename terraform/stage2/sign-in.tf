locals {
  _api_scope = "Mcp.Access"

  # Application.ReadWrite.OwnedBy lets a pipeline change what it owns and nothing else: without an owner, not even that.
  _owners = coalescelist(tolist(var.owners), [data.azurerm_client_config.current.object_id])

  # Applications and groups are their owner's to change; app roles are an administrator's to assign.
  _assigns_roles = var.directory_rights == "full"

  _group_roles = {
    admin  = "Mcp.Admin"
    reader = "Mcp.Read"
  }
}

module "groups" {
  source = "../modules/entra-groups"

  # Group.Create makes groups without listing those of others.
  prevent_duplicate_names = local._assigns_roles

  groups = {
    for tier, group in var.groups : tier => merge(group, { owners = setunion(coalesce(group.owners, []), local._owners) })
  }
}

# What callers ask a token for.
module "api_app" {
  source = "../modules/app-registration"

  display_name = "${var.name} MCP API"
  description  = "Protects the MCP servers of ${var.name}."
  owners       = local._owners
  group_claims = var.authorization == "groups"

  scopes = {
    (local._api_scope) = {
      display_name = "Use the MCP servers of ${var.name}"
      description  = "Call MCP servers on your behalf, with the tools your role allows."
    }
  }

  app_roles = {
    "Mcp.Admin" = {
      display_name = "MCP administrator"
      description  = "May call reading and writing tools."
    }
    "Mcp.Read" = {
      display_name = "MCP reader"
      description  = "May call reading tools only."
    }
  }

  pre_authorized_client_ids = merge(
    var.pre_authorized_client_ids,
    { for name, client in module.client_apps : "client-${name}" => client.client_id },
  )

  # Needs Entra ID P1; only direct members of the groups count.
  role_assignments = var.authorization == "app_roles" && local._assigns_roles ? {
    for tier, object_id in module.groups.object_ids : tier => {
      role                = local._group_roles[tier]
      principal_object_id = object_id
    }
  } : {}
}

# One public client per entry: its redirect URIs are what a client of that kind uses. None has a secret.
module "client_apps" {
  source   = "../modules/app-registration"
  for_each = var.mcp_clients

  display_name = "${var.name} MCP client ${each.key}"
  description  = coalesce(each.value.display_name, "Signs people in to the MCP servers of ${var.name} from ${each.key}.")
  owners       = local._owners

  redirect_uris             = each.value.platform == "public-client" ? each.value.redirect_uris : []
  single_page_redirect_uris = each.value.platform == "single-page" ? each.value.redirect_uris : []
}

# What the gateway asks a token for when it calls a server. Callers cannot get one.
module "backend_app" {
  source = "../modules/app-registration"

  display_name        = "${var.name} MCP backend"
  description         = "Protects the MCP servers behind the gateway of ${var.name}."
  owners              = local._owners
  assignment_required = true

  app_roles = {
    "Gateway.Invoke" = {
      display_name         = "Invoke as gateway"
      description          = "May call the servers and say who the caller is."
      allowed_member_types = ["Application"]
    }
  }

  role_assignments = local._assigns_roles ? {
    gateway = {
      role                = "Gateway.Invoke"
      principal_object_id = local.gateway_identity.principal_id
    }
  } : {}
}
