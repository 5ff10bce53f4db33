variable "public_base_url" {
  description = "Where callers reach the gateway. Null: its custom domain, else https://apim-<name>.azure-api.net."
  type        = string
  default     = null

  validation {
    # Every URL that clients compare byte by byte is made from this one: no trailing slash, no capitals.
    condition     = var.public_base_url == null ? true : can(regex("^(https://[a-z0-9.-]+(:[0-9]+)?|http://127\\.0\\.0\\.1:[0-9]+)$", var.public_base_url))
    error_message = "public_base_url must be https://host[:port] in lower case without a path (or http://127.0.0.1:port locally)."
  }
}

variable "apim" {
  description = <<-EOT
    The API Management service. `sku_name` is tier and units: Developer_1, Premium_<units>, StandardV2_<units> or
    PremiumV2_<units>. The v2 tiers are there in minutes and are another kind of service: classic and v2 do not become one
    another, and docs/network.md says what they lack. A custom domain's certificate is named by its versionless Key Vault
    id, so that renewals arrive by themselves; a vault other than key_vault_name also by its resource id.
  EOT
  type = object({
    sku_name        = optional(string, "Developer_1")
    publisher_name  = string
    publisher_email = string
    zones           = optional(set(string))
    custom_domain = optional(object({
      host_name                = string
      key_vault_certificate_id = string
      key_vault_id             = optional(string)
    }))
  })
  nullable = false

  validation {
    # Tiers: "Feature-based comparison of the Azure API Management tiers", read 2026-11; units: azurerm 5.2.0, validate/api_management_sku.go.
    condition     = can(regex("^(Developer_1|Premium_[1-9][0-9]?|StandardV2_([1-9]|10)|PremiumV2_([1-9]|[12][0-9]|30))$", var.apim.sku_name))
    error_message = "apim.sku_name must be Developer_1, Premium_<1-99>, StandardV2_<1-10> or PremiumV2_<1-30>: the other tiers reach no server in a virtual network."
  }

  validation {
    # Azure makes a PremiumV2 service zone-redundant by `zoneRedundant`, at creation only ("Enable availability zone support on
    # Azure API Management instances", 2025-11-12); azurerm 5.2 does not send it, and refuses `zones` there (azurerm#31652).
    condition     = var.apim.zones == null || startswith(var.apim.sku_name, "Premium_")
    error_message = "apim.zones needs the classic Premium tier: the others have no zones to choose, and azurerm 5.2 cannot ask for a zone-redundant PremiumV2 (azurerm#31652). Leave zones out, or take Premium_<units>."
  }

  validation {
    # Azure: ManagingVirtualNetworkConfigurationNotSupported. A private endpoint leaves the public address open until a second
    # request closes it ("Connect privately to API Management by using an inbound private endpoint", 2025-11-17), which one
    # resource of azurerm cannot express.
    condition     = !(startswith(var.apim.sku_name, "StandardV2_") && var.gateway_exposure == "internal")
    error_message = "apim.sku_name StandardV2 cannot be internal: the tier has no private mode, and azurerm 5.2 cannot close its public address in the apply that makes its private endpoint. Take PremiumV2_<units>, Premium_<units> or Developer_1, or gateway_exposure = \"public\"."
  }

  validation {
    # "Integrate an Azure API Management instance with a private virtual network for outbound connections", 2025-12-04, and
    # "Inject an Azure API Management instance in a private virtual network - Premium v2 tier", 2025-10-08: /27 at least.
    condition     = !strcontains(var.apim.sku_name, "V2_") || var.network.existing != null || try(tonumber(split("/", var.network.subnets.apim)[1]) <= 27, true)
    error_message = "network.subnets.apim must be /27 or wider for a v2 tier: Azure takes no smaller subnet for it."
  }

  validation {
    # The same page: 5 addresses are Azure's, 2 the first unit's, 1 the load balancer's, and 2 each further unit's.
    condition = !(startswith(var.apim.sku_name, "PremiumV2_") && var.gateway_exposure == "internal") || var.network.existing != null || try(
      tonumber(split("_", var.apim.sku_name)[1]) <= 1 + floor((pow(2, 32 - tonumber(split("/", var.network.subnets.apim)[1])) - 8) / 2),
      true,
    )
    error_message = "apim.sku_name has more units than network.subnets.apim has addresses for: an internal PremiumV2 takes 13 units in a /27, 29 in a /26 and 30 in a /25."
  }

  validation {
    condition     = can(regex("^[^@\\s]+@[^@\\s]+$", var.apim.publisher_email))
    error_message = "apim.publisher_email must be an e-mail address."
  }

  validation {
    condition     = var.apim.custom_domain == null ? true : can(regex("^[a-z0-9-]+(\\.[a-z0-9-]+)+$", var.apim.custom_domain.host_name))
    error_message = "apim.custom_domain.host_name must be a host name in lower case, without scheme and path."
  }

  validation {
    condition     = var.apim.custom_domain == null ? true : can(regex("^https://[^/]+/secrets/[^/]+/?$", var.apim.custom_domain.key_vault_certificate_id))
    error_message = "apim.custom_domain.key_vault_certificate_id must be a versionless id, https://<vault>/secrets/<certificate>; azurerm takes no …/certificates/… here."
  }

  validation {
    # The gateway is given a role on the certificate, for which the vault's resource id is needed.
    condition = try(
      lower(regex("^https://([^./]+)", var.apim.custom_domain.key_vault_certificate_id)[0])
      == lower(var.apim.custom_domain.key_vault_id == null ? var.key_vault_name : reverse(split("/", var.apim.custom_domain.key_vault_id))[0]),
      true,
    )
    error_message = "apim.custom_domain needs key_vault_id, the resource id of the certificate's vault, where that is not key_vault_name."
  }
}

variable "allowed_origins" {
  description = "Origins of browser applications that may call the MCP endpoints. Requests without an Origin are always allowed."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for origin in var.allowed_origins : can(regex("^https?://[a-z0-9.-]+(:[0-9]+)?$", origin))])
    error_message = "allowed_origins must be scheme://host[:port] in lower case, without a path, and never *."
  }
}
