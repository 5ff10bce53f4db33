resource "azurerm_api_management_diagnostic" "pass_nothing" {
  identifier               = "applicationinsights"
  resource_group_name      = "rg"
  api_management_name      = "apim"
  api_management_logger_id = "logger"

  frontend_request {
    body_bytes = 0
  }

  frontend_response {
    body_bytes = 0
  }

  backend_request {
    body_bytes = 0
  }

  backend_response {
    body_bytes = 0
  }
}

resource "azurerm_api_management_diagnostic" "pass_harmless_header" {
  identifier               = "applicationinsights"
  resource_group_name      = "rg"
  api_management_name      = "apim"
  api_management_logger_id = "logger"

  frontend_request {
    body_bytes     = 0
    headers_to_log = ["Mcp-Protocol-Version"]
  }

  frontend_response {
    body_bytes = 0
  }

  backend_request {
    body_bytes = 0
  }

  backend_response {
    body_bytes = 0
  }
}

resource "azurerm_api_management_diagnostic" "fail_response" {
  identifier               = "applicationinsights"
  resource_group_name      = "rg"
  api_management_name      = "apim"
  api_management_logger_id = "logger"

  frontend_request {
    body_bytes = 0
  }

  frontend_response {
    body_bytes = 0
  }

  backend_request {
    body_bytes = 0
  }

  backend_response {
    body_bytes = 1024
  }
}

resource "azurerm_api_management_diagnostic" "fail_token" {
  identifier               = "applicationinsights"
  resource_group_name      = "rg"
  api_management_name      = "apim"
  api_management_logger_id = "logger"

  frontend_request {
    body_bytes     = 0
    headers_to_log = ["Authorization"]
  }

  frontend_response {
    body_bytes = 0
  }

  backend_request {
    body_bytes = 0
  }

  backend_response {
    body_bytes = 0
  }
}

resource "azurerm_api_management_diagnostic" "fail_unsaid" {
  identifier               = "applicationinsights"
  resource_group_name      = "rg"
  api_management_name      = "apim"
  api_management_logger_id = "logger"

  frontend_request {
    body_bytes = 0
  }
}
