variable "cosmos_account_name" {
  description = "Name of the Cosmos DB account, unique in Azure."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,42}[a-z0-9]$", var.cosmos_account_name))
    error_message = "cosmos_account_name must be 3-44 lower-case letters, digits and hyphens, and neither start nor end with a hyphen."
  }
}

variable "cosmos" {
  description = <<-EOT
    The database; see modules/cosmosdb-mongodb for what each setting allows. `active_key` is the key that the servers
    use: switch it, apply, and the other one can be regenerated. `keys_expire_on` is the day by which that has to happen.
  EOT
  type = object({
    server_version    = optional(string, "7.0")
    throughput_mode   = optional(string, "serverless")
    free_tier_enabled = optional(bool, false)
    zone_redundant    = optional(bool, false)
    active_key        = optional(string, "primary")
    keys_expire_on    = optional(string)
    backup = optional(object({
      type                = optional(string)
      tier                = optional(string)
      interval_in_minutes = optional(number)
      retention_in_hours  = optional(number)
      storage_redundancy  = optional(string)
    }), {})
    databases = optional(map(object({
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
    })), {})
  })
  default  = {}
  nullable = false

  validation {
    condition     = contains(["primary", "secondary"], var.cosmos.active_key)
    error_message = "cosmos.active_key must be primary or secondary."
  }

  validation {
    condition     = var.cosmos.keys_expire_on == null ? true : can(formatdate("YYYY", var.cosmos.keys_expire_on))
    error_message = "cosmos.keys_expire_on must be a time such as 2027-06-30T00:00:00Z."
  }
}
