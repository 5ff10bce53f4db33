# Before the registry is created, which is encrypted from its first byte.
module "encryption_role" {
  source = "../modules/rbac"

  role_assignments = {
    for name, identity in module.encryption_identity : "encryption-key" => {
      scope          = "${var.customer_managed_key.key_vault_id}/keys/${reverse(split("/", var.customer_managed_key.key_id))[0]}"
      role           = "Key Vault Crypto Service Encryption User"
      principal_id   = identity.principal_id
      principal_type = "ServicePrincipal"
      description    = "Database and registry are encrypted with this key."
    }
  }
}

# Given here and not in stage 2, because Azure takes minutes to honour them: image pulls, secrets and named values of
# stage 2 fail when the role is as young as they are.
module "role_assignments" {
  source = "../modules/rbac"

  role_assignments = merge(
    {
      # Stage 2 has to run as the same principal as stage 1; others are named in key_vault.secrets_officers.
      deployer-secrets = {
        scope        = module.key_vault.id
        role         = "Key Vault Secrets Officer"
        principal_id = data.azurerm_client_config.current.object_id
        description  = "Whoever runs Terraform stores the connection strings."
      }
    },
    {
      for name, object_id in var.key_vault.secrets_officers : "officer-${name}" => {
        scope        = module.key_vault.id
        role         = "Key Vault Secrets Officer"
        principal_id = object_id
        description  = "Named in key_vault.secrets_officers."
      }
    },
    {
      for name, identity in merge(module.server_identities, { for key, job in module.database_identity : "database" => job }) : "pull-${name}" => {
        scope          = module.registry.id
        role           = "AcrPull"
        principal_id   = identity.principal_id
        principal_type = "ServicePrincipal"
        description    = "The container group of ${name} pulls its image."
      }
    },
  )
}
