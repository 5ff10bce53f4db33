variable "name" {
  description = "Name of the server's slot. The container group is called aci-<name>, its DNS record <name>."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,57}[a-z0-9])?$", var.name))
    error_message = "A slot's name must be 1-59 lower-case letters, digits and hyphens, and neither start nor end with a hyphen."
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

variable "private_dns_zone_id" {
  description = "Private DNS zone of the slot's record."
  type        = string
  nullable    = false
}

variable "identity" {
  description = "User-assigned identity of the group. It needs AcrPull on the registry *before* the group is created."
  type = object({
    id           = string
    principal_id = string
  })
  nullable = false
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

variable "port" {
  description = "TCP port of the server."
  type        = number
  default     = 8000
  nullable    = false

  validation {
    condition     = var.port >= 1024 && var.port <= 65535
    error_message = "The port must be from 1024 to 65535: the server does not run as root."
  }
}

variable "cpu" {
  description = "CPU cores."
  type        = number
  default     = 0.5
  nullable    = false

  validation {
    condition     = var.cpu >= 0.1 && var.cpu <= 4
    error_message = "cpu must be from 0.1 to 4 cores."
  }

  validation {
    condition     = can(regex("^[0-9]+([.][0-9])?$", tostring(var.cpu)))
    error_message = "cpu takes one decimal place, such as 0.5."
  }
}

variable "memory" {
  description = "Memory in GiB."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = var.memory >= 0.5 && var.memory <= 16
    error_message = "memory must be from 0.5 to 16 GiB."
  }

  validation {
    condition     = can(regex("^[0-9]+([.][0-9])?$", tostring(var.memory)))
    error_message = "memory takes one decimal place, such as 1.5."
  }
}

variable "environment_variables" {
  description = "Plain environment: readable by everybody who may read the resource. A change replaces the group."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for value in values(var.environment_variables) : !can(regex("://[^/@\\s]+:[^/@\\s]+@", value))])
    error_message = "environment_variables holds an address with a password in it; put it into secure_environment_variables."
  }
}

variable "secure_environment_variables" {
  description = "Secret environment: not shown by Azure, but part of the Terraform state. A change replaces the group."
  type        = map(string)
  default     = {}
  nullable    = false
  sensitive   = true
}

variable "upstream" {
  description = "A second container, which the first one calls on localhost: it has no port and no probe. A change replaces the group."
  type = object({
    image                 = string
    cpu                   = optional(number, 0.5)
    memory                = optional(number, 1)
    environment_variables = optional(map(string), {})
  })
  default = null

  validation {
    condition     = var.upstream == null ? true : can(regex("^[^/]+/[^@]+@sha256:[0-9a-f]{64}$", var.upstream.image))
    error_message = "upstream.image must be <registry>/<repository>@sha256:<digest>: somebody else's tag may be given to another image."
  }

  validation {
    condition     = var.upstream == null ? true : can(regex("^[0-9]+([.][0-9])?$", tostring(var.upstream.cpu))) && var.upstream.cpu >= 0.1 && var.cpu + var.upstream.cpu <= 4
    error_message = "upstream.cpu must be 0.1 or more, of one decimal place, and 4 or less together with cpu."
  }

  validation {
    condition     = var.upstream == null ? true : can(regex("^[0-9]+([.][0-9])?$", tostring(var.upstream.memory))) && var.upstream.memory >= 0.1 && var.memory + var.upstream.memory <= 16
    error_message = "upstream.memory must be 0.1 or more, of one decimal place, and 16 or less together with memory."
  }

  validation {
    condition     = var.upstream == null ? true : alltrue([for value in values(var.upstream.environment_variables) : !can(regex("://[^/@\\s]+:[^/@\\s]+@", value))])
    error_message = "upstream.environment_variables holds an address with a password in it; put it into upstream_secure_environment_variables."
  }
}

variable "upstream_secure_environment_variables" {
  description = "Secret environment of the second container. A change replaces the group."
  type        = map(string)
  default     = {}
  nullable    = false
  sensitive   = true
}

variable "health_path" {
  description = "Path of the HTTP liveness probe, by which Azure restarts a container that is alive and does not answer. Null: no probe. A change replaces the group."
  type        = string
  default     = "/healthz"

  validation {
    condition     = var.health_path == null ? true : can(regex("^/[A-Za-z0-9._~/-]*$", var.health_path))
    error_message = "health_path must be a path that starts with a slash, such as /healthz, or null for no probe."
  }
}

variable "zone" {
  description = "Availability zone of the group; null lets Azure choose."
  type        = string
  default     = null
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
