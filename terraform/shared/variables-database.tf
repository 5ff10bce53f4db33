variable "cosmos_account_name" {
  description = "Name of the Cosmos DB account, unique in Azure. Null where there is none."
  type        = string
  default     = null

  validation {
    condition     = var.cosmos_account_name != null || !coalesce(var.cosmos.enabled, contains([for server in var.mcp_servers : coalesce(server.database, "none")], "cosmosdb-mongodb"))
    error_message = "cosmos_account_name must be given where a server in mcp_servers has the database \"cosmosdb-mongodb\"."
  }

  validation {
    condition     = var.cosmos_account_name == null ? true : can(regex("^[a-z0-9][a-z0-9-]{1,42}[a-z0-9]$", var.cosmos_account_name))
    error_message = "cosmos_account_name must be 3-44 lower-case letters, digits and hyphens, and neither start nor end with a hyphen."
  }
}

variable "cosmos" {
  description = <<-EOT
    The database "cosmosdb-mongodb"; see modules/cosmosdb-mongodb for what each setting allows. `active_key` is the key that
    the servers use: switch it, apply, and the other one can be regenerated. `keys_expire_on` is the day by which that has to
    happen. `enabled`: without a word it is there while a server uses it; true keeps it, false lets it go with its documents.
  EOT
  type = object({
    enabled           = optional(bool)
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
    condition     = var.cosmos.enabled != false || alltrue([for server in var.mcp_servers : coalesce(server.database, "none") != "cosmosdb-mongodb"])
    error_message = "cosmos.enabled must not be false while a server in mcp_servers has the database \"cosmosdb-mongodb\"."
  }

  validation {
    condition     = contains(["primary", "secondary"], var.cosmos.active_key)
    error_message = "cosmos.active_key must be primary or secondary."
  }

  validation {
    condition     = var.cosmos.keys_expire_on == null ? true : can(formatdate("YYYY", var.cosmos.keys_expire_on))
    error_message = "cosmos.keys_expire_on must be a time such as 2027-06-30T00:00:00Z."
  }
}

variable "documentdb" {
  description = <<-EOT
    The database "documentdb", an Azure DocumentDB cluster that knows no keys; see modules/documentdb for what each setting
    allows. `name` is unique in Azure. `enabled`: without a word it is there while a server uses it; true makes or keeps it,
    false lets it go with its documents.
  EOT
  type = object({
    enabled           = optional(bool)
    name              = optional(string)
    server_version    = optional(string, "8.0")
    compute_tier      = optional(string, "M10")
    storage_gb        = optional(number, 32)
    high_availability = optional(bool, false)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.documentdb.name != null || !coalesce(var.documentdb.enabled, contains([for server in var.mcp_servers : coalesce(server.database, "none")], "documentdb"))
    error_message = "documentdb.name must be given where a server in mcp_servers has the database \"documentdb\"."
  }

  validation {
    condition     = var.documentdb.name == null ? true : can(regex("^[a-z0-9][a-z0-9-]{1,38}[a-z0-9]$", var.documentdb.name))
    error_message = "documentdb.name must be 3-40 lower-case letters, digits and hyphens, and neither start nor end with a hyphen."
  }

  validation {
    condition     = var.documentdb.enabled != false || alltrue([for server in var.mcp_servers : coalesce(server.database, "none") != "documentdb"])
    error_message = "documentdb.enabled must not be false while a server in mcp_servers has the database \"documentdb\"."
  }
}
