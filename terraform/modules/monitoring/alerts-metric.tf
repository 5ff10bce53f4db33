# Metrics arrive within minutes, cost nothing to collect, and keep coming when the workspace has reached its quota.
# Names, dimensions and aggregations: "Supported metrics for Microsoft.ApiManagement/service" and "Supported metrics for
# Microsoft.DocumentDB/DatabaseAccounts", "… mongoClusters" and "Microsoft.App/containerApps"; what to watch there: "Use the Azure portal to set up alerts on metrics
# for Azure DocumentDB" (2025-01-10).

locals {
  # What a container group's log says of it, a metric says of an app: each has a rule of its own.
  _app_alerts = {
    for target in keys(var.targets) : "${replace(target, "/", "-")}-restarts" => {
      target    = target
      severity  = 2
      threshold = var.alerts.thresholds.restarts
      metric    = { namespace = "Microsoft.App/containerApps", name = "RestartCount", aggregation = "Maximum" }
      dimension = null
      window    = "PT30M"
      todo      = "A replica of this app starts again and again. Read `invoke logs --env ${var.environment}` for its last words; a rollback gives the calls back to the revision before."
    } if startswith(target, "app/")
  }

  _metric_alerts = merge(local._app_alerts, {
    gateway-unauthorized = {
      target    = "gateway"
      severity  = 2
      threshold = var.alerts.thresholds.unauthorized
      metric    = { namespace = "Microsoft.ApiManagement/service", name = "Requests", aggregation = "Total" }
      dimension = { name = "GatewayResponseCode", value = "401" }
      todo      = "Many calls without a valid token. One 401 begins each sign-in; a flood is a client that loops or somebody trying. Open the workbook, Refusals: the reason and the address say which."
    }
    gateway-forbidden = {
      target    = "gateway"
      severity  = 2
      threshold = var.alerts.thresholds.forbidden
      metric    = { namespace = "Microsoft.ApiManagement/service", name = "Requests", aggregation = "Total" }
      dimension = { name = "GatewayResponseCode", value = "403" }
      todo      = "Signed-in callers are refused. Open the workbook, Refusals: give the role to those who should have it, or look for a client that asks for the wrong scope."
    }
    database-throttled = {
      target    = "database"
      severity  = 2
      threshold = var.alerts.thresholds.throttled
      metric    = { namespace = "Microsoft.DocumentDB/databaseAccounts", name = "MongoRequests", aggregation = "Count" }
      dimension = { name = "ErrorCode", value = "16500" }
      todo      = "The database refuses requests that exceed its throughput (error 16500); servers retry until a call's time is over. Open the workbook, Throttling, for the collection; add an index, or raise cosmos throughput."
    }
    database-rate-limited = {
      target    = "database"
      severity  = 3
      threshold = var.alerts.thresholds.throttled
      metric    = { namespace = "Microsoft.DocumentDB/databaseAccounts", name = "TotalRequests", aggregation = "Count" }
      dimension = { name = "StatusCode", value = "429" }
      todo      = "Requests are rate limited (429) inside the database, index builds and the portal included. Without database-throttled beside it no caller has noticed yet; look at what else uses the account."
    }
    documentdb-storage = {
      target    = "documentdb"
      severity  = 1
      threshold = var.alerts.thresholds.storage_percent
      metric    = { namespace = "Microsoft.DocumentDB/mongoClusters", name = "StoragePercent", aggregation = "Maximum" }
      dimension = null
      todo      = "The database's disk fills (percent). A full one takes the database off line, and only Microsoft brings it back: raise documentdb.storage_gb now, then look for what need not be kept."
    }
    documentdb-cpu = {
      target    = "documentdb"
      severity  = 2
      threshold = var.alerts.thresholds.cpu_percent
      metric    = { namespace = "Microsoft.DocumentDB/mongoClusters", name = "CpuPercent", aggregation = "Average" }
      dimension = null
      window    = "PT30M"
      todo      = "The database is busy (percent, for half an hour): calls become slow and run into their time limit. Open the workbook, Throttling, for the collection; add an index, or raise documentdb.compute_tier."
    }
  })
}

resource "azurerm_monitor_metric_alert" "this" {
  for_each = {
    for name, alert in local._metric_alerts : name => alert
    if var.alerts.enabled && contains(keys(var.targets), alert.target)
  }

  name                = "alert-${var.name}-${each.key}"
  resource_group_name = var.resource_group_name
  description         = each.value.todo
  scopes              = [var.targets[each.value.target]]
  severity            = each.value.severity
  frequency           = can(each.value.window) ? "PT5M" : "PT1M"
  window_size         = try(each.value.window, "PT5M")
  auto_mitigate       = true
  tags                = var.tags

  criteria {
    metric_namespace = each.value.metric.namespace
    metric_name      = each.value.metric.name
    aggregation      = each.value.metric.aggregation
    operator         = "GreaterThan"
    threshold        = each.value.threshold
    # Azure knows a value of a dimension once it has occurred, and a platform without refusals has none.
    skip_metric_validation = true

    dynamic "dimension" {
      for_each = each.value.dimension[*]
      content {
        name     = dimension.value.name
        operator = "Include"
        values   = [dimension.value.value]
      }
    }
  }

  action {
    action_group_id = azurerm_monitor_action_group.this["this"].id
  }
}
