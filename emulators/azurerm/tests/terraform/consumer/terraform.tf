terraform {
  required_providers {
    azurerm = { source = "hashicorp/azurerm", version = "~> 5.2" }
    azuread = { source = "hashicorp/azuread", version = "~> 3.9" }
  }
}

provider "azurerm" {
  subscription_id = "00000000-0000-4000-8000-000000000000"
  features {}
}

provider "azuread" {}
