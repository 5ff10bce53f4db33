variable "deployer_access" {
  default = "allow-list"
}

variable "deployer_ip_rules" {
  default = ["203.0.113.7"]
}

resource "azurerm_key_vault" "pass_listed" {
  name                = "kv-pass-listed"
  resource_group_name = "rg"
  location            = "uksouth"
  tenant_id           = "00000000-0000-0000-0000-000000000000"
  sku_name            = "standard"

  rbac_authorization_enabled = true

  network_acls {
    bypass         = "AzureServices"
    default_action = "Deny"
    ip_rules       = ["203.0.113.7/32"]
  }
}

resource "azurerm_key_vault" "pass_nobody" {
  name                = "kv-pass-nobody"
  resource_group_name = "rg"
  location            = "uksouth"
  tenant_id           = "00000000-0000-0000-0000-000000000000"
  sku_name            = "standard"

  rbac_authorization_enabled = true

  network_acls {
    bypass         = "AzureServices"
    default_action = "Deny"
    ip_rules       = []
  }
}

resource "azurerm_container_registry" "pass_listed" {
  name                = "acrpasslisted"
  resource_group_name = "rg"
  location            = "uksouth"
  sku                 = "Premium"

  network_rule_set {
    default_action = "Deny"

    ip_rule {
      action   = "Allow"
      ip_range = "203.0.113.7"
    }
  }
}

resource "azurerm_container_registry" "pass_basic" {
  name                = "acrpassbasic"
  resource_group_name = "rg"
  location            = "uksouth"
  sku                 = "Basic"
}

resource "azurerm_storage_account" "pass_listed" {
  name                     = "stpasslisted"
  resource_group_name      = "rg"
  location                 = "uksouth"
  account_tier             = "Standard"
  account_replication_type = "ZRS"

  network_rules {
    bypass         = ["AzureServices"]
    default_action = "Deny"
    ip_rules       = ["203.0.113.7"]
  }
}

resource "azurerm_key_vault" "fail_open" {
  name                = "kv-fail-open"
  resource_group_name = "rg"
  location            = "uksouth"
  tenant_id           = "00000000-0000-0000-0000-000000000000"
  sku_name            = "standard"

  rbac_authorization_enabled = true
}

resource "azurerm_key_vault" "fail_allow" {
  name                = "kv-fail-allow"
  resource_group_name = "rg"
  location            = "uksouth"
  tenant_id           = "00000000-0000-0000-0000-000000000000"
  sku_name            = "standard"

  rbac_authorization_enabled = true

  network_acls {
    bypass         = "AzureServices"
    default_action = "Allow"
    ip_rules       = []
  }
}

resource "azurerm_key_vault" "fail_stranger" {
  name                = "kv-fail-stranger"
  resource_group_name = "rg"
  location            = "uksouth"
  tenant_id           = "00000000-0000-0000-0000-000000000000"
  sku_name            = "standard"

  rbac_authorization_enabled = true

  network_acls {
    bypass         = "AzureServices"
    default_action = "Deny"
    ip_rules       = ["203.0.113.7", "198.51.100.9"]
  }
}

resource "azurerm_container_registry" "fail_open" {
  name                = "acrfailopen"
  resource_group_name = "rg"
  location            = "uksouth"
  sku                 = "Premium"
}

resource "azurerm_container_registry" "fail_stranger" {
  name                = "acrfailstranger"
  resource_group_name = "rg"
  location            = "uksouth"
  sku                 = "Premium"

  network_rule_set {
    default_action = "Deny"

    ip_rule {
      action   = "Allow"
      ip_range = "198.51.100.9"
    }
  }
}

resource "azurerm_container_registry" "fail_password" {
  name                = "acrfailpassword"
  resource_group_name = "rg"
  location            = "uksouth"
  sku                 = "Basic"
  admin_enabled       = true
}

resource "azurerm_storage_account" "fail_stranger" {
  name                     = "stfailstranger"
  resource_group_name      = "rg"
  location                 = "uksouth"
  account_tier             = "Standard"
  account_replication_type = "ZRS"

  network_rules {
    bypass         = ["AzureServices"]
    default_action = "Deny"
    ip_rules       = ["198.51.100.9"]
  }
}
