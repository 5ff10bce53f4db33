locals {
  _create_network = var.network.existing == null

  # "Use a virtual network with Azure API Management" (2024-10-16): how a gateway of that tier is in its subnet. Only an injected one is
  # called there; of an integrated one, nothing but its calls to the servers passes the subnet.
  _gateway_mode = local.gateway_generation == "classic" ? "classic" : var.gateway_exposure == "internal" ? "injected" : "integrated"
  _gateway_subnet = {
    # The classic tiers refuse a delegated subnet.
    classic    = { delegation = null, rules = "apim" }
    integrated = { delegation = "Microsoft.Web/serverFarms", rules = "apim-integrated" }
    injected   = { delegation = "Microsoft.Web/hostingEnvironments", rules = "apim-injected" }
  }[local._gateway_mode]

  # Who delegates a subnet to a service registers its provider.
  _gateway_providers = local._gateway_mode == "classic" ? [] : ["Microsoft.Web"]

  _network_id = local._create_network ? module.network["this"].id : var.network.existing.virtual_network_id

  _subnet_ids = local._create_network ? module.network["this"].subnet_ids : {
    apim       = var.network.existing.apim_subnet_id
    containers = var.network.existing.containers_subnet_id
    endpoints  = var.network.existing.endpoints_subnet_id
  }

  # Encoded, so that no value can be anything else than a value in that file.
  _all_rules = yamldecode(templatefile("${path.module}/data/network-rules.yaml", {
    subnets      = { for key, range in merge(var.network.subnets, { agents = try(var.agents.subnet, ""), apps = var.container_apps.subnet }) : key => jsonencode(range) }
    clients      = jsonencode(var.gateway_exposure == "public" ? "Internet" : "VirtualNetwork")
    server_ports = jsonencode(distinct([for server in var.mcp_servers : tostring(server.port) if server.remote == null && server.compute == "container-instances"]))
    # What an environment's ingress listens on, for TLS.
    app_ports          = jsonencode(local.has_container_apps ? ["443", "31443"] : [])
    database_ports     = jsonencode(local._database_ports)
    app_database_ports = jsonencode(local.has_container_apps ? local._database_ports : [])
    # A registry without a private endpoint is reached at its public address, and its layers in Azure's storage.
    registry_ports = jsonencode(local.has_container_apps && var.registry.sku != "Premium" ? ["443"] : [])
  }))

  _database_ports = concat(
    # Connection strings say 10255; Azure answers on the other two as well, depending on how the account is replicated.
    local.has_cosmos ? ["10250", "10255", "10256"] : [],
    # What DocumentDB's SRV record says (azure-docs#114043), and what its page on Private Link says (2025-05-28).
    local.has_documentdb ? ["10260", "27017"] : [],
  )

  # Without a database, or without apps, there is no port to open.
  _rules = {
    for subnet, rules in local._all_rules : subnet => { for name, rule in rules : name => rule if try(length(rule.ports), 1) > 0 }
  }

  # The servers call the same, wherever they run.
  _egress_rules = {
    for subnet, range in { containers = var.network.subnets.containers, apps = var.container_apps.subnet } : subnet => {
      for name, egress in var.network.containers_egress : "egress-${name}" => {
        description = egress.description
        priority    = egress.priority
        direction   = "Outbound"
        source      = range
        destination = egress.destination
        ports       = egress.ports
      }
    }
  }
}

module "network" {
  source   = "../modules/vnet"
  for_each = local._create_network ? { this = {} } : {}

  name                = module.names.network.virtual_network
  resource_group_name = var.resource_group_name
  location            = var.location
  tags                = module.names.tags
  address_space       = var.network.address_space

  nat_gateway = {
    name         = module.names.network.nat_gateway
    address_name = module.names.network.nat_address
    zone         = var.network.nat_gateway_zone
  }

  subnets = merge({
    apim = merge(module.names.network.subnets.apim, {
      address_prefix = var.network.subnets.apim
      delegation     = local._gateway_subnet.delegation
      # They leave through their own address, but are not documented to start in a subnet without implicit outbound.
      default_outbound_access_enabled = true
      rules                           = local._rules[local._gateway_subnet.rules]
    })

    containers = merge(module.names.network.subnets.containers, {
      address_prefix = var.network.subnets.containers
      delegation     = "Microsoft.ContainerInstance/containerGroups"
      # The servers fetch Entra's signing keys: one known address for that, and none to be reached at.
      nat_gateway = true
      rules       = merge(local._rules.containers, local._egress_rules.containers)
    })

    endpoints = merge(module.names.network.subnets.endpoints, {
      address_prefix = var.network.subnets.endpoints
      rules          = local._rules.endpoints
    })
    }, {
    for key, agents in local._agents : "agents" => {
      name           = module.names.agents.subnet
      security_group = module.names.agents.security_group
      address_prefix = agents.subnet
      delegation     = "Microsoft.DevOpsInfrastructure/pools"
      nat_gateway    = true
      rules          = local._rules.agents
    }
    }, {
    for key, apps in local._container_apps : "apps" => {
      name           = module.names.container_apps.subnet
      security_group = module.names.container_apps.security_group
      address_prefix = apps.subnet
      delegation     = "Microsoft.App/environments"
      nat_gateway    = true
      rules          = merge(local._rules.apps, local._egress_rules.apps)
    }
  })
}
