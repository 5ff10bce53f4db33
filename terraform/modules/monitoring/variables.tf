variable "name" {
  description = "Name of the deployment; the workspace is called log-<name>, Application Insights appi-<name>."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-zA-Z0-9]([a-zA-Z0-9-]{0,57}[a-zA-Z0-9])?$", var.name))
    error_message = "The monitoring name must be 1-59 letters, digits and hyphens, and neither start nor end with a hyphen."
  }
}

variable "environment" {
  description = "Name of the folder in terraform/environments, for the commands that alerts name."
  type        = string
  nullable    = false
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

variable "retention_in_days" {
  description = "Days for which logs are kept."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.retention_in_days >= 30 && var.retention_in_days <= 730
    error_message = "retention_in_days must be from 30 to 730."
  }
}

variable "daily_quota_gb" {
  description = "Gigabytes a day after which ingestion stops until the next day; -1 is no limit."
  type        = number
  default     = -1
  nullable    = false

  validation {
    condition     = var.daily_quota_gb == -1 || var.daily_quota_gb >= 0.023
    error_message = "daily_quota_gb must be -1 (no limit) or at least 0.023."
  }
}

variable "sampling_percentage" {
  description = "Share of requests that Application Insights keeps, in percent."
  type        = number
  default     = 100
  nullable    = false

  validation {
    condition     = var.sampling_percentage > 0 && var.sampling_percentage <= 100
    error_message = "sampling_percentage must be more than 0 and at most 100."
  }
}

variable "diagnostics" {
  description = "Resources whose logs and metrics go to the workspace, by a name of your own."
  type = map(object({
    resource_id         = string
    log_category_groups = optional(set(string), [])
    log_categories      = optional(set(string), [])
    metric_categories   = optional(set(string), ["AllMetrics"])
    dedicated_tables    = optional(bool, false)
  }))
  default  = {}
  nullable = false

  validation {
    # Azure refuses the mixture; the provider does not look.
    condition     = alltrue([for target in var.diagnostics : length(target.log_category_groups) == 0 || length(target.log_categories) == 0])
    error_message = "A diagnostic setting names log category groups or single categories, not both."
  }

  validation {
    condition = alltrue([
      for target in var.diagnostics :
      length(target.log_category_groups) + length(target.log_categories) + length(target.metric_categories) > 0
    ])
    error_message = "A diagnostic setting needs at least one log or metric category."
  }
}

variable "targets" {
  description = "What alerts watch besides the workspace: resource ids by gateway, database (Cosmos DB), documentdb, resource-group and app/<name>. An alert whose target is missing is not declared."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for target in keys(var.targets) : contains(["gateway", "database", "documentdb", "resource-group"], target) || can(regex("^app/[a-z0-9-]+$", target))])
    error_message = "targets takes the keys gateway, database, documentdb, resource-group and app/<name>."
  }
}

variable "objectives" {
  description = <<-EOT
    Service level objectives of 30 days by API: the share of calls that do not fail, and the share (`latency_percentile`) that is
    answered within `latency_ms`. Burn-rate alerts and the workbook count against them.
  EOT
  type = map(object({
    availability_percent = number
    latency_ms           = number
    latency_percentile   = number
  }))
  default  = {}
  nullable = false

  validation {
    # Budgets over 1 / 14.4 would never burn fast enough for the first alert; without a budget every failure would be one.
    condition = alltrue(flatten([
      for objective in values(var.objectives) : [for share in [objective.availability_percent, objective.latency_percentile] : share >= 95 && share <= 99.99]
    ]))
    error_message = "objectives: availability_percent and latency_percentile must be from 95 to 99.99."
  }

  validation {
    condition     = alltrue([for objective in values(var.objectives) : objective.latency_ms >= 1])
    error_message = "objectives: latency_ms must be at least 1."
  }
}

variable "alerts" {
  description = "Who is told, and from when on. Webhook addresses are visible in the state and the portal: none with a secret in it. Counts are per 5 minutes, but per 15 for unreachable and per hour for restarts."
  type = object({
    enabled  = optional(bool, true)
    emails   = optional(set(string), [])
    webhooks = optional(map(string), {})
    thresholds = optional(object({
      minimum_requests       = optional(number, 20)
      gateway_errors_percent = optional(number, 5)
      unauthorized           = optional(number, 100)
      forbidden              = optional(number, 20)
      throttled              = optional(number, 10)
      unreachable            = optional(number, 2)
      restarts               = optional(number, 3)
      storage_percent        = optional(number, 75)
      cpu_percent            = optional(number, 90)
    }), {})
  })
  default  = { enabled = false }
  nullable = false

  validation {
    condition     = !var.alerts.enabled || length(var.alerts.emails) + length(var.alerts.webhooks) > 0
    error_message = "Alerts that nobody hears: alerts needs an address in emails or webhooks, or enabled = false."
  }

  validation {
    condition     = alltrue([for address in var.alerts.emails : can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", address))])
    error_message = "alerts.emails must be mail addresses such as platform@example.com."
  }

  validation {
    condition     = alltrue([for address in values(var.alerts.webhooks) : can(regex("^https://[^\\s]+$", address))])
    error_message = "alerts.webhooks must be https addresses by a name of your own."
  }

  validation {
    condition     = alltrue([for value in values(var.alerts.thresholds) : value >= 0])
    error_message = "alerts.thresholds must not be negative."
  }

  validation {
    condition     = var.alerts.thresholds.gateway_errors_percent < 100
    error_message = "alerts.thresholds.gateway_errors_percent must be below 100: an alert fires above its threshold."
  }
}
