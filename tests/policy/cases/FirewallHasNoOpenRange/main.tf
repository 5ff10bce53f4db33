resource "azurerm_key_vault" "pass_addresses" {
  name                = "vault"
  resource_group_name = "rg"
  location            = "uksouth"
  tenant_id           = "00000000-0000-0000-0000-000000000000"
  sku_name            = "standard"

  network_acls {
    bypass         = "AzureServices"
    default_action = "Deny"
    ip_rules       = ["203.0.113.7", "198.51.100.0/24"]
  }
}

resource "azurerm_key_vault" "pass_none" {
  name                = "vault"
  resource_group_name = "rg"
  location            = "uksouth"
  tenant_id           = "00000000-0000-0000-0000-000000000000"
  sku_name            = "standard"

  network_acls {
    bypass         = "AzureServices"
    default_action = "Deny"
    ip_rules       = []
  }
}

resource "azurerm_key_vault" "fail_internet" {
  name                = "vault"
  resource_group_name = "rg"
  location            = "uksouth"
  tenant_id           = "00000000-0000-0000-0000-000000000000"
  sku_name            = "standard"

  network_acls {
    bypass         = "AzureServices"
    default_action = "Deny"
    ip_rules       = ["0.0.0.0/0"]
  }
}

resource "azurerm_key_vault" "fail_half" {
  name                = "vault"
  resource_group_name = "rg"
  location            = "uksouth"
  tenant_id           = "00000000-0000-0000-0000-000000000000"
  sku_name            = "standard"

  network_acls {
    bypass         = "AzureServices"
    default_action = "Deny"
    ip_rules       = ["0.0.0.0/1"]
  }
}

resource "azurerm_key_vault" "fail_provider" {
  name                = "vault"
  resource_group_name = "rg"
  location            = "uksouth"
  tenant_id           = "00000000-0000-0000-0000-000000000000"
  sku_name            = "standard"

  network_acls {
    bypass         = "AzureServices"
    default_action = "Deny"
    ip_rules       = ["20.0.0.0/8"]
  }
}

resource "azurerm_cosmosdb_account" "fail_azure" {
  name                = "cosmos"
  resource_group_name = "rg"
  location            = "uksouth"
  offer_type          = "Standard"
  ip_range_filter     = ["0.0.0.0"]
}

resource "azurerm_container_registry" "fail_registry" {
  name                = "acr"
  resource_group_name = "rg"
  location            = "uksouth"
  sku                 = "Premium"

  network_rule_set {
    default_action = "Deny"

    ip_rule {
      action   = "Allow"
      ip_range = "0.0.0.0/0"
    }
  }
}

resource "azurerm_storage_account" "fail_state" {
  name                     = "state"
  resource_group_name      = "rg"
  location                 = "uksouth"
  account_tier             = "Standard"
  account_replication_type = "ZRS"

  network_rules {
    default_action = "Deny"
    ip_rules       = ["0.0.0.0/0"]
  }
}
