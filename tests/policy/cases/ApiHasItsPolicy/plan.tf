resource "azurerm_api_management" "this" {
  name                = "apim-this"
  resource_group_name = "rg"
  location            = "uksouth"
  publisher_name      = "Platform team"
  publisher_email     = "platform@example.com"
  sku_name            = "Developer_1"
}

resource "azurerm_api_management_api" "this" {
  for_each            = toset(["pass_with", "fail_without"])
  name                = "mcp-${each.key}"
  display_name        = each.key
  resource_group_name = "rg"
  api_management_name = azurerm_api_management.this.name
  revision            = "1"
  path                = each.key
  protocols           = ["https"]
}

resource "azurerm_api_management_api_policy" "with" {
  api_name            = azurerm_api_management_api.this["pass_with"].name
  resource_group_name = "rg"
  api_management_name = azurerm_api_management.this.name
  xml_content         = "<policies><inbound><base /></inbound><backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error></policies>"
}
