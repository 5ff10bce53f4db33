variable "monitoring" {
  description = "Log Analytics and Application Insights."
  type = object({
    retention_in_days   = optional(number, 30)
    daily_quota_gb      = optional(number, -1)
    sampling_percentage = optional(number, 100)
  })
  default  = {}
  nullable = false
}
