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

variable "agents" {
  description = <<-EOT
    Agents of Azure DevOps in the network: a Managed DevOps Pool in a `subnet` of its own, a range of network.address_space
    with room for `maximum` agents and the five addresses that Azure keeps. `projects` of the organisation may use it; empty:
    all. `service_principal_id` is the object id of the tenant's service principal *DevOpsInfrastructure*, which is given
    Reader and Network Contributor on the network. Null: no pool. See docs/pipelines.md for the order.
  EOT
  type = object({
    organization_url     = string
    projects             = optional(set(string), [])
    service_principal_id = string
    subnet               = string
    maximum              = optional(number, 1)
    machine = optional(object({
      sku_name = optional(string, "Standard_D2ads_v5")
      image    = optional(string, "ubuntu-24.04")
    }), {})
  })
  default = null

  validation {
    condition     = var.agents == null || var.network.existing == null
    error_message = "agents needs the network that Terraform makes. In a landing zone, have its keeper give a subnet that is delegated to Microsoft.DevOpsInfrastructure/pools, and make the pool there."
  }

  validation {
    condition     = var.agents == null ? true : can(regex("^https://dev\\.azure\\.com/[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$", var.agents.organization_url))
    error_message = "agents.organization_url must be https://dev.azure.com/<organisation>, without a slash at the end."
  }

  validation {
    condition     = var.agents == null ? true : can(regex("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", var.agents.service_principal_id))
    error_message = "agents.service_principal_id must be an object id (a GUID): `az ad sp list --display-name DevOpsInfrastructure --query [].id` prints it."
  }

  validation {
    # Azure keeps five addresses of each subnet.
    condition     = var.agents == null ? true : try(var.agents.maximum >= 1 && floor(var.agents.maximum) == var.agents.maximum && pow(2, 32 - tonumber(split("/", var.agents.subnet)[1])) - 5 >= var.agents.maximum && can(cidrnetmask(var.agents.subnet)), false)
    error_message = "agents.subnet must be an IPv4 range with room for agents.maximum agents (a whole number, 1 or more) and five addresses more, such as 10.60.0.128/28 for 11."
  }
}
