resource "azurerm_api_management" "this" {
  name                = "apim-this"
  resource_group_name = "rg"
  location            = "uksouth"
  publisher_name      = "Platform team"
  publisher_email     = "platform@example.com"
  sku_name            = "Developer_1"
}

resource "azurerm_api_management_api" "pass_with" {
  name                = "mcp-with"
  display_name        = "pass_with"
  resource_group_name = "rg"
  api_management_name = azurerm_api_management.this.name
  revision            = "1"
  path                = "with"
  protocols           = ["https"]
}

resource "azurerm_api_management_api" "fail_without" {
  name                = "mcp-without"
  display_name        = "fail_without"
  resource_group_name = "rg"
  api_management_name = azurerm_api_management.this.name
  revision            = "1"
  path                = "without"
  protocols           = ["https"]
}

resource "azurerm_api_management_api_policy" "with" {
  api_name            = azurerm_api_management_api.pass_with.name
  resource_group_name = "rg"
  api_management_name = azurerm_api_management.this.name
  xml_content         = "<policies><inbound><base /></inbound><backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error></policies>"
}
