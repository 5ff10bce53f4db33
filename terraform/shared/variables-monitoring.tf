variable "monitoring" {
  description = "Log Analytics, Application Insights and alerts. Without emails, alerts go to apim.publisher_email."
  type = object({
    retention_in_days   = optional(number, 30)
    daily_quota_gb      = optional(number, -1)
    sampling_percentage = optional(number, 100)
    alerts = optional(object({
      enabled  = optional(bool, true)
      emails   = optional(set(string), [])
      webhooks = optional(map(string), {})
      # Counts are per 5 minutes, but per 15 for unreachable and per hour for restarts; an alert fires above its number.
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
    }), {})
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for address in var.monitoring.alerts.emails : can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", address))])
    error_message = "monitoring.alerts.emails must be mail addresses such as platform@example.com."
  }

  validation {
    condition     = alltrue([for address in values(var.monitoring.alerts.webhooks) : can(regex("^https://[^\\s]+$", address))])
    error_message = "monitoring.alerts.webhooks must be https addresses by a name of your own."
  }
}
