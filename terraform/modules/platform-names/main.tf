locals {
  _virtual_network = "vnet-${var.name}"
  _gateway         = "apim-${var.name}"

  # The source of every address that clients see; without a trailing slash, because clients compare text.
  _public_base_url = coalesce(
    var.gateway.public_base_url,
    var.gateway.custom_host_name == null ? null : "https://${var.gateway.custom_host_name}",
    "https://${local._gateway}.azure-api.net",
  )
  _gateway_host = regex("^https?://([^/:]+)", local._public_base_url)[0]

  # "Azure Private Endpoint private DNS zone values"; `servers` is ours.
  _zones = merge(
    {
      servers = "mcp.internal"
      vault   = "privatelink.vaultcore.azure.net"
    },
    var.databases.cosmos ? { cosmos = "privatelink.mongo.cosmos.azure.com" } : {},
    var.databases.documentdb ? { documentdb = "privatelink.mongocluster.cosmos.azure.com" } : {},
    var.private_dns.registry ? { registry = "privatelink.azurecr.io" } : {},
    var.private_dns.state ? { state = "privatelink.blob.core.windows.net" } : {},
    # Nobody but this network knows an internal gateway: its host is a zone of its own, so that no other name is taken over.
    var.gateway.exposure == "internal" ? { gateway = local._gateway_host } : {},
  )

  # The name of a zone that a hub keeps is the last part of its id; the gateway's may be a domain above its host.
  _servers_zone = try(reverse(split("/", var.private_dns.existing_zone_ids.servers))[0], local._zones.servers)
  _gateway_zone = try(reverse(split("/", var.private_dns.existing_zone_ids.gateway))[0], local._gateway_host)

  _hosted = { for name, server in var.servers : name => server if server.remote == null }

  _tiers = merge([
    for server_name, server in local._hosted : {
      for tier_name, tier in server.tiers : "${server_name}-${tier_name}" => {
        server        = server_name
        tier          = tier_name
        identity_name = "id-${var.name}-${server_name}-${tier_name}"
      }
    }
  ]...)

  _slots = merge(flatten([
    for server_name, server in local._hosted : [
      for tier_name, tier in server.tiers : {
        for slot in server.slots : "${server_name}-${tier_name}-${slot}" => {
          name = "${server_name}-${tier_name}-${slot}"
          # An app's are its environment's, which stage 1 makes; stage2/servers.tf has them.
          fqdn       = server.compute == "container-apps" ? null : "${server_name}-${tier_name}-${slot}.${local._servers_zone}"
          url        = server.compute == "container-apps" ? null : "http://${server_name}-${tier_name}-${slot}.${local._servers_zone}:${server.port}"
          server     = server_name
          tier       = tier_name
          slot       = slot
          role       = tier.role
          connection = tier.connection
          port       = server.port
          compute    = server.compute
        }
      }
    ]
  ])...)
}
