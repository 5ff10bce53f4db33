variable "data_protection" {
  description = <<-EOT
    What stands between a mistake and lost data. `prevent_destroy`: a plan that would delete or replace the database
    account, a database, a collection, the vault or the registry fails; see terraform/README.md for the way out.
    `locks`: Azure refuses deletion of these (database, key_vault, registry) and of what belongs to them to everybody.
  EOT
  type = object({
    prevent_destroy = optional(bool, false)
    locks           = optional(set(string), [])
  })
  default  = {}
  nullable = false

  validation {
    condition     = length(setsubtract(var.data_protection.locks, ["database", "key_vault", "registry"])) == 0
    error_message = "data_protection.locks takes database, key_vault and registry."
  }
}

variable "customer_managed_key" {
  description = <<-EOT
    A key of one's own for the database and the registry, besides Microsoft's: its versionless id, and the resource id of
    the vault that holds it. It has to be chosen before the first deployment. Stage 1 gives its identity the role on the key.
  EOT
  type = object({
    key_id       = string
    key_vault_id = string
  })
  default = null

  validation {
    # With a version in the id, a rotated key would not be taken up.
    condition     = var.customer_managed_key == null ? true : can(regex("^https://[^/]+/keys/[A-Za-z0-9-]+$", var.customer_managed_key.key_id))
    error_message = "customer_managed_key.key_id must be a versionless id, https://<vault>/keys/<key>."
  }

  validation {
    condition     = var.customer_managed_key == null ? true : can(regex("^/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft.KeyVault/vaults/[^/]+$", var.customer_managed_key.key_vault_id))
    error_message = "customer_managed_key.key_vault_id must be the resource id of a Key Vault, /subscriptions/…/vaults/<vault>."
  }

  validation {
    condition = try(
      lower(split(".", split("/", var.customer_managed_key.key_id)[2])[0]) == lower(reverse(split("/", var.customer_managed_key.key_vault_id))[0]),
      true,
    )
    error_message = "customer_managed_key.key_id must be a key of the vault in customer_managed_key.key_vault_id."
  }
}
