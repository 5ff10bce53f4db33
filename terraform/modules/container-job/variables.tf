variable "name" {
  description = "Name of the job. The container group is called aci-<name>."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,57}[a-z0-9])?$", var.name))
    error_message = "A job's name must be 1-59 lower-case letters, digits and hyphens, and neither start nor end with a hyphen."
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
  description = "Subnet delegated to Microsoft.ContainerInstance/containerGroups."
  type        = string
  nullable    = false
}

variable "identity_id" {
  description = "User-assigned identity of the group. It needs AcrPull on the registry *before* the group is created."
  type        = string
  nullable    = false
}

variable "registry_login_server" {
  description = "Registry that the image comes from."
  type        = string
  nullable    = false
}

variable "image" {
  description = "Full image reference, by digest (…@sha256:…) or by tag (…:0.1.0). A change replaces the group."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[^/]+/[^@]+(@sha256:[0-9a-f]{64}|:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})$", var.image))
    error_message = "The image must be <registry>/<repository>@sha256:<digest> or <registry>/<repository>:<tag>."
  }

  validation {
    condition     = !endswith(var.image, ":latest")
    error_message = "The image's tag must not be latest: it says neither what runs nor what to roll back to."
  }
}

variable "command" {
  description = "What runs, in place of the image's own command. A change replaces the group, which runs it anew."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.command) > 0
    error_message = "command must name a program: a job that runs what the image runs would not end."
  }
}

variable "environment_variables" {
  description = "Plain environment: readable by everybody who may read the resource. A change replaces the group, which runs the job anew."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for value in values(var.environment_variables) : !can(regex("://[^/@\\s]+:[^/@\\s]+@", value))])
    error_message = "environment_variables holds an address with a password in it; put it into secure_environment_variables."
  }
}

variable "dns_servers" {
  description = "Name servers that the container asks; empty: Azure's, which know the zones that are linked to its network."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for server in var.dns_servers : can(cidrnetmask("${server}/32"))])
    error_message = "dns_servers must be IPv4 addresses."
  }
}

variable "logs" {
  description = "Resource id of the workspace that keeps what the container prints and what becomes of it. Null: nowhere."
  type = object({
    workspace_id = string
  })
  default = null
}
