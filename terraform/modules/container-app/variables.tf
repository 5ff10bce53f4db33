variable "name" {
  description = "Name of the app, with which its own name in the network begins."
  type        = string
  nullable    = false

  validation {
    # azurerm 5.2.0, containerapps/validate, ContainerAppName.
    condition     = can(regex("^[a-z]([a-z0-9]|-[a-z0-9]){1,31}$", var.name)) && length(var.name) <= 32
    error_message = "An app's name must be 2-32 lower-case letters, digits and single hyphens, start with a letter and end with a letter or digit."
  }
}

variable "resource_group_name" {
  description = "Resource group that holds everything of this module."
  type        = string
  nullable    = false
}

variable "tags" {
  description = "Tags of the app."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "environment" {
  description = "The environment that the app runs in: its resource id and its default domain."
  type = object({
    id             = string
    default_domain = string
  })
  nullable = false
}

variable "identity" {
  description = "User-assigned identity of the app. It needs AcrPull on the registry and Key Vault Secrets User on each secret *before* the app is created."
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
  description = "Full image reference, by digest (…@sha256:…) or by tag (…:0.1.0). A change makes a new revision."
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
  description = "CPU cores of a replica."
  type        = number
  default     = 0.5
  nullable    = false

  validation {
    # "Containers in Azure Container Apps", vCPU and memory allocation requirements, read 2026-11.
    condition     = var.cpu >= 0.25 && var.cpu <= 4 && floor(var.cpu * 4) == var.cpu * 4
    error_message = "cpu must be from 0.25 to 4 cores, in steps of 0.25."
  }
}

variable "memory" {
  description = "Memory of a replica in GiB: twice the number of cores."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = var.memory == var.cpu * 2
    error_message = "memory must be twice cpu: the Consumption profile takes no other pair."
  }
}

variable "environment_variables" {
  description = "Plain environment: readable by everybody who may read the resource. A change makes a new revision."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for value in values(var.environment_variables) : !can(regex("://[^/@\\s]+:[^/@\\s]+@", value))])
    error_message = "environment_variables holds an address with a password in it; put it into the vault and name it in secrets."
  }
}

variable "secrets" {
  description = "Secret environment: name of the variable to the id of a Key Vault secret. Without a version Azure follows the newest one; another version counts at once."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    # azurerm 5.2.0 and "Manage secrets in Azure Container Apps", read 2026-11: lower-case letters, digits and hyphens.
    condition     = alltrue([for id in values(var.secrets) : can(regex("^https://[a-z0-9-]+[.]vault[.][a-z.]+/secrets/[0-9A-Za-z]([0-9A-Za-z-]*[0-9A-Za-z])?(/[0-9a-fA-F]{32})?$", id))])
    error_message = "secrets must be ids of Key Vault secrets, https://<vault>.vault.azure.net/secrets/<name>, whose name begins and ends with a letter or digit."
  }
}

variable "secrets_held" {
  description = "Ids of secrets that the app holds besides: an earlier revision may name them, and Azure wants a secret to be there while one does."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "health_path" {
  description = "Path of the startup and liveness probes, by which Azure restarts a replica that does not answer. Null: none."
  type        = string
  default     = "/healthz"

  validation {
    condition     = var.health_path == null ? true : can(regex("^/[A-Za-z0-9._~/-]*$", var.health_path))
    error_message = "health_path must be a path that starts with a slash, such as /healthz, or null for no probe."
  }
}

variable "ready_path" {
  description = "Path of the readiness probe, without whose 2xx a replica gets no calls. Null: none."
  type        = string
  default     = "/readyz"

  validation {
    condition     = var.ready_path == null ? true : can(regex("^/[A-Za-z0-9._~/-]*$", var.ready_path))
    error_message = "ready_path must be a path that starts with a slash, such as /readyz, or null for no probe."
  }
}

variable "scale" {
  description = "Replicas at least and at most, and calls a second for each of them, above which there is one more: Azure counts those of the past 15 seconds, divided by 15."
  type = object({
    minimum             = optional(number, 1)
    maximum             = optional(number, 4)
    concurrent_requests = optional(number, 10)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.scale.minimum >= 0 && var.scale.maximum >= 1 && var.scale.maximum <= 300 && var.scale.minimum <= var.scale.maximum && var.scale.concurrent_requests >= 1 && alltrue([for number in values(var.scale) : floor(number) == number])
    error_message = "scale takes whole numbers: minimum from 0, maximum from 1 to 300 and not below minimum, concurrent_requests from 1."
  }
}

variable "traffic" {
  description = "An earlier revision, by the suffix of its name, that keeps `weight` percent of the calls; the newest one that is ready has the rest. Null: all."
  type = object({
    revision = string
    weight   = number
  })
  default = null

  validation {
    condition     = var.traffic == null ? true : can(regex("^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$", var.traffic.revision))
    error_message = "traffic.revision must be the suffix of a revision's name: what follows <app>--."
  }

  validation {
    # "Traffic splitting in Azure Container Apps" (2023-03-28): the weights are 100 together.
    condition     = var.traffic == null ? true : var.traffic.weight >= 0 && var.traffic.weight <= 100 && floor(var.traffic.weight) == var.traffic.weight
    error_message = "traffic.weight must be a whole number from 0 to 100."
  }
}

variable "grace_seconds" {
  description = "Seconds that a replica has for the calls that it works on when it is told to end."
  type        = number
  default     = 130
  nullable    = false

  validation {
    # azurerm 5.2.0, containerapps/helpers, termination_grace_period_seconds.
    condition     = var.grace_seconds >= 0 && var.grace_seconds <= 600 && floor(var.grace_seconds) == var.grace_seconds
    error_message = "grace_seconds must be a whole number from 0 to 600."
  }
}

variable "inactive_revisions" {
  description = "Revisions that run no more and are kept, to go back to."
  type        = number
  default     = 10
  nullable    = false

  validation {
    # azurerm 5.2.0 takes 0 to 100; with none there would be nothing to go back to.
    condition     = var.inactive_revisions >= 1 && var.inactive_revisions <= 100 && floor(var.inactive_revisions) == var.inactive_revisions
    error_message = "inactive_revisions must be a whole number from 1 to 100."
  }
}
