variable "registry" {
  type    = string
  default = "acrtest0"
}

resource "azurerm_resource_group" "adopted" {
  name     = "rg-test"
  location = "West Europe"
  tags     = { owner = "platform" }
}

resource "azurerm_resource_group" "other" {
  name     = "rg-test-none"
  location = "westeurope"
}

data "azurerm_container_registry" "this" {
  name                = var.registry
  resource_group_name = "rg-test"
}

data "azurerm_key_vault" "this" {
  name                = "kv-test-0"
  resource_group_name = "rg-test"
}

data "azurerm_key_vault_secret" "this" {
  name         = "connection"
  key_vault_id = data.azurerm_key_vault.this.id
}

data "azurerm_user_assigned_identity" "this" {
  name                = "id-gateway"
  resource_group_name = "rg-test"
}

data "azurerm_subnet" "this" {
  name                 = "snet-containers"
  virtual_network_name = "vnet-test"
  resource_group_name  = "rg-test"
}

data "azuread_group" "this" {
  display_name = "Readers"
}

resource "terraform_data" "found" {
  input = {
    login_server     = data.azurerm_container_registry.this.login_server
    vault_uri        = data.azurerm_key_vault.this.vault_uri
    principal_id     = data.azurerm_user_assigned_identity.this.principal_id
    address_prefixes = data.azurerm_subnet.this.address_prefixes
    secret           = nonsensitive(data.azurerm_key_vault_secret.this.value)
    group            = data.azuread_group.this.display_name
  }
}

output "found" {
  value = terraform_data.found.output
}
