module "apim" {
  source = "../modules/apim"

  name                = module.names.gateway.name
  location            = var.location
  resource_group_name = var.resource_group_name
  tags                = module.names.tags
  sku_name            = var.apim.sku_name
  zones               = var.apim.zones
  public_base_url     = module.names.gateway.public_base_url

  publisher = {
    name  = var.apim.publisher_name
    email = var.apim.publisher_email
  }

  network = {
    subnet_id = local._subnet_ids.apim
    exposure  = var.gateway_exposure
  }

  identity = {
    id        = local.gateway_identity.id
    client_id = local.gateway_identity.client_id
  }

  authorization        = var.authorization
  oauth_facade_enabled = var.oauth_facade_enabled
  allowed_origins      = var.allowed_origins
  registration         = var.client_registration
  registry             = var.mcp_registry
  clients = {
    for name, client in local._clients : name => merge(client, { client_id = module.client_apps[name].client_id })
  }

  sign_in = {
    tenant_id         = local.tenant_id
    authority         = local.authority
    issuer            = local.issuer
    api_client_id     = module.api_app.client_id
    api_identifier    = module.api_app.identifier_uri
    scope             = module.api_app.scopes[local._api_scope]
    scope_name        = local._api_scope
    backend_client_id = module.backend_app.client_id
    group_ids         = module.groups.object_ids
  }

  roles = [for name in local._roles_by_rank : { name = name, groups = setintersection(var.roles[name].groups, keys(var.groups)) }]

  servers = {
    for server_name, server in var.mcp_servers : server_name => {
      rate_limit = server.rate_limit
      timeout    = server.timeout
      first_byte = server.first_byte
      listing    = merge(server.listing, { version = local._listed_versions[server_name] })
      remote     = server.remote
      downstream = server.downstream
      tiers = {
        for tier_name, tier in server.tiers : tier_name => {
          role       = tier.role
          rate_limit = tier.rate_limit
          slots      = server.remote != null ? {} : { for slot in server.slots : slot => local._slot_urls["${server_name}-${tier_name}-${slot}"] }
          tools = {
            allow = tier.tools.allow
            deny  = tier.tools.deny
            # A key that cannot write makes every call repeatable.
            repeatable = coalesce(tier.tools.repeatable, tier.connection == "read-only" ? ["*"] : [])
            resources  = tier.tools.resources
            prompts    = tier.tools.prompts
          }
        }
      }
    }
  }

  # Not the URLs above: a backend outlives its policies (create_before_destroy), and would pass that on to the container
  # groups, which are replaced under their own names.
  slots_ready = [for slot in local.slots : slot.url]

  # Each secret by itself, without a version: a new one is taken over within four hours ("Use named values in Azure API
  # Management policies", Key vault secrets, 2024-07-11).
  secrets = { for name in local._remote_secrets : name => "${data.azurerm_key_vault.stage1.vault_uri}secrets/${name}" }
  # Azure takes minutes to honour a role: where the first apply is too early, the next one is not.
  secrets_ready = values(module.remote_secret_roles.ids)

  application_insights = local.application_insights
}

locals {
  _remote_secrets = toset([for server in var.mcp_servers : server.remote.credential.secret if try(server.remote.credential, null) != null])
}

# These secrets alone: the vault also holds the connection strings, which the gateway has no use for. The service's own identity
# reads them, as a vault with a firewall admits no other (main.tf of modules/apim).
module "remote_secret_roles" {
  source = "../modules/rbac"

  role_assignments = {
    for name in local._remote_secrets : "remote-${name}" => {
      scope          = "${data.azurerm_key_vault.stage1.id}/secrets/${name}"
      role           = "Key Vault Secrets User"
      principal_id   = module.apim.system_identity_principal_id
      principal_type = "ServicePrincipal"
      description    = "The gateway sends this secret to a server elsewhere."
    }
  }
}
