locals {
  _deny_inbound = {
    deny-inbound = {
      description = "Nothing else comes in, from this network neither."
      priority    = 4096
      access      = "Deny"
      protocol    = "*"
    }
  }

  _deny_outbound = {
    deny-outbound = {
      description = "Nothing else goes out."
      priority    = 4096
      direction   = "Outbound"
      access      = "Deny"
      protocol    = "*"
    }
  }

  # "Virtual network configuration reference: API Management", every row that its table does not call optional, and of the
  # optional ones those that are used here. docs/network.md has the whole table.
  _apim_rules = merge(local._deny_inbound, local._apim_inbound, local._apim_outbound)

  _apim_inbound = {
    allow-clients = {
      description = "MCP clients, from where gateway_exposure says."
      priority    = 100
      source      = var.gateway_exposure == "public" ? "Internet" : "VirtualNetwork"
      destination = "VirtualNetwork"
      ports       = ["443"]
    }
    allow-management = {
      description = "Azure's control plane manages the service."
      priority    = 110
      source      = "ApiManagement"
      destination = "VirtualNetwork"
      ports       = ["3443"]
    }
    allow-load-balancer = {
      description = "Azure's load balancer probes the service."
      priority    = 120
      source      = "AzureLoadBalancer"
      destination = "VirtualNetwork"
      ports       = ["6390"]
    }
    allow-counters = {
      description = "The units of the service keep one count for rate limits."
      priority    = 130
      protocol    = "Udp"
      source      = var.network.subnets.apim
      destination = var.network.subnets.apim
      ports       = ["4290"]
    }
    allow-cache = {
      description = "The units of the service share the built-in cache."
      priority    = 140
      source      = var.network.subnets.apim
      destination = var.network.subnets.apim
      ports       = ["6381-6383"]
    }
  }

  _apim_outbound = {
    allow-to-servers = {
      description = "Calls to the MCP servers."
      priority    = 100
      direction   = "Outbound"
      source      = var.network.subnets.apim
      destination = var.network.subnets.containers
      ports       = local._server_ports
    }
    allow-to-entra = {
      description = "Signing keys, and the sign-in façade's calls to Entra ID."
      priority    = 110
      direction   = "Outbound"
      source      = "VirtualNetwork"
      destination = "AzureActiveDirectory"
      ports       = ["443"]
    }
    allow-to-storage = {
      description = "The service's own storage."
      priority    = 120
      direction   = "Outbound"
      source      = "VirtualNetwork"
      destination = "Storage"
      ports       = ["443"]
    }
    allow-to-sql = {
      description = "The service's own database."
      priority    = 130
      direction   = "Outbound"
      source      = "VirtualNetwork"
      destination = "Sql"
      ports       = ["1433"]
    }
    allow-to-key-vault = {
      description = "Certificates and named values."
      priority    = 140
      direction   = "Outbound"
      source      = "VirtualNetwork"
      destination = "AzureKeyVault"
      ports       = ["443"]
    }
    allow-to-monitor = {
      description = "Logs and metrics."
      priority    = 150
      direction   = "Outbound"
      source      = "VirtualNetwork"
      destination = "AzureMonitor"
      ports       = ["443", "1886"]
    }
    allow-to-certificate-authorities = {
      description = "Revocation lists and issuers of certificates, which have no service tag."
      priority    = 160
      direction   = "Outbound"
      source      = "VirtualNetwork"
      destination = "Internet"
      ports       = ["80", "443"]
    }
    allow-to-endpoints = {
      description = "The vault, where its name leads to its private endpoint."
      priority    = 170
      direction   = "Outbound"
      source      = var.network.subnets.apim
      destination = var.network.subnets.endpoints
      ports       = ["443"]
    }
    allow-counters-out = {
      description = "The units of the service keep one count for rate limits."
      priority    = 180
      direction   = "Outbound"
      protocol    = "Udp"
      source      = var.network.subnets.apim
      destination = var.network.subnets.apim
      ports       = ["4290"]
    }
    allow-cache-out = {
      description = "The units of the service share the built-in cache."
      priority    = 190
      direction   = "Outbound"
      source      = var.network.subnets.apim
      destination = var.network.subnets.apim
      ports       = ["6381-6383"]
    }
    allow-dns = {
      description = "Name servers of a hub, where the network has some."
      priority    = 200
      direction   = "Outbound"
      protocol    = "*"
      source      = var.network.subnets.apim
      destination = "VirtualNetwork"
      ports       = ["53"]
    }
    # The service's maintenance uses more of the internet than its table lists, so the internet stays open to it.
    deny-network-outbound = {
      description = "The gateway reaches nothing else in this network, nor in the networks behind it."
      priority    = 4096
      direction   = "Outbound"
      access      = "Deny"
      protocol    = "*"
      destination = "VirtualNetwork"
    }
  }

  _containers_rules = merge(local._deny_inbound, local._deny_outbound, local._containers_egress, {
    allow-gateway = {
      description = "The gateway, and only on the ports of the servers."
      priority    = 100
      source      = var.network.subnets.apim
      destination = var.network.subnets.containers
      ports       = local._server_ports
    }
    allow-to-database = {
      description = "Cosmos DB for MongoDB, through its private endpoint."
      priority    = 100
      direction   = "Outbound"
      source      = var.network.subnets.containers
      destination = var.network.subnets.endpoints
      ports       = local._database_ports
    }
    allow-to-entra = {
      description = "The servers fetch the keys that tokens are signed with."
      priority    = 110
      direction   = "Outbound"
      source      = var.network.subnets.containers
      destination = "AzureActiveDirectory"
      ports       = ["443"]
    }
    allow-to-monitor = {
      description = "Logs and metrics."
      priority    = 120
      direction   = "Outbound"
      source      = var.network.subnets.containers
      destination = "AzureMonitor"
      ports       = ["443"]
    }
    allow-dns = {
      description = "Name servers of a hub, where the network has some."
      priority    = 130
      direction   = "Outbound"
      protocol    = "*"
      source      = var.network.subnets.containers
      destination = "VirtualNetwork"
      ports       = ["53"]
    }
  })

  _containers_egress = {
    for index, name in keys(var.network.containers_egress) : "egress-${name}" => {
      description = var.network.containers_egress[name].description
      priority    = 200 + index
      direction   = "Outbound"
      source      = var.network.subnets.containers
      destination = var.network.containers_egress[name].destination
      ports       = var.network.containers_egress[name].ports
    }
  }

  # A private endpoint answers and never calls.
  _endpoints_rules = merge(local._deny_inbound, local._deny_outbound, {
    allow-database = {
      description = "The servers, on the ports of Cosmos DB for MongoDB."
      priority    = 100
      source      = var.network.subnets.containers
      destination = var.network.subnets.endpoints
      ports       = local._database_ports
    }
    allow-https = {
      description = "Key Vault, the registry and the state account, from inside the network."
      priority    = 110
      source      = "VirtualNetwork"
      destination = var.network.subnets.endpoints
      ports       = ["443"]
    }
  })

  # Connection strings say 10255; Azure answers on the other two as well, depending on how the account is replicated.
  _database_ports = ["10250", "10255", "10256"]
}
