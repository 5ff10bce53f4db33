provider "azurerm" {
  subscription_id = var.subscription_id

  # Registered by name: version 5 registers nothing by itself, and a list shows what the platform uses.
  resource_provider_registrations = "none"
  resource_providers_to_register = concat(local._agents_providers, local._container_apps_providers, local._gateway_providers, [
    "Microsoft.ContainerRegistry",
    "Microsoft.KeyVault",
    "Microsoft.ManagedIdentity",
    "Microsoft.Network",
  ])

  storage_use_azuread = true

  features {
    key_vault {
      # Purge protection forbids purging, so a destroyed vault keeps its name: take it back instead of failing.
      purge_soft_delete_on_destroy    = false
      recover_soft_deleted_key_vaults = true
    }
  }
}

data "azurerm_client_config" "current" {}
