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

resource "azurerm_key_vault" "pass_vault" {
  name                = "kv-pass-vault"
  resource_group_name = "rg"
  location            = "uksouth"
  tenant_id           = "00000000-0000-0000-0000-000000000000"
  sku_name            = "standard"

  rbac_authorization_enabled = true
}

resource "azurerm_container_registry" "pass_registry" {
  name                = "acrpassregistry"
  resource_group_name = "rg"
  location            = "uksouth"
  sku                 = "Premium"
}

resource "azurerm_api_management" "fail_gateway" {
  name                = "apim-fail-gateway"
  resource_group_name = "rg"
  location            = "uksouth"
  publisher_name      = "Platform team"
  publisher_email     = "platform@example.com"
  sku_name            = "Developer_1"
}

resource "azurerm_key_vault" "fail_metrics_only" {
  name                = "kv-fail-metrics-only"
  resource_group_name = "rg"
  location            = "uksouth"
  tenant_id           = "00000000-0000-0000-0000-000000000000"
  sku_name            = "standard"

  rbac_authorization_enabled = true
}

resource "azurerm_key_vault" "fail_to_storage" {
  name                = "kv-fail-to-storage"
  resource_group_name = "rg"
  location            = "uksouth"
  tenant_id           = "00000000-0000-0000-0000-000000000000"
  sku_name            = "standard"

  rbac_authorization_enabled = true
}

resource "azurerm_monitor_diagnostic_setting" "gateway" {
  name                       = "to-log-analytics"
  target_resource_id         = azurerm_api_management.pass_gateway.id
  log_analytics_workspace_id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.OperationalInsights/workspaces/log"

  enabled_log {
    category_group = "allLogs"
  }
}

resource "azurerm_monitor_diagnostic_setting" "database" {
  name                       = "to-log-analytics"
  target_resource_id         = azurerm_cosmosdb_account.pass_database.id
  log_analytics_workspace_id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.OperationalInsights/workspaces/log"

  enabled_log {
    category_group = "allLogs"
  }
}

resource "azurerm_monitor_diagnostic_setting" "vault" {
  name                       = "to-log-analytics"
  target_resource_id         = azurerm_key_vault.pass_vault.id
  log_analytics_workspace_id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.OperationalInsights/workspaces/log"

  enabled_log {
    category_group = "allLogs"
  }
}

resource "azurerm_monitor_diagnostic_setting" "registry" {
  name                       = "to-log-analytics"
  target_resource_id         = azurerm_container_registry.pass_registry.id
  log_analytics_workspace_id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.OperationalInsights/workspaces/log"

  enabled_log {
    category_group = "allLogs"
  }
}

resource "azurerm_monitor_diagnostic_setting" "metrics_only" {
  name                       = "to-log-analytics"
  target_resource_id         = azurerm_key_vault.fail_metrics_only.id
  log_analytics_workspace_id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.OperationalInsights/workspaces/log"

  enabled_metric {
    category = "AllMetrics"
  }
}

resource "azurerm_monitor_diagnostic_setting" "to_storage" {
  name               = "to-log-analytics"
  target_resource_id = azurerm_key_vault.fail_to_storage.id
  storage_account_id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/logs"

  enabled_log {
    category_group = "allLogs"
  }
}
