variable "name" {
  description = "Name of the environment."
  type        = string
  nullable    = false

  validation {
    # azurerm 5.2.0, containerapps/validate, ManagedEnvironmentName.
    condition     = can(regex("^[a-z][a-z0-9-]{0,58}[a-z0-9]$", var.name))
    error_message = "An environment's name must be 2-60 lower-case letters, digits and hyphens, start with a letter and end with a letter or digit."
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

variable "subnet_id" {
  description = "Subnet of the environment alone, delegated to Microsoft.App/environments, /27 or larger. A change replaces the environment with its apps."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft.Network/virtualNetworks/[^/]+/subnets/[^/]+$", var.subnet_id))
    error_message = "subnet_id must be the resource id of a subnet."
  }
}

variable "virtual_network_id" {
  description = "Network in which the names of the apps are known."
  type        = string
  nullable    = false
}

variable "dns_link_name" {
  description = "Name of the link between the zone of the apps' names and the network."
  type        = string
  nullable    = false
}

variable "zone_redundant" {
  description = "Whether replicas are spread over availability zones. Chosen once: a change replaces the environment with its apps."
  type        = bool
  default     = false
  nullable    = false
}
