variable "gateway_exposure" {
  description = "Who reaches the gateway: the internet (`public`) or the virtual network only (`internal`). Chosen once: the other one is another environment."
  type        = string
  default     = "public"
  nullable    = false

  validation {
    condition     = contains(["public", "internal"], var.gateway_exposure)
    error_message = "gateway_exposure must be public or internal."
  }
}

variable "network" {
  description = <<-EOT
    The virtual network: created from `address_space` and `subnets`, or, in a landing zone, `existing`. Zones that a hub
    keeps (`existing_private_dns_zone_ids`: cosmos, documentdb, vault, registry, state, servers, gateway) are used instead of created,
    and not linked. `containers_egress` is what the servers call besides Entra ID, Azure Monitor and the database, each
    with a priority of its own from 200 to 299, which it keeps when others come and go. `dns_servers` are a hub's, for
    the containers: a container group does not take over those of its network.
  EOT
  type = object({
    address_space = optional(set(string), ["10.60.0.0/22"])
    subnets = optional(object({
      apim       = optional(string, "10.60.0.0/27")
      endpoints  = optional(string, "10.60.0.64/26")
      containers = optional(string, "10.60.1.0/24")
    }), {})
    nat_gateway_zone = optional(string)
    dns_servers      = optional(list(string), [])
    containers_egress = optional(map(object({
      priority    = number
      description = string
      destination = string
      ports       = optional(set(string), ["443"])
    })), {})
    existing = optional(object({
      virtual_network_id   = string
      apim_subnet_id       = string
      containers_subnet_id = string
      endpoints_subnet_id  = string
    }))
    existing_private_dns_zone_ids = optional(map(string), {})
  })
  default  = {}
  nullable = false

  validation {
    condition     = length(setsubtract(keys(var.network.existing_private_dns_zone_ids), ["servers", "cosmos", "documentdb", "vault", "registry", "state", "gateway"])) == 0
    error_message = "network.existing_private_dns_zone_ids takes the keys servers, cosmos, documentdb, vault, registry, state and gateway."
  }

  validation {
    condition     = alltrue([for id in values(var.network.existing_private_dns_zone_ids) : can(regex("^/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft.Network/privateDnsZones/[^/]+$", id))])
    error_message = "network.existing_private_dns_zone_ids must be resource ids of private DNS zones, /subscriptions/…/privateDnsZones/<zone>."
  }

  validation {
    condition     = alltrue([for egress in var.network.containers_egress : egress.destination != "*" && egress.destination != "0.0.0.0/0"])
    error_message = "network.containers_egress must name a range or a service tag; say Internet if everything is meant."
  }

  validation {
    condition     = alltrue([for egress in var.network.containers_egress : egress.priority >= 200 && egress.priority <= 299 && floor(egress.priority) == egress.priority])
    error_message = "A priority in network.containers_egress must be a whole number from 200 to 299."
  }

  validation {
    condition     = length(var.network.containers_egress) == length(distinct([for egress in var.network.containers_egress : egress.priority]))
    error_message = "Each priority in network.containers_egress must be used once: Azure refuses two rules of one priority."
  }

  validation {
    condition     = alltrue([for server in var.network.dns_servers : can(cidrnetmask("${server}/32"))])
    error_message = "network.dns_servers must be IPv4 addresses."
  }
}
