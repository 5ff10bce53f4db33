# What only stage 2 reads. Declared so that one terraform.tfvars serves both stages without a warning about unknown names;
# stage 2 says what the values must look like.

variable "public_base_url" {
  description = "See stage2/variables-*.tf."
  type        = any
  default     = null
}

variable "entra_authority" {
  description = "See stage2/variables-*.tf."
  type        = any
  default     = null
}

variable "authorization" {
  description = "See stage2/variables-*.tf."
  type        = any
  default     = null
}

variable "oauth_facade_enabled" {
  description = "See stage2/variables-*.tf."
  type        = any
  default     = null
}

variable "apim" {
  description = "See stage2/variables-*.tf."
  type        = any
  default     = null
}

variable "allowed_origins" {
  description = "See stage2/variables-*.tf."
  type        = any
  default     = null
}

variable "owners" {
  description = "See stage2/variables-*.tf."
  type        = any
  default     = null
}

variable "mcp_clients" {
  description = "See stage2/variables-*.tf."
  type        = any
  default     = null
}

variable "pre_authorized_client_ids" {
  description = "See stage2/variables-*.tf."
  type        = any
  default     = null
}

variable "groups" {
  description = "See stage2/variables-*.tf."
  type        = any
  default     = null
}

variable "cosmos_account_name" {
  description = "See stage2/variables-*.tf."
  type        = any
  default     = null
}

variable "cosmos" {
  description = "See stage2/variables-*.tf."
  type        = any
  default     = null
}

variable "monitoring" {
  description = "See stage2/variables-*.tf."
  type        = any
  default     = null
}
