locals {
  _deny_inbound = {
    deny-inbound = {
      description = "Nothing else comes in, from this network neither."
      priority    = 4096
      access      = "Deny"
      protocol    = "*"
    }
  }

  # "Virtual network configuration reference: API Management". The outbound rules matter once somebody adds a deny.
  _apim_rules = merge(local._deny_inbound, {
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
  })

  _containers_rules = merge(local._deny_inbound, {
    allow-gateway = {
      description = "The gateway, and only on the ports of the servers."
      priority    = 100
      source      = var.network.subnets.apim
      destination = var.network.subnets.containers
      ports       = local._server_ports
    }
  })

  _endpoints_rules = merge(local._deny_inbound, {
    allow-database = {
      description = "The servers, on the ports of Cosmos DB for MongoDB."
      priority    = 100
      source      = var.network.subnets.containers
      destination = var.network.subnets.endpoints
      ports       = ["10250", "10255", "10256"]
    }
    allow-vault-and-registry = {
      description = "Key Vault and the registry, from inside the network."
      priority    = 110
      source      = "VirtualNetwork"
      destination = var.network.subnets.endpoints
      ports       = ["443"]
    }
  })
}
