resource "azurerm_api_management" "pass_default" {
  name                = "apim"
  resource_group_name = "rg"
  location            = "uksouth"
  publisher_name      = "Platform team"
  publisher_email     = "platform@example.com"
  sku_name            = "Developer_1"
}

resource "azurerm_api_management" "pass_said" {
  name                = "apim"
  resource_group_name = "rg"
  location            = "uksouth"
  publisher_name      = "Platform team"
  publisher_email     = "platform@example.com"
  sku_name            = "Developer_1"

  security {
    triple_des_ciphers_enabled = false
  }
}

resource "azurerm_api_management" "fail_front" {
  name                = "apim"
  resource_group_name = "rg"
  location            = "uksouth"
  publisher_name      = "Platform team"
  publisher_email     = "platform@example.com"
  sku_name            = "Developer_1"

  security {
    frontend_tls10_enabled = true
  }
}

resource "azurerm_api_management" "fail_back" {
  name                = "apim"
  resource_group_name = "rg"
  location            = "uksouth"
  publisher_name      = "Platform team"
  publisher_email     = "platform@example.com"
  sku_name            = "Developer_1"

  security {
    backend_tls11_enabled = true
  }
}

resource "azurerm_api_management" "fail_cipher" {
  name                = "apim"
  resource_group_name = "rg"
  location            = "uksouth"
  publisher_name      = "Platform team"
  publisher_email     = "platform@example.com"
  sku_name            = "Developer_1"

  security {
    triple_des_ciphers_enabled = true
  }
}
