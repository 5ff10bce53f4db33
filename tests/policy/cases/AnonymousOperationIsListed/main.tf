resource "azurerm_api_management_api_operation" "pass_resource" {
  operation_id        = "resource"
  display_name        = "GET /oauth-protected-resource/mongodb/mcp"
  api_name            = "metadata"
  api_management_name = "apim"
  resource_group_name = "rg"
  method              = "GET"
  url_template        = "/oauth-protected-resource/mongodb/mcp"
}

resource "azurerm_api_management_api_operation" "pass_root" {
  operation_id        = "root"
  display_name        = "GET /oauth-protected-resource"
  api_name            = "metadata"
  api_management_name = "apim"
  resource_group_name = "rg"
  method              = "GET"
  url_template        = "/oauth-protected-resource"
}

resource "azurerm_api_management_api_operation" "pass_server" {
  operation_id        = "server"
  display_name        = "GET /oauth-authorization-server"
  api_name            = "metadata"
  api_management_name = "apim"
  resource_group_name = "rg"
  method              = "GET"
  url_template        = "/oauth-authorization-server"
}

resource "azurerm_api_management_api_operation" "pass_token" {
  operation_id        = "token"
  display_name        = "POST /token"
  api_name            = "oauth"
  api_management_name = "apim"
  resource_group_name = "rg"
  method              = "POST"
  url_template        = "/token"
}

resource "azurerm_api_management_api_operation" "pass_validated" {
  operation_id        = "validated"
  display_name        = "POST /mcp"
  api_name            = "mcp-mongodb"
  api_management_name = "apim"
  resource_group_name = "rg"
  method              = "POST"
  url_template        = "/mcp"
}

resource "azurerm_api_management_api_operation" "fail_method" {
  operation_id        = "method"
  display_name        = "POST /oauth-protected-resource"
  api_name            = "metadata"
  api_management_name = "apim"
  resource_group_name = "rg"
  method              = "POST"
  url_template        = "/oauth-protected-resource"
}

resource "azurerm_api_management_api_operation" "fail_wildcard" {
  operation_id        = "wildcard"
  display_name        = "GET /*"
  api_name            = "metadata"
  api_management_name = "apim"
  resource_group_name = "rg"
  method              = "GET"
  url_template        = "/*"
}

resource "azurerm_api_management_api_operation" "fail_introspect" {
  operation_id        = "introspect"
  display_name        = "POST /introspect"
  api_name            = "oauth"
  api_management_name = "apim"
  resource_group_name = "rg"
  method              = "POST"
  url_template        = "/introspect"
}

resource "azurerm_api_management_api_operation" "fail_mcp" {
  operation_id        = "mcp"
  display_name        = "POST /mcp"
  api_name            = "oauth"
  api_management_name = "apim"
  resource_group_name = "rg"
  method              = "POST"
  url_template        = "/mcp"
}

resource "azurerm_api_management_api_operation" "pass_head" {
  operation_id        = "head"
  display_name        = "HEAD /oauth-authorization-server"
  api_name            = "metadata"
  api_management_name = "apim"
  resource_group_name = "rg"
  method              = "HEAD"
  url_template        = "/oauth-authorization-server"
}
