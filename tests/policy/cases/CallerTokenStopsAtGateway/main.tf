resource "azurerm_api_management_policy_fragment" "pass_stops" {
  api_management_id = "apim"
  name              = "mcp-upstream"
  value             = <<-XML
    <fragment><set-header name="Authorization" exists-action="delete" /><set-header name="Cookie" exists-action="delete" /><set-header name="X-Mcp-Downstream-Token" exists-action="delete" /><set-header name="X-Mcp-Caller" exists-action="override"><value>v</value></set-header><set-header name="X-Mcp-Client" exists-action="override"><value>v</value></set-header><set-header name="X-Mcp-Tier" exists-action="override"><value>v</value></set-header><authentication-managed-identity resource="r" /></fragment>
  XML
}

resource "azurerm_api_management_policy_fragment" "pass_other" {
  api_management_id = "apim"
  name              = "mcp-origin"
  value             = <<-XML
    <fragment />
  XML
}

resource "azurerm_api_management_policy_fragment" "fail_forwards" {
  api_management_id = "apim"
  name              = "mcp-upstream"
  value             = <<-XML
    <fragment><set-header name="Cookie" exists-action="delete" /><set-header name="X-Mcp-Downstream-Token" exists-action="delete" /><set-header name="X-Mcp-Caller" exists-action="override"><value>v</value></set-header><set-header name="X-Mcp-Client" exists-action="override"><value>v</value></set-header><set-header name="X-Mcp-Tier" exists-action="override"><value>v</value></set-header><authentication-managed-identity resource="r" /></fragment>
  XML
}

resource "azurerm_api_management_policy_fragment" "fail_anonymous" {
  api_management_id = "apim"
  name              = "mcp-upstream"
  value             = <<-XML
    <fragment><set-header name="Authorization" exists-action="delete" /><set-header name="Cookie" exists-action="delete" /><set-header name="X-Mcp-Downstream-Token" exists-action="delete" /><set-header name="X-Mcp-Caller" exists-action="override"><value>v</value></set-header><set-header name="X-Mcp-Client" exists-action="override"><value>v</value></set-header><set-header name="X-Mcp-Tier" exists-action="override"><value>v</value></set-header></fragment>
  XML
}

resource "azurerm_api_management_policy_fragment" "fail_spoofable" {
  api_management_id = "apim"
  name              = "mcp-upstream"
  value             = <<-XML
    <fragment><set-header name="Authorization" exists-action="delete" /><set-header name="Cookie" exists-action="delete" /><set-header name="X-Mcp-Downstream-Token" exists-action="delete" /><set-header name="X-Mcp-Caller" exists-action="override"><value>v</value></set-header><set-header name="X-Mcp-Client" exists-action="override"><value>v</value></set-header><set-header name="X-Mcp-Tier" exists-action="skip"><value>v</value></set-header><authentication-managed-identity resource="r" /></fragment>
  XML
}

resource "azurerm_api_management_policy_fragment" "pass_elsewhere" {
  api_management_id = "apim"
  name              = "mcp-remote"
  value             = <<-XML
    <fragment><set-header name="Authorization" exists-action="delete" /><set-header name="Cookie" exists-action="delete" /><set-header name="X-Mcp-Downstream-Token" exists-action="delete" /><set-header name="X-Mcp-Caller" exists-action="delete" /><set-header name="X-Mcp-Client" exists-action="delete" /><set-header name="X-Mcp-Tier" exists-action="delete" /></fragment>
  XML
}

resource "azurerm_api_management_policy_fragment" "fail_elsewhere" {
  api_management_id = "apim"
  name              = "mcp-remote"
  value             = <<-XML
    <fragment><set-header name="Cookie" exists-action="delete" /><set-header name="X-Mcp-Downstream-Token" exists-action="delete" /><set-header name="X-Mcp-Caller" exists-action="delete" /><set-header name="X-Mcp-Client" exists-action="delete" /><set-header name="X-Mcp-Tier" exists-action="delete" /></fragment>
  XML
}

resource "azurerm_api_management_policy_fragment" "fail_elsewhere_is_told" {
  api_management_id = "apim"
  name              = "mcp-remote"
  value             = <<-XML
    <fragment><set-header name="Authorization" exists-action="delete" /><set-header name="Cookie" exists-action="delete" /><set-header name="X-Mcp-Downstream-Token" exists-action="delete" /></fragment>
  XML
}

resource "azurerm_api_management_policy_fragment" "fail_elsewhere_token_of_another" {
  api_management_id = "apim"
  name              = "mcp-remote"
  value             = <<-XML
    <fragment><set-header name="Authorization" exists-action="delete" /><set-header name="Cookie" exists-action="delete" /><set-header name="X-Mcp-Caller" exists-action="delete" /><set-header name="X-Mcp-Client" exists-action="delete" /><set-header name="X-Mcp-Tier" exists-action="delete" /></fragment>
  XML
}

resource "azurerm_api_management_policy_fragment" "pass_exchanges" {
  api_management_id = "apim"
  name              = "mcp-on-behalf"
  value             = <<-XML
    <fragment><send-request mode="new"><set-url>{{entra-authority}}/oauth2/v2.0/token</set-url></send-request></fragment>
  XML
}

resource "azurerm_api_management_policy_fragment" "fail_exchanges_elsewhere" {
  api_management_id = "apim"
  name              = "mcp-on-behalf"
  value             = <<-XML
    <fragment><send-request mode="new"><set-url>https://tokens.example.com/oauth2/v2.0/token</set-url></send-request></fragment>
  XML
}
