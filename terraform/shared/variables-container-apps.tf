variable "container_apps" {
  description = <<-EOT
    The environment of the servers with compute = "container-apps". `enabled`: without a word it is there while a server uses
    it; true keeps it, false lets it go. `subnet` is its own range of network.address_space, in a landing zone
    `existing_subnet_id` is that subnet; neither changes while it is there.
    `zone_redundant` spreads replicas over zones, in regions that have some and with a scale.minimum of 2 or more.
  EOT
  type = object({
    enabled            = optional(bool)
    subnet             = optional(string, "10.60.2.0/26")
    existing_subnet_id = optional(string)
    zone_redundant     = optional(bool, false)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.container_apps.enabled != false || alltrue([for server in var.mcp_servers : server.compute != "container-apps"])
    error_message = "container_apps.enabled must not be false while a server in mcp_servers has compute = \"container-apps\" (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !(server.compute != "container-apps")])})."
  }

  validation {
    # "Virtual network configuration" (2025-05-01): a workload profiles environment needs a /27 of its own.
    condition     = can(cidrnetmask(var.container_apps.subnet)) && try(tonumber(split("/", var.container_apps.subnet)[1]) <= 27, false)
    error_message = "container_apps.subnet must be an IPv4 range of /27 or larger, such as 10.60.2.0/26."
  }

  validation {
    # The same page: ranges that Azure Kubernetes Service and the environment itself keep.
    condition = alltrue([
      for kept in ["169.254.0.0/16", "172.30.0.0/16", "172.31.0.0/16", "192.0.2.0/24", "100.100.0.0/17", "100.100.128.0/19", "100.100.160.0/19", "100.100.192.0/19"] :
      try(
        cidrhost("${split("/", var.container_apps.subnet)[0]}/${min(split("/", var.container_apps.subnet)[1], split("/", kept)[1])}", 0)
        != cidrhost("${split("/", kept)[0]}/${min(split("/", var.container_apps.subnet)[1], split("/", kept)[1])}", 0),
        true
      )
    ])
    error_message = "container_apps.subnet must not overlap with 169.254.0.0/16, 172.30.0.0/15, 192.0.2.0/24 or 100.100.0.0-100.100.223.255, which Container Apps keeps for itself."
  }

  validation {
    condition     = var.container_apps.existing_subnet_id == null ? true : can(regex("^/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft.Network/virtualNetworks/[^/]+/subnets/[^/]+$", var.container_apps.existing_subnet_id))
    error_message = "container_apps.existing_subnet_id must be the resource id of a subnet, /subscriptions/…/subnets/<name>."
  }

  validation {
    condition     = var.network.existing == null || var.container_apps.existing_subnet_id != null || alltrue([for server in var.mcp_servers : server.compute != "container-apps"])
    error_message = "container_apps.existing_subnet_id must be given where network.existing is and a server has compute = \"container-apps\": a subnet of the landing zone that is delegated to Microsoft.App/environments."
  }

  validation {
    # "Reliability in Azure Container Apps" (2023-10-23): zones are used by two replicas and more.
    condition     = !var.container_apps.zone_redundant || alltrue([for server in var.mcp_servers : server.compute != "container-apps" || server.scale.maximum == 1 || server.scale.minimum >= 2])
    error_message = "container_apps.zone_redundant needs scale.minimum of 2 or more in mcp_servers, as one replica is in one zone (${join(", ", [for entry, server in var.mcp_servers : "mcp_servers.${entry}" if !(server.compute != "container-apps" || server.scale.maximum == 1 || server.scale.minimum >= 2)])})."
  }
}
