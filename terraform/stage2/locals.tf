locals {
  tags = merge(var.tags, { deployment = var.name, environment = var.environment })

  tenant_id = data.azurerm_client_config.current.tenant_id
  authority = "${var.entra_authority}/${local.tenant_id}"
  issuer    = "${local.authority}/v2.0"

  # The source of every address that clients see; without a trailing slash, because clients compare text.
  public_base_url = coalesce(
    var.public_base_url,
    try("https://${var.apim.custom_domain.host_name}", null),
    "https://apim-${var.name}.azure-api.net",
  )

  gateway_identity = data.azurerm_user_assigned_identity.gateway
  apim_subnet_id   = local._subnet_ids.apim

  # Zone of the slots' names; where a landing zone gives another one, its name is the last part of the id.
  _servers_zone = try(
    reverse(split("/", var.network.existing_private_dns_zone_ids.servers))[0],
    "mcp.internal",
  )

  # "<server>-<tier>"
  _server_tiers = merge([
    for server_name, server in var.mcp_servers : {
      for tier_name in keys(server.tiers) : "${server_name}-${tier_name}" => { server = server_name, tier = tier_name }
    }
  ]...)

  # "<server>-<tier>-<slot>": the name of a container group, its DNS record and its backend.
  _slot_list = flatten([
    for server_name, server in var.mcp_servers : [
      for tier_name, tier in server.tiers : [
        for slot in server.slots : {
          name       = "${server_name}-${tier_name}-${slot}"
          server     = server_name
          tier       = tier_name
          slot       = slot
          role       = tier.role
          connection = tier.connection
          port       = server.port
          compute    = server.compute
        }
      ]
    ]
  ])

  server_slots = {
    for slot in local._slot_list : slot.name => merge(slot, {
      fqdn = "${slot.name}.${local._servers_zone}"
    })
  }
}
