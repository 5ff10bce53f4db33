locals {
  # Network rules: whom a vault's, a registry's or an account's firewall lets in, besides what the default action lets in.
  vaults = {
    pass_listed   = { rules = [{ default = "Deny", addresses = ["203.0.113.7/32"] }] }
    pass_nobody   = { rules = [{ default = "Deny", addresses = [] }] }
    fail_open     = { rules = [] }
    fail_allow    = { rules = [{ default = "Allow", addresses = [] }] }
    fail_stranger = { rules = [{ default = "Deny", addresses = ["203.0.113.7", "198.51.100.9"] }] }
  }

  registries = {
    pass_listed   = { sku = "Premium", admitted = ["203.0.113.7"] }
    pass_basic    = { sku = "Basic", admitted = [] }
    fail_open     = { sku = "Premium", admitted = [] }
    fail_stranger = { sku = "Premium", admitted = ["198.51.100.9"] }
    fail_password = { sku = "Basic", admitted = [], password = true }
  }

  accounts = { pass_listed = "203.0.113.7", fail_stranger = "198.51.100.9" }
}

variable "deployer_access" {
  default = "allow-list"
}

variable "deployer_ip_rules" {
  default = ["203.0.113.7"]
}

resource "azurerm_key_vault" "this" {
  for_each            = local.vaults
  name                = "kv-${replace(each.key, "_", "-")}"
  resource_group_name = "rg"
  location            = "uksouth"
  tenant_id           = "00000000-0000-0000-0000-000000000000"
  sku_name            = "standard"

  rbac_authorization_enabled = true

  dynamic "network_acls" {
    for_each = each.value.rules

    content {
      bypass         = "AzureServices"
      default_action = network_acls.value.default
      ip_rules       = network_acls.value.addresses
    }
  }
}

resource "azurerm_container_registry" "this" {
  for_each            = local.registries
  name                = "acr${replace(each.key, "_", "")}"
  resource_group_name = "rg"
  location            = "uksouth"
  sku                 = each.value.sku
  admin_enabled       = try(each.value.password, false)

  dynamic "network_rule_set" {
    for_each = each.value.admitted

    content {
      default_action = "Deny"

      ip_rule {
        action   = "Allow"
        ip_range = network_rule_set.value
      }
    }
  }
}

resource "azurerm_storage_account" "this" {
  for_each                 = local.accounts
  name                     = "st${replace(each.key, "_", "")}"
  resource_group_name      = "rg"
  location                 = "uksouth"
  account_tier             = "Standard"
  account_replication_type = "ZRS"

  network_rules {
    bypass         = ["AzureServices"]
    default_action = "Deny"
    ip_rules       = [each.value]
  }
}
