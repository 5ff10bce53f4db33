locals {
  # Written by `invoke push`: {"<server>": {"repository": "…", "digest": "sha256:…", "tag": "…"}}; "slots": {"b": {"digest":
  # "…", "tag": "…"}} beside them gives one slot another digest, while a release goes from slot to slot. Of apps, "traffic":
  # {"<tier>": {"revision": "…", "weight": 50}} leaves an earlier revision that many calls of a hundred, and "newest":
  # "sha256:…" is what the newest revision runs, where that is another image.
  _images_file = "${path.root}/../environments/${var.environment}/images.json"
  _images      = jsondecode(fileexists(local._images_file) ? file(local._images_file) : "{}")

  # What the registry calls a server's version: what is said of it, else the tag that runs. A digest that is pinned has none.
  _listed_versions = {
    for name, server in var.mcp_servers : name => coalesce(
      server.listing.version,
      try("0.0.0-${substr(replace(server.image.digest, ":", "."), 0, 19)}", null),
      try(local._images[name].tag, null),
      try(server.image.tag, null),
      # Of a server elsewhere nobody here knows it.
      "0.0.0",
    )
  }

  # A digest in mcp_servers is a pin and wins; then the slot's own or an app's newest, then the server's, then the tag.
  _image_references = {
    for name, slot in module.names.slots : name => join("", [
      try(local._images[slot.server].repository, var.mcp_servers[slot.server].image.repository),
      try(
        "@${coalesce(
          var.mcp_servers[slot.server].image.digest,
          try(local._images[slot.server].slots[slot.slot].digest, null),
          slot.compute == "container-apps" ? try(local._images[slot.server].newest, null) : null,
          try(local._images[slot.server].digest, null),
        )}",
        ":${var.mcp_servers[slot.server].image.tag}",
      ),
    ])
  }

  # A call ends in the database before the gateway gives up on it, unless `environment` says otherwise.
  _time_limits = {
    for name, server in var.mcp_servers : name => server.database == null ? {} : {
      for limit, ceiling in { MCP_TIME_MS_CEILING = 600000, MCP_TIME_MS_DEFAULT = 30000 } :
      limit => tostring(min(ceiling, max(server.timeout * 1000 - 5000, server.timeout * 500)))
    }
  }

  # Where resources or prompts are opened beside a list of tools, the server must keep to the list in them, and is told it. A
  # change of a list then replaces the slot, which it does not where the gateway alone keeps to it.
  _lists = {
    for name, slot in module.names.slots : name => {
      for variable, patterns in {
        MCP_TOOLS_ALLOW = var.mcp_servers[slot.server].tiers[slot.tier].tools.allow
        MCP_TOOLS_DENY  = var.mcp_servers[slot.server].tiers[slot.tier].tools.deny
      } : variable => join(",", patterns)
      if var.mcp_servers[slot.server].front == null && try(length(patterns), 0) > 0 &&
      (var.mcp_servers[slot.server].tiers[slot.tier].tools.resources || var.mcp_servers[slot.server].tiers[slot.tier].tools.prompts)
    }
  }

  # An image that somebody else publishes, as a second container behind the front. `invoke push` imported it, by its digest and
  # under its own name, so that nothing of another registry is needed when a group starts.
  _upstreams = { for name, slot in module.names.slots : name => try(var.mcp_servers[slot.server].front.upstream, null) }

  # What its database is reached with, where it has one: for the server itself, and not for a front that it stands behind.
  _database_addresses = {
    for name, slot in module.names.slots : name => {
      # No secret: the address, and the client id whose token the server brings.
      plain  = var.mcp_servers[slot.server].database != "documentdb" ? {} : { MONGODB_URI = module.documentdb["this"].connection_strings["${slot.server}-${slot.tier}"] }
      secret = var.mcp_servers[slot.server].database != "cosmosdb-mongodb" ? {} : { MONGODB_URI = module.database["this"].connection_strings["${slot.connection}-${var.cosmos.active_key}"] }
    }
  }
  _secrets = {
    for name, slot in module.names.slots : name => slot.compute == "container-apps" ? {} : merge(
      { for variable, secret in var.mcp_servers[slot.server].secrets : variable => data.azurerm_key_vault_secret.servers[secret].value },
      local._database_addresses[name].secret,
    )
  }

  # What the front of a server that knows nothing of the gateway is told (servers/gateway-auth, docs/adr/0026). The server
  # behind it gets the variables that are named, and none of these.
  _fronts = {
    for name, slot in module.names.slots : name => var.mcp_servers[slot.server].front == null ? {} : merge(
      {
        MCP_FRONT_ENVIRONMENT = local._upstreams[name] != null ? "" : join(",", concat(
          keys(var.mcp_servers[slot.server].environment),
          keys(var.mcp_servers[slot.server].secrets),
          slot.connection == null ? [] : ["MONGODB_URI"],
        ))
        MCP_FRONT_EGRESS       = join(",", var.mcp_servers[slot.server].egress)
        MCP_FRONT_SESSIONS     = var.mcp_servers[slot.server].front.sessions
        MCP_FRONT_PROCESSES    = tostring(var.mcp_servers[slot.server].front.processes)
        MCP_FRONT_IDLE_SECONDS = tostring(var.mcp_servers[slot.server].front.idle)
        MCP_FRONT_ANSWER_BYTES = tostring(var.mcp_servers[slot.server].front.answer_bytes)
        # It ends before the gateway gives up.
        MCP_FRONT_SECONDS    = tostring(max(var.mcp_servers[slot.server].timeout - 5, var.mcp_servers[slot.server].timeout / 2))
        MCP_FRONT_READS      = tostring(var.roles[var.mcp_servers[slot.server].tiers[slot.tier].role].reads)
        MCP_FRONT_RESOURCES  = tostring(var.mcp_servers[slot.server].tiers[slot.tier].tools.resources)
        MCP_FRONT_PROMPTS    = tostring(var.mcp_servers[slot.server].tiers[slot.tier].tools.prompts)
        MCP_FRONT_TOOLS_DENY = join(",", var.mcp_servers[slot.server].tiers[slot.tier].tools.deny)
      },
      local._upstreams[name] == null ? {} : {
        MCP_FRONT_URL = "http://127.0.0.1:${local._upstreams[name].port}${local._upstreams[name].path}"
      },
      var.mcp_servers[slot.server].identity == "caller" ? { MCP_FRONT_IDENTITY = "caller" } : {},
      # One that is not set allows all.
      var.mcp_servers[slot.server].tiers[slot.tier].tools.allow == null ? {} : {
        MCP_FRONT_TOOLS_ALLOW = join(",", var.mcp_servers[slot.server].tiers[slot.tier].tools.allow)
      },
    )
  }

  # What every server is told, wherever it runs.
  _environments = {
    for name, slot in module.names.slots : name => merge(
      local._upstreams[name] != null ? {} : merge(
        local._time_limits[slot.server],
        local._lists[name],
        var.mcp_servers[slot.server].environment,
        local._database_addresses[name].plain,
      ),
      local._fronts[name],
      {
        PORT            = tostring(slot.port)
        MCP_SERVER_NAME = slot.server
        MCP_TIER        = slot.tier
        # Names by which the gateway calls; any other Host header is refused (DNS rebinding).
        MCP_ALLOWED_HOSTS = slot.compute == "container-apps" ? "${slot.server}-${slot.tier}.${local._apps_domain}" : "${slot.fqdn}:${slot.port},${slot.fqdn}"

        # The server believes the gateway and nobody else: this issuer, this audience, this caller.
        MCP_AUTH_ISSUER            = local.issuer
        MCP_AUTH_JWKS_URI          = "${local.authority}/discovery/v2.0/keys"
        MCP_AUTH_TENANT_ID         = local.tenant_id
        MCP_AUTH_AUDIENCE          = module.backend_app.client_id
        MCP_AUTH_GATEWAY_OBJECT_ID = local.gateway_identity.principal_id
      },
      # The MongoDB server knows what the tiers admin and reader may do; of another name it is told.
      slot.connection == null || slot.connection == lookup({ admin = "read-write", reader = "read-only" }, slot.tier, "") ? {} : {
        MCP_CONNECTION = slot.connection
      },
    )
  }

  # The seam. Each kind of compute is one module that runs the slots of its kind; of a slot it says fqdn, url and
  # principal_id, and nothing else is asked of it (docs/adr/0034).
  slots = merge(
    module.servers,
    module.apps,
  )

  # Where the gateway calls each: not the modules' outputs, for which it would wait.
  _slot_urls = {
    for name, slot in module.names.slots : name => slot.compute == "container-apps" ? "https://${slot.server}-${slot.tier}.${local._apps_domain}" : slot.url
  }
}

# One value for every slot that asks for it. A secret that is not in the vault stops the plan, by its name.
data "azurerm_key_vault_secret" "servers" {
  for_each = toset(flatten([for server in var.mcp_servers : values(server.secrets) if server.compute == "container-instances"]))

  name         = each.key
  key_vault_id = data.azurerm_key_vault.stage1.id
}

# Those that Azure reads by itself, for the gateway or an app: their names, and no value, so that none is in a state. What is
# missing stops the plan, not the apply half-way.
locals {
  _referenced_secrets = setunion(
    local._remote_secrets,
    flatten([for server in var.mcp_servers : values(server.secrets) if server.compute == "container-apps"]),
  )
}

data "azurerm_key_vault_secrets" "referenced" {
  for_each = length(local._referenced_secrets) > 0 ? { this = {} } : {}

  key_vault_id = data.azurerm_key_vault.stage1.id

  lifecycle {
    postcondition {
      condition     = length(setsubtract(local._referenced_secrets, self.names)) == 0
      error_message = "The key vault ${var.key_vault_name} holds no secret ${join(", ", setsubtract(local._referenced_secrets, self.names))}, which secrets or remote.credential in mcp_servers names. Put it there (`az keyvault secret set`; locally .twin/local-secrets.json), and run this again."
    }
  }
}

module "servers" {
  source   = "../modules/container-instance"
  for_each = { for name, slot in module.names.slots : name => slot if slot.compute == "container-instances" }

  name                  = each.key
  resource_group_name   = var.resource_group_name
  location              = var.location
  tags                  = merge(module.names.tags, { server = each.value.server, tier = each.value.tier, slot = each.value.slot })
  subnet_id             = local._subnet_ids.containers
  private_dns_zone_id   = local._private_dns_zone_ids.servers
  identity              = data.azurerm_user_assigned_identity.servers["${each.value.server}-${each.value.tier}"]
  registry_login_server = data.azurerm_container_registry.stage1.login_server
  image                 = "${data.azurerm_container_registry.stage1.login_server}/${local._image_references[each.key]}"
  cpu                   = var.mcp_servers[each.value.server].cpu
  memory                = var.mcp_servers[each.value.server].memory
  port                  = each.value.port
  health_path           = try(coalesce(var.mcp_servers[each.value.server].health_path), null)

  environment_variables = local._environments[each.key]

  secure_environment_variables = local._upstreams[each.key] != null ? {} : local._secrets[each.key]

  upstream = local._upstreams[each.key] == null ? null : {
    image  = "${data.azurerm_container_registry.stage1.login_server}/${replace(local._upstreams[each.key].image, "/^[^\\/]+\\//", "")}"
    cpu    = local._upstreams[each.key].cpu
    memory = local._upstreams[each.key].memory
    environment_variables = merge(
      var.mcp_servers[each.value.server].environment,
      local._database_addresses[each.key].plain,
      { PORT = tostring(local._upstreams[each.key].port) },
    )
  }
  upstream_secure_environment_variables = local._upstreams[each.key] == null ? {} : local._secrets[each.key]

  dns_servers = var.network.dns_servers
  logs        = { workspace_id = module.monitoring.workspace.id }

  # A server connects as it starts: before the endpoint's DNS record exists it would resolve to the closed public address.
  depends_on = [module.database_endpoint, module.documentdb_endpoint]
}
