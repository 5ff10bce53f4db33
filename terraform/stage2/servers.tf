locals {
  # Written by `invoke push`: {"<server>": {"repository": "…", "digest": "sha256:…", "tag": "…"}}. Without it the tag applies.
  _images_file = "${path.root}/../environments/${var.environment}/images.json"
  _images      = jsondecode(fileexists(local._images_file) ? file(local._images_file) : "{}")

  _image_references = {
    for name, server in var.mcp_servers : name => contains(keys(local._images), name) ? (
      "${local._images[name].repository}@${local._images[name].digest}"
    ) : "${server.image.repository}:${server.image.tag}"
  }
}

module "servers" {
  source   = "../modules/container-instance"
  for_each = local.server_slots

  name                  = each.key
  resource_group_name   = var.resource_group_name
  location              = var.location
  tags                  = merge(local.tags, { server = each.value.server, tier = each.value.tier, slot = each.value.slot })
  subnet_id             = local._subnet_ids.containers
  private_dns_zone_id   = local._private_dns_zone_ids.servers
  identity_id           = data.azurerm_user_assigned_identity.servers["${each.value.server}-${each.value.tier}"].id
  registry_login_server = data.azurerm_container_registry.stage1.login_server
  image                 = "${data.azurerm_container_registry.stage1.login_server}/${local._image_references[each.value.server]}"
  cpu                   = var.mcp_servers[each.value.server].cpu
  memory                = var.mcp_servers[each.value.server].memory
  port                  = each.value.port
  health_path           = var.mcp_servers[each.value.server].health_path

  environment_variables = merge(var.mcp_servers[each.value.server].environment, {
    PORT            = tostring(each.value.port)
    MCP_SERVER_NAME = each.value.server
    MCP_TIER        = each.value.tier
    # Names by which the gateway calls; any other Host header is refused (DNS rebinding).
    MCP_ALLOWED_HOSTS = "${each.value.fqdn}:${each.value.port},${each.value.fqdn}"

    # The server believes the gateway and nobody else: this issuer, this audience, this caller.
    MCP_AUTH_ISSUER            = local.issuer
    MCP_AUTH_JWKS_URI          = "${local.authority}/discovery/v2.0/keys"
    MCP_AUTH_TENANT_ID         = local.tenant_id
    MCP_AUTH_AUDIENCE          = module.backend_app.client_id
    MCP_AUTH_GATEWAY_OBJECT_ID = local.gateway_identity.principal_id
  })

  secure_environment_variables = each.value.connection == null ? {} : {
    MONGODB_URI = module.database.connection_strings["${each.value.connection}-${var.cosmos.active_key}"]
  }

  log_analytics_enabled = true
  log_analytics = {
    workspace_id  = module.monitoring.workspace.workspace_id
    workspace_key = module.monitoring.workspace_key
  }

  # A server connects as it starts: before the endpoint's DNS record exists it would resolve to the closed public address.
  depends_on = [module.database_endpoint]
}
