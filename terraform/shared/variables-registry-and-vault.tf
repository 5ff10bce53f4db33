variable "acr_name" {
  description = "Name of the container registry, unique in Azure."
  type        = string
  nullable    = false
}

variable "registry" {
  description = "The container registry. Private endpoint, firewall, zones and retention need Premium."
  type = object({
    sku                     = optional(string, "Premium")
    zone_redundancy_enabled = optional(bool, false)
    untagged_retention_days = optional(number, 30)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.customer_managed_key == null || var.registry.sku == "Premium"
    error_message = "customer_managed_key needs registry.sku = \"Premium\": the other tiers take no key of one's own."
  }
}

variable "key_vault_name" {
  description = "Name of the Key Vault, unique in Azure."
  type        = string
  nullable    = false
}

variable "key_vault" {
  description = "The Key Vault. `secrets_officers` are object ids that may change secrets besides whoever runs Terraform."
  type = object({
    sku_name                   = optional(string, "standard")
    soft_delete_retention_days = optional(number, 90)
    secrets_officers           = optional(map(string), {})
  })
  default  = {}
  nullable = false
}
