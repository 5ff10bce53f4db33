resource "azurerm_api_management_named_value" "pass_https" {
  api_management_name = "apim"
  display_name        = "public-base-url"
  name                = "public-base-url"
  resource_group_name = "rg"
  value               = "https://mcp.example.com"
}

resource "azurerm_api_management_named_value" "pass_path" {
  api_management_name = "apim"
  display_name        = "entra-issuer"
  name                = "entra-issuer"
  resource_group_name = "rg"
  value               = "https://login.microsoftonline.com/tenant/v2.0"
}

resource "azurerm_api_management_named_value" "pass_loopback" {
  api_management_name = "apim"
  display_name        = "public-base-url"
  name                = "public-base-url"
  resource_group_name = "rg"
  value               = "http://127.0.0.1:8080"
}

resource "azurerm_api_management_named_value" "pass_other" {
  api_management_name = "apim"
  display_name        = "api-scope"
  name                = "api-scope"
  resource_group_name = "rg"
  value               = "api://app/Mcp.Access"
}

resource "azurerm_api_management_named_value" "fail_http" {
  api_management_name = "apim"
  display_name        = "public-base-url"
  name                = "public-base-url"
  resource_group_name = "rg"
  value               = "http://mcp.example.com"
}

resource "azurerm_api_management_named_value" "fail_slash" {
  api_management_name = "apim"
  display_name        = "public-base-url"
  name                = "public-base-url"
  resource_group_name = "rg"
  value               = "https://mcp.example.com/"
}

resource "azurerm_api_management_named_value" "fail_authority" {
  api_management_name = "apim"
  display_name        = "entra-authority"
  name                = "entra-authority"
  resource_group_name = "rg"
  value               = "http://login.example.com/tenant"
}

resource "azurerm_api_management_named_value" "fail_user_info" {
  api_management_name = "apim"
  display_name        = "public-base-url"
  name                = "public-base-url"
  resource_group_name = "rg"
  value               = "https://mcp.example.com@evil.example"
}
