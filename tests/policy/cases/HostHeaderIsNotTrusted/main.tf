resource "azurerm_api_management_api_operation_policy" "pass_named_value" {
  api_name            = "metadata"
  api_management_name = "apim"
  operation_id        = "named-value"
  resource_group_name = "rg"
  xml_content         = <<-XML
    <policies><inbound><base /><set-body>{"resource": "{{public-base-url}}/mongodb/mcp"}</set-body></inbound></policies>
  XML
}

resource "azurerm_api_management_api_operation_policy" "fail_host" {
  api_name            = "metadata"
  api_management_name = "apim"
  operation_id        = "host"
  resource_group_name = "rg"
  xml_content         = <<-XML
    <policies><inbound><base /><set-body>@("https://" + context.Request.OriginalUrl.Host + "/mcp")</set-body></inbound></policies>
  XML
}

resource "azurerm_api_management_api_operation_policy" "fail_header" {
  api_name            = "metadata"
  api_management_name = "apim"
  operation_id        = "header"
  resource_group_name = "rg"
  xml_content         = <<-XML
    <policies><inbound><base /><set-body>@(context.Request.Headers.GetValueOrDefault("Host", ""))</set-body></inbound></policies>
  XML
}

resource "azurerm_api_management_policy_fragment" "fail_forwarded" {
  api_management_id = "apim"
  name              = "mcp-refuse"
  value             = <<-XML
    <fragment><set-variable name="base" value='@(context.Request.Headers.GetValueOrDefault("X-Forwarded-Host", ""))' /></fragment>
  XML
}

resource "azurerm_api_management_api_policy" "fail_escaped" {
  api_name            = "mcp-mongodb"
  api_management_name = "apim"
  resource_group_name = "rg"
  xml_content         = <<-XML
    <policies><inbound><base /><set-variable name="base" value="@(context.Request.Headers.GetValueOrDefault(&quot;Host&quot;, &quot;&quot;))" /></inbound></policies>
  XML
}
