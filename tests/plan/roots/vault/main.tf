# A closed vault with one secret, and one identity that may read it.

data "azurerm_client_config" "current" {}

module "identity" {
  source = "../../../../terraform/modules/managed-identity"

  name                = "id-root"
  resource_group_name = local.common.resource_group_name
  location            = local.common.location
}

module "vault" {
  source = "../../../../terraform/modules/key-vault"

  name                = "keyvault-root"
  resource_group_name = local.common.resource_group_name
  location            = local.common.location
  tenant_id           = data.azurerm_client_config.current.tenant_id
}

module "roles" {
  source = "../../../../terraform/modules/rbac"

  role_assignments = {
    read = {
      scope          = module.vault.id
      role           = "Key Vault Secrets User"
      principal_id   = module.identity.principal_id
      principal_type = "ServicePrincipal"
      description    = "Reads the secret."
    }
  }
}

resource "azurerm_key_vault_secret" "this" {
  name         = "key"
  key_vault_id = module.vault.id
  value        = "hidden"
}

module "monitoring" {
  source      = "../../../../terraform/modules/monitoring"
  environment = "test"

  name                = "root"
  resource_group_name = local.common.resource_group_name
  location            = local.common.location
  diagnostics         = { vault = { resource_id = module.vault.id, log_category_groups = ["audit"] } }
}

output "vault_uri" {
  value = module.vault.vault_uri
}
