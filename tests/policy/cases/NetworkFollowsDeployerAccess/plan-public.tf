variable "deployer_access" {
  default = "public"
}

variable "deployer_ip_rules" {
  default = []
}

resource "azurerm_key_vault" "pass_public_vault" {
  name                = "kv-pass-public-vault"
  resource_group_name = "rg"
  location            = "uksouth"
  tenant_id           = "00000000-0000-0000-0000-000000000000"
  sku_name            = "standard"

  rbac_authorization_enabled = true
}

resource "azurerm_container_registry" "pass_public_registry" {
  name                = "acrpasspublicregistry"
  resource_group_name = "rg"
  location            = "uksouth"
  sku                 = "Standard"
}
