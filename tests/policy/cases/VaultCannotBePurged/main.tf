resource "azurerm_key_vault" "pass_kept" {
  name                = "vault"
  resource_group_name = "rg"
  location            = "uksouth"
  tenant_id           = "00000000-0000-0000-0000-000000000000"
  sku_name            = "standard"

  rbac_authorization_enabled = true
  purge_protection_enabled   = true
}

resource "azurerm_key_vault" "fail_purgeable" {
  name                = "vault"
  resource_group_name = "rg"
  location            = "uksouth"
  tenant_id           = "00000000-0000-0000-0000-000000000000"
  sku_name            = "standard"

  rbac_authorization_enabled = true
}

resource "azurerm_key_vault" "fail_off" {
  name                = "vault"
  resource_group_name = "rg"
  location            = "uksouth"
  tenant_id           = "00000000-0000-0000-0000-000000000000"
  sku_name            = "standard"

  rbac_authorization_enabled = true
  purge_protection_enabled   = false
}

resource "azurerm_key_vault" "fail_access_policies" {
  name                = "vault"
  resource_group_name = "rg"
  location            = "uksouth"
  tenant_id           = "00000000-0000-0000-0000-000000000000"
  sku_name            = "standard"

  purge_protection_enabled = true
}

resource "azurerm_key_vault" "pass_days" {
  name                = "vault"
  resource_group_name = "rg"
  location            = "uksouth"
  tenant_id           = "00000000-0000-0000-0000-000000000000"
  sku_name            = "standard"

  rbac_authorization_enabled = true
  purge_protection_enabled   = true
  soft_delete_retention_days = 7
}
