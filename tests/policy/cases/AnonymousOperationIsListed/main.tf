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

resource "azurerm_api_management_api_operation" "pass_unknown" {
  operation_id        = "unknown"
  display_name        = "GET /*"
  api_name            = "metadata"
  api_management_name = "apim"
  resource_group_name = "rg"
  method              = "GET"
  url_template        = "/*"
}

resource "azurerm_api_management_api_operation" "pass_registry" {
  operation_id        = "server-get"
  display_name        = "GET /servers/*"
  api_name            = "registry"
  api_management_name = "apim"
  resource_group_name = "rg"
  method              = "GET"
  url_template        = "/servers/*"
}

resource "azurerm_api_management_api_operation" "fail_publish" {
  operation_id        = "publish"
  display_name        = "POST /publish"
  api_name            = "registry"
  api_management_name = "apim"
  resource_group_name = "rg"
  method              = "POST"
  url_template        = "/publish"
}

resource "azurerm_api_management_api_operation_policy" "pass_answer" {
  api_name            = "metadata"
  operation_id        = "unknown"
  api_management_name = "apim"
  resource_group_name = "rg"
  xml_content         = <<-XML
    <policies><inbound><base /><return-response><set-status code="404" reason="" /></return-response></inbound></policies>
  XML
}

resource "azurerm_api_management_api_operation_policy" "fail_forwarded" {
  api_name            = "metadata"
  operation_id        = "unknown"
  api_management_name = "apim"
  resource_group_name = "rg"
  xml_content         = <<-XML
    <policies><inbound><base /><set-backend-service backend-id="mongodb-admin-a" /></inbound></policies>
  XML
}

resource "azurerm_api_management_api_policy" "fail_registry_that_may_go_on" {
  api_name            = "registry"
  api_management_name = "apim"
  resource_group_name = "rg"
  xml_content         = <<-XML
    <policies><inbound><base /><choose><when condition="@(true)"><return-response /></when></choose></inbound></policies>
  XML
}
