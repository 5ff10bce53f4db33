locals {
  metric_alerts = {
    gateway  = { scope = azurerm_api_management.this["pass_gateway"].id }
    database = { scope = azurerm_cosmosdb_account.this["pass_database"].id }
    disabled = { scope = azurerm_cosmosdb_account.this["fail_disabled"].id, enabled = false }
    cluster  = { scope = azurerm_mongo_cluster.this["pass_cluster"].id }
    nobody   = { scope = azurerm_api_management.this["fail_nobody"].id, group = "nobody" }
  }

  receivers = { people = ["platform@example.com"], nobody = [] }
}

resource "azurerm_api_management" "this" {
  for_each            = toset(["pass_gateway", "fail_silent", "fail_nobody"])
  name                = "apim-${replace(each.key, "_", "-")}"
  resource_group_name = "rg"
  location            = "uksouth"
  publisher_name      = "Platform team"
  publisher_email     = "platform@example.com"
  sku_name            = "Developer_1"
}

resource "azurerm_cosmosdb_account" "this" {
  for_each            = toset(["pass_database", "fail_disabled"])
  name                = "cosmos-${replace(each.key, "_", "-")}"
  resource_group_name = "rg"
  location            = "uksouth"
  offer_type          = "Standard"
  kind                = "MongoDB"

  consistency_policy {
    consistency_level = "Session"
  }

  geo_location {
    location          = "uksouth"
    failover_priority = 0
  }
}

resource "azurerm_log_analytics_workspace" "this" {
  for_each            = toset(["pass_logs", "fail_no_action"])
  name                = "log-${replace(each.key, "_", "-")}"
  resource_group_name = "rg"
  location            = "uksouth"
}

resource "azurerm_monitor_action_group" "this" {
  for_each            = local.receivers
  name                = "ag-${each.key}"
  resource_group_name = "rg"
  short_name          = each.key

  dynamic "email_receiver" {
    for_each = each.value

    content {
      name          = "team"
      email_address = email_receiver.value
    }
  }
}

resource "azurerm_monitor_metric_alert" "this" {
  for_each            = local.metric_alerts
  name                = "alert-${each.key}"
  resource_group_name = "rg"
  scopes              = [each.value.scope]
  enabled             = try(each.value.enabled, true)

  criteria {
    metric_namespace = "Microsoft.ApiManagement/service"
    metric_name      = "Requests"
    aggregation      = "Total"
    operator         = "GreaterThan"
    threshold        = 100
  }

  action {
    action_group_id = azurerm_monitor_action_group.this[try(each.value.group, "people")].id
  }
}

resource "azurerm_monitor_scheduled_query_rules_alert_v2" "this" {
  for_each             = azurerm_log_analytics_workspace.this
  name                 = "alert-${replace(each.key, "_", "-")}"
  resource_group_name  = "rg"
  location             = "uksouth"
  scopes               = [each.value.id]
  severity             = 1
  evaluation_frequency = "PT5M"
  window_duration      = "PT15M"

  criteria {
    query                   = "ApiManagementGatewayLogs"
    time_aggregation_method = "Count"
    operator                = "GreaterThan"
    threshold               = 0
  }

  dynamic "action" {
    for_each = each.key == "pass_logs" ? ["people"] : []

    content {
      action_groups = [azurerm_monitor_action_group.this[action.value].id]
    }
  }
}

resource "azurerm_mongo_cluster" "this" {
  for_each               = toset(["pass_cluster", "fail_cluster"])
  name                   = replace(each.key, "_", "-")
  resource_group_name    = "rg"
  location               = "uksouth"
  authentication_methods = ["MicrosoftEntraID"]
  public_network_access  = "Disabled"
  compute_tier           = "M30"
  storage_size_in_gb     = 128
  high_availability_mode = "Disabled"
  shard_count            = 1
  version                = "8.0"
}
