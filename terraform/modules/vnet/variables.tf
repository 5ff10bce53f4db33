variable "name" {
  description = "Name of the network; what is not named in it derives its name from this one."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}[a-zA-Z0-9_]$", var.name))
    error_message = "A virtual network name must be 2-64 letters, digits, hyphens, dots and underscores, and start with a letter or digit."
  }
}

variable "resource_group_name" {
  description = "Resource group that holds everything of this module."
  type        = string
  nullable    = false
}

variable "location" {
  description = "Azure region, for example uksouth."
  type        = string
  nullable    = false
}

variable "tags" {
  description = "Tags of every resource of this module."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "address_space" {
  description = "IPv4 ranges of the network, in CIDR form."
  type        = set(string)
  nullable    = false

  validation {
    condition     = length(var.address_space) > 0 && alltrue([for range in var.address_space : can(cidrnetmask(range))])
    error_message = "address_space must be one or more IPv4 ranges such as 10.60.0.0/22."
  }
}

variable "subnets" {
  description = <<-EOT
    Subnets by key, each with a security group of its own; unless named, they are called snet-<key> and
    nsg-<network>-<key>. `rules` are kept by name. `source` and `destination` are a range, a service tag or `*`.
  EOT
  type = map(object({
    name                            = optional(string)
    security_group                  = optional(string)
    address_prefix                  = string
    delegation                      = optional(string)
    default_outbound_access_enabled = optional(bool, false)
    nat_gateway                     = optional(bool, false)
    rules = optional(map(object({
      description = string
      priority    = number
      direction   = optional(string, "Inbound")
      access      = optional(string, "Allow")
      protocol    = optional(string, "Tcp")
      source      = optional(string, "*")
      destination = optional(string, "*")
      ports       = optional(set(string), ["*"])
    })), {})
  }))
  nullable = false

  validation {
    condition     = alltrue([for subnet in var.subnets : contains(["none", "Microsoft.App/environments", "Microsoft.ContainerInstance/containerGroups", "Microsoft.DevOpsInfrastructure/pools", "Microsoft.Web/hostingEnvironments", "Microsoft.Web/serverFarms"], coalesce(subnet.delegation, "none"))])
    error_message = "A subnet's delegation is Microsoft.App/environments, Microsoft.ContainerInstance/containerGroups, Microsoft.DevOpsInfrastructure/pools, Microsoft.Web/hostingEnvironments, Microsoft.Web/serverFarms, or left out."
  }

  validation {
    condition     = alltrue([for subnet in var.subnets : can(cidrnetmask(subnet.address_prefix))])
    error_message = "Each subnet's address_prefix must be an IPv4 range such as 10.60.0.0/27."
  }

  validation {
    # A subnet lies inside a range when its own address, cut to the range's length, is the range's.
    condition = alltrue([
      for subnet in var.subnets : anytrue([
        for range in var.address_space : try(
          tonumber(split("/", subnet.address_prefix)[1]) >= tonumber(split("/", range)[1])
          && cidrhost("${split("/", subnet.address_prefix)[0]}/${split("/", range)[1]}", 0) == cidrhost(range, 0),
          false
        )
      ])
    ])
    error_message = "Each subnet's address_prefix must lie inside the network's address_space."
  }

  validation {
    # Azure refuses overlaps, the provider does not look. Two ranges overlap when, cut to the shorter length, they are equal.
    condition = alltrue(flatten([
      for first, a in var.subnets : [
        for second, b in var.subnets : first == second || try(
          cidrhost("${split("/", a.address_prefix)[0]}/${min(split("/", a.address_prefix)[1], split("/", b.address_prefix)[1])}", 0)
          != cidrhost("${split("/", b.address_prefix)[0]}/${min(split("/", a.address_prefix)[1], split("/", b.address_prefix)[1])}", 0),
          false
        )
      ]
    ]))
    error_message = "Subnets must not overlap."
  }

  validation {
    condition = alltrue([
      for subnet in var.subnets :
      length(subnet.rules) == length(distinct([for rule in subnet.rules : "${rule.direction}/${rule.priority}"]))
    ])
    error_message = "Two rules of one subnet must not have the same priority in the same direction."
  }

  validation {
    condition = alltrue(flatten([
      for subnet in var.subnets : [for rule in subnet.rules : rule.priority >= 100 && rule.priority <= 4096]
    ]))
    error_message = "A rule's priority must be from 100 to 4096."
  }

  validation {
    condition = alltrue(flatten([
      for subnet in var.subnets : [for rule in subnet.rules : length(rule.ports) == 1 || !contains(rule.ports, "*")]
    ]))
    error_message = "A rule's ports are either \"*\" alone or a list of ports and ranges."
  }
}

variable "nat_gateway" {
  description = "Names of the NAT gateway (ng-<network>) and of its address (pip-<network>-nat), and their one zone; null lets Azure choose. A change replaces both."
  type = object({
    name         = optional(string)
    address_name = optional(string)
    zone         = optional(string)
  })
  default  = {}
  nullable = false
}
