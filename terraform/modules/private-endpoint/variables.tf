variable "name" {
  description = "Name of the endpoint; its network interface is called nic-<name>."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,74}[a-zA-Z0-9_]$", var.name))
    error_message = "A private endpoint name must be 2-76 letters, digits, hyphens, dots and underscores, and start with a letter or digit."
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
  description = "Subnet in which the endpoint takes its address."
  type        = string
  nullable    = false
}

variable "target" {
  description = "What the endpoint leads to: a resource and which of its services."
  type = object({
    resource_id = string
    subresource = string
  })
  nullable = false

  validation {
    # The provider passes any word on and Azure refuses the wrong ones at apply.
    condition     = contains(["MongoDB", "MongoCluster", "vault", "registry", "blob", "Gateway"], var.target.subresource)
    error_message = "target.subresource must be MongoDB, MongoCluster, vault, registry, blob or Gateway: the sub-resources this platform uses."
  }
}

variable "private_dns_zone_ids" {
  description = "Private DNS zones in which the endpoint registers its names. Empty where something else keeps the records."
  type        = list(string)
  default     = []
  nullable    = false
}
