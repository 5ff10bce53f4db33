resource "azurerm_api_management" "this" {
  name                = "apim-this"
  resource_group_name = "rg"
  location            = "uksouth"
  publisher_name      = "Platform team"
  publisher_email     = "platform@example.com"
  sku_name            = "Developer_1"
}

resource "azurerm_api_management_api" "this" {
  for_each = toset(["mcp-pass-own", "metadata", "mcp-fail-crossed", "mcp-fail-no-refusal", "mcp-fail-default-tier", "mcp-fail-no-choice", "mcp-pass-retry", "mcp-fail-retry"])

  name                = each.key
  display_name        = each.key
  resource_group_name = "rg"
  api_management_name = azurerm_api_management.this.name
  revision            = "1"
  path                = each.key
  protocols           = ["https"]
}

resource "azurerm_api_management_api_policy" "pass_own" {
  api_name            = azurerm_api_management_api.this["mcp-pass-own"].name
  resource_group_name = "rg"
  api_management_name = azurerm_api_management.this.name
  xml_content         = <<-XML
    <policies><inbound><base /><include-fragment fragment-id="mcp-caller" /><choose><when condition='@((string)context.Variables["tier"] == "admin")'><set-backend-service backend-id="mongodb-admin-a" /></when><when condition='@((string)context.Variables["tier"] == "reader")'><set-backend-service backend-id="mongodb-reader-a" /></when><otherwise><include-fragment fragment-id="mcp-refuse" /></otherwise></choose></inbound></policies>
  XML
}

resource "azurerm_api_management_api_policy" "pass_not_mcp" {
  api_name            = azurerm_api_management_api.this["metadata"].name
  resource_group_name = "rg"
  api_management_name = azurerm_api_management.this.name
  xml_content         = <<-XML
    <policies><inbound><base /></inbound></policies>
  XML
}

resource "azurerm_api_management_api_policy" "fail_crossed" {
  api_name            = azurerm_api_management_api.this["mcp-fail-crossed"].name
  resource_group_name = "rg"
  api_management_name = azurerm_api_management.this.name
  xml_content         = <<-XML
    <policies><inbound><base /><include-fragment fragment-id="mcp-caller" /><choose><when condition='@((string)context.Variables["tier"] == "admin")'><set-backend-service backend-id="mongodb-admin-a" /></when><when condition='@((string)context.Variables["tier"] == "reader")'><set-backend-service backend-id="mongodb-admin-a" /></when><otherwise><include-fragment fragment-id="mcp-refuse" /></otherwise></choose></inbound></policies>
  XML
}

resource "azurerm_api_management_api_policy" "fail_no_refusal" {
  api_name            = azurerm_api_management_api.this["mcp-fail-no-refusal"].name
  resource_group_name = "rg"
  api_management_name = azurerm_api_management.this.name
  xml_content         = <<-XML
    <policies><inbound><base /><include-fragment fragment-id="mcp-caller" /><choose><when condition='@((string)context.Variables["tier"] == "admin")'><set-backend-service backend-id="mongodb-admin-a" /></when><when condition='@((string)context.Variables["tier"] == "reader")'><set-backend-service backend-id="mongodb-reader-a" /></when></choose></inbound></policies>
  XML
}

resource "azurerm_api_management_api_policy" "fail_default_tier" {
  api_name            = azurerm_api_management_api.this["mcp-fail-default-tier"].name
  resource_group_name = "rg"
  api_management_name = azurerm_api_management.this.name
  xml_content         = <<-XML
    <policies><inbound><base /><include-fragment fragment-id="mcp-caller" /><choose><when condition='@((string)context.Variables["tier"] == "admin")'><set-backend-service backend-id="mongodb-admin-a" /></when><when condition='@((string)context.Variables["tier"] == "reader")'><set-backend-service backend-id="mongodb-reader-a" /></when><otherwise><set-backend-service backend-id="mongodb-reader-a" /></otherwise></choose></inbound></policies>
  XML
}

resource "azurerm_api_management_api_policy" "fail_no_choice" {
  api_name            = azurerm_api_management_api.this["mcp-fail-no-choice"].name
  resource_group_name = "rg"
  api_management_name = azurerm_api_management.this.name
  xml_content         = <<-XML
    <policies><inbound><base /><include-fragment fragment-id="mcp-caller" /><set-backend-service backend-id="mongodb-admin-a" /></inbound></policies>
  XML
}

resource "azurerm_api_management_api_policy" "pass_retry" {
  api_name            = azurerm_api_management_api.this["mcp-pass-retry"].name
  resource_group_name = "rg"
  api_management_name = azurerm_api_management.this.name
  xml_content         = <<-XML
    <policies><inbound><base /><include-fragment fragment-id="mcp-caller" /><choose><when condition='@((string)context.Variables["tier"] == "admin")'><set-backend-service backend-id="mongodb-admin-a" /></when><when condition='@((string)context.Variables["tier"] == "reader")'><set-backend-service backend-id="mongodb-reader-a" /></when><otherwise><include-fragment fragment-id="mcp-refuse" /></otherwise></choose></inbound><backend><retry count="1" interval="1" condition="@(true)"><choose><when condition='@((int)context.Variables["slot"] == 1 &amp;&amp; (string)context.Variables["tier"] == "reader")'><set-backend-service backend-id="mongodb-reader-b" /></when></choose><forward-request buffer-response="false" /></retry></backend></policies>
  XML
}

resource "azurerm_api_management_api_policy" "fail_retry" {
  api_name            = azurerm_api_management_api.this["mcp-fail-retry"].name
  resource_group_name = "rg"
  api_management_name = azurerm_api_management.this.name
  xml_content         = <<-XML
    <policies><inbound><base /><include-fragment fragment-id="mcp-caller" /><choose><when condition='@((string)context.Variables["tier"] == "admin")'><set-backend-service backend-id="mongodb-admin-a" /></when><when condition='@((string)context.Variables["tier"] == "reader")'><set-backend-service backend-id="mongodb-reader-a" /></when><otherwise><include-fragment fragment-id="mcp-refuse" /></otherwise></choose></inbound><backend><retry count="1" interval="1" condition="@(true)"><choose><when condition='@((int)context.Variables["slot"] == 1 &amp;&amp; (string)context.Variables["tier"] == "reader")'><set-backend-service backend-id="mongodb-admin-b" /></when></choose><forward-request buffer-response="false" /></retry></backend></policies>
  XML
}
