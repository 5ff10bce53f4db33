terraform {
  # 1.9: validations that compare variables with each other.
  required_version = ">= 1.9"

  required_providers {
    azuread = {
      source  = "hashicorp/azuread"
      version = "~> 3.9"
    }
    azurerm = {
      source  = "hashicorp/azurerm"
      version = "~> 5.2"
    }
  }

  # The rest is given to `terraform init -backend-config=…`: account, resource group and key (stage2.tfstate).
  backend "azurerm" {
    container_name   = "tfstate"
    use_azuread_auth = true
  }
}
