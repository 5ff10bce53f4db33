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
  description = "The API Management service. A custom domain's certificate is named by its versionless Key Vault id, so that renewals arrive by themselves; a vault other than key_vault_name also by its resource id."
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
    condition     = can(regex("^(Developer_1|Premium_[1-9][0-9]*)$", var.apim.sku_name))
    error_message = "apim.sku_name must be Developer_1 or Premium_<units>: of the classic tiers only these join a virtual network."
  }

  validation {
    condition     = var.apim.zones == null || startswith(var.apim.sku_name, "Premium_")
    error_message = "apim.zones needs the Premium tier."
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
