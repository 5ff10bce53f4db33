variable "name" {
  description = "Cluster name, unique in Azure."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,38}[a-z0-9]$", var.name))
    error_message = "An Azure DocumentDB cluster name must be 3-40 lower-case letters, digits and hyphens, and neither start nor end with a hyphen; set documentdb.name."
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

variable "server_version" {
  description = "MongoDB version that the cluster speaks."
  type        = string
  default     = "8.0"
  nullable    = false

  validation {
    condition     = contains(["6.0", "7.0", "8.0"], var.server_version)
    error_message = "server_version must be 6.0, 7.0 or 8.0."
  }
}

variable "compute_tier" {
  description = "Tier of the cluster's compute. From M30 on it has high availability, above M30 it writes logs; once there, it does not go below M30 again."
  type        = string
  default     = "M10"
  nullable    = false

  validation {
    # "Service limits and quotas", 2025-11-05: the free tier has neither Entra ID nor backup.
    condition     = contains(["M10", "M20", "M25", "M30", "M40", "M50", "M60", "M80", "M200"], var.compute_tier)
    error_message = "compute_tier must be M10, M20, M25, M30, M40, M50, M60, M80 or M200: the free tier knows no Entra ID."
  }
}

variable "storage_gb" {
  description = "Size of the cluster's disk. It grows, and does not shrink."
  type        = number
  default     = 32
  nullable    = false

  validation {
    condition     = contains([32, 64, 128, 256, 512, 1024, 2048, 4095, 8192, 16384, 32767], var.storage_gb)
    error_message = "storage_gb must be 32, 64, 128, 256, 512, 1024, 2048, 4095, 8192, 16384 or 32767."
  }

  validation {
    condition     = var.storage_gb <= 128 || !contains(["M10", "M20", "M25"], var.compute_tier)
    error_message = "storage_gb must be 128 at most with compute_tier M10, M20 or M25; a larger disk needs M30."
  }
}

variable "high_availability" {
  description = "Keeps a second copy in another zone, which takes over by itself. Twice the price."
  type        = bool
  default     = false
  nullable    = false

  validation {
    condition     = !var.high_availability || !contains(["M10", "M20", "M25"], var.compute_tier)
    error_message = "high_availability needs compute_tier M30 or more: the burstable tiers have none."
  }
}

variable "administrators" {
  description = "Object ids of the identities that Azure registers as administrators of the database, by a name of your own."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for id in values(var.administrators) : can(regex("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", id))])
    error_message = "administrators must be object ids (GUIDs): principal ids of identities, not client ids or names."
  }
}

variable "identities" {
  description = "Client ids of the identities that connect, by a name of your own: see connection_strings."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "lock_enabled" {
  description = "Has Azure refuse the deletion of the cluster, and of what belongs to it, to everybody. Removing the lock is a deed of its own."
  type        = bool
  default     = false
  nullable    = false
}

variable "prevent_destroy" {
  description = "Has every plan fail that would delete or replace the cluster. Once on, it does not go off by value; see terraform/README.md."
  type        = bool
  default     = false
  nullable    = false
}

variable "customer_managed_key" {
  description = "A key that encrypts the cluster besides Microsoft's: its versionless id, and the identity that may wrap and unwrap with it."
  type = object({
    key_id      = string
    identity_id = string
  })
  default = null

  validation {
    condition     = var.customer_managed_key == null ? true : can(regex("^https://[^/]+/keys/[A-Za-z0-9-]+$", var.customer_managed_key.key_id))
    error_message = "customer_managed_key.key_id must be a versionless id, https://<vault>/keys/<key>."
  }
}
