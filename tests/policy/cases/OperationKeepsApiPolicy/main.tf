resource "azurerm_api_management_api_operation_policy" "pass_extends" {
  api_name            = "metadata"
  api_management_name = "apim"
  operation_id        = "extends"
  resource_group_name = "rg"
  xml_content         = <<-XML
    <policies><inbound><base /><set-body>x</set-body></inbound></policies>
  XML
}

resource "azurerm_api_management_api_operation_policy" "fail_replaces" {
  api_name            = "metadata"
  api_management_name = "apim"
  operation_id        = "replaces"
  resource_group_name = "rg"
  xml_content         = <<-XML
    <policies><inbound><set-body>x</set-body></inbound></policies>
  XML
}

resource "azurerm_api_management_api_operation_policy" "fail_late" {
  api_name            = "metadata"
  api_management_name = "apim"
  operation_id        = "late"
  resource_group_name = "rg"
  xml_content         = <<-XML
    <policies><inbound><return-response /><base /></inbound></policies>
  XML
}

resource "azurerm_api_management_api_operation_policy" "fail_empty" {
  api_name            = "metadata"
  api_management_name = "apim"
  operation_id        = "empty"
  resource_group_name = "rg"
  xml_content         = <<-XML
    <policies><inbound /></policies>
  XML
}

resource "azurerm_api_management_api_policy" "pass_api" {
  api_name            = "mcp-mongodb"
  api_management_name = "apim"
  resource_group_name = "rg"
  xml_content         = <<-XML
    <policies><inbound><base /><include-fragment fragment-id="mcp-caller" /></inbound></policies>
  XML
}

resource "azurerm_api_management_api_policy" "fail_api" {
  api_name            = "mcp-mongodb"
  api_management_name = "apim"
  resource_group_name = "rg"
  xml_content         = <<-XML
    <policies><inbound><include-fragment fragment-id="mcp-caller" /></inbound></policies>
  XML
}
