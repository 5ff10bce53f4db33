resource "azurerm_api_management_backend" "pass_inside" {
  name                = "inside"
  resource_group_name = "rg"
  api_management_name = "apim"
  protocol            = "http"
  url                 = "http://mongodb-admin-a.mcp.internal:8000"

  circuit_breaker_rule {
    name          = "unreachable"
    trip_duration = "PT10S"

    failure_condition {
      count             = 5
      interval_duration = "PT10S"

      status_code_range {
        min = 502
        max = 504
      }
    }
  }
}

resource "azurerm_api_management_backend" "pass_https" {
  name                = "https"
  resource_group_name = "rg"
  api_management_name = "apim"
  protocol            = "http"
  url                 = "https://mcp.example.com"

  circuit_breaker_rule {
    name          = "unreachable"
    trip_duration = "PT10S"

    failure_condition {
      count             = 5
      interval_duration = "PT10S"

      status_code_range {
        min = 502
        max = 504
      }
    }
  }
}

resource "azurerm_api_management_backend" "fail_plain" {
  name                = "plain"
  resource_group_name = "rg"
  api_management_name = "apim"
  protocol            = "http"
  url                 = "http://mcp.example.com"

  circuit_breaker_rule {
    name          = "unreachable"
    trip_duration = "PT10S"

    failure_condition {
      count             = 5
      interval_duration = "PT10S"

      status_code_range {
        min = 502
        max = 504
      }
    }
  }
}

resource "azurerm_api_management_backend" "fail_address" {
  name                = "address"
  resource_group_name = "rg"
  api_management_name = "apim"
  protocol            = "http"
  url                 = "http://20.0.0.1:8000"

  circuit_breaker_rule {
    name          = "unreachable"
    trip_duration = "PT10S"

    failure_condition {
      count             = 5
      interval_duration = "PT10S"

      status_code_range {
        min = 502
        max = 504
      }
    }
  }
}

resource "azurerm_api_management_backend" "fail_unguarded" {
  name                = "unguarded"
  resource_group_name = "rg"
  api_management_name = "apim"
  protocol            = "http"
  url                 = "http://mongodb-admin-a.mcp.internal:8000"
}

resource "azurerm_api_management_backend" "fail_user_info" {
  name                = "user-info"
  resource_group_name = "rg"
  api_management_name = "apim"
  protocol            = "http"
  url                 = "http://user:key@a.internal"

  circuit_breaker_rule {
    name          = "unreachable"
    trip_duration = "PT10S"

    failure_condition {
      count             = 5
      interval_duration = "PT10S"

      status_code_range {
        min = 502
        max = 504
      }
    }
  }
}

resource "azurerm_api_management_backend" "pass_app" {
  name                = "app"
  resource_group_name = "rg"
  api_management_name = "apim"
  protocol            = "http"
  url                 = "https://mongodb-reader.calmsea-1.uksouth.azurecontainerapps.io"

  tls {
    validate_certificate_chain = true
    validate_certificate_name  = true
  }
}

resource "azurerm_api_management_backend" "fail_app_unchecked" {
  name                = "unchecked"
  resource_group_name = "rg"
  api_management_name = "apim"
  protocol            = "http"
  url                 = "https://mongodb-reader.calmsea-1.uksouth.azurecontainerapps.io"

  tls {
    validate_certificate_chain = true
    validate_certificate_name  = false
  }
}
