resource "azurerm_api_management_api_policy" "pass_fragment" {
  api_name            = "mcp-a"
  api_management_name = "apim"
  resource_group_name = "rg"
  xml_content         = <<-XML
    <policies><inbound><base /><include-fragment fragment-id="mcp-caller" /></inbound></policies>
  XML
}

resource "azurerm_api_management_api_policy" "pass_own" {
  api_name            = "mcp-b"
  api_management_name = "apim"
  resource_group_name = "rg"
  xml_content         = <<-XML
    <policies><inbound><base /><validate-jwt header-name="Authorization"><openid-config url="https://x/.well-known/openid-configuration" /><audiences><audience>a</audience></audiences><issuers><issuer>i</issuer></issuers><required-claims><claim name="tid"><value>t</value></claim></required-claims></validate-jwt></inbound></policies>
  XML
}

resource "azurerm_api_management_api_policy" "pass_metadata" {
  api_name            = "metadata"
  api_management_name = "apim"
  resource_group_name = "rg"
  xml_content         = <<-XML
    <policies><inbound><base /></inbound></policies>
  XML
}

resource "azurerm_api_management_api_policy" "fail_open" {
  api_name            = "mcp-c"
  api_management_name = "apim"
  resource_group_name = "rg"
  xml_content         = <<-XML
    <policies><inbound><base /></inbound></policies>
  XML
}

resource "azurerm_api_management_api_policy" "fail_too_late" {
  api_name            = "mcp-d"
  api_management_name = "apim"
  resource_group_name = "rg"
  xml_content         = <<-XML
    <policies><inbound><base /></inbound><outbound><include-fragment fragment-id="mcp-caller" /></outbound></policies>
  XML
}

resource "azurerm_api_management_api_policy" "fail_conditional" {
  api_name            = "mcp-e"
  api_management_name = "apim"
  resource_group_name = "rg"
  xml_content         = <<-XML
    <policies><inbound><base /><choose><when condition="@(true)"><include-fragment fragment-id="mcp-caller" /></when></choose></inbound></policies>
  XML
}

resource "azurerm_api_management_api_policy" "fail_after_routing" {
  api_name            = "mcp-f"
  api_management_name = "apim"
  resource_group_name = "rg"
  xml_content         = <<-XML
    <policies><inbound><base /><set-backend-service backend-id="a-admin-a" /><include-fragment fragment-id="mcp-caller" /></inbound></policies>
  XML
}

resource "azurerm_api_management_api_policy" "pass_registry" {
  api_name            = "registry"
  api_management_name = "apim"
  resource_group_name = "rg"
  xml_content         = <<-XML
    <policies><inbound><base /><return-response /></inbound></policies>
  XML
}

resource "azurerm_api_management_api_policy" "fail_closed_registry" {
  api_name            = "registry-signed-in"
  api_management_name = "apim"
  resource_group_name = "rg"
  xml_content         = <<-XML
    <policies><inbound><base /><return-response /></inbound></policies>
  XML
}
