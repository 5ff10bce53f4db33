variable "subscription_id" {
  description = "Subscription that everything is created in."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", var.subscription_id))
    error_message = "subscription_id must be a GUID such as 11111111-2222-3333-4444-555555555555."
  }
}

variable "name" {
  description = "Name of the deployment; the gateway is called apim-<name>, unique in Azure."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,38}[a-z0-9]$", var.name))
    error_message = "name must be 3-40 lower-case letters, digits and hyphens, start with a letter and not end with a hyphen."
  }
}

variable "environment" {
  description = "Name of the folder in terraform/environments that these values come from."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,19}$", var.environment))
    error_message = "environment must be 1-20 lower-case letters, digits and hyphens, and start with a letter."
  }
}

variable "location" {
  description = "Azure region, by its short name."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9]+$", var.location))
    error_message = "location must be a region's short name such as uksouth, without spaces or capitals."
  }
}

variable "resource_group_name" {
  description = "Existing resource group, created by `invoke bootstrap`."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_().-]{0,89}[A-Za-z0-9_()-]$", var.resource_group_name))
    error_message = "resource_group_name must be 1-90 letters, digits, underscores, hyphens, parentheses and dots, and not end with a dot."
  }
}

variable "tags" {
  description = "Tags of every resource, besides `environment` and `deployment`."
  type        = map(string)
  default     = {}
  nullable    = false
}
