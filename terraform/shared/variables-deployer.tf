variable "deployer_access" {
  description = <<-EOT
    How the machine that runs Terraform reaches the vault and the registry: from anywhere (`public`), from
    `deployer_ip_rules` (`allow-list`), or from inside the network (`private`).
  EOT
  type        = string
  default     = "private"
  nullable    = false

  validation {
    condition     = contains(["public", "allow-list", "private"], var.deployer_access)
    error_message = "deployer_access must be public, allow-list or private."
  }

  validation {
    condition     = var.deployer_access != "private" || var.registry.sku == "Premium"
    error_message = "deployer_access = \"private\" needs registry.sku = \"Premium\": the other tiers have no private endpoints."
  }
}

variable "deployer_ip_rules" {
  description = "Public IPv4 addresses or ranges that deploy, with deployer_access = \"allow-list\"."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for range in var.deployer_ip_rules : can(cidrnetmask(strcontains(range, "/") ? range : "${range}/32"))])
    error_message = "deployer_ip_rules must be IPv4 addresses or ranges such as 203.0.113.7 or 203.0.113.0/24."
  }

  validation {
    condition     = !contains(var.deployer_ip_rules, "0.0.0.0/0")
    error_message = "deployer_ip_rules must not be the whole internet; say deployer_access = \"public\" if that is meant."
  }

  validation {
    condition     = var.deployer_access != "allow-list" || length(var.deployer_ip_rules) > 0
    error_message = "deployer_access = \"allow-list\" needs at least one address in deployer_ip_rules."
  }
}

variable "state_account" {
  description = <<-EOT
    The storage account of the Terraform state, to reach it through a private endpoint in this network. The account is
    made before this network is, so its public access is closed afterwards, by whoever keeps it.
  EOT
  type        = object({ id = string })
  default     = null

  validation {
    condition     = var.state_account == null ? true : can(regex("^/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft.Storage/storageAccounts/[a-z0-9]{3,24}$", var.state_account.id))
    error_message = "state_account.id must be the resource id of a storage account, /subscriptions/…/storageAccounts/<account>."
  }
}
