locals {
  _create_network = var.network.existing == null
  _server_ports   = distinct([for server in var.mcp_servers : tostring(server.port)])

  _network_id = local._create_network ? module.network["this"].id : var.network.existing.virtual_network_id

  _subnet_ids = local._create_network ? module.network["this"].subnet_ids : {
    apim       = var.network.existing.apim_subnet_id
    containers = var.network.existing.containers_subnet_id
    endpoints  = var.network.existing.endpoints_subnet_id
  }
}

module "network" {
  source   = "../modules/vnet"
  for_each = local._create_network ? { this = {} } : {}

  name                = "vnet-${var.name}"
  resource_group_name = var.resource_group_name
  location            = var.location
  tags                = local.tags
  address_space       = var.network.address_space
  nat_gateway_zones   = var.network.nat_gateway_zone == null ? null : [var.network.nat_gateway_zone]

  subnets = {
    # The classic tiers refuse a delegated subnet, and bring their own public address.
    apim = {
      address_prefix = var.network.subnets.apim
      # They leave through their own address, but are not documented to start in a subnet without implicit outbound.
      default_outbound_access_enabled = true
      rules                           = local._apim_rules
    }

    containers = {
      address_prefix = var.network.subnets.containers
      delegation     = "Microsoft.ContainerInstance/containerGroups"
      # The servers fetch Entra's signing keys: one known address for that, and none to be reached at.
      nat_gateway = true
      rules       = local._containers_rules
    }

    endpoints = {
      address_prefix = var.network.subnets.endpoints
      rules          = local._endpoints_rules
    }
  }
}
