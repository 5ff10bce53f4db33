resource "azurerm_api_management" "pass_gateway" {
  name                = "apim-pass-gateway"
  resource_group_name = "rg"
  location            = "uksouth"
  publisher_name      = "Platform team"
  publisher_email     = "platform@example.com"
  sku_name            = "Developer_1"
}

resource "azurerm_cosmosdb_account" "pass_database" {
  name                = "cosmos-pass-database"
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

resource "azurerm_log_analytics_workspace" "pass_logs" {
  name                = "log-pass-logs"
  resource_group_name = "rg"
  location            = "uksouth"
}

resource "azurerm_api_management" "fail_silent" {
  name                = "apim-fail-silent"
  resource_group_name = "rg"
  location            = "uksouth"
  publisher_name      = "Platform team"
  publisher_email     = "platform@example.com"
  sku_name            = "Developer_1"
}

resource "azurerm_cosmosdb_account" "fail_disabled" {
  name                = "cosmos-fail-disabled"
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

resource "azurerm_api_management" "fail_nobody" {
  name                = "apim-fail-nobody"
  resource_group_name = "rg"
  location            = "uksouth"
  publisher_name      = "Platform team"
  publisher_email     = "platform@example.com"
  sku_name            = "Developer_1"
}

resource "azurerm_log_analytics_workspace" "fail_no_action" {
  name                = "log-fail-no-action"
  resource_group_name = "rg"
  location            = "uksouth"
}

resource "azurerm_monitor_action_group" "people" {
  name                = "ag-people"
  resource_group_name = "rg"
  short_name          = "people"

  email_receiver {
    name          = "team"
    email_address = "platform@example.com"
  }
}

resource "azurerm_monitor_action_group" "nobody" {
  name                = "ag-nobody"
  resource_group_name = "rg"
  short_name          = "nobody"
}

resource "azurerm_monitor_metric_alert" "gateway" {
  name                = "alert-gateway"
  resource_group_name = "rg"
  scopes              = [azurerm_api_management.pass_gateway.id]

  criteria {
    metric_namespace = "Microsoft.ApiManagement/service"
    metric_name      = "Requests"
    aggregation      = "Total"
    operator         = "GreaterThan"
    threshold        = 100
  }

  action {
    action_group_id = azurerm_monitor_action_group.people.id
  }
}

resource "azurerm_monitor_metric_alert" "database" {
  name                = "alert-database"
  resource_group_name = "rg"
  scopes              = [azurerm_cosmosdb_account.pass_database.id]

  criteria {
    metric_namespace = "Microsoft.ApiManagement/service"
    metric_name      = "Requests"
    aggregation      = "Total"
    operator         = "GreaterThan"
    threshold        = 100
  }

  action {
    action_group_id = azurerm_monitor_action_group.people.id
  }
}

resource "azurerm_monitor_metric_alert" "disabled" {
  name                = "alert-disabled"
  resource_group_name = "rg"
  scopes              = [azurerm_cosmosdb_account.fail_disabled.id]
  enabled             = false

  criteria {
    metric_namespace = "Microsoft.ApiManagement/service"
    metric_name      = "Requests"
    aggregation      = "Total"
    operator         = "GreaterThan"
    threshold        = 100
  }

  action {
    action_group_id = azurerm_monitor_action_group.people.id
  }
}

resource "azurerm_monitor_metric_alert" "nobody" {
  name                = "alert-nobody"
  resource_group_name = "rg"
  scopes              = [azurerm_api_management.fail_nobody.id]

  criteria {
    metric_namespace = "Microsoft.ApiManagement/service"
    metric_name      = "Requests"
    aggregation      = "Total"
    operator         = "GreaterThan"
    threshold        = 100
  }

  action {
    action_group_id = azurerm_monitor_action_group.nobody.id
  }
}

resource "azurerm_monitor_scheduled_query_rules_alert_v2" "logs" {
  name                 = "alert-pass-logs"
  resource_group_name  = "rg"
  location             = "uksouth"
  scopes               = [azurerm_log_analytics_workspace.pass_logs.id]
  severity             = 1
  evaluation_frequency = "PT5M"
  window_duration      = "PT15M"

  criteria {
    query                   = "ApiManagementGatewayLogs"
    time_aggregation_method = "Count"
    operator                = "GreaterThan"
    threshold               = 0
  }

  action {
    action_groups = [azurerm_monitor_action_group.people.id]
  }
}

resource "azurerm_monitor_scheduled_query_rules_alert_v2" "no_action" {
  name                 = "alert-fail-no-action"
  resource_group_name  = "rg"
  location             = "uksouth"
  scopes               = [azurerm_log_analytics_workspace.fail_no_action.id]
  severity             = 1
  evaluation_frequency = "PT5M"
  window_duration      = "PT15M"

  criteria {
    query                   = "ApiManagementGatewayLogs"
    time_aggregation_method = "Count"
    operator                = "GreaterThan"
    threshold               = 0
  }
}
