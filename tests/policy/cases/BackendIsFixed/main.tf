resource "azurerm_api_management_api_operation_policy" "pass_named_value" {
  api_name            = "oauth"
  api_management_name = "apim"
  operation_id        = "named-value"
  resource_group_name = "rg"
  xml_content         = <<-XML
    <policies><inbound><base /><set-backend-service base-url="{{entra-authority}}" /><rewrite-uri template="/oauth2/v2.0/token" /></inbound></policies>
  XML
}

resource "azurerm_api_management_api_policy" "pass_backend_id" {
  api_name            = "mcp-mongodb"
  api_management_name = "apim"
  resource_group_name = "rg"
  xml_content         = <<-XML
    <policies><inbound><base /><set-backend-service backend-id="mongodb-admin-a" /></inbound></policies>
  XML
}

resource "azurerm_api_management_api_operation_policy" "fail_from_query" {
  api_name            = "oauth"
  api_management_name = "apim"
  operation_id        = "from-query"
  resource_group_name = "rg"
  xml_content         = <<-XML
    <policies><inbound><base /><set-backend-service base-url='@(context.Request.OriginalUrl.Query.GetValueOrDefault("iss", ""))' /></inbound></policies>
  XML
}

resource "azurerm_api_management_api_operation_policy" "fail_path" {
  api_name            = "oauth"
  api_management_name = "apim"
  operation_id        = "path"
  resource_group_name = "rg"
  xml_content         = <<-XML
    <policies><inbound><base /><rewrite-uri template='@("/" + context.Request.Headers.GetValueOrDefault("X-Path", ""))' /></inbound></policies>
  XML
}

resource "azurerm_api_management_policy_fragment" "fail_request" {
  api_management_id = "apim"
  name              = "mcp-refuse"
  value             = <<-XML
    <fragment><send-request mode="new"><set-url>@(context.Request.Headers.GetValueOrDefault("X-Callback", ""))</set-url></send-request></fragment>
  XML
}

resource "azurerm_api_management_policy_fragment" "pass_fixed_origin" {
  api_management_id = "apim"
  name              = "mcp-upstream"
  value             = <<-XML
    <fragment><send-request mode="new"><set-url>@("https://client.example.com/" + context.Request.Headers.GetValueOrDefault("X-Path", ""))</set-url></send-request></fragment>
  XML
}

resource "azurerm_api_management_policy_fragment" "fail_open_origin" {
  api_management_id = "apim"
  name              = "mcp-error"
  value             = <<-XML
    <fragment><send-request mode="new"><set-url>@("https://client.example.com" + context.Request.Headers.GetValueOrDefault("X-Path", ""))</set-url></send-request></fragment>
  XML
}
