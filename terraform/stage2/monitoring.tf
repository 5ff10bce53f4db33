locals {
  application_insights = {
    id                = module.monitoring.application_insights_id
    connection_string = module.monitoring.application_insights_connection_string
  }

  log_analytics_workspace_id = module.monitoring.workspace.id
}

module "monitoring" {
  source = "../modules/monitoring"

  name                = var.name
  resource_group_name = var.resource_group_name
  location            = var.location
  tags                = local.tags
  retention_in_days   = var.monitoring.retention_in_days
  daily_quota_gb      = var.monitoring.daily_quota_gb
  sampling_percentage = var.monitoring.sampling_percentage

  # Stage 1's resources report here too: the workspace is younger than they are.
  diagnostics = {
    gateway = {
      resource_id      = module.apim.id
      log_categories   = ["GatewayLogs"]
      dedicated_tables = true
    }
    database = {
      resource_id       = module.database.id
      log_categories    = ["MongoRequests", "ControlPlaneRequests"]
      metric_categories = ["Requests"]
      dedicated_tables  = true
    }
    key-vault = {
      resource_id         = data.azurerm_key_vault.stage1.id
      log_category_groups = ["audit"]
    }
    registry = {
      resource_id         = data.azurerm_container_registry.stage1.id
      log_category_groups = ["allLogs"]
    }
  }
}
