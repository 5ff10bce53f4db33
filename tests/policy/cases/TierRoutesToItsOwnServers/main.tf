# Planned only: the rule compares texts, and the servers that they name do not exist here.

resource "azurerm_api_management" "this" {
  name                = "apim-this"
  resource_group_name = "rg"
  location            = "uksouth"
  publisher_name      = "Platform team"
  publisher_email     = "platform@example.com"
  sku_name            = "Developer_1"
}

resource "azurerm_api_management_api_policy" "pass_own" {
  api_name            = "mcp-pass-own"
  resource_group_name = "rg"
  api_management_name = azurerm_api_management.this.name
  xml_content         = <<-XML
    <policies><inbound><base /><include-fragment fragment-id="mcp-caller" /><choose><when condition='@((string)context.Variables["tier"] == "admin")'><set-backend-service backend-id="mongodb-admin-a" /></when><when condition='@((string)context.Variables["tier"] == "reader")'><set-backend-service backend-id="mongodb-reader-a" /></when><otherwise><include-fragment fragment-id="mcp-refuse" /></otherwise></choose></inbound></policies>
  XML
}

resource "azurerm_api_management_api_policy" "pass_not_mcp" {
  api_name            = "metadata"
  resource_group_name = "rg"
  api_management_name = azurerm_api_management.this.name
  xml_content         = <<-XML
    <policies><inbound><base /></inbound></policies>
  XML
}

resource "azurerm_api_management_api_policy" "fail_crossed" {
  api_name            = "mcp-fail-crossed"
  resource_group_name = "rg"
  api_management_name = azurerm_api_management.this.name
  xml_content         = <<-XML
    <policies><inbound><base /><include-fragment fragment-id="mcp-caller" /><choose><when condition='@((string)context.Variables["tier"] == "admin")'><set-backend-service backend-id="mongodb-admin-a" /></when><when condition='@((string)context.Variables["tier"] == "reader")'><set-backend-service backend-id="mongodb-admin-a" /></when><otherwise><include-fragment fragment-id="mcp-refuse" /></otherwise></choose></inbound></policies>
  XML
}

resource "azurerm_api_management_api_policy" "fail_no_refusal" {
  api_name            = "mcp-fail-no-refusal"
  resource_group_name = "rg"
  api_management_name = azurerm_api_management.this.name
  xml_content         = <<-XML
    <policies><inbound><base /><include-fragment fragment-id="mcp-caller" /><choose><when condition='@((string)context.Variables["tier"] == "admin")'><set-backend-service backend-id="mongodb-admin-a" /></when><when condition='@((string)context.Variables["tier"] == "reader")'><set-backend-service backend-id="mongodb-reader-a" /></when></choose></inbound></policies>
  XML
}

resource "azurerm_api_management_api_policy" "fail_default_tier" {
  api_name            = "mcp-fail-default-tier"
  resource_group_name = "rg"
  api_management_name = azurerm_api_management.this.name
  xml_content         = <<-XML
    <policies><inbound><base /><include-fragment fragment-id="mcp-caller" /><choose><when condition='@((string)context.Variables["tier"] == "admin")'><set-backend-service backend-id="mongodb-admin-a" /></when><when condition='@((string)context.Variables["tier"] == "reader")'><set-backend-service backend-id="mongodb-reader-a" /></when><otherwise><set-backend-service backend-id="mongodb-reader-a" /></otherwise></choose></inbound></policies>
  XML
}

resource "azurerm_api_management_api_policy" "fail_no_choice" {
  api_name            = "mcp-fail-no-choice"
  resource_group_name = "rg"
  api_management_name = azurerm_api_management.this.name
  xml_content         = <<-XML
    <policies><inbound><base /><include-fragment fragment-id="mcp-caller" /><set-backend-service backend-id="mongodb-admin-a" /></inbound></policies>
  XML
}

resource "azurerm_api_management_api_policy" "pass_retry" {
  api_name            = "mcp-pass-retry"
  resource_group_name = "rg"
  api_management_name = azurerm_api_management.this.name
  xml_content         = <<-XML
    <policies><inbound><base /><include-fragment fragment-id="mcp-caller" /><choose><when condition='@((string)context.Variables["tier"] == "admin")'><set-backend-service backend-id="mongodb-admin-a" /></when><when condition='@((string)context.Variables["tier"] == "reader")'><set-backend-service backend-id="mongodb-reader-a" /></when><otherwise><include-fragment fragment-id="mcp-refuse" /></otherwise></choose></inbound><backend><retry count="1" interval="1" condition="@(true)"><choose><when condition='@((int)context.Variables["slot"] == 1 &amp;&amp; (string)context.Variables["tier"] == "reader")'><set-backend-service backend-id="mongodb-reader-b" /></when></choose><forward-request buffer-response="false" /></retry></backend></policies>
  XML
}

resource "azurerm_api_management_api_policy" "fail_retry" {
  api_name            = "mcp-fail-retry"
  resource_group_name = "rg"
  api_management_name = azurerm_api_management.this.name
  xml_content         = <<-XML
    <policies><inbound><base /><include-fragment fragment-id="mcp-caller" /><choose><when condition='@((string)context.Variables["tier"] == "admin")'><set-backend-service backend-id="mongodb-admin-a" /></when><when condition='@((string)context.Variables["tier"] == "reader")'><set-backend-service backend-id="mongodb-reader-a" /></when><otherwise><include-fragment fragment-id="mcp-refuse" /></otherwise></choose></inbound><backend><retry count="1" interval="1" condition="@(true)"><choose><when condition='@((int)context.Variables["slot"] == 1 &amp;&amp; (string)context.Variables["tier"] == "reader")'><set-backend-service backend-id="mongodb-admin-b" /></when></choose><forward-request buffer-response="false" /></retry></backend></policies>
  XML
}
