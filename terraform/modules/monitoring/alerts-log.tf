# What no metric says: rates, percentiles, single slots, events. The queries are files of their own, beside the workbook's.

locals {
  _log_alerts = merge(
    local._burn_alerts,
    {
      gateway-errors = {
        severity   = 1
        frequency  = "PT5M"
        window     = "PT15M"
        measure    = "FailedPercent"
        threshold  = var.alerts.thresholds.gateway_errors_percent
        dimensions = ["ApiId"]
        todo       = "The gateway's own addresses answer with 5xx, so that people cannot sign in or clients find no server; what the servers answer, objectives-burn watches. Run `invoke status --env ${var.environment}`; after a deployment, deploy the version before it."
      }
      slot-unreachable = {
        severity   = 1
        frequency  = "PT5M"
        window     = "PT15M"
        measure    = "Failures"
        threshold  = var.alerts.thresholds.unreachable
        dimensions = ["BackendId"]
        todo       = "The gateway cannot reach this slot. A container group that Azure moved has a new address and its DNS record the old one: run `invoke heal --env ${var.environment}`, which writes the record anew; then read `invoke logs --env ${var.environment}`."
      }
      container-restarts = {
        severity   = 2
        frequency  = "PT15M"
        window     = "PT1H"
        measure    = "Starts"
        threshold  = var.alerts.thresholds.restarts
        dimensions = ["ContainerGroup"]
        todo       = "This container starts again and again. Read `invoke logs --env ${var.environment}` for its last words; an address changes with each restart, so watch for slot-unreachable."
      }
      credential-expiry = {
        severity   = 2
        frequency  = "PT1H"
        window     = "P1D"
        measure    = "Events"
        threshold  = 0
        dimensions = ["OperationName"]
        todo       = "A secret or certificate in Key Vault expires within 30 days, or has. The database keys: `invoke rotate --env ${var.environment}`, then a later cosmos.keys_expire_on and `invoke deploy --env ${var.environment}`. The domain's certificate: renew it in the vault, from where the gateway takes the new one."
      }
    },
    # Without a quota there is nothing to reach, and a rule that cannot fire costs as much as one that can.
    var.daily_quota_gb == -1 ? {} : {
      log-quota = {
        severity   = 2
        frequency  = "PT15M"
        window     = "PT1H"
        measure    = null
        threshold  = 0
        dimensions = []
        todo       = "The workspace takes no more logs today: log alerts are blind, metric alerts are not. Find what wrote so much (table Usage), then raise monitoring.daily_quota_gb if it was right."
      }
    },
  )
}

resource "azurerm_monitor_scheduled_query_rules_alert_v2" "this" {
  for_each = { for name, alert in local._log_alerts : name => alert if var.alerts.enabled }

  name                 = "alert-${var.name}-${each.key}"
  display_name         = "${each.key} (${var.name})"
  resource_group_name  = var.resource_group_name
  location             = var.location
  description          = each.value.todo
  scopes               = [azurerm_log_analytics_workspace.this.id]
  severity             = each.value.severity
  evaluation_frequency = each.value.frequency
  window_duration      = each.value.window
  tags                 = var.tags

  auto_mitigation_enabled = true
  # A new workspace has no table of a service that has not written yet: validated, the rule could not be created with it.
  skip_query_validation = true

  criteria {
    query = templatefile("${path.module}/alerts/${try(each.value.query, each.key)}.kql", merge(local._objective_texts, {
      minimum_requests = var.alerts.thresholds.minimum_requests
      recent           = try(each.value.recent, "")
    }))
    time_aggregation_method = each.value.measure == null ? "Count" : "Maximum"
    metric_measure_column   = each.value.measure
    operator                = "GreaterThan"
    threshold               = each.value.threshold

    dynamic "dimension" {
      for_each = each.value.dimensions
      content {
        name     = dimension.value
        operator = "Include"
        values   = ["*"]
      }
    }

    failing_periods {
      minimum_failing_periods_to_trigger_alert = 1
      number_of_evaluation_periods             = 1
    }
  }

  action {
    action_groups = [azurerm_monitor_action_group.this["this"].id]
  }
}
