variable "name" {
  description = "Registry name, unique in Azure: 5-50 letters and digits."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-zA-Z0-9]{5,50}$", var.name))
    error_message = "The registry name must be 5-50 letters and digits; set acr_name."
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

variable "sku" {
  description = "Registry tier. Private endpoints, a firewall, retention and zones exist on Premium only."
  type        = string
  default     = "Basic"
  nullable    = false

  validation {
    condition     = contains(["Basic", "Standard", "Premium"], var.sku)
    error_message = "The registry sku must be Basic, Standard or Premium."
  }
}

variable "network" {
  description = "Who reaches the registry: everybody who signs in (`public`), listed addresses (`allow-list`), or private endpoints only (`private`)."
  type = object({
    access   = optional(string, "public")
    ip_rules = optional(set(string), [])
  })
  default  = {}
  nullable = false

  validation {
    condition     = contains(["public", "allow-list", "private"], var.network.access)
    error_message = "The registry's network.access must be public, allow-list or private."
  }

  validation {
    condition     = var.network.access != "private" || var.sku == "Premium"
    error_message = "A private registry needs the Premium sku: the other tiers have no private endpoints."
  }
}

variable "untagged_retention_days" {
  description = "Days for which a manifest without a tag is kept, on Premium. Rollback goes to such manifests, by digest."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.untagged_retention_days >= 0 && var.untagged_retention_days <= 365
    error_message = "untagged_retention_days must be from 0 to 365."
  }
}

variable "zone_redundancy_enabled" {
  description = "Spreads the registry over availability zones. Premium only; a change replaces the registry."
  type        = bool
  default     = false
  nullable    = false

  validation {
    condition     = !var.zone_redundancy_enabled || var.sku == "Premium"
    error_message = "Zone redundancy of the registry needs the Premium sku."
  }
}

variable "lock_enabled" {
  description = "Has Azure refuse the deletion of the registry, and of what belongs to it, to everybody. Removing the lock is a deed of its own."
  type        = bool
  default     = false
  nullable    = false
}

variable "prevent_destroy" {
  description = "Has every plan fail that would delete or replace the registry. Once on, it does not go off by value; see terraform/README.md."
  type        = bool
  default     = false
  nullable    = false
}

variable "customer_managed_key" {
  description = "A key that encrypts the registry besides Microsoft's: its versionless id, and the identity that may wrap and unwrap with it."
  type = object({
    key_id             = string
    identity_id        = string
    identity_client_id = string
  })
  default = null

  validation {
    condition     = var.customer_managed_key == null || var.sku == "Premium"
    error_message = "A customer-managed key of the registry needs the Premium sku."
  }
}
