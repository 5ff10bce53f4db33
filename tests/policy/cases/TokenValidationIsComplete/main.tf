resource "azurerm_api_management_policy_fragment" "pass_full" {
  api_management_id = "apim"
  name              = "mcp-caller"
  value             = <<-XML
    <fragment><validate-jwt header-name="Authorization"><openid-config url="https://x/.well-known/openid-configuration" /><audiences><audience>a</audience></audiences><issuers><issuer>i</issuer></issuers><required-claims><claim name="tid"><value>t</value></claim></required-claims></validate-jwt></fragment>
  XML
}

resource "azurerm_api_management_api_policy" "pass_none" {
  api_name            = "metadata"
  api_management_name = "apim"
  resource_group_name = "rg"
  xml_content         = <<-XML
    <policies><inbound /></policies>
  XML
}

resource "azurerm_api_management_policy_fragment" "fail_audience" {
  api_management_id = "apim"
  name              = "mcp-caller"
  value             = <<-XML
    <fragment><validate-jwt header-name="Authorization"><openid-config url="https://x/.well-known/openid-configuration" /><issuers><issuer>i</issuer></issuers><required-claims><claim name="tid"><value>t</value></claim></required-claims></validate-jwt></fragment>
  XML
}

resource "azurerm_api_management_policy_fragment" "fail_issuer" {
  api_management_id = "apim"
  name              = "mcp-caller"
  value             = <<-XML
    <fragment><validate-jwt header-name="Authorization"><openid-config url="https://x/.well-known/openid-configuration" /><audiences><audience>a</audience></audiences><required-claims><claim name="tid"><value>t</value></claim></required-claims></validate-jwt></fragment>
  XML
}

resource "azurerm_api_management_policy_fragment" "fail_tenant" {
  api_management_id = "apim"
  name              = "mcp-caller"
  value             = <<-XML
    <fragment><validate-jwt header-name="Authorization"><openid-config url="https://x/.well-known/openid-configuration" /><audiences><audience>a</audience></audiences><issuers><issuer>i</issuer></issuers><required-claims><claim name="sub"><value>t</value></claim></required-claims></validate-jwt></fragment>
  XML
}

resource "azurerm_api_management_api_policy" "fail_lifetime" {
  api_name            = "mcp-a"
  api_management_name = "apim"
  resource_group_name = "rg"
  xml_content         = <<-XML
    <policies><inbound><validate-jwt header-name="Authorization" require-expiration-time="false"><openid-config url="https://x/.well-known/openid-configuration" /><audiences><audience>a</audience></audiences><issuers><issuer>i</issuer></issuers><required-claims><claim name="tid"><value>t</value></claim></required-claims></validate-jwt></inbound></policies>
  XML
}

resource "azurerm_api_management_api_policy" "fail_unsigned" {
  api_name            = "mcp-b"
  api_management_name = "apim"
  resource_group_name = "rg"
  xml_content         = <<-XML
    <policies><inbound><validate-jwt header-name="Authorization" require-signed-tokens="false"><openid-config url="https://x/.well-known/openid-configuration" /><audiences><audience>a</audience></audiences><issuers><issuer>i</issuer></issuers><required-claims><claim name="tid"><value>t</value></claim></required-claims></validate-jwt></inbound></policies>
  XML
}

resource "azurerm_api_management_policy_fragment" "fail_malformed" {
  api_management_id = "apim"
  name              = "mcp-caller"
  value             = "<fragment><validate-jwt></fragment>"
}

resource "azurerm_api_management_policy_fragment" "fail_conditional" {
  api_management_id = "apim"
  name              = "mcp-caller"
  value             = <<-XML
    <fragment><choose><when condition="@(context.Request.Headers.ContainsKey(&quot;Authorization&quot;))"><validate-jwt header-name="Authorization"><openid-config url="https://x/.well-known/openid-configuration" /><audiences><audience>a</audience></audiences><issuers><issuer>i</issuer></issuers><required-claims><claim name="tid"><value>t</value></claim></required-claims></validate-jwt></when></choose></fragment>
  XML
}

resource "azurerm_api_management_policy_fragment" "fail_nothing_left" {
  api_management_id = "apim"
  name              = "mcp-caller"
  value             = "<fragment />"
}
