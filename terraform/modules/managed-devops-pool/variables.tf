variable "names" {
  description = "Names of the dev center, of its project, and of the pool, which is the pool's name in Azure DevOps too."
  type = object({
    dev_center = string
    project    = string
    pool       = string
  })
  nullable = false

  validation {
    condition     = can(regex("^[a-zA-Z0-9][a-zA-Z0-9-]{2,25}$", var.names.dev_center))
    error_message = "names.dev_center must be 3-26 letters, digits and hyphens, and start with a letter or digit."
  }

  validation {
    condition     = can(regex("^[a-zA-Z0-9][a-zA-Z0-9-.]{1,42}[a-zA-Z0-9-]$", var.names.pool))
    error_message = "names.pool must be 3-44 letters, digits, hyphens and dots, start with a letter or digit and not end with a dot."
  }
}

variable "resource_group_name" {
  description = "Resource group that holds everything of this module."
  type        = string
  nullable    = false
}

variable "location" {
  description = "Azure region, for example uksouth; the network's, because a pool and its network are in one region."
  type        = string
  nullable    = false
}

variable "tags" {
  description = "Tags of every resource of this module."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "organization" {
  description = "The organisation of Azure DevOps, and those of its projects that may use the pool; empty: all."
  type = object({
    url      = string
    projects = optional(set(string), [])
  })
  nullable = false

  validation {
    condition     = can(regex("^https://dev\\.azure\\.com/[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$", var.organization.url))
    error_message = "organization.url must be https://dev.azure.com/<organisation>, without a slash at the end."
  }
}

variable "maximum" {
  description = "Agents that run at once, at most; each takes an address of the subnet."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = var.maximum >= 1 && var.maximum <= 10000 && floor(var.maximum) == var.maximum
    error_message = "maximum must be a whole number from 1 to 10000."
  }
}

variable "machine" {
  description = "Size of each agent's virtual machine, and its image: one of the aliases that Microsoft publishes."
  type = object({
    sku_name = optional(string, "Standard_D2ads_v5")
    image    = optional(string, "ubuntu-24.04")
  })
  default  = {}
  nullable = false
}

variable "subnet_id" {
  description = "Subnet that is delegated to Microsoft.DevOpsInfrastructure/pools and used by this pool only."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft.Network/virtualNetworks/[^/]+/subnets/[^/]+$", var.subnet_id))
    error_message = "subnet_id must be the resource id of a subnet, /subscriptions/…/subnets/<subnet>."
  }
}
