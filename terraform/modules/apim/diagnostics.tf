resource "azurerm_api_management_logger" "application_insights" {
  count = var.application_insights == null ? 0 : 1

  name                = "application-insights"
  resource_group_name = var.resource_group_name
  api_management_name = azurerm_api_management.this.name
  resource_id         = var.application_insights.id

  application_insights {
    connection_string = var.application_insights.connection_string
  }
}

resource "azurerm_api_management_diagnostic" "application_insights" {
  count = var.application_insights == null ? 0 : 1

  identifier                = "applicationinsights"
  resource_group_name       = var.resource_group_name
  api_management_name       = azurerm_api_management.this.name
  api_management_logger_id  = azurerm_api_management_logger.application_insights[0].id
  sampling_percentage       = 100
  always_log_errors         = true
  log_client_ip             = true
  http_correlation_protocol = "W3C"
  verbosity                 = "information"

  # No payload byte: reading a response body would buffer the stream, and bodies hold callers' data.
  frontend_request { body_bytes = 0 }
  frontend_response { body_bytes = 0 }
  backend_request { body_bytes = 0 }
  backend_response { body_bytes = 0 }
}
