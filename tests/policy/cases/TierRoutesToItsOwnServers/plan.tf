# Planned only: the rule compares texts, and the servers that they name do not exist here.

locals {
  admin  = "<when condition='@((string)context.Variables[\"tier\"] == \"admin\")'><set-backend-service backend-id=\"mongodb-admin-a\" /></when>"
  reader = "<when condition='@((string)context.Variables[\"tier\"] == \"reader\")'><set-backend-service backend-id=\"mongodb-reader-a\" /></when>"
  refuse = "<otherwise><include-fragment fragment-id=\"mcp-refuse\" /></otherwise>"
  own    = "<choose>${local.admin}${local.reader}${local.refuse}</choose>"

  routes = {
    pass_own          = local.own
    pass_elsewhere    = replace(local.own, "/mongodb-(admin|reader)-a/", "vendor-remote")
    fail_crossed      = "<choose>${local.admin}${replace(local.reader, "mongodb-reader-a", "mongodb-admin-a")}${local.refuse}</choose>"
    fail_no_refusal   = "<choose>${local.admin}${local.reader}</choose>"
    fail_default_tier = "<choose>${local.admin}${local.reader}<otherwise><set-backend-service backend-id=\"mongodb-reader-a\" /></otherwise></choose>"
    fail_no_choice    = "<set-backend-service backend-id=\"mongodb-admin-a\" />"
  }

  # Where a repeated call goes: to the other slot of the same tier, or of another.
  repeats = { pass_retry = "mongodb-reader-b", fail_retry = "mongodb-admin-b" }
}

resource "azurerm_api_management" "this" {
  name                = "apim-this"
  resource_group_name = "rg"
  location            = "uksouth"
  publisher_name      = "Platform team"
  publisher_email     = "platform@example.com"
  sku_name            = "Developer_1"
}

resource "azurerm_api_management_api_policy" "pass_not_mcp" {
  api_name            = "metadata"
  resource_group_name = "rg"
  api_management_name = azurerm_api_management.this.name
  xml_content         = "<policies><inbound><base /></inbound></policies>"
}

resource "azurerm_api_management_api_policy" "mcp" {
  for_each            = local.routes
  api_name            = "mcp-${each.key}"
  resource_group_name = "rg"
  api_management_name = azurerm_api_management.this.name
  xml_content         = "<policies><inbound><base /><include-fragment fragment-id=\"mcp-caller\" />${each.value}</inbound></policies>"
}

resource "azurerm_api_management_api_policy" "repeating" {
  for_each            = local.repeats
  api_name            = "mcp-${each.key}"
  resource_group_name = "rg"
  api_management_name = azurerm_api_management.this.name
  xml_content         = <<-XML
    <policies><inbound><base /><include-fragment fragment-id="mcp-caller" />${local.own}</inbound><backend><retry count="1" interval="1" condition="@(true)"><choose><when condition='@((int)context.Variables["slot"] == 1 &amp;&amp; (string)context.Variables["tier"] == "reader")'><set-backend-service backend-id="${each.value}" /></when></choose><forward-request buffer-response="false" /></retry></backend></policies>
  XML
}
