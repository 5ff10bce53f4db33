# One group: who is told is decided in one place. Each alert says in its description what that person should do.
resource "azurerm_monitor_action_group" "this" {
  for_each = var.alerts.enabled ? { this = {} } : {}

  name                = "ag-${var.name}"
  resource_group_name = var.resource_group_name
  # What text messages and mail subjects show; Azure takes 12 characters.
  short_name = substr(var.name, 0, 12)
  tags       = var.tags

  dynamic "email_receiver" {
    for_each = var.alerts.emails
    content {
      name                    = email_receiver.value
      email_address           = email_receiver.value
      use_common_alert_schema = true
    }
  }

  dynamic "webhook_receiver" {
    for_each = var.alerts.webhooks
    content {
      name                    = webhook_receiver.key
      service_uri             = webhook_receiver.value
      use_common_alert_schema = true
    }
  }
}
