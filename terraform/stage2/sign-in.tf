locals {
  _api_scope = "Mcp.Access"

  # Application.ReadWrite.OwnedBy lets a pipeline change what it owns and nothing else: without an owner, not even that.
  _owners = coalescelist(tolist(var.owners), [data.azurerm_client_config.current.object_id])

  # Applications and groups are their owner's to change; app roles are an administrator's to assign.
  _assigns_roles = var.directory_rights == "full"

  # Best first: this is the order in which the gateway looks for the tier of somebody who holds several roles.
  _roles_by_rank = [
    for key in sort([for name, role in var.roles : "${format("%03d", role.rank)} ${role.reads ? 1 : 0} ${name}"]) : split(" ", key)[2]
  ]

  # By "<role>/<group>" and "<role>/<object id>".
  _role_holders = merge([
    for name, role in var.roles : merge(
      { for group in role.groups : "${name}/${group}" => { role = name, principal_object_id = module.groups.object_ids[group] } if contains(keys(var.groups), group) },
      { for id in role.members : "${name}/${id}" => { role = name, principal_object_id = id } },
    )
  ]...)

  # Codex puts this behind its callback: the first 9 bytes of the SHA-256 of the endpoint's URL, in URL-safe base64
  # (openai/codex, codex-rs/rmcp-client/src/perform_oauth_login.rs, 2026-05).
  _endpoint_ids = [
    for server in keys(var.mcp_servers) :
    substr(replace(replace(base64sha256("${module.names.gateway.public_base_url}/${server}/mcp"), "+", "-"), "/", "_"), 0, 12)
  ]

  _clients = {
    for name, client in var.mcp_clients : name => {
      kind               = client.kind
      metadata_hosts     = client.metadata_hosts
      redirect_uris      = toset(flatten([for uri in client.redirect_uris : strcontains(uri, "{endpoint-id}") ? [for id in local._endpoint_ids : replace(uri, "{endpoint-id}", id)] : [uri]]))
      metadata_documents = toset(flatten([for url in client.metadata_documents : strcontains(url, "{endpoint-id}") ? [for id in local._endpoint_ids : replace(url, "{endpoint-id}", id)] : [url]]))
    }
  }

  # What Entra ID is told: it takes `localhost` and `127.0.0.1` for two hosts, ignores the port of both, and picks at
  # random where two URIs differ in it ("Redirect URI (reply URL) best practices and limitations", localhost exceptions).
  _loopback = "/^http://(?:localhost|127\\.0\\.0\\.1)(?::[0-9]+)?//"
  _native_redirect_uris = {
    for name, client in local._clients : name => toset(flatten([
      for uri in client.redirect_uris : [for host in ["localhost", "127.0.0.1"] : replace(uri, local._loopback, "http://${host}/")]
    ]))
  }
}

module "groups" {
  source = "../modules/entra-groups"

  # Group.Create makes groups without listing those of others.
  prevent_duplicate_names = local._assigns_roles

  groups = {
    for name, group in var.groups : name => merge(group, { owners = setunion(coalesce(group.owners, []), local._owners) })
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
    for name, role in var.roles : name => {
      display_name = coalesce(role.display_name, name)
      description  = role.description
    }
  }

  pre_authorized_client_ids = merge(
    var.pre_authorized_client_ids,
    { for name, client in module.client_apps : "client-${name}" => client.client_id },
  )

  # What the app shows an administrator who is asked for consent, and the consent itself where whoever deploys may give it: the
  # gateway has no page on which a person could.
  required_scopes = {
    for id, permissions in local._downstream_permissions : id => {
      client_id = id
      scope_ids = [for permission in distinct(permissions) : data.azuread_service_principal.downstream[id].oauth2_permission_scope_ids[permission]]
    }
  }
  granted_scopes = {
    for id, permissions in local._downstream_permissions : id => {
      service_principal_object_id = data.azuread_service_principal.downstream[id].object_id
      scopes                      = distinct(permissions)
    } if local._assigns_roles
  }
  federated_credentials = length(local._downstream) > 0 ? {
    gateway = {
      issuer      = local.issuer
      subject     = local.gateway_identity.principal_id
      description = "The gateway exchanges the tokens of callers."
    }
  } : {}

  # Needs Entra ID P1; only direct members of the groups count.
  role_assignments = var.authorization == "app_roles" && local._assigns_roles ? local._role_holders : {}
}

# Microsoft Graph, which owns the scopes of OpenID Connect.
data "azuread_service_principal" "graph" {
  for_each = var.grant_sign_in_consent ? { this = {} } : {}

  client_id = "00000003-0000-0000-c000-000000000000"
}

# One public client per entry: its redirect URIs are what a client of that kind uses. None has a secret.
module "client_apps" {
  source   = "../modules/app-registration"
  for_each = var.mcp_clients

  display_name = "${var.name} MCP client ${each.key}"
  description  = coalesce(each.value.display_name, "Signs people in to the MCP servers of ${var.name} from ${each.key}.")
  owners       = local._owners

  redirect_uris             = each.value.platform == "public-client" ? local._native_redirect_uris[each.key] : []
  single_page_redirect_uris = each.value.platform == "single-page" ? each.value.redirect_uris : []

  granted_scopes = {
    for label, graph in data.azuread_service_principal.graph : "graph-${label}" => {
      service_principal_object_id = graph.object_id
      scopes                      = ["offline_access", "openid", "profile"]
    }
  }
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
