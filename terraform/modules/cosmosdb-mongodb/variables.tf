variable "name" {
  description = "Account name, unique in Azure."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,42}[a-z0-9]$", var.name))
    error_message = "A Cosmos DB account name must be 3-44 lower-case letters, digits and hyphens, and neither start nor end with a hyphen; set cosmos_account_name."
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
  description = "MongoDB version that the account speaks."
  type        = string
  default     = "7.0"
  nullable    = false

  validation {
    condition     = contains(["4.2", "5.0", "6.0", "7.0"], var.server_version)
    error_message = "server_version must be 4.2, 5.0, 6.0 or 7.0: older ones are out of support."
  }
}

variable "throughput_mode" {
  description = "`serverless` (pay per request), `autoscale` or `fixed`. From or to serverless is a new account."
  type        = string
  default     = "serverless"
  nullable    = false

  validation {
    condition     = contains(["serverless", "autoscale", "fixed"], var.throughput_mode)
    error_message = "throughput_mode must be serverless, autoscale or fixed."
  }
}

variable "free_tier_enabled" {
  description = "Uses the subscription's one free account. A change replaces the account."
  type        = bool
  default     = false
  nullable    = false

  validation {
    condition     = !(var.free_tier_enabled && var.throughput_mode == "serverless")
    error_message = "The free tier is not available to serverless accounts."
  }
}

variable "zone_redundant" {
  description = "Spreads the account's region over availability zones. Where the region has none, Azure refuses it."
  type        = bool
  default     = false
  nullable    = false
}

variable "lock_enabled" {
  description = "Has Azure refuse the deletion of the account, and of what belongs to it, to everybody. Removing the lock is a deed of its own."
  type        = bool
  default     = false
  nullable    = false
}

variable "prevent_destroy" {
  description = "Has every plan fail that would delete or replace the account, a database or a collection. Once on, it does not go off by value; see terraform/README.md."
  type        = bool
  default     = false
  nullable    = false
}

variable "customer_managed_key" {
  description = "A key that encrypts the account besides Microsoft's: its versionless id, and the identity that may wrap and unwrap with it."
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
