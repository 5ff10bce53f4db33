resource "azurerm_api_management_api" "pass_open" {
  name                  = "pass_open"
  resource_group_name   = "rg"
  api_management_name   = "apim"
  revision              = "1"
  path                  = "pass_open"
  subscription_required = false
}

resource "azurerm_api_management_api" "fail_default" {
  name                = "fail_default"
  resource_group_name = "rg"
  api_management_name = "apim"
  revision            = "1"
  path                = "fail_default"

}

resource "azurerm_api_management_api" "fail_required" {
  name                  = "fail_required"
  resource_group_name   = "rg"
  api_management_name   = "apim"
  revision              = "1"
  path                  = "fail_required"
  subscription_required = true
}
