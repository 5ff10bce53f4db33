resource "azurerm_api_management" "pass_both" {
  name                = "apim"
  resource_group_name = "rg"
  location            = "uksouth"
  publisher_name      = "Platform team"
  publisher_email     = "platform@example.com"
  sku_name            = "Developer_1"

  virtual_network_type = "External"

  virtual_network_configuration {
    subnet_id = "snet"
  }

  identity {
    type         = "UserAssigned"
    identity_ids = ["id"]
  }
}

resource "azurerm_api_management" "pass_with_an_identity_for_its_certificate" {
  name                = "apim"
  resource_group_name = "rg"
  location            = "uksouth"
  publisher_name      = "Platform team"
  publisher_email     = "platform@example.com"
  sku_name            = "Developer_1"

  virtual_network_type = "Internal"

  virtual_network_configuration {
    subnet_id = "snet"
  }

  identity {
    type         = "SystemAssigned, UserAssigned"
    identity_ids = ["id"]
  }
}

resource "azurerm_api_management" "fail_no_network" {
  name                = "apim"
  resource_group_name = "rg"
  location            = "uksouth"
  publisher_name      = "Platform team"
  publisher_email     = "platform@example.com"
  sku_name            = "Developer_1"

  identity {
    type         = "UserAssigned"
    identity_ids = ["id"]
  }
}

resource "azurerm_api_management" "fail_no_identity" {
  name                = "apim"
  resource_group_name = "rg"
  location            = "uksouth"
  publisher_name      = "Platform team"
  publisher_email     = "platform@example.com"
  sku_name            = "Developer_1"

  virtual_network_type = "External"

  virtual_network_configuration {
    subnet_id = "snet"
  }
}

resource "azurerm_api_management" "fail_network_none" {
  name                = "apim"
  resource_group_name = "rg"
  location            = "uksouth"
  publisher_name      = "Platform team"
  publisher_email     = "platform@example.com"
  sku_name            = "Developer_1"

  virtual_network_type = "None"

  virtual_network_configuration {
    subnet_id = "snet"
  }

  identity {
    type         = "UserAssigned"
    identity_ids = ["id"]
  }
}
