variable "backup" {
  description = <<-EOT
    `Continuous` (any second of the last 7 or 30 days: `tier`) or `Periodic` (copies: `interval_in_minutes`, 240;
    `retention_in_hours`, 8; `storage_redundancy`, Local). From Periodic to Continuous there is a way, back there is none.
  EOT
  type = object({
    type                = optional(string, "Continuous")
    tier                = optional(string)
    interval_in_minutes = optional(number)
    retention_in_hours  = optional(number)
    storage_redundancy  = optional(string)
  })
  default  = {}
  nullable = false

  validation {
    condition     = contains(["Continuous", "Periodic"], var.backup.type)
    error_message = "backup.type must be Continuous or Periodic."
  }

  validation {
    condition     = contains(["Continuous7Days", "Continuous30Days"], coalesce(var.backup.tier, "Continuous7Days"))
    error_message = "backup.tier must be Continuous7Days or Continuous30Days."
  }

  validation {
    condition     = var.backup.type != "Periodic" || var.backup.tier == null
    error_message = "backup.tier is a setting of Continuous backup; remove it, or say backup.type = \"Continuous\"."
  }

  validation {
    condition = var.backup.type != "Continuous" || (
      var.backup.interval_in_minutes == null && var.backup.retention_in_hours == null && var.backup.storage_redundancy == null
    )
    error_message = "backup.interval_in_minutes, retention_in_hours and storage_redundancy are settings of Periodic backup; remove them, or say backup.type = \"Periodic\"."
  }

  validation {
    condition     = var.backup.interval_in_minutes == null ? true : var.backup.interval_in_minutes >= 60 && var.backup.interval_in_minutes <= 1440
    error_message = "backup.interval_in_minutes must be from 60 to 1440."
  }

  validation {
    condition     = var.backup.retention_in_hours == null ? true : var.backup.retention_in_hours >= 8 && var.backup.retention_in_hours <= 720
    error_message = "backup.retention_in_hours must be from 8 to 720."
  }

  validation {
    condition     = coalesce(var.backup.retention_in_hours, 8) * 60 >= 2 * coalesce(var.backup.interval_in_minutes, 240)
    error_message = "backup.retention_in_hours must hold at least two copies: twice interval_in_minutes."
  }

  validation {
    condition     = contains(["Geo", "Local", "Zone"], coalesce(var.backup.storage_redundancy, "Local"))
    error_message = "backup.storage_redundancy must be Geo, Local or Zone."
  }
}
