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

variable "backup" {
  description = "`Continuous` (any second of the last 7 or 30 days) or `Periodic` (copies at intervals). Continuous cannot be undone."
  type = object({
    type                = optional(string, "Continuous")
    tier                = optional(string, "Continuous7Days")
    interval_in_minutes = optional(number, 240)
    retention_in_hours  = optional(number, 8)
    storage_redundancy  = optional(string, "Local")
  })
  default  = {}
  nullable = false

  validation {
    condition     = contains(["Continuous", "Periodic"], var.backup.type)
    error_message = "backup.type must be Continuous or Periodic."
  }

  validation {
    condition     = contains(["Continuous7Days", "Continuous30Days"], var.backup.tier)
    error_message = "backup.tier must be Continuous7Days or Continuous30Days."
  }

  validation {
    condition     = var.backup.interval_in_minutes >= 60 && var.backup.interval_in_minutes <= 1440
    error_message = "backup.interval_in_minutes must be from 60 to 1440."
  }

  validation {
    condition     = var.backup.retention_in_hours >= 8 && var.backup.retention_in_hours <= 720
    error_message = "backup.retention_in_hours must be from 8 to 720."
  }

  validation {
    condition     = var.backup.retention_in_hours * 60 >= 2 * var.backup.interval_in_minutes
    error_message = "backup.retention_in_hours must hold at least two copies: twice interval_in_minutes."
  }

  validation {
    condition     = contains(["Geo", "Local", "Zone"], var.backup.storage_redundancy)
    error_message = "backup.storage_redundancy must be Geo, Local or Zone."
  }
}

variable "databases" {
  description = <<-EOT
    Databases by name, with their collections by name. `throughput` is in request units a second: the fixed amount, or
    the most that autoscale may reach; left out at both levels, Azure's default applies. The index on `_id` is always there.
  EOT
  type = map(object({
    throughput = optional(number)
    collections = optional(map(object({
      shard_key           = optional(string)
      throughput          = optional(number)
      default_ttl_seconds = optional(number)
      indexes = optional(map(object({
        keys   = list(string)
        unique = optional(bool, false)
      })), {})
    })), {})
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for name in keys(var.databases) : can(regex("^[A-Za-z0-9_-]{1,63}$", name))])
    error_message = "A database name must be 1-63 letters, digits, underscores and hyphens."
  }

  validation {
    condition = var.throughput_mode != "serverless" || alltrue(flatten([
      for database in var.databases : concat(
        [database.throughput == null], [for collection in database.collections : collection.throughput == null]
      )
    ]))
    error_message = "A serverless account has no throughput settings; remove throughput from the databases and collections."
  }

  validation {
    condition = var.throughput_mode != "fixed" || alltrue([
      for amount in flatten([
        for database in var.databases : concat(
          [coalesce(database.throughput, 400)], [for collection in database.collections : coalesce(collection.throughput, 400)]
        )
      ]) : amount >= 400 && amount % 100 == 0
    ])
    error_message = "Fixed throughput must be at least 400 request units, in steps of 100."
  }

  validation {
    condition = var.throughput_mode != "autoscale" || alltrue([
      for amount in flatten([
        for database in var.databases : concat(
          [coalesce(database.throughput, 1000)], [for collection in database.collections : coalesce(collection.throughput, 1000)]
        )
      ]) : amount >= 1000 && amount % 1000 == 0
    ])
    error_message = "Autoscale throughput must be at least 1000 request units, in steps of 1000."
  }
}

variable "lock_enabled" {
  description = "Locks the account against deletion by anything but this Terraform."
  type        = bool
  default     = false
  nullable    = false
}
