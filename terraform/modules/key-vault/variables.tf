variable "name" {
  description = "Vault name, unique in Azure."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-zA-Z][a-zA-Z0-9-]{1,22}[a-zA-Z0-9]$", var.name))
    error_message = "A Key Vault name must be 3-24 letters, digits and hyphens, start with a letter and end with a letter or digit; set key_vault_name."
  }

  validation {
    condition     = !strcontains(var.name, "--")
    error_message = "A Key Vault name must not hold two hyphens in a row; set key_vault_name."
  }
}

variable "resource_group_name" {
  description = "Resource group that holds everything of this module."
  type        = string
  nullable    = false
}

variable "location" {
  description = "Azure region, for example uksouth."
  type        = string
  nullable    = false
}

variable "tags" {
  description = "Tags of every resource of this module."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "tenant_id" {
  description = "Entra tenant that authenticates callers of the vault."
  type        = string
  nullable    = false
}

variable "sku_name" {
  description = "`standard`, or `premium` for keys in hardware."
  type        = string
  default     = "standard"
  nullable    = false

  validation {
    condition     = contains(["standard", "premium"], var.sku_name)
    error_message = "The Key Vault sku_name must be standard or premium."
  }
}

variable "soft_delete_retention_days" {
  description = "Days for which a deleted secret, or the deleted vault, can be recovered. Cannot be changed later."
  type        = number
  default     = 90
  nullable    = false

  validation {
    condition     = var.soft_delete_retention_days >= 7 && var.soft_delete_retention_days <= 90
    error_message = "soft_delete_retention_days must be from 7 to 90."
  }
}

variable "network" {
  description = "Who reaches the vault: everybody who signs in (`public`), listed addresses (`allow-list`), or private endpoints only (`private`)."
  type = object({
    access   = optional(string, "private")
    ip_rules = optional(set(string), [])
  })
  default  = {}
  nullable = false

  validation {
    condition     = contains(["public", "allow-list", "private"], var.network.access)
    error_message = "The vault's network.access must be public, allow-list or private."
  }
}

variable "lock_enabled" {
  description = "Has Azure refuse the deletion of the vault, and of what belongs to it, to everybody. Removing the lock is a deed of its own."
  type        = bool
  default     = false
  nullable    = false
}

variable "prevent_destroy" {
  description = "Has every plan fail that would delete or replace the vault. Once on, it does not go off by value; see terraform/README.md."
  type        = bool
  default     = false
  nullable    = false
}
