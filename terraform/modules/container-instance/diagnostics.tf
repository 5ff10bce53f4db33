# What the container prints and what becomes of it, by the way that needs no key of the workspace ("Container group and
# instance logging with Azure Monitor logs", July 2026: the other way, with the key, is called legacy).
resource "azurerm_monitor_diagnostic_setting" "this" {
  for_each = var.logs == null ? {} : { container-group = var.logs }

  name                       = "to-log-analytics"
  target_resource_id         = azurerm_container_group.this.id
  log_analytics_workspace_id = each.value.workspace_id

  enabled_log {
    category = "ContainerInstanceLog"
  }

  enabled_log {
    category = "ContainerEvent"
  }
}
