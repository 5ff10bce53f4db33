# What only stage 1 reads. Declared so that one terraform.tfvars serves both stages without a warning about unknown names;
# stage 1 says what the values must look like.

variable "deployer_access" {
  description = "See stage1/variables-stage1.tf."
  type        = any
  default     = null
}

variable "deployer_ip_rules" {
  description = "See stage1/variables-stage1.tf."
  type        = any
  default     = null
}

variable "state_account" {
  description = "See stage1/variables-stage1.tf."
  type        = any
  default     = null
}

variable "registry" {
  description = "See stage1/variables-stage1.tf."
  type        = any
  default     = null
}

variable "key_vault" {
  description = "See stage1/variables-stage1.tf."
  type        = any
  default     = null
}
