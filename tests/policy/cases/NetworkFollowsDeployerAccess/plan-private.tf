locals {
  listed = { fail_listed = ["203.0.113.7"] }
  skus   = { pass_registry = "Premium", fail_registry = "Premium", fail_basic = "Basic" }
}

variable "deployer_access" {
  default = "private"
}

variable "deployer_ip_rules" {
  default = []
}

resource "azurerm_key_vault" "this" {
  for_each            = toset(["pass_vault", "fail_vault", "fail_listed"])
  name                = "kv-${replace(each.key, "_", "-")}"
  resource_group_name = "rg"
  location            = "uksouth"
  tenant_id           = "00000000-0000-0000-0000-000000000000"
  sku_name            = "standard"

  rbac_authorization_enabled    = true
  public_network_access_enabled = each.key != "pass_vault"

  dynamic "network_acls" {
    for_each = { for name, addresses in local.listed : name => addresses if name == each.key }

    content {
      bypass         = "AzureServices"
      default_action = "Deny"
      ip_rules       = network_acls.value
    }
  }
}

resource "azurerm_container_registry" "this" {
  for_each            = local.skus
  name                = "acr${replace(each.key, "_", "")}"
  resource_group_name = "rg"
  location            = "uksouth"
  sku                 = each.value

  public_network_access_enabled = each.key != "pass_registry"
}

resource "azurerm_storage_account" "this" {
  for_each                 = toset(["pass_state", "fail_state"])
  name                     = "st${replace(each.key, "_", "")}"
  resource_group_name      = "rg"
  location                 = "uksouth"
  account_tier             = "Standard"
  account_replication_type = "ZRS"

  public_network_access_enabled = each.key != "pass_state"
}
