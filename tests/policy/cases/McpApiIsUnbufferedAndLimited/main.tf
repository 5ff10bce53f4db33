resource "azurerm_api_management_api_policy" "pass_streams" {
  api_name            = "mcp-a"
  api_management_name = "apim"
  resource_group_name = "rg"
  xml_content         = <<-XML
    <policies><inbound><include-fragment fragment-id="mcp-caller" /><rate-limit-by-key calls="1" renewal-period="1" counter-key='@((string)context.Variables["caller"])' /><include-fragment fragment-id="mcp-upstream" /></inbound><backend><forward-request buffer-response="false" /></backend></policies>
  XML
}

resource "azurerm_api_management_api_policy" "pass_not_mcp" {
  api_name            = "metadata"
  api_management_name = "apim"
  resource_group_name = "rg"
  xml_content         = <<-XML
    <policies><inbound /></policies>
  XML
}

resource "azurerm_api_management_api_policy" "fail_buffered" {
  api_name            = "mcp-b"
  api_management_name = "apim"
  resource_group_name = "rg"
  xml_content         = <<-XML
    <policies><inbound><include-fragment fragment-id="mcp-caller" /><rate-limit-by-key calls="1" renewal-period="1" counter-key='@((string)context.Variables["caller"])' /><include-fragment fragment-id="mcp-upstream" /></inbound><backend><forward-request /></backend></policies>
  XML
}

resource "azurerm_api_management_api_policy" "fail_unlimited" {
  api_name            = "mcp-c"
  api_management_name = "apim"
  resource_group_name = "rg"
  xml_content         = <<-XML
    <policies><inbound><include-fragment fragment-id="mcp-caller" /><include-fragment fragment-id="mcp-upstream" /></inbound><backend><forward-request buffer-response="false" /></backend></policies>
  XML
}

resource "azurerm_api_management_api_policy" "fail_no_identity" {
  api_name            = "mcp-d"
  api_management_name = "apim"
  resource_group_name = "rg"
  xml_content         = <<-XML
    <policies><inbound><include-fragment fragment-id="mcp-caller" /><rate-limit-by-key calls="1" renewal-period="1" counter-key='@((string)context.Variables["caller"])' /></inbound><backend><forward-request buffer-response="false" /></backend></policies>
  XML
}

resource "azurerm_api_management_api_policy" "fail_one_limit_for_all" {
  api_name            = "mcp-e"
  api_management_name = "apim"
  resource_group_name = "rg"
  xml_content         = <<-XML
    <policies><inbound><include-fragment fragment-id="mcp-caller" /><rate-limit-by-key calls="1" renewal-period="1" counter-key="all" /><include-fragment fragment-id="mcp-upstream" /></inbound><backend><forward-request buffer-response="false" /></backend></policies>
  XML
}

resource "azurerm_api_management_api_policy" "pass_elsewhere" {
  api_name            = "mcp-f"
  api_management_name = "apim"
  resource_group_name = "rg"
  xml_content         = <<-XML
    <policies><inbound><include-fragment fragment-id="mcp-caller" /><rate-limit-by-key calls="1" renewal-period="1" counter-key='@((string)context.Variables["caller"])' /><include-fragment fragment-id="mcp-remote" /></inbound><backend><forward-request buffer-response="false" /></backend></policies>
  XML
}
