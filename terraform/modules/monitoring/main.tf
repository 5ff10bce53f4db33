resource "azurerm_log_analytics_workspace" "this" {
  name                = "log-${var.name}"
  resource_group_name = var.resource_group_name
  location            = var.location
  sku                 = "PerGB2018"
  retention_in_days   = var.retention_in_days
  daily_quota_gb      = var.daily_quota_gb
  tags                = var.tags

  # Whatever writes here does it by diagnostic settings: nothing needs the workspace's key.
  local_authentication_enabled = false
  # A reader of one resource sees that resource's logs only.
  allow_resource_only_permissions = true
}

resource "azurerm_application_insights" "this" {
  name                = "appi-${var.name}"
  resource_group_name = var.resource_group_name
  location            = var.location
  workspace_id        = azurerm_log_analytics_workspace.this.id
  application_type    = "web"
  sampling_percentage = var.sampling_percentage
  tags                = var.tags

  # Client addresses are personal data and no question about this platform needs them.
  ip_masking_enabled = true
}
