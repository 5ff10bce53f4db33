# Somebody stopped a slot. The activity log has no entry when Azure itself restarts or moves a group ("Monitoring Azure
# Container Instances data reference": only customer-initiated restarts), and `write` would fire at every deployment; what
# follows from a changed address is seen by the alert slot-unreachable.

resource "azurerm_monitor_activity_log_alert" "slot_stopped" {
  for_each = var.alerts.enabled && contains(keys(var.targets), "resource-group") ? { this = {} } : {}

  name                = "alert-${var.name}-slot-stopped"
  resource_group_name = var.resource_group_name
  # Activity log alerts live in no region.
  location    = "global"
  description = "Somebody stopped a container group, and nothing starts it again by itself. If it was not meant: `az container start --resource-group ${var.resource_group_name} --name <its name>`, then `invoke status --env ${var.environment}`. The event names who did it."
  scopes      = [var.targets["resource-group"]]
  tags        = var.tags

  criteria {
    category       = "Administrative"
    operation_name = "Microsoft.ContainerInstance/containerGroups/stop/action"
    statuses       = ["Succeeded"]
  }

  action {
    action_group_id = azurerm_monitor_action_group.this["this"].id
  }
}
