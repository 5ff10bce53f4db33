# Twice, for two readers: Application Insights traces a request from the gateway on (W3C), Azure Monitor writes the table
# ApiManagementGatewayLogs, which the alerts and the workbook read.

locals {
  # Whether there is one is no secret, though its connection string is.
  _application_insights = nonsensitive(var.application_insights == null) ? {} : { this = {} }

  # Never a payload byte: reading a response body would buffer the stream, and bodies hold callers' data.
  _no_payload = 0

  # Headers are logged by name, so that these are not among them; masking keeps it so where somebody adds one by hand.
  _secret_headers = {
    frontend_request  = ["Authorization", "Cookie", "Ocp-Apim-Subscription-Key"]
    frontend_response = ["Location", "Set-Cookie"]
    backend_request   = distinct(concat(["Authorization"], [for remote in values(local._remotes) : remote.credential.header if remote.credential != null], contains(local._fragments, "mcp-on-behalf") ? ["X-Mcp-Downstream-Token"] : []))
    backend_response  = ["Set-Cookie"]
  }

  # The sign-in façade's addresses are logged with their query.
  _secret_parameters = ["code", "code_challenge", "id_token_hint", "login_hint", "state", "subscription-key"]

  # What explains a refusal, and what joins a request to the server's own log: no token, no cookie, no address of a person.
  _logged_headers = {
    frontend_request  = ["Mcp-Method", "Mcp-Protocol-Version", "Origin"]
    frontend_response = ["Retry-After", "WWW-Authenticate", "X-Correlation-Id"]
    backend_request   = ["X-Mcp-Caller", "X-Mcp-Client", "X-Mcp-Tier"]
    backend_response  = ["Retry-After"]
  }
}

resource "azurerm_api_management_logger" "application_insights" {
  for_each = local._application_insights

  name                = "application-insights"
  resource_group_name = var.resource_group_name
  api_management_name = azurerm_api_management.this.name
  resource_id         = var.application_insights.id

  application_insights {
    connection_string = var.application_insights.connection_string
  }

  # Goes with its service: a replaced one is empty, under the same name.
  lifecycle {
    replace_triggered_by = [azurerm_api_management.this.id]
  }
}

resource "azurerm_api_management_diagnostic" "application_insights" {
  for_each = local._application_insights

  identifier                = "applicationinsights"
  resource_group_name       = var.resource_group_name
  api_management_name       = azurerm_api_management.this.name
  api_management_logger_id  = azurerm_api_management_logger.application_insights[each.key].id
  sampling_percentage       = 100
  always_log_errors         = true
  http_correlation_protocol = "W3C"
  verbosity                 = "information"
  # Application Insights masks addresses, but derives a city from them first.
  log_client_ip = false

  frontend_request {
    body_bytes = local._no_payload

    data_masking {
      dynamic "headers" {
        for_each = local._secret_headers.frontend_request
        content {
          mode  = "Hide"
          value = headers.value
        }
      }

      dynamic "query_params" {
        for_each = local._secret_parameters
        content {
          mode  = "Hide"
          value = query_params.value
        }
      }
    }
  }

  frontend_response { body_bytes = local._no_payload }
  backend_request { body_bytes = local._no_payload }
  backend_response { body_bytes = local._no_payload }

  # Goes with its service: a replaced one is empty, under the same name.
  lifecycle {
    replace_triggered_by = [azurerm_api_management.this.id]
  }
}

# API Management has this logger from the start, under this name; the provider makes loggers of the other kinds only
# (hashicorp/terraform-provider-azurerm, issue 29050). The diagnostic appears by itself with the service's diagnostic setting at
# the latest (Azure/apiops, issue 176), and what exists is not created: so it comes before that setting, which waits for the
# output `id`. One for each API would escape this, but azurerm 5.2 refuses those: its own default of `operation_name_format` is
# what it does not allow beside `azuremonitor` (api_management_api_diagnostic_resource.go).
resource "azurerm_api_management_diagnostic" "azure_monitor" {
  identifier               = "azuremonitor"
  resource_group_name      = var.resource_group_name
  api_management_name      = azurerm_api_management.this.name
  api_management_logger_id = "${azurerm_api_management.this.id}/loggers/azuremonitor"
  sampling_percentage      = 100
  always_log_errors        = true
  verbosity                = "information"
  # Who is behind a flood of 401s has no other name than an address.
  log_client_ip = true

  frontend_request {
    body_bytes     = local._no_payload
    headers_to_log = local._logged_headers.frontend_request

    data_masking {
      dynamic "headers" {
        for_each = local._secret_headers.frontend_request
        content {
          mode  = "Hide"
          value = headers.value
        }
      }

      dynamic "query_params" {
        for_each = local._secret_parameters
        content {
          mode  = "Hide"
          value = query_params.value
        }
      }
    }
  }

  frontend_response {
    body_bytes     = local._no_payload
    headers_to_log = local._logged_headers.frontend_response

    data_masking {
      dynamic "headers" {
        for_each = local._secret_headers.frontend_response
        content {
          mode  = "Hide"
          value = headers.value
        }
      }
    }
  }

  backend_request {
    body_bytes     = local._no_payload
    headers_to_log = local._logged_headers.backend_request

    data_masking {
      dynamic "headers" {
        for_each = local._secret_headers.backend_request
        content {
          mode  = "Hide"
          value = headers.value
        }
      }
    }
  }

  backend_response {
    body_bytes     = local._no_payload
    headers_to_log = local._logged_headers.backend_response

    data_masking {
      dynamic "headers" {
        for_each = local._secret_headers.backend_response
        content {
          mode  = "Hide"
          value = headers.value
        }
      }
    }
  }

  # Goes with its service: a replaced one is empty, under the same name.
  lifecycle {
    replace_triggered_by = [azurerm_api_management.this.id]
  }
}
