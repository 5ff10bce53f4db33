variable "name" {
  description = "Name of the identity."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-zA-Z0-9][a-zA-Z0-9_-]{2,127}$", var.name))
    error_message = "An identity name must be 3-128 letters, digits, hyphens and underscores, and start with a letter or digit."
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
