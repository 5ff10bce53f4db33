variable "deployer_access" {
  default = "private"
}

variable "deployer_ip_rules" {
  default = []
}

resource "azurerm_key_vault" "pass_vault" {
  name                = "kv-pass-vault"
  resource_group_name = "rg"
  location            = "uksouth"
  tenant_id           = "00000000-0000-0000-0000-000000000000"
  sku_name            = "standard"

  rbac_authorization_enabled = true

  public_network_access_enabled = false
}

resource "azurerm_container_registry" "pass_registry" {
  name                = "acrpassregistry"
  resource_group_name = "rg"
  location            = "uksouth"
  sku                 = "Premium"

  public_network_access_enabled = false
}

resource "azurerm_storage_account" "pass_state" {
  name                     = "stpassstate"
  resource_group_name      = "rg"
  location                 = "uksouth"
  account_tier             = "Standard"
  account_replication_type = "ZRS"

  public_network_access_enabled = false
}

resource "azurerm_key_vault" "fail_vault" {
  name                = "kv-fail-vault"
  resource_group_name = "rg"
  location            = "uksouth"
  tenant_id           = "00000000-0000-0000-0000-000000000000"
  sku_name            = "standard"

  rbac_authorization_enabled = true
}

resource "azurerm_key_vault" "fail_listed" {
  name                = "kv-fail-listed"
  resource_group_name = "rg"
  location            = "uksouth"
  tenant_id           = "00000000-0000-0000-0000-000000000000"
  sku_name            = "standard"

  rbac_authorization_enabled = true

  network_acls {
    bypass         = "AzureServices"
    default_action = "Deny"
    ip_rules       = ["203.0.113.7"]
  }
}

resource "azurerm_container_registry" "fail_registry" {
  name                = "acrfailregistry"
  resource_group_name = "rg"
  location            = "uksouth"
  sku                 = "Premium"
}

resource "azurerm_container_registry" "fail_basic" {
  name                = "acrfailbasic"
  resource_group_name = "rg"
  location            = "uksouth"
  sku                 = "Basic"
}

resource "azurerm_storage_account" "fail_state" {
  name                     = "stfailstate"
  resource_group_name      = "rg"
  location                 = "uksouth"
  account_tier             = "Standard"
  account_replication_type = "ZRS"
}
