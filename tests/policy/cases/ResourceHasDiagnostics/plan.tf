locals {
  gateways = ["pass_gateway", "fail_gateway"]
  vaults   = ["pass_vault", "fail_metrics_only", "fail_to_storage"]

  # Settings that send logs to Log Analytics, which is what the rule wants.
  complete = {
    gateway  = azurerm_api_management.this["pass_gateway"].id
    database = azurerm_cosmosdb_account.pass_database.id
    vault    = azurerm_key_vault.this["pass_vault"].id
    registry = azurerm_container_registry.pass_registry.id
    cluster  = azurerm_mongo_cluster.this["pass_cluster"].id
    apps     = azurerm_container_app_environment.this["pass_apps"].id
  }

  # The small tiers of DocumentDB write no logs, so that metrics are all there is.
  clusters     = { pass_cluster = "M40", pass_small_cluster = "M10", fail_cluster = "M40", fail_small_cluster = "M10" }
  metrics_only = { small = azurerm_mongo_cluster.this["pass_small_cluster"].id, large = azurerm_mongo_cluster.this["fail_cluster"].id }
}

resource "azurerm_container_app_environment" "this" {
  for_each            = toset(["pass_apps", "fail_apps"])
  name                = "cae-${replace(each.key, "_", "-")}"
  resource_group_name = "rg"
  location            = "uksouth"
}

resource "azurerm_api_management" "this" {
  for_each            = toset(local.gateways)
  name                = "apim-${replace(each.key, "_", "-")}"
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

resource "azurerm_key_vault" "this" {
  for_each            = toset(local.vaults)
  name                = "kv-${replace(each.key, "_", "-")}"
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

resource "azurerm_log_analytics_workspace" "fail_workspace" {
  name                = "log-this"
  resource_group_name = "rg"
  location            = "uksouth"
}

resource "azurerm_storage_account" "logs" {
  name                     = "stlogs"
  resource_group_name      = "rg"
  location                 = "uksouth"
  account_tier             = "Standard"
  account_replication_type = "ZRS"
}

resource "azurerm_monitor_diagnostic_setting" "complete" {
  for_each                   = local.complete
  name                       = "to-log-analytics"
  target_resource_id         = each.value
  log_analytics_workspace_id = azurerm_log_analytics_workspace.fail_workspace.id

  enabled_log {
    category_group = "allLogs"
  }
}

resource "azurerm_monitor_diagnostic_setting" "metrics_only" {
  name                       = "to-log-analytics"
  target_resource_id         = azurerm_key_vault.this["fail_metrics_only"].id
  log_analytics_workspace_id = azurerm_log_analytics_workspace.fail_workspace.id

  enabled_metric {
    category = "AllMetrics"
  }
}

resource "azurerm_monitor_diagnostic_setting" "to_storage" {
  name               = "to-log-analytics"
  target_resource_id = azurerm_key_vault.this["fail_to_storage"].id
  storage_account_id = azurerm_storage_account.logs.id

  enabled_log {
    category_group = "allLogs"
  }
}

resource "azurerm_mongo_cluster" "this" {
  for_each               = local.clusters
  name                   = replace(each.key, "_", "-")
  resource_group_name    = "rg"
  location               = "uksouth"
  authentication_methods = ["MicrosoftEntraID"]
  public_network_access  = "Disabled"
  compute_tier           = each.value
  storage_size_in_gb     = 128
  high_availability_mode = "Disabled"
  shard_count            = 1
  version                = "8.0"
}

resource "azurerm_monitor_diagnostic_setting" "cluster_metrics" {
  for_each                   = local.metrics_only
  name                       = "to-log-analytics"
  target_resource_id         = each.value
  log_analytics_workspace_id = azurerm_log_analytics_workspace.fail_workspace.id

  enabled_metric {
    category = "AllMetrics"
  }
}
