# All that holds data, with the protection that one value switches: see ../../test_protection.py.

variable "protected" {
  type = bool
}

provider "azurerm" {
  subscription_id = "00000000-0000-0000-0000-000000000000"
  features {}
}

module "database" {
  source              = "../modules/cosmosdb-mongodb"
  name                = "cosmos-protected"
  resource_group_name = "rg"
  location            = "uksouth"
  databases           = { shop = { collections = { orders = {} } } }
  lock_enabled        = var.protected
  prevent_destroy     = var.protected
}

module "cluster" {
  source              = "../modules/documentdb"
  name                = "docdb-protected"
  resource_group_name = "rg"
  location            = "uksouth"
  lock_enabled        = var.protected
  prevent_destroy     = var.protected
}

module "registry" {
  source              = "../modules/acr"
  name                = "acrprotected"
  resource_group_name = "rg"
  location            = "uksouth"
  lock_enabled        = var.protected
  prevent_destroy     = var.protected
}

module "vault" {
  source              = "../modules/key-vault"
  name                = "kv-protected"
  resource_group_name = "rg"
  location            = "uksouth"
  tenant_id           = "00000000-0000-0000-0000-000000000002"
  lock_enabled        = var.protected
  prevent_destroy     = var.protected
}
