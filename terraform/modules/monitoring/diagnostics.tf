locals {
  # The workspace reports on itself: who asked what of the logs ("Audit logs for queries executed in Log Analytics
  # Workspaces", table LAQueryLogs). Application Insights does not report, because its telemetry is in here already.
  _diagnostics = merge(var.diagnostics, {
    workspace = {
      resource_id         = azurerm_log_analytics_workspace.this.id
      log_category_groups = []
      log_categories      = ["Audit"]
      metric_categories   = []
      dedicated_tables    = false
    }
  })
}

resource "azurerm_monitor_diagnostic_setting" "this" {
  for_each = local._diagnostics

  name                       = "to-log-analytics"
  target_resource_id         = each.value.resource_id
  log_analytics_workspace_id = azurerm_log_analytics_workspace.this.id
  # Azure answers null for services that have one table form only, and for Key Vault whatever was asked (azure-rest-api-specs,
  # issue 22400); naming it there would differ on every plan.
  log_analytics_destination_type = each.value.dedicated_tables ? "Dedicated" : null

  dynamic "enabled_log" {
    for_each = each.value.log_category_groups
    content {
      category_group = enabled_log.value
    }
  }

  dynamic "enabled_log" {
    for_each = each.value.log_categories
    content {
      category = enabled_log.value
    }
  }

  dynamic "enabled_metric" {
    for_each = each.value.metric_categories
    content {
      category = enabled_metric.value
    }
  }
}
